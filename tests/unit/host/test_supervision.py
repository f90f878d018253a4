"""What a host does about plugins that fail, each in a real process of its own."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_core.host import widgets
from viloapp_core.operations import enable
from viloapp_core.supervise import PluginDisabledError, PluginRestartingError, PluginStartError
from viloapp_core.supervise.log import RotatingLog
from viloapp_sdk.errors import HandlerError, UnknownCommandError, ViloError, WorkerLostError

Run = Callable[[Callable[[], Awaitable[None]]], None]

FRAIL = """
import asyncio, faulthandler, os, signal, sys, threading, time
from viloapp_sdk import Plugin, Widget, command

def mark(plugin, name):
    # One more line in a file of the plugin's: how often, over all of its processes.
    with open(os.path.join(str(plugin.context.storage), name), "a") as file:
        file.write("x")
    with open(os.path.join(str(plugin.context.storage), name)) as file:
        return len(file.read())

class Panel(Widget):
    id = "frail.panel"
    title = "Frail"
    kind = "text"
    text = "new"
    def create(self, params):
        return {"text": self.text}
    def handle_command(self, command, args):
        self.text = args["text"]
        return "ok"
    def get_state(self):
        return {"text": self.text}
    def restore_state(self, state):
        self.text = state["text"]

class P(Plugin):
    widgets = [Panel]
    well = True
    @command("frail.pid")
    def pid(self):
        return os.getpid()
    @command("frail.exit")
    def exit(self, code: int = 7):
        os._exit(code)
    @command("frail.exit_later")
    def exit_later(self, code: int = 0):
        threading.Timer(0.05, os._exit, [code]).start()
    @command("frail.once", idempotent=True)
    def once(self):
        if mark(self, "once") == 1:
            os._exit(7)
        return "done"
    @command("frail.never_twice")
    def never_twice(self):
        mark(self, "twice")
        os._exit(7)
    @command("frail.block")
    async def block(self):
        asyncio.get_running_loop().call_later(0.05, self.stands_still)
    def stands_still(self):
        time.sleep(1000)
    @command("frail.spin")
    def spin(self):
        self.turns()
    def turns(self):
        while True: pass
    @command("frail.raise")
    def raise_(self):
        raise ValueError("an answer like any other")
    @command("frail.fault")
    def fault(self):
        faulthandler._sigsegv()
    @command("frail.rest")
    def rest(self, seconds: float):
        time.sleep(seconds)
        return os.getpid()
    @command("frail.ill")
    def ill(self, how: str):
        self.well = how
    def health_check(self):
        if self.well == "raises":
            raise ValueError("the disk is gone")
        return self.well is True
    @command("frail.close")
    def close(self):
        # Standard streams stay: what else is open are its connections to the host.
        os.closerange(3, 50)
        time.sleep(1000)
    @command("frail.stubborn")
    def stubborn(self):
        signal.signal(signal.SIGTERM, lambda *_: print("SIGTERM came", flush=True))
        self.shutdown = lambda: time.sleep(1000)
        return os.getpid()
    @command("frail.terminal")
    def terminal(self):
        return self.context.services.terminals.open(["/bin/cat"])
"""

RAISES = """
from viloapp_sdk import Plugin, command
class P(Plugin):
    def initialize(self, context):
        super().initialize(context)
        raise RuntimeError("no licence was found")
    @command("raises.never")
    def never(self):
        pass
"""


class Ear:
    """Hears everything that a host publishes."""

    def __init__(self, host: Host) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._changed = asyncio.Event()
        host.subscribe(self._hear)

    def _hear(self, name: str, data: dict[str, Any]) -> None:
        self.events.append((name, data))
        self._changed.set()

    def life(self, *what: str) -> list[dict[str, Any]]:
        """Return what happened to processes, of these kinds."""
        return [data for name, data in self.events if name == "plugin.life" and data["what"] in what]

    async def until(self, what: str, count: int = 1) -> dict[str, Any]:
        """Wait for an event of a process, the ``count``-th, and return it."""
        while len(found := self.life(what)) < count:
            self._changed.clear()
            await self._changed.wait()
        return found[count - 1]

    async def until_published(self, name: str, test: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for any event that fits."""
        while not (found := [data for each, data in self.events if each == name and test(data)]):
            self._changed.clear()
            await self._changed.wait()
        return found[0]


def _hasty(host: Host, **settings: Any) -> None:
    """Let a host lose no time."""
    for name, value in {"delay_s": 0.05, "health_interval_s": 0, **settings}.items():
        host.settings.set(f"core.supervise.{name}", value)


