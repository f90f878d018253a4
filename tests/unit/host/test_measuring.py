"""What is measured of real plugins' processes."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_core.host.measuring import metrics
from viloapp_core.process import tree
from viloapp_core.process.tree import Tree
from viloapp_sdk.errors import ViloError

Run = Callable[[Callable[[], Awaitable[None]]], None]

WORKS = """
import time
from viloapp_sdk import Plugin, command

class P(Plugin):
    @command("works.fill")
    def fill(self, size_mb: int):
        self.kept = bytearray(b"x") * (size_mb * 1024 * 1024)

    @command("works.spin")
    def spin(self, seconds: float):
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass

    @command("works.fail")
    def fail(self):
        raise ValueError("no " * 100)

    @command("works.exit")
    def exit(self):
        import os
        os._exit(3)
"""


SLOW = """
import time
from viloapp_sdk import Plugin, command

class P(Plugin):
    def initialize(self, context):
        super().initialize(context)
        time.sleep(60)

    @command("slow.ready")
    def ready(self):
        return "ready"
"""


def test_a_report_is_of_the_plugins_own_processes(plant: Plant, run: Run) -> None:
    """Memory and processor time are the worker's, not the host's; calls, errors and times are counted."""
    plant("works", WORKS)

    async def test() -> None:
        async with Host(control=False) as host:
            assert host.get_report("works")["command_count"] == 0
            await host.measuring.sample()
            await host.call("works.fill", {"size_mb": 30})
            await host.call("works.spin", {"seconds": 0.5})
            with pytest.raises(ViloError):
                await host.call("works.fail")
            worker = host.worker("works")
            assert worker is not None
            while worker.looked is None or worker.looked.resident_mb < 30:
                await asyncio.sleep(0.01)
            await host.measuring.sample()
            report = host.get_report("works")
            assert 30 < report["memory_usage_mb"] < 60
            assert report["memory_kind"] == "pss"
            assert report["cpu_percent"] > 0
            assert report["cpu_time"] >= 0.4
            assert (report["command_count"], report["error_count"]) == (3, 1)
            assert report["last_error"] == f"ValueError: {'no ' * 100}"[:100]
            assert 0.4 < report["command_max_time"] < 30
            assert 0 < report["startup_time"] < 30
            assert report["active_time"] > 0.4
            assert len(host.measuring.history("works")) == 2
            assert host.get_report()["works"]["command_count"] == 3
            assert host.check_violations("works", {"memory_mb": 20}) == [
                f"Memory limit exceeded: {report['memory_usage_mb']:.1f}MB > 20MB"
            ]
            assert host.check_violations("works") == []

    run(test)


def test_a_lost_process_is_an_error_and_its_memory_gone(plant: Plant, run: Run) -> None:
    """The next one is a restart; the counters go on."""
    plant("works", WORKS)

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("works.fill", {"size_mb": 1})
            with pytest.raises(ViloError):
                await host.call("works.exit")
            await host.measuring.sample()
            report = host.get_report("works")
            assert report["memory_usage_mb"] == 0
            assert report["error_count"] == 2  # the call that was lost, and the process
            assert report["last_error"]
            assert report["restarts"] == 0
            await host.call("works.fill", {"size_mb": 1})
            assert host.get_report("works")["restarts"] == 1

    run(test)


def test_unknown_plugins_have_no_report(plant: Plant, run: Run) -> None:
    """An empty one, no violations, no samples; a plugin that is removed is unknown again."""
    plant("works", WORKS)

    async def test() -> None:
        async with Host(control=False) as host:
            assert host.get_report("nobody") == {}
            assert host.check_violations("nobody", {"memory_mb": 1}) == []
            assert host.measuring.history("nobody") == []
            row = metrics(host)["plugins"][0]
            assert (row["id"], row["state"], row["history"]) == ("works", "stopped", [])
            assert row["over_limits"] == []
            host.store.remove("works", purge=False)
            await host.refresh()
            assert host.get_report() == {}

    run(test)


async def _filled(host: Host) -> None:
    await host.call("works.fill", {"size_mb": 90})
    await host.call("works.spin", {"seconds": 20})  # until the watch has looked


def test_a_limit_that_was_met_is_told_in_the_words_of_the_specification(plant: Plant, run: Run) -> None:
    """The process is ended by its watch; the report says of how much."""
    plant("works", WORKS, limits={"memory_mb": 40})

    async def test() -> None:
        async with Host(control=False) as host:
            with pytest.raises(ViloError):
                await _filled(host)
            report = host.get_report("works")
            assert report["violation_counts"] == {"memory_mb": 1}
            (message,) = report["resource_violations"]
            assert message.startswith("Memory limit exceeded: ") or "memory" in message
            assert "40" in message

    run(test)


def test_samples_are_taken_without_being_asked_for(plant: Plant, run: Run) -> None:
    """Again and again, and also after one that failed."""
    plant("works", WORKS)

    async def test() -> None:
        host, failures = Host(control=False), []
        host.measuring.every_s = 0.01
        asyncio.get_running_loop().set_exception_handler(lambda loop, told: failures.append(told))
        async with host:
            assert host.measuring.history("works") == []  # nobody has asked about it
            assert host.get_report("works")["command_count"] == 0
            while len(host.measuring.history("works")) < 3:
                await asyncio.sleep(0.01)
            real, host.measuring._workers = host.measuring._workers, lambda: 1 / 0  # type: ignore[assignment,return-value]
            while not failures:
                await asyncio.sleep(0.01)
            host.measuring._workers = real
            seen = len(host.measuring.history("works"))
            while len(host.measuring.history("works")) <= seen:
                await asyncio.sleep(0.01)
        assert isinstance(failures[0]["exception"], ZeroDivisionError)

    run(test)


def test_a_start_that_takes_too_long_is_a_violation(plant: Plant, run: Run) -> None:
    """In the words of the specification."""
    plant("slow", SLOW, limits={"startup_time": 0.3})

    async def test() -> None:
        async with Host(control=False) as host:
            with pytest.raises(ViloError):
                await host.call("slow.ready")
            report = host.get_report("slow")
            assert report["violation_counts"] == {"startup_time": 1}
            assert report["resource_violations"][0].startswith("Slow startup: ")
            assert report["resource_violations"][0].endswith("s > 0.3s")

    run(test)


def test_memory_that_is_not_told_exactly_is_rss(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel has no `smaps_rollup`, resident pages are counted, and the report says so."""
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    try:
        look = Tree(child).look(0.0)
        exact, kind = look.measured_mb()
        assert exact > 0
        assert kind == "pss"
        read = tree._content
        monkeypatch.setattr(
            tree, "_content", lambda path, **how: b"" if path.endswith("rollup") else read(path, **how)
        )
        resident, kind = look.measured_mb()
        assert resident > exact
        assert kind == "rss"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
