"""A core and plugins whose SDK is of another version, in real workers: they get along, or a line says why."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_core.host.control import ControlClient
from viloapp_core.store import Store
from viloapp_sdk._deprecated import Deprecation
from viloapp_sdk._wire import HELLO, pack
from viloapp_sdk.errors import IncompatibleVersionsError, UnknownServiceError

Run = Callable[[Callable[[], Awaitable[None]]], None]
SOURCE = """
from viloapp_sdk import Plugin, command
class P(Plugin):
    @command("p.hi")
    def hi(self):
        return self.context.api_version
    @command("p.paint")
    def paint(self):
        return self.context.services.theme._request("theme.paint", [])
"""


def change_sdk(store: Store, module: str, old: str, new: str) -> None:
    """Make the SDK in the plugin's environment one of another version."""
    purelib = next((store.plugin("p").generation / "venv").rglob("viloapp_sdk/__init__.py")).parent
    path = purelib / module
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize(("oldest", "newest", "works"), [(1, 4, True), (2, 4, False)])
def test_a_newer_sdk(
    store: Store,
    plant: Plant,
    run: Run,
    oldest: int,
    newest: int,
    works: bool,
) -> None:
    """One that still speaks our version is spoken with; for another it says who has to be updated."""
    plant("p", SOURCE)
    change_sdk(store, "_wire.py", "PROTOCOLS = (1, 1)", f"PROTOCOLS = ({oldest}, {newest})")
    change_sdk(store, "__init__.py", '__version__ = "1.0.0"', '__version__ = "7.8.9"')

    async def test() -> None:
        async with Host(store.root, control=False) as host:
            if works:
                assert await host.call("p.hi") == "1.0"
                return
            for _ in range(4):  # it is not tried again by itself, nor disabled for it
                with pytest.raises(IncompatibleVersionsError) as caught:
                    await host.call("p.hi")
            assert re.fullmatch(
                r"p has viloapp-sdk 7\.8\.9, which speaks wire 2 to 4; this viloapp-core \S+ speaks wire 1",
                caught.value.detail,
            )
            assert caught.value.hint.startswith("update viloapp-core")
            assert store.plugin("p").enabled
            with pytest.raises(IncompatibleVersionsError):
                await host.reload_plugin("p")

    run(test)