def _row(host: Host, plugin_id: str) -> dict[str, Any]:
    return next(row for row in host.plugins() if row["id"] == plugin_id)


def _errors(host: Host) -> list[dict[str, Any]]:
    path = host.store.root / "plugin_errors.log"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_is_open_comes_back_by_itself_with_its_state(
    plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin with a widget is started again without being asked; its widget has what was typed last."""
    plant("frail", FRAIL)
    monkeypatch.setattr(widgets, "KEEP_S", 0.01)

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host)
            ear = Ear(host)
            view = await host.open_widget("frail.panel")
            await host.widget_command(view["instance"], "type", {"text": "typed"})
            while host.workspace.get(view["instance"]).state != {"text": "typed"}:
                await asyncio.sleep(0.01)
            os.kill(_row(host, "frail")["pid"], signal.SIGKILL)
            shown = await ear.until_published("widget.updated", lambda data: data["data"]["text"] == "typed")
            assert shown["instance"] == view["instance"]
            assert (await ear.until("restarting"))["failures"] == 1
            states = [data["state"] for name, data in ear.events if name == "plugin.state"]
            assert states[-4:] == ["crashed", "restarting", "starting", "running"]
            row = _row(host, "frail")
            assert (row["state"], row["health"], row["failures"], row["restarts"]) == (
                "running",
                "healthy",
                1,
                1,
            )

    run(test)


def test_what_nothing_needs_waits_for_the_next_call(plant: Plant, run: Run) -> None:
    """A plugin that was only called is not started again by itself; the next call waits for the delay."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host, delay_s=0.3)
            ear = Ear(host)
            with pytest.raises(WorkerLostError, match="ended with code 7"):
                await host.call("frail.exit")
            assert (_row(host, "frail")["state"], ear.life("restarting")) == ("crashed", [])
            before = asyncio.get_running_loop().time()
            first, second = await asyncio.gather(host.call("frail.pid"), host.call("frail.pid"))
            assert first == second
            assert asyncio.get_running_loop().time() - before > 0.2
            assert [data["restart"] for data in ear.life("started")] == [False, True]
            with pytest.raises(WorkerLostError):
                await host.call("frail.exit")
            _hasty(host, delay_s=0.3, call_wait_s=0)
            with pytest.raises(PluginRestartingError, match="is started again in"):
                await host.call("frail.pid")

    run(test)


def test_an_event_wakes_what_has_crashed(plant: Plant, run: Run) -> None:
    """A plugin that is there for an event comes back for the next one."""
    plant("frail", FRAIL, activation_events=["onEvent:theme.changed"])

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host)
            ear = Ear(host)
            with pytest.raises(WorkerLostError):
                await host.call("frail.exit")
            host.theme.set("light")
            await ear.until("ready", 2)

    run(test)


def test_each_failure_is_a_line_and_tells_what_is_known(plant: Plant, run: Run) -> None:
    """`plugin_errors.log` has the four keys; the event also has what ran, how it ended and the log."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host)
            ear = Ear(host)
            with pytest.raises(HandlerError):
                await host.call("frail.raise")
            with pytest.raises(WorkerLostError):
                await host.call("frail.exit")
            with pytest.raises(WorkerLostError, match="SIGSEGV"):
                await host.call("frail.fault")
            running = asyncio.ensure_future(host.call("frail.rest", {"seconds": 60}))
            pid = (await ear.until("ready", 3))["pid"]
            while host.plugins()[0]["commands_running"] == 0:
                await asyncio.sleep(0.01)
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(WorkerLostError, match="killed by SIGKILL"):
                await running
            first, fatal, second = ear.life("failed")
            assert (first["kind"], first["code"], first["signal"]) == ("exit", 7, None)
            assert first["traceback"] == ""  # what a command raised before has nothing to do with it
            assert (fatal["kind"], fatal["signal"]) == ("signal", signal.SIGSEGV)
            assert fatal["traceback"].startswith("Fatal Python error: Segmentation fault")
            assert "in fault" in fatal["traceback"]
            assert (second["kind"], second["code"], second["signal"]) == ("signal", None, signal.SIGKILL)
            assert second["running"][0][0] == "command frail.rest"
            assert second["was_ready"]
            assert second["python"].startswith("3.")
            rows = _errors(host)
            assert [set(row) for row in rows] == [{"plugin_id", "error", "traceback", "timestamp"}] * 3
            assert [row["error"] for row in rows] == [each["error"] for each in (first, fatal, second)]

    run(test)


def test_disabled_at_the_fourth_failure_though_each_start_went_well(plant: Plant, run: Run) -> None:
    """The restart forgives nothing. The reason is in the listing; one command lets it try again."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host)
            ear = Ear(host)
            for _ in range(4):
                with pytest.raises(WorkerLostError) as lost:
                    await host.call("frail.exit")
            assert "viloapp enable frail" in lost.value.hint
            reason = "Plugin frail disabled after 4 failures: ended with code 7"
            assert (await ear.until("disabled"))["reason"] == reason
            await ear.until_published("plugins.changed", lambda data: data["removed"] == ["frail"])
            row = _row(host, "frail")
            assert (row["enabled"], row["reason"]) == (False, reason)
            assert host.store.plugin("frail").reason == reason
            with pytest.raises(UnknownCommandError) as caught:
                await host.call("frail.pid")
            assert caught.value.hint == "viloapp enable frail"
            assert caught.value.detail.endswith(f"which is disabled: {reason}")
            assert row["error_count"] == 8  # what it did is shown for as long as it is installed
            assert len(_errors(host)) == len(ear.life("failed")) == len(ear.life("ready")) == 4
            notices = [data["message"] for name, data in ear.events if name == "notification"]
            assert f"{reason}. To try again: viloapp enable frail" in notices
            enable(host.store, ["frail"])
            await host.refresh()
            with pytest.raises(WorkerLostError) as lost:  # and has all its tries again
                await host.call("frail.exit")
            assert "viloapp logs frail --crash latest" in lost.value.hint
            assert await host.call("frail.pid")

    run(test)


