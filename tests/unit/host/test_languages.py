"""The workspace's language reaches running plugins at once, and those that start later."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.unit.host.conftest import Plant
from viloapp_core.host import Host
from viloapp_core.store import Store

SOURCE = """
from viloapp_sdk import Plugin, command


class P(Plugin):
    @command("speaks.say")
    def say(self, name: str) -> str:
        return self.context.i18n.t("hello", name=name)
"""
Run = Callable[[Callable[[], Awaitable[None]]], None]


def test_a_language_is_switched_live(store: Store, plant: Plant, run: Run, tmp_path: Path) -> None:
    """Without a restart; a value that looks like a placeholder is text."""
    package = tmp_path / "src" / "speaks"
    (package / "locales").mkdir(parents=True)
    (package / "__init__.py").write_text(SOURCE)
    for locale, text in (("en", "Hello, {name}!"), ("de", "Hallo, {name}!")):
        (package / "locales" / f"{locale}.json").write_text(json.dumps({"hello": text}))
    plant("speaks", package.parent, entry_point="speaks:P")

    async def check() -> None:
        async with Host(store.root, workspace=tmp_path) as host:
            assert await host.call("speaks.say", {"name": "{name}"}) == "Hello, {name}!"
            host.settings.set("core.locale", "de-AT")
            assert await host.call("speaks.say", {"name": "Eva"}) == "Hallo, Eva!"
            await host.restart_plugin("speaks")
            assert await host.call("speaks.say", {"name": "Eva"}) == "Hallo, Eva!"
            host.settings.unset("core.locale")
            await asyncio.sleep(0)
            assert await host.call("speaks.say", {"name": "Eva"}) == "Hello, Eva!"

    run(check)
