"""What a plugin does far too much of: the host and the person go on with what is theirs."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_core.broker.terminal import LiveTerminal
from viloapp_core.host.prompts import Asker
from viloapp_core.ledger import read_audit
from viloapp_core.store import Store

Run = Callable[[Callable[[], Awaitable[None]]], None]

CALM = """
    import time

    from viloapp_sdk import Plugin, command


    class P(Plugin):
        @command("calm.ping")
        def ping(self) -> str:
            return "pong"

        @command("calm.wait")
        def wait(self) -> str:
            while not (self.context.storage / "go").exists():
                time.sleep(0.01)
            return "gone on"
"""
FLOODS = """
    import sys

    from viloapp_sdk import Plugin, command
    from viloapp_sdk.errors import ViloError


    class P(Plugin):
        @command("floods.messages")
        def messages(self, count: int) -> None:
            for number in range(count):
                self.context.services.notifications.show(f"message {number}", "info")

        @command("floods.denials")
        def denials(self, count: int) -> None:
            for number in range(count):
                try:
                    self.context.services.files.stat(f"/somewhere/{number}")
                except PermissionError:
                    pass

        @command("floods.settings")
        def settings(self, count: int) -> int:
            for number in range(count):
                self.context.settings.set("number", number)
            return self.context.settings.get("number")

        @command("floods.questions")
        async def questions(self, count: int) -> list:
            import asyncio

            ask = self.context.services.aio.permissions.request
            wanted = [f"network.connect.h{number}.example.com" for number in range(count)]
            return await asyncio.gather(*(ask(each, "please") for each in wanted))

        @command("floods.log")
        def log(self, lines: int) -> None:
            for _ in range(lines // 1000):
                sys.stdout.write(("x" * 100 + chr(10)) * 1000)
                sys.stdout.flush()
"""


@pytest.fixture
def planted(plant: Plant, store: Store) -> Store:
    """A store with the two."""
    plant("calm", CALM)
    plant("floods", FLOODS, configuration={"number": {"type": "integer"}})
    return store


async def beside(host: Host, command: str, arguments: dict[str, Any]) -> Any:
    """Return the answer of a flood; another plugin is called all the time meanwhile."""
    await host.call("calm.ping")
    flood = asyncio.ensure_future(host.call(command, arguments))
    while not flood.done():
        assert await host.call("calm.ping", timeout_s=10) == "pong"
        await asyncio.sleep(0.01)
    return await flood


def test_messages_and_denials_are_told_as_far_as_they_can_be_read(planted: Store, run: Run) -> None:
    """About twenty, and that more was left out; the audit log has the denials."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            for command, event in (("messages", "notification"), ("denials", "permission.denied")):
                told: Counter[str] = Counter()
                texts: list[str] = []
                end = host.subscribe(lambda name, data, told=told: told.update([name]))  # type: ignore[misc]
                host.subscribe(lambda name, data, texts=texts: texts.append(data.get("message", "")))  # type: ignore[misc]
                began = time.monotonic()
                await beside(host, f"floods.{command}", {"count": 300})
                most = 20 + (time.monotonic() - began) / 2 + 1
                end()
                assert told[event] <= most + 1
                assert sum("says more than can be read" in text for text in texts) <= 1
                if command == "messages":
                    assert told[event] >= 20
                    assert any("says more than can be read" in text for text in texts)

    run(scenario)
    denied = [entry for entry in read_audit(planted.root) if entry["event"] in ("deny", "dropped")]
    assert sum(entry["count"] for entry in denied) == 300


def test_who_writes_settings_all_the_time_waits_for_it(planted: Store, run: Run) -> None:
    """Each is a file that the host writes: thirty at once, then five a second; the last value holds."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            began = time.monotonic()
            assert await beside(host, "floods.settings", {"count": 40}) == 39
            assert time.monotonic() - began > 1.5

    run(scenario)


def test_a_flood_of_questions_is_one_question_at_a_time(planted: Store, run: Run) -> None:
    """At most nine are taken on, and after three that were denied the person hears no more of it."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            asked: list[dict[str, Any]] = []

            def deny(question: dict[str, Any]) -> None:
                asked.append(question)
                assert len(host.permissions.prompts.open) == 1
                asyncio.get_running_loop().call_soon(host.permissions.prompts.answer, question["id"], "deny")

            host.permissions.prompts.attach(Asker(deny, lambda id: None))
            assert await beside(host, "floods.questions", {"count": 200}) == [False] * 200
            assert len(asked) == 3

    run(scenario)


def test_a_question_that_nobody_answers_is_put_three_times(
    planted: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or one that is away would find a plugin's questions on the page for as long as it likes."""
    monkeypatch.setattr("viloapp_core.host.prompts.PATIENCE_S", 0.05)

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            asked: list[dict[str, Any]] = []
            host.permissions.prompts.attach(Asker(asked.append, lambda id: None))
            assert await beside(host, "floods.questions", {"count": 8}) == [False] * 8
            assert len(asked) == 3

    run(scenario)


def test_output_of_a_terminal_waits_for_the_answer_of_a_call(
    planted: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read of it while a plugin was asked just now, here: as long as it does not answer."""
    monkeypatch.setattr("viloapp_core.supervise.life.processors", lambda: 2)  # with one nobody stays awake
    for name in ("NOW_S", "PUT_OFF_S"):
        monkeypatch.setattr(f"viloapp_core.broker.terminal.{name}", 1e9)
    looks, put_off = 0, LiveTerminal._put_off

    def look(terminal: LiveTerminal) -> bool:
        nonlocal looks
        looks += 1
        return put_off(terminal)

    monkeypatch.setattr(LiveTerminal, "_put_off", look)

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            assert await host.call("calm.ping") == "pong"
            seen = asyncio.Event()
            call = asyncio.create_task(host.call("calm.wait"))
            terminal = await host.terminals.open(
                owner="calm", argv=["sh", "-c", "echo printed; exec sleep 1000"], cwd=Path("/"), env={}
            )
            host.terminals.attach(terminal.id, lambda data: seen.set())
            async with asyncio.timeout(10):
                while looks < 20:
                    await asyncio.sleep(0)
                assert not seen.is_set()
                (planted.plugin("calm").data_dir / "go").touch()
                assert await call == "gone on"
                await seen.wait()

    run(scenario)


def test_a_flood_of_lines_is_a_bounded_log(planted: Store, run: Run) -> None:
    """Twenty megabytes printed are three kept at most, and no descriptor stays open."""

    async def scenario() -> None:
        async with Host(planted.root, control=False) as host:
            await beside(host, "floods.log", {"lines": 1000})
            before = len(os.listdir("/proc/self/fd"))
            await beside(host, "floods.log", {"lines": 200_000})
            folder = planted.plugin("floods").log_dir
            assert sum(path.stat().st_size for path in folder.iterdir()) < 4 * 1024 * 1024
            assert len(os.listdir("/proc/self/fd")) <= before

    run(scenario)