@pytest.mark.parametrize("retries", [0, 2])
def test_raising_at_each_start_disables_after_the_number_of_the_manifest(
    plant: Plant, run: Run, retries: int
) -> None:
    """Started with the host, without anybody asking again; the traceback is in what is told."""
    restart = {"policy": "exponential_backoff", "max_retries": retries}
    plant("raises", RAISES, activation_events=["onStartup"], restart=restart)

    async def test() -> None:
        host = Host(control=False)
        ear = Ear(host)
        async with host:
            _hasty(host)
            told = await ear.until("disabled")
            assert told["failures"] == retries + 1
            failed = ear.life("failed")
            assert len(failed) == len(ear.life("started")) == retries + 1
            assert {each["kind"] for each in failed} == {"start"}
            assert "no licence was found" in failed[0]["error"]
            assert failed[0]["traceback"].startswith("Traceback (most recent call last):")
            delays = [each["delay_s"] for each in ear.life("restarting")]
            assert delays == [0.05 * 2**number for number in range(retries)]
            await ear.until_published("plugins.changed", lambda data: data["removed"] == ["raises"])
            assert not host.store.plugin("raises").enabled

    run(test)


def test_a_start_that_hangs_says_where(plant: Plant, run: Run) -> None:
    """Whoever waits is told after the start-up time; the failure has the stack."""
    source = RAISES.replace('raise RuntimeError("no licence was found")', "self.waits()")
    source += "    def waits(self):\n        import time\n        time.sleep(1000)\n"
    plant("raises", source, limits={"startup_time": 1.0})

    async def test() -> None:
        async with Host(control=False) as host:
            ear = Ear(host)
            with pytest.raises(PluginStartError, match="not ready within 1 s"):
                await host.call("raises.never")
            failed = await ear.until("failed")
            assert failed["kind"] == "start_timeout"
            assert "in waits" in failed["traceback"]

    run(test)


def test_code_that_has_changed_begins_anew(plant: Plant, run: Run) -> None:
    """What was disabled for the failures of the code before runs again once it is reloaded."""
    plant("raises", RAISES, restart={"max_retries": 0})

    async def test() -> None:
        async with Host(control=False) as host:
            with pytest.raises(PluginStartError):
                await host.call("raises.never")
            with pytest.raises(PluginStartError):  # whether or not it is disabled by now
                await host.reload_plugin("raises")
            (module,) = host.store.plugin("raises").generation.rglob("raises_plugin/__init__.py")
            module.write_text(module.read_text().replace("raise RuntimeError", "print"))
            await host.reload_plugin("raises")
            assert await host.call("raises.never") is None
            assert host.store.plugin("raises").enabled

    run(test)


