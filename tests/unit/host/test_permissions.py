"""Permissions as plugins meet them: checked, asked for, taken away while they run."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_core.host import prompts
from viloapp_core.host.prompts import Asker
from viloapp_core.ledger import read_audit
from viloapp_core.permissions import Permission
from viloapp_core.store import Store
from viloapp_sdk.errors import InvalidArgumentsError, PermissionDeniedError, ViloError
from viloapp_sdk.manifest.needs import emitting

Run = Callable[[Callable[[], Awaitable[None]]], None]

ASKS = """
import os
from viloapp_sdk import Plugin, Widget, command
class Panel(Widget):
    id = "asks.panel"
    def create(self, params):
        return {}
class P(Plugin):
    widgets = [Panel]
    @command("asks.request")
    def request(self, permission: str, reason: str = ""):
        return self.context.request_permission(permission, reason)
    @command("asks.request_async")
    async def request_async(self, permission: str):
        return await self.context.services.aio.permissions.request(permission)
    @command("asks.raw")
    def raw(self, method: str, params: list):
        return self.context.services.theme._request(method, params)
    @command("asks.read")
    def read(self, path: str):
        with open(path) as file:
            return file.read()
    @command("asks.pid")
    def pid(self):
        return os.getpid()
    @command("asks.terminal")
    def terminal(self):
        return self.context.services.terminals.open(["/bin/cat"])["id"]
