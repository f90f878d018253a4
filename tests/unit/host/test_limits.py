"""What a plugin may use: who says so, and what happens beyond."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.unit.host.conftest import Plant, until
from viloapp_core import Host
from viloapp_core.supervise import life
from viloapp_sdk.errors import DeadlineExceededError, LimitExceededError, PermissionDeniedError

Run = Callable[[Callable[[], Awaitable[None]]], None]

DEVOURS = """
    import mmap
    import os
    import signal
    import threading
    import time

    from viloapp_sdk import Plugin, command

    MB = 1024 * 1024
    kept = []
    heard = []


    def fill(size_mb: int) -> None:
        shared = mmap.mmap(-1, size_mb * MB)
        kept.append(shared)
        for at in range(0, size_mb * MB, mmap.PAGESIZE):
            shared[at] = 1


    def spin(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass


    class P(Plugin):
        def initialize(self, context) -> None:
            super().initialize(context)
            context.services.events.subscribe("plugin.limit", lambda event: heard.append(event.data))

        @command("devours.raise_own_limit")
        def raise_own_limit(self) -> None:
            self.context.settings.set("limits.memory_mb", 5000)

        @command("devours.shared_map")
        def shared_map(self, size_mb: int) -> str:
            fill(size_mb)
            return "filled"

        @command("devours.children")
        def children(self, count: int, size_mb: int) -> str:
            for _ in range(count):
                if os.fork() == 0:
                    fill(size_mb)
                    time.sleep(60)
                    os._exit(0)
            time.sleep(20)
            return "filled"

        @command("devours.spin")
        def spin(self, seconds: float) -> float:
            used = time.process_time()
            spin(seconds)
            return time.process_time() - used

        @command("devours.spin_children")
        def spin_children(self, seconds: float) -> None:
            for _ in range(3):
                if os.fork() == 0:
                    spin(seconds)
                    os._exit(0)
            while True:
                try:
                    os.wait()
                except ChildProcessError:
                    return

        @command("devours.spin_short_lived")
        def spin_short_lived(self, seconds: float) -> None:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                child = os.fork()
                if child == 0:
                    spin(0.02)
                    os._exit(0)
                time.sleep(0.02)

        @command("devours.spin_on")
        def spin_on(self) -> None:
            threading.Thread(target=spin, args=(3600,), daemon=True).start()

        @command("devours.disk")
        def disk(self, files: int, size_mb: int) -> str:
            for number in range(files):
                with open(os.path.expanduser(f"~/{number}"), "wb") as file:
                    for _ in range(size_mb):
                        file.write(os.urandom(MB))
            time.sleep(20)
            return "filled"

        @command("devours.heard")
        def heard(self) -> list:
            return heard

        @command("devours.out_of")
        def out_of(self, what: str) -> None:
            raise {"memory": MemoryError(), "files": OSError(24, "Too many open files")}[what]
"""

HELLO = """
    from viloapp_sdk import Plugin, command


    class P(Plugin):
        @command("hello.greet")
        def greet(self) -> str:
            return "Hello"
"""


class Ear:
    """Collects what a host publishes."""

    def __init__(self, host: Host) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        host.subscribe(lambda name, data: self.events.append((name, data)))

    def limits(self) -> list[tuple[str, str]]:
        """Return ``(limit, action)`` of each `plugin.limit`."""
        return [(data["limit"], data["action"]) for name, data in self.events if name == "plugin.limit"]

    def notices(self) -> list[str]:
        """Return the lines that a person saw."""
        return [data["message"] for name, data in self.events if name == "notification"]


def cpu_s(host: Host, plugin_id: str) -> float:
    """Return the processor seconds that a plugin has used."""
    usage = next(row for row in host.plugins() if row["id"] == plugin_id)["usage"]
    return float(usage["cpu_s"])


class Lateness:
    """How late this loop runs what is due: on a loaded machine a look is late, and sees more."""

    def __init__(self) -> None:
        self.most_s = 0.0
        self._task = asyncio.get_running_loop().create_task(self._measure())

    async def _measure(self) -> None:
        while True:
            due = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            self.most_s = max(self.most_s, time.monotonic() - due)

    def stop(self) -> None:
        """Measure no more."""
        self._task.cancel()


def test_a_plugin_cannot_raise_its_own_limits(plant: Plant, run: Run) -> None:
    """A plugin sets its settings by itself, and its limits never."""
    plant("devours", DEVOURS)

    async def test() -> None:
        async with Host(control=False) as host:
            with pytest.raises(PermissionDeniedError, match="for the person to say"):
                await host.call("devours.raise_own_limit")
            assert host.settings.limits_of("devours") == {}

    run(test)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [("devours.shared_map", {"size_mb": 600}), ("devours.children", {"count": 4, "size_mb": 60})],
)
def test_memory_of_the_tree_ends_it(plant: Plant, run: Run, command: str, arguments: dict[str, int]) -> None:
    """The caller is told which limit, how much, and how to raise it; the next call starts it anew."""
    plant("devours", DEVOURS)
    plant("hello", HELLO)

    async def test() -> None:
        async with Host(control=False) as host:
            ear = Ear(host)
            with pytest.raises(LimitExceededError, match="MB of memory, and may use 100 MB") as caught:
                await host.call(command, arguments)
            assert caught.value.hint == "to allow more: viloapp config set devours.limits.memory_mb 200"
            assert ear.limits() == [("memory_mb", "ended")]
            assert any("devours stopped working: it used" in notice for notice in ear.notices())
            row = next(row for row in host.plugins() if row["id"] == "devours")
            assert row["limits_reached"] == {"memory_mb": 1}
            assert await host.call("hello.greet") == "Hello"
            assert await host.call("devours.shared_map", {"size_mb": 30}) == "filled"

    run(test)


def test_the_person_allows_more_memory(plant: Plant, run: Run) -> None:
    """The same plugin with a higher limit, as the control: nothing but the limit stopped it."""
    plant("devours", DEVOURS)

    async def test() -> None:
        async with Host(control=False) as host:
            host.settings.set("devours.limits.memory_mb", 800)
            ear = Ear(host)
            assert await host.call("devours.shared_map", {"size_mb": 300}) == "filled"
            assert ear.limits() == []

    run(test)


@pytest.mark.parametrize("command", ["devours.spin", "devours.spin_children", "devours.spin_short_lived"])
def test_processor_time_is_held_to_the_percentage(
    plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Over a window of 2 s in place of a minute: a tenth of a second at once, and 5 % of the time after."""
    monkeypatch.setattr(life, "WINDOW_S", 2.0)
    plant("devours", DEVOURS, limits={"cpu_percent": 5})

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("devours.heard")  # the start is exempt
            before = cpu_s(host, "devours")
            ear, lateness = Ear(host), Lateness()
            began = time.monotonic()
            await host.call(command, {"seconds": 5.0})
            # Others may leave it so little of a processor that it has to go on until it has spent its share.
            while ("cpu_percent", "throttled") not in ear.limits():
                await host.call(command, {"seconds": 2.0})
            passed = time.monotonic() - began
            lateness.stop()
            used = cpu_s(host, "devours") - before
            running = 1 if command == "devours.spin" else min(3, os.cpu_count() or 1)
            assert used < 0.05 * (passed + 2) + running * (0.2 + 2 * lateness.most_s)
            # Told once a time: a machine that leaves it no time to use lets its share come back.
            told = [action for limit, action in ear.limits() if limit == "cpu_percent"]
            assert told == [("throttled", "resumed")[turn % 2] for turn in range(len(told))]
            notices = sum("held to 5 % of a processor" in notice for notice in ear.notices())
            assert notices == told.count("throttled")

    run(test)


def test_an_unlimited_plugin_uses_what_it_wants(
    plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: with 800 % the same work is not held."""
    monkeypatch.setattr(life, "WINDOW_S", 2.0)
    plant("devours", DEVOURS, limits={"cpu_percent": 800})

    async def test() -> None:
        async with Host(control=False) as host:
            ear = Ear(host)
            await host.call("devours.spin", {"seconds": 3.0})
            assert ear.limits() == []

    run(test)


def test_a_held_plugin_still_shuts_down(plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processes are continued before they are asked to end, and another plugin is served meanwhile."""
    monkeypatch.setattr(life, "WINDOW_S", 2.0)
    plant("devours", DEVOURS, limits={"cpu_percent": 1})
    plant("hello", HELLO)

    async def test() -> None:
        async with Host(control=False) as host:
            ear = Ear(host)
            await host.call("devours.spin_on")
            await until(lambda: ("cpu_percent", "throttled") in ear.limits())
            assert await host.call("hello.greet") == "Hello"
            began = time.monotonic()
        assert time.monotonic() - began < 2.5
        states = [data["state"] for name, data in ear.events if name == "plugin.state"]
        assert states[-1] == "stopped"

    run(test)


def test_disk_of_the_data_folder_ends_it(plant: Plant, run: Run) -> None:
    """Many small files add up."""
    plant("devours", DEVOURS, limits={"disk_mb": 20})

    async def test() -> None:
        async with Host(control=False) as host:
            with pytest.raises(LimitExceededError, match="MB of disk, and may take 20 MB"):
                await host.call("devours.disk", {"files": 6, "size_mb": 5})

    run(test)


@pytest.mark.parametrize(("what", "limit"), [("memory", "memory_mb"), ("files", "file_handles")])
def test_what_the_kernel_refuses_is_a_limit_too(plant: Plant, run: Run, what: str, limit: str) -> None:
    """An exception of the kernel's refusal becomes the typed error, an event of the owner, and a count."""
    plant("devours", DEVOURS)

    async def test() -> None:
        async with Host(control=False) as host:
            ear = Ear(host)
            with pytest.raises(LimitExceededError) as caught:
                await host.call("devours.out_of", {"what": what})
            assert f"devours.limits.{limit}" in caught.value.hint
            assert ear.limits() == [(limit, "refused")]
            heard = await host.call("devours.heard")
            assert [each["limit"] for each in heard] == [limit]

    run(test)


def test_a_command_past_its_time_is_counted(plant: Plant, run: Run) -> None:
    """The caller gets the typed timeout, with the setting that allows more."""
    plant("devours", DEVOURS, limits={"execution_time": 0.3})

    async def test() -> None:
        async with Host(control=False) as host:
            ear = Ear(host)
            with pytest.raises(DeadlineExceededError) as caught:
                await host.call("devours.spin", {"seconds": 30.0})
            assert "devours.limits.execution_time" in caught.value.hint
            assert ear.limits() == [("execution_time", "refused")]

    run(test)


PROGRAMS = """
    import subprocess
    import time

    from viloapp_sdk import Plugin, command

    # tail has all of it in memory before the first byte comes out.
    FILL = "head -c {size} /dev/zero | tail -c {size} | (head -c 1 > /dev/null; echo full; sleep 20)"


    class P(Plugin):
        @command("runner.fill")
        def fill(self, count: int, size_mb: int, stay_s: float) -> list:
            argv = ["sh", "-c", FILL.format(size=size_mb * 1024 * 1024)]
            running = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(count)]
            told = [each.stdout.readline().strip() for each in running]
            time.sleep(stay_s)
            for each in running:
                each.kill()
                each.wait()
            return told

        @command("runner.spin")
        def spin(self, seconds: float) -> None:
            try:
                subprocess.run(["sh", "-c", "while :; do :; done"], timeout=seconds)
            except subprocess.TimeoutExpired:
                pass
"""


def _runner(plant: Plant, **limits: float) -> None:
    permissions = [{"id": "process.execute.sh", "reason": "the test"}]
    plant("runner", PROGRAMS, permissions=permissions, limits=limits)


def test_memory_of_programs_counts_for_their_plugin(plant: Plant, run: Run) -> None:
    """Two programs that are below the limit each end with their plugin; with more allowed they both run."""
    _runner(plant)
    plant("hello", HELLO)
    size_mb = 45

    async def test() -> None:
        async with Host(control=False) as host:
            ear = Ear(host)
            with pytest.raises(LimitExceededError, match="MB of memory, and may use 100 MB"):
                await host.call("runner.fill", {"count": 2, "size_mb": size_mb, "stay_s": 20.0})
            assert ear.limits() == [("memory_mb", "ended")]
            await until(lambda: host.programs.pids("runner") == [])
            assert await host.call("hello.greet") == "Hello"
            host.settings.set("runner.limits.memory_mb", 800)
            told = await host.call("runner.fill", {"count": 2, "size_mb": size_mb, "stay_s": 1.0})
            assert told == ["full", "full"]

    run(test)


def test_processor_time_of_programs_counts_for_their_plugin(
    plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that spins is held as the plugin is, and ends when it is asked to."""
    monkeypatch.setattr(life, "WINDOW_S", 2.0)
    _runner(plant, cpu_percent=5)

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("runner.spin", {"seconds": 0.01})
            before = cpu_s(host, "runner")
            ear, lateness = Ear(host), Lateness()
            began = time.monotonic()
            await host.call("runner.spin", {"seconds": 5.0})
            while ("cpu_percent", "throttled") not in ear.limits():
                await host.call("runner.spin", {"seconds": 2.0})
            passed = time.monotonic() - began
            lateness.stop()
            used = cpu_s(host, "runner") - before
            assert used < 0.05 * (passed + 2) + 0.2 + 2 * lateness.most_s

    run(test)
