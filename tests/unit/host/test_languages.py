"""The workspace's language reaches running plugins at once, and those that start later."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core.cli.main import main
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


WORDS = {
    "manifest.summary": "Grüßt",
    "manifest.command.speaks.say.title": "Etwas sagen",
    "manifest.command.speaks.say.description": "Sagt etwas.",
    "manifest.setting.style.description": "Wie gegrüßt wird",
    "manifest.setting.style.enum.warm": "herzlich",
    "manifest.permission.services.read.commands.reason": "um sie aufzuzählen",
}


def test_what_a_plugin_says_of_itself_follows_the_language(
    store: Store, plant: Plant, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the host's lists and on the command line, under the same names as before; ids stay."""
    package = tmp_path / "src" / "speaks"
    (package / "locales").mkdir(parents=True)
    (package / "__init__.py").write_text(SOURCE)
    (package / "locales" / "de.json").write_text(json.dumps(WORDS))
    permission = {"id": "services.read.commands", "reason": "to list them"}
    setting = {"type": "string", "enum": ["warm", "cool"], "default": "warm", "description": "How to greet"}
    plant(
        "speaks",
        package.parent,
        entry_point="speaks:P",
        permissions=[permission],
        configuration={"style": setting},
    )

    async def check() -> None:
        async with Host(store.root, workspace=tmp_path) as host:
            heard: list[object] = []
            host.subscribe(lambda name, data: heard.append(data) if name == "locale.changed" else None)
            (row,) = host.commands()
            assert (row["id"], row["title"]) == ("speaks.say", "speaks.say")
            host.settings.set("core.locale", "de-AT")
            assert heard == [{"locale": "de-AT"}]
            (row,) = host.commands()
            assert (row["id"], row["title"], row["description"]) == (
                "speaks.say",
                "Etwas sagen",
                "Sagt etwas.",
            )
            assert host.plugins()[0]["summary"] == "Grüßt"
            style = next(row for row in host.settings.list() if row["key"] == "speaks.style")
            assert (style["description"], style["enum"]) == ("Wie gegrüßt wird", ["warm", "cool"])
            assert style["enum_labels"] == {"warm": "herzlich"}

    run(check)
    asked: dict[str, str] = {}
    for command in ("list", "info speaks", "config list"):
        assert main([*command.split(), "--json"]) == 0
        asked[command] = capsys.readouterr().out
    assert json.loads(asked["list"])["plugins"][0]["summary"] == "Grüßt"
    info = json.loads(asked["info speaks"])
    assert (info["summary"], info["manifest"]["commands"][0]["title"]) == ("Grüßt", "Etwas sagen")
    assert info["manifest"]["permissions"] == [
        {"id": "services.read.commands", "reason": "um sie aufzuzählen"}
    ]
    rows = json.loads(asked["config list"])["settings"]
    assert "Wie gegrüßt wird" in [row["description"] for row in rows]