"""
TERMINAL = Permission.parse("process.spawn.terminal")
READ = Permission.parse("filesystem.read.workspace")


class Person:
    """Somebody who answers as told, and remembers what was asked."""

    def __init__(self, host: Host, *answers: str) -> None:
        self.asked: list[dict[str, Any]] = []
        self.withdrawn: list[int] = []
        self._answers = list(answers)
        self._host = host
        host.permissions.prompts.attach(Asker(self._ask, self.withdrawn.append))

    def _ask(self, question: dict[str, Any]) -> None:
        self.asked.append(question)
        if self._answers:
            self._host.permissions.prompts.answer(question["id"], self._answers.pop(0))


def audited(host: Host) -> list[tuple[str, str, str]]:
    """Return event, permission and outcome of each line of the audit log."""
    host.permissions._log.flush()
    return [(line["event"], line["permission"], line["outcome"]) for line in read_audit(host.store.root)]


@pytest.mark.parametrize(
    ("method", "params", "permission"),
    [
        ("commands.execute", ["other.pid", {}], "plugins.call.other"),
        ("plugins.call", ["other", "other.pid", {}], "plugins.call.other"),
        ("workspace.add_widget", ["other.panel", {}], "ui.open.other.panel"),
        ("commands.list", [], "services.read.commands"),
        ("plugins.list", [], "plugins.read.installed"),
        ("events.emit", ["other.news", {}], "services.emit.other.news"),
        ("events.emit", ["theme.changed", {}], "services.emit.theme.changed"),
        ("events.subscribe", ["other.news"], "services.subscribe.other.news"),
        ("system.get_environment", ["HOME"], "system.environment.HOME"),
        ("system.get_information", [], "system.read.information"),
        ("terminals.list", [], "process.spawn.terminal"),
    ],
)
def test_what_concerns_others_needs_a_permission(
    plant: Plant, run: Run, method: str, params: list[Any], permission: str
) -> None:
    """Denied by name with the command that grants it, told once, audited; granted, it works at once."""
    plant("asks", ASKS)
    plant("other", ASKS.replace("asks.", "other."))

    async def test() -> None:
        async with Host(control=False) as host:
            told: list[dict[str, Any]] = []
            host.subscribe(lambda name, data: told.append(data) if name == "notification" else None)
            for _ in range(3):
                with pytest.raises(PermissionDeniedError, match="asks may not") as denied:
                    await host.call("asks.raw", {"method": method, "params": params})
            assert denied.value.hint == f"viloapp permissions grant asks {permission}"
            assert permission in denied.value.detail
            assert [denied.value.hint in each["message"] for each in told] == [True]
            host.permissions.grant_permission("asks", Permission.parse(permission), lasting="run")
            await host.call("asks.raw", {"method": method, "params": params})
            assert ("deny", permission, "denied") in audited(host)

    run(test)


def test_what_is_a_plugins_own_is_free(plant: Plant, run: Run) -> None:
    """Its commands, events and settings, the theme and a message need no permission."""
    plant("asks", ASKS, configuration={"greeting": {"type": "string", "default": "Hi"}})

    async def test() -> None:
        async with Host(control=False) as host:
            for method, params in [
                ("commands.execute", ["asks.pid", {}]),
                ("plugins.call", ["asks", "asks.pid", {}]),
                ("events.emit", ["asks.news", {}]),
                ("events.subscribe", ["asks.news"]),
                ("events.subscribe", ["theme.changed"]),
                ("settings.get", ["greeting"]),
                ("settings.set", ["greeting", "Good day"]),
                ("theme.get_current_theme", []),
                ("workspace.get_folder", []),
                ("workspace.get_active_widget", []),
                ("notifications.show", ["done", "info"]),
                ("permissions.check", ["process.spawn.terminal"]),
            ]:
                await host.call("asks.raw", {"method": method, "params": params})
            assert not any(event == "deny" for event, _, _ in audited(host))

    run(test)


def test_a_star_is_no_name(plant: Plant, run: Run) -> None:
    """A plugin cannot smuggle a wildcard into a single call, nor ask for one while it runs."""
    plant("asks", ASKS, permissions=[{"id": "plugins.call.*"}])

    async def test() -> None:
        async with Host(control=False) as host:
            for method, params in [
                ("events.emit", ["*", {}]),
                ("system.get_environment", ["*"]),
                ("plugins.call", ["*", "x", {}]),
                ("permissions.request", ["network.connect.*", ""]),
            ]:
                with pytest.raises(InvalidArgumentsError):
                    await host.call("asks.raw", {"method": method, "params": params})
            with pytest.raises(ViloError, match="no scope 'conect'"):
                await host.call("asks.request", {"permission": "network.conect.x"})

    run(test)


@pytest.mark.parametrize(("answer", "uses"), [("once", 1), ("run", 5), ("always", 5)])
def test_a_person_is_asked_and_the_answer_holds(plant: Plant, run: Run, answer: str, uses: int) -> None:
    """Once for one use, until the host ends, or in the ledger; plain and async handlers may ask."""
    plant("asks", ASKS)
    wanted = {"permission": "system.environment.HOME"}

    async def test() -> None:
        async with Host(control=False) as host:
            person = Person(host, answer)
            assert await host.call("asks.request", {**wanted, "reason": "to\nknow\x1b[2J"}) is True
            (question,) = person.asked
            assert question["words"] == "read the environment variable HOME"
            assert question["reason"] == "to know\ufffd[2J"
            for number in range(5):
                if number < uses:
                    await host.call("asks.raw", {"method": "system.get_environment", "params": ["HOME"]})
            if answer == "once":
                with pytest.raises(PermissionDeniedError):
                    await host.call("asks.raw", {"method": "system.get_environment", "params": ["HOME"]})
            else:
                assert await host.call("asks.request_async", wanted) is True
            assert len(person.asked) == 1
            assert ("answer", wanted["permission"], answer) in audited(host)
        async with Host(control=False) as host:
            kept = host.permissions.check_permission("asks", Permission.parse(wanted["permission"]))
            assert kept is (answer == "always")

    run(test)


def test_nobody_means_no(plant: Plant, run: Run) -> None:
    """Without anybody to ask, a request is refused at once, and the denial names the command."""
    plant("asks", ASKS)

    async def test() -> None:
        async with Host(control=False) as host:
            denials: list[dict[str, str]] = []
            host.permissions.on_denied(denials.append)
            assert await host.call("asks.request", {"permission": "network.connect.example.com"}) is False
            assert denials[0]["reason"] == "nobody is here to be asked"
            assert denials[0]["command"] == "viloapp permissions grant asks network.connect.example.com"

    run(test)


def test_a_flood_of_questions_is_bounded(plant: Plant, run: Run) -> None:
    """A denial holds for the run, one question is open at a time, and after three noes no more are put."""
    plant("asks", ASKS)

    async def test() -> None:
        async with Host(control=False) as host:
            person = Person(host, "deny")
            for _ in range(3):
                assert await host.call("asks.request", {"permission": "network.connect.a.example"}) is False
            assert len(person.asked) == 1
            manager = host.permissions
            many = [
                asyncio.create_task(
                    manager.request_permission("asks", Permission.parse(f"network.connect.h{number}.example"))
                )
                for number in range(40)
            ]
            while len(person.asked) < 2:
                await asyncio.sleep(0)
            assert len(manager.prompts.open) == 1
            for _ in range(2):
                manager.prompts.answer(person.asked[-1]["id"], "deny")
                await asyncio.sleep(0.01)
            assert await asyncio.gather(*many) == [False] * 40
            assert len(person.asked) == 3
            assert person.withdrawn == [question["id"] for question in person.asked]

    run(test)


def test_an_unanswered_question_is_taken_back(
    plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who has left does not hold a plugin up for ever; a late answer changes nothing."""
    monkeypatch.setattr(prompts, "PATIENCE_S", 0.01)
    plant("asks", ASKS)

    async def test() -> None:
        async with Host(control=False) as host:
            person = Person(host)
            wanted = Permission.parse("network.connect.example.com")
            assert await host.permissions.request_permission("asks", wanted) is False
            assert person.withdrawn == [person.asked[0]["id"]]
            host.permissions.prompts.answer(person.asked[0]["id"], "always")
            assert not host.permissions.check_permission("asks", wanted)

    run(test)