def test_a_newer_core(store: Store, plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not speak the SDK's version any more says that the plugin is to be installed again."""
    plant("p", SOURCE)
    monkeypatch.setattr("viloapp_sdk._wire.PROTOCOLS", (2, 3))
    monkeypatch.setattr("viloapp_core.rpc.versions.PROTOCOLS", (2, 3))

    async def test() -> None:
        async with Host(store.root, control=False) as host:
            with pytest.raises(IncompatibleVersionsError) as caught:
                await host.call("p.hi")
            assert "speaks wire 1; this viloapp-core" in caught.value.detail
            assert caught.value.hint.endswith("viloapp install --force-reinstall p")

    run(test)


def test_a_call_that_the_core_does_not_know(store: Store, plant: Plant, run: Run) -> None:
    """A newer SDK asks for it: the plugin gets an error that names the core's version, and lives on."""
    plant("p", SOURCE)

    async def test() -> None:
        async with Host(store.root, control=False) as host:
            with pytest.raises(UnknownServiceError, match=r"viloapp-core \S+ has no service method"):
                await host.call("p.paint")
            assert await host.call("p.hi") == "1.0"

    run(test)


@pytest.mark.parametrize(
    ("asked", "hint"), [("1.9", "update viloapp-core; or viloapp rollback p"), ("0.9", "viloapp update p")]
)
def test_what_another_core_installed_and_this_one_cannot_run(
    store: Store, plant: Plant, run: Run, asked: str, hint: str
) -> None:
    """Nothing is started, and the line names both versions."""
    plant("p", SOURCE, api_version=asked)

    async def test() -> None:
        async with Host(store.root, control=False) as host:
            with pytest.raises(IncompatibleVersionsError, match=rf"p 1\.0 asks for API {asked}") as caught:
                await host.call("p.hi")
            assert "speaks 1.0" in caught.value.detail
            assert caught.value.hint.startswith(hint)
            assert not _log(store).exists()

    run(test)


def test_what_only_a_newer_sdk_says_of_a_command_is_passed_over(store: Store, plant: Plant, run: Run) -> None:
    """The command is offered all the same: a word that we do not know is no mistake of a newer SDK's."""
    source = SOURCE + (
        "    def get_commands(self):\n"
        "        from viloapp_sdk import ICommand\n"
        "        return [ICommand('p.late', 'Late', lambda: 1, '')]\n"
    )
    plant("p", source)
    change_sdk(store, "worker/_runtime.py", '"title": known.title,', '"title": known.title, "colour": "red",')

    async def test() -> None:
        async with Host(store.root, control=False) as host:
            assert await host.call("p:p.late") == 1
            rows: list[dict[str, Any]] = [row for row in host.commands() if row["id"] == "p.late"]
            assert rows[0]["title"] == "Late"

    run(test)


def _log(store: Store) -> Path:
    return store.plugin("p").log_dir / "worker.log"


def test_a_call_that_is_deprecated_is_told_in_the_plugins_log_once(
    store: Store, plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK that asks is older than the deprecation: only the host can tell the author."""
    plant("p", SOURCE.replace("theme.paint", "theme.get_current_theme"))

    async def test() -> None:
        async with Host(store.root, control=False) as host:
            dispatch: Any = host._surroundings.on_request
            services = dispatch._services
            service = services["theme.get_current_theme"]
            old = replace(service, deprecated=Deprecation("theme.current", "2.0"))
            monkeypatch.setattr(dispatch, "_services", {**services, "theme.get_current_theme": old})
            assert [await host.call("p.paint") for _ in range(3)] == ["dark"] * 3

    run(test)
    assert _log(store).read_text("utf-8") == (
        "DeprecationWarning: theme.get_current_theme is deprecated, use theme.current; "
        "API 2.0 has it no more\n"
    )


def test_what_is_deprecated_of_the_sdk_is_told_in_the_plugins_log(
    store: Store, plant: Plant, run: Run
) -> None:
    """Python would hide it; `viloapp dev` shows the log. With the line of the plugin's code, once."""
    source = """
from viloapp_sdk import Plugin, command
from viloapp_sdk.compat import LegacyWidgetAdapter
class Old:
    widget_id = "old"
class P(Plugin):
    @command("p.hi")
    def hi(self):
        return LegacyWidgetAdapter(Old()).widget_id
"""
    plant("p", source)

    async def test() -> None:
        async with Host(store.root, control=False) as host:
            assert [await host.call("p.hi") for _ in range(3)] == ["old"] * 3

    run(test)
    lines = _log(store).read_text("utf-8").splitlines()
    warned = [line for line in lines if "DeprecationWarning" in line]
    assert len(warned) == 1
    assert re.search(r"p_plugin/__init__\.py:9: DeprecationWarning: widget_id is deprecated", warned[0])


@pytest.mark.parametrize("closed", [False, True])
def test_a_command_and_a_workspace_of_other_versions(store: Store, closed: bool) -> None:
    """viloapp-core was updated while the workspace runs: the command says so, also where that has hung up."""
    path = Path(os.environ["XDG_RUNTIME_DIR"]) / "s"  # a short one
    store.root.mkdir(parents=True, exist_ok=True)
    (store.root / "host.json").write_text(json.dumps({"pid": 1, "socket": str(path), "holds": False}))
    with socket.socket(socket.AF_UNIX) as listening, contextlib.ExitStack() as open_until_the_end:
        listening.bind(str(path))
        listening.listen()
        client = ControlClient.connect(store.root)
        assert client is not None
        theirs, _ = listening.accept()
        open_until_the_end.enter_context(theirs)
        theirs.sendall(pack([HELLO, {"protocol": 3, "protocols": [3, 4], "core": "7.6"}]))
        if closed:
            theirs.recv(1000)  # the greeting; what is unread would be answered with a reset
            theirs.close()
        with client, pytest.raises(IncompatibleVersionsError) as caught:
            client.request("status")
    assert caught.value.detail.startswith("viloapp-core 7.6 speaks wire 3 to 4; this viloapp-core ")
    assert caught.value.hint.startswith("end the workspace, and start it again")