def test_calls_of_a_plugin_that_is_being_disabled_say_so(plant: Plant, run: Run) -> None:
    """Between the last failure and the change of the store, whoever calls is told why and what to do."""
    plant("raises", RAISES, restart={"policy": "never"})

    async def test() -> None:
        async with Host(control=False) as host:
            worker = host.worker("raises")
            assert worker is not None
            with pytest.raises(PluginStartError, match="no licence was found"):
                await worker.start()
            with pytest.raises(
                PluginDisabledError, match="Plugin raises disabled after 1 failure: "
            ) as caught:
                await worker.start()
            assert "viloapp enable raises" in caught.value.hint

    run(test)


def test_always_never_gives_up_and_restarts_what_ended_well(plant: Plant, run: Run) -> None:
    """More failures than any other policy survives, with nothing open; each is logged."""
    plant("frail", FRAIL, restart={"policy": "always"})

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host, longest_delay_s=0.05)
            ear = Ear(host)
            for number in range(5):
                with contextlib.suppress(ViloError):
                    await host.call("frail.exit_later" if number % 2 else "frail.exit")
                await ear.until("ready", number + 2)
            assert await host.call("frail.pid")
            assert ear.life("disabled") == []

    run(test)


def test_ending_by_itself_when_idle_is_no_failure(plant: Plant, run: Run) -> None:
    """Exit code 0 with nothing to do; under the default policy it is started when it is called again."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            ear = Ear(host)
            await host.call("frail.exit_later")
            await ear.until("stopped")
            row = _row(host, "frail")
            assert (row["state"], row["failures"], ear.life("failed")) == ("stopped", 0, [])
            assert await host.call("frail.pid")

    run(test)


def test_a_blocked_loop_is_found_told_where_and_started_again(plant: Plant, run: Run) -> None:
    """Nothing is asked of it, and it does not answer: the stack is in its log and in what is told."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host, health_interval_s=0.2, health_timeout_s=0.3)
            ear = Ear(host)
            await host.open_widget("frail.panel")
            await host.call("frail.block")
            told = await ear.until("hung")
            assert "stands_still" in told["stack"]
            failed = await ear.until("failed")
            assert failed["kind"] == "hung"
            assert "did not answer a check of its health" in failed["error"]
            assert "stands_still" in failed["traceback"]
            assert "stands_still" in (host.store.plugin("frail").log_dir / "worker.log").read_text()
            assert (await ear.until("ready", 2))["pid"] != failed["pid"]

    run(test)


def test_a_call_past_its_deadline_hangs_and_one_within_it_is_busy(plant: Plant, run: Run) -> None:
    """No check is judged while a call is under way; past its time the plugin is ended, with a stack."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host, health_interval_s=0.1, health_timeout_s=0.1)
            ear = Ear(host)
            assert await host.call("frail.rest", {"seconds": 1.0})
            assert ear.life("hung", "unhealthy", "failed") == []
            await ear.until("healthy")
            with pytest.raises(ViloError, match=r"frail\.spin did not answer"):
                await host.call("frail.spin", timeout_s=0.3)
            failed = await ear.until("failed")
            assert (failed["kind"], failed["error"]) == (
                "hung",
                "it did not stop working on a call that was given up",
            )
            assert "in turns" in failed["traceback"]

    run(test)


@pytest.mark.parametrize(("how", "why"), [("raises", "the disk is gone"), ("false", "returned False")])
def test_an_unhealthy_plugin_is_started_again(plant: Plant, run: Run, how: str, why: str) -> None:
    """What `health_check` returns or raises is told; it is asked to shut down before it is replaced."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host, health_interval_s=0.2)
            ear = Ear(host)
            await host.open_widget("frail.panel")
            first = await ear.until("healthy")
            assert first["plugin"] == "frail"
            await host.call("frail.ill", {"how": how if how == "raises" else ""})
            assert (why in (await ear.until("unhealthy"))["error"]) or how == "false"
            failed = await ear.until("failed")
            assert (failed["kind"], failed["code"]) == ("unhealthy", 0)
            await ear.until("healthy", 2)
            assert _row(host, "frail")["health"] == "healthy"

    run(test)


def test_a_closed_channel_ends_a_process_that_lives_on(plant: Plant, run: Run) -> None:
    """Its call fails at once with a typed error, the process is gone soon, and the next call works."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host)
            ear = Ear(host)
            with pytest.raises(WorkerLostError):
                await host.call("frail.close")
            assert (await ear.until("failed"))["running"][0][0] == "command frail.close"
            assert await host.call("frail.pid")

    run(test)


def test_an_end_that_cannot_be_cleared_up_is_an_end(
    plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed is told; callers hear of the end, the next call works, and the host ends."""
    plant("frail", FRAIL)
    close = RotatingLog.close

    def full(log: RotatingLog) -> None:
        close(log)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RotatingLog, "close", full)
    told: list[str] = []

    async def test() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
        async with Host(control=False) as host:
            _hasty(host)
            with pytest.raises(WorkerLostError):
                await host.call("frail.exit")
            assert await host.call("frail.pid")
        assert told == ["clearing up after frail failed"] * 2

    run(test)