def test_revoking_a_folder_restarts_the_plugin(
    plant: Plant, run: Run, store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What a process sees cannot be narrowed: the next one sees less, and granting gives it back."""
    plant("asks", ASKS, permissions=[{"id": str(READ)}])
    folder = tmp_path_factory.mktemp("work")
    (folder / "note.txt").write_text("found")
    path = {"path": str(folder / "note.txt")}

    async def test() -> None:
        async with Host(workspace=folder, control=False) as host:
            assert await host.call("asks.read", path) == "found"
            before = host.plugins()[0]["pid"]
            host.permissions.revoke_permission("asks", READ)
            assert (await host.permissions_applied("asks"))["restarted"] is True
            with pytest.raises(ViloError):
                await host.call("asks.read", path)
            assert host.plugins()[0]["pid"] not in (before, None)
            host.permissions.grant_permission("asks", READ)
            assert (await host.permissions_applied("asks"))["restarted"] is True
            assert await host.call("asks.read", path) == "found"
            same = host.plugins()[0]["pid"]
            host.permissions.grant_permission("asks", TERMINAL)
            assert (await host.permissions_applied("asks"))["restarted"] is False
            assert host.plugins()[0]["pid"] == same

    run(test)


def test_revoking_the_terminal_closes_it(plant: Plant, run: Run) -> None:
    """A shell that may not be any more ends, and no other opens; another process's command counts as well."""
    plant("asks", ASKS, permissions=[{"id": str(TERMINAL)}])

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("asks.terminal")
            assert len(host.terminals.list("asks")) == 1
            changed = asyncio.Event()
            host.permissions.on_change(lambda plugin_id: changed.set())
            other = type(host.permissions)(
                host.store, host.workspace_folder
            )  # as a command without a host does
            other.revoke_permission("asks", TERMINAL)
            other.close()
            await changed.wait()
            assert (await host.permissions_applied("asks"))["terminals_closed"] is True
            assert host.terminals.list("asks") == []
            with pytest.raises(PermissionDeniedError, match="was denied"):
                await host.call("asks.terminal")

    run(test)


def test_a_damaged_ledger_allows_nothing(plant: Plant, run: Run, store: Store) -> None:
    """Nothing starts and nothing is granted until it is mended; the host itself serves on."""
    plant("asks", ASKS, permissions=[{"id": str(TERMINAL)}])
    (store.root / "ledger.json").write_text("{")

    async def test() -> None:
        async with Host(control=False) as host:
            assert not host.permissions.check_permission("asks", TERMINAL)
            assert [row["permissions"] for row in host.plugins()] == [[]]
            with pytest.raises(ViloError, match=r"ledger\.json"):
                await host.call("asks.pid")

    run(test)


def test_an_event_that_may_not_be_heard_wakes_nobody(plant: Plant, run: Run) -> None:
    """`onEvent` is no way around the permission to subscribe, and revoking ends a subscription."""
    plant("asks", ASKS, activation_events=["onEvent:other.news"])
    news = Permission.parse("services.subscribe.other.news")

    async def test() -> None:
        async with Host(control=False) as host:
            host.emit("other.news", "other", {})
            assert not host.is_running("asks")
            assert not host.may_hear("asks", "other.news")
            host.permissions.grant_permission("asks", news)
            await host.call("asks.raw", {"method": "events.subscribe", "params": ["other.news"]})
            assert host.events._types["asks"] == {"other.news"}
            host.permissions.revoke_permission("asks", news)
            await host.permissions_applied("asks")
            assert not host.events._types.get("asks")

    run(test)


@pytest.mark.parametrize("event", ["theme.changed", "settings.changed", "locale.changed", "plugin.limit"])
def test_nobody_speaks_for_the_host(event: str) -> None:
    """Also a plugin whose id an event of the host begins with needs a permission to emit it."""
    plugin_id = event.partition(".")[0]
    assert emitting(plugin_id, event) == Permission("services", "emit", event)
    assert emitting(plugin_id, f"{plugin_id}.own") is None