def test_what_may_be_run_twice_is(plant: Plant, run: Run) -> None:
    """A command that says it is idempotent is run once more; any other never is."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host)
            ear = Ear(host)
            assert await host.call("frail.once") == "done"
            assert len(ear.life("failed")) == 1
            with pytest.raises(WorkerLostError):
                await host.call("frail.never_twice")
            assert (host.store.plugin("frail").data_dir / "twice").read_text() == "x"
            assert (host.store.plugin("frail").data_dir / "once").read_text() == "xx"

    run(test)


def test_the_end_escalates(plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked, gets a SIGTERM that it may handle, and is killed; nothing of it is left."""
    plant("frail", FRAIL)
    monkeypatch.setattr("viloapp_core.supervise.machine.ASK_S", 0.3)
    monkeypatch.setattr("viloapp_core.supervise.machine.TERMINATE_S", 0.5)

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("frail.stubborn")
            worker = host.worker("frail")
            assert worker is not None
            pid = worker.pid
            assert pid is not None
            await worker.stop()
            assert worker.state == "stopped"
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
            assert "SIGTERM came" in (host.store.plugin("frail").log_dir / "worker.log").read_text()
            assert worker.failures == 0

    run(test)


def test_terminals_and_widgets_outlive_a_plugin_that_is_disabled_for_its_failures(
    plant: Plant, run: Run
) -> None:
    """Nobody closed them: the shells run on, and the widgets come back when the plugin does."""
    plant("frail", FRAIL, permissions=[{"id": "process.spawn.terminal"}], restart={"max_retries": 0})

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host)
            ear = Ear(host)
            terminal = await host.call("frail.terminal")
            view = await host.open_widget("frail.panel")
            with pytest.raises(WorkerLostError):
                await host.call("frail.exit")
            await ear.until_published("plugins.changed", lambda data: data["removed"] == ["frail"])
            assert [each.id for each in host.terminals.list("frail")] == [terminal["id"]]
            assert [each["instance"] for each in host.instances()] == [view["instance"]]
            enable(host.store, ["frail"])
            await host.refresh()
            shown = await ear.until_published("widget.updated", lambda data: "text" in data["data"])
            assert shown["instance"] == view["instance"]

    run(test)


def test_what_the_host_refuses_is_no_failure(plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that may not start is not the worse for it, however often it is tried."""
    plant("frail", FRAIL, activation_events=["onStartup"])
    monkeypatch.setattr(Host, "_admit", lambda self, plugin: _refuse())

    def _refuse() -> None:
        raise ViloError("blocked", "it is on a list")

    async def test() -> None:
        async with Host(control=False) as host:
            ear = Ear(host)
            for _ in range(5):
                with pytest.raises(ViloError, match="it is on a list"):
                    await host.call("frail.pid")
            row = _row(host, "frail")
            assert (row["state"], row["detail"], row["failures"]) == ("crashed", "it is on a list", 0)
            assert ear.life("failed", "disabled", "started") == []

    run(test)


def test_a_restart_that_a_person_causes_forgives_nothing(plant: Plant, run: Run) -> None:
    """Its failures count on for the process that follows a change of permissions."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host)
            for _ in range(3):
                with pytest.raises(WorkerLostError):
                    await host.call("frail.exit")
            await host.restart_plugin("frail")
            assert _row(host, "frail")["failures"] == 3
            ear = Ear(host)
            with pytest.raises(WorkerLostError):
                await host.call("frail.exit")
            await ear.until("disabled")

    run(test)


def test_time_that_a_plugin_runs_well_forgives(plant: Plant, run: Run) -> None:
    """After the stable period nothing counts against it."""
    plant("frail", FRAIL)

    async def test() -> None:
        async with Host(control=False) as host:
            _hasty(host, stable_s=0.3)
            for _ in range(3):
                with pytest.raises(WorkerLostError):
                    await host.call("frail.exit")
            await host.call("frail.pid")
            assert _row(host, "frail")["failures"] == 3
            while _row(host, "frail")["failures"]:
                await asyncio.sleep(0.02)
            with pytest.raises(WorkerLostError):
                await host.call("frail.exit")
            assert _row(host, "frail")["failures"] == 1

    run(test)
