"""The host with real plugins in real processes."""

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host, SyncHost
from viloapp_core.host.control import ControlClient
from viloapp_core.host.errors import HostRunningError
from viloapp_core.host.session import call_once
from viloapp_core.store import Store
from viloapp_core.web.outbox import encode
from viloapp_sdk.errors import (
    DeadlineExceededError,
    HandlerError,
    InvalidArgumentsError,
    PermissionDeniedError,
    ReentrancyError,
    UnknownCommandError,
    UnknownServiceError,
    UnknownWidgetError,
    ViloError,
    WorkerLostError,
)

Run = Callable[[Callable[[], Awaitable[None]]], None]

HELLO = """
import os, sys, threading, time
from viloapp_sdk import Plugin, PluginEvent, Widget, command

class Panel(Widget):
    id = "hello.panel"
    title = "Panel"
    def create(self, params):
        self.text = getattr(self, "text", params.get("text", "empty"))
        return {"text": self.text, "pid": os.getpid()}
    def handle_command(self, command, args):
        self.text = args["text"]
        self.update({"text": self.text}, title=self.text)
        return "ok"
    def get_state(self):
        return {"text": self.text}
    def restore_state(self, state):
        self.text = state["text"]

class P(Plugin):
    widgets = [Panel]
    heard = ()
    @command("hello.greet")
    def greet(self, name: str = "world"):
        return f"Hello, {name}!"
    @command("hello.later")
    async def later(self, name: str = "world"):
        return await self.context.services.aio.commands.execute("hello.greet", {"name": name})
    @command("hello.deep")
    def deep(self, levels: int):
        if levels == 0:
            return 0
        return 1 + self.context.services.commands.execute("hello.deep", {"levels": levels - 1})
    @command("hello.threads")
    def threads(self):
        found = []
        def ask(): found.append(self.context.services.theme.get_color("background"))
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for t in threads: t.start()
        for t in threads: t.join()
        return found
    @command("hello.fail")
    def fail(self):
        raise ValueError("broken on purpose")
    @command("hello.exit")
    def exit(self, code: int):
        os._exit(code)
    @command("hello.spin")
    def spin(self):
        while True: pass
    @command("hello.pid")
    def pid(self):
        return os.getpid()
    @command("hello.terminal")
    def terminal(self):
        return self.context.services.terminals.open(["/bin/cat"])
    @command("hello.raw")
    def raw(self, method: str, params: list):
        return self._raw(method, params)
    def initialize(self, context):
        super().initialize(context)
        self._raw = context.services.theme._request
    @command("hello.listen")
    def listen(self, type: str):
        self.heard = []
        note = lambda event: self.heard.append([event.type, event.source, event.data])
        self.context.event_bus.subscribe(type, note)
    @command("hello.emit")
    def emit(self, type: str, data: dict):
        self.context.host.emit_event(PluginEvent(type, "forged", data))
    @command("hello.heard")
    def get_heard(self):
        return list(self.heard)
    @command("hello.setting")
    def setting(self):
        return self.context.settings.get("greeting")
    @command("hello.open")
    def open(self):
        return self.context.services.workspace.add_widget("hello.panel", {"text": "mine"})
    @command("hello.print")
    def print(self):
        print("to standard output")
        os.write(1, b"straight to the descriptor\\n")
        self.context.logger.info("to the log")
        return "fine"
"""


def test_plain_async_and_nested_calls(plant: Plant, run: Run) -> None:
    """A command returns its result whether its handler is plain, async or calls back."""
    plant("hello", HELLO)

    async def test() -> None:
        async with Host(control=False) as host:
            assert await host.call("hello.greet", {"name": "you"}) == "Hello, you!"
            assert await host.call("hello:hello.greet") == "Hello, world!"
            assert await host.call("hello.deep", {"levels": 3}) == 3
            assert await host.call("hello.later", {"name": "me"}) == "Hello, me!"
            assert await host.call("hello.deep", {"levels": 3}) == 3
            with pytest.raises(ReentrancyError):
                await host.call("hello.deep", {"levels": 30})
            many = await asyncio.gather(*(host.call("hello.greet", {"name": str(n)}) for n in range(200)))
            assert many == [f"Hello, {n}!" for n in range(200)]

    run(test)


def test_a_handler_may_wait_for_threads_of_its_own_that_call_the_host(plant: Plant, run: Run) -> None:
    """Whichever thread waits reads for all, before and after an event loop has come into being."""
    plant("hello", HELLO)

    async def test() -> None:
        async with Host(control=False) as host:
            assert len(await host.call("hello.threads")) == 8
            await host.call("hello.later")
            assert len(await host.call("hello.threads")) == 8

    run(test)


def test_errors_say_what_they_are(plant: Plant, run: Run) -> None:
    """Bad calls and broken handlers are told apart, and a traceback stays in the log."""
    plant("hello", HELLO)

    async def test() -> None:
        async with Host(control=False) as host:
            with pytest.raises(UnknownCommandError) as unknown:
                await host.call("hello.gret")
            assert "hello.greet" in unknown.value.hint
            with pytest.raises(InvalidArgumentsError, match="missing 'levels', unknown 'depth'"):
                await host.call("hello.deep", {"depth": 1})
            with pytest.raises(HandlerError, match="ValueError: broken on purpose"):
                await host.call("hello.fail")
            log = host.store.plugin("hello").log_dir / "worker.log"
            assert "Traceback" in log.read_text()
            with pytest.raises(PermissionDeniedError, match=r"process\.spawn\.terminal"):
                await host.call("hello.terminal")

    run(test)


def test_a_lost_worker_fails_its_call_and_the_next_call_works(plant: Plant, run: Run) -> None:
    """The host goes on, says how the process ended, and starts another."""
    plant("hello", HELLO)

    async def test() -> None:
        events: list[tuple[str, dict[str, Any]]] = []
        async with Host(control=False) as host:
            host.subscribe(lambda name, data: events.append((name, data)))
            with pytest.raises(WorkerLostError, match="ended with code 7"):
                await host.call("hello.exit", {"code": 7})
            assert await host.call("hello.greet") == "Hello, world!"
            spinning = asyncio.ensure_future(host.call("hello.spin"))
            while not host.plugins()[0]["pid"] or spinning.done():
                await asyncio.sleep(0)
            os.kill(host.plugins()[0]["pid"], signal.SIGKILL)
            with pytest.raises(WorkerLostError, match="killed by SIGKILL"):
                await spinning
            assert await host.call("hello.greet") == "Hello, world!"
        crashed = [data["detail"] for name, data in events if data.get("state") == "crashed"]
        assert crashed == ["ended with code 7", "killed by SIGKILL"]
        assert any(name == "notification" and "stopped working" in data["message"] for name, data in events)

    run(test)


def test_a_handler_past_its_deadline_is_ended_and_the_next_call_works(plant: Plant, run: Run) -> None:
    """A typed timeout for the caller, and no worker that spins for ever."""
    plant("hello", HELLO)

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("hello.greet")
            with pytest.raises(DeadlineExceededError, match=r"hello\.spin did not answer within 0\.2 s"):
                await host.call("hello.spin", timeout_s=0.2)
            assert await host.call("hello.greet") == "Hello, world!"

    run(test)


def test_output_of_a_plugin_goes_to_its_log(plant: Plant, run: Run) -> None:
    """Printing corrupts nothing, by whatever way it is done."""
    plant("hello", HELLO)

    async def test() -> None:
        async with Host(control=False) as host:
            assert await host.call("hello.print") == "fine"
            with pytest.raises(WorkerLostError):  # a crash flushes no buffer
                await host.call("hello.exit", {"code": 1})
        log = (host.store.plugin("hello").log_dir / "worker.log").read_text()
        assert "to standard output" in log
        assert "straight to the descriptor" in log
        assert "INFO to the log" in log

    run(test)


def test_events_reach_subscribers_with_their_true_source(plant: Plant, run: Run) -> None:
    """The host says who sent an event; what the plugin claims is not looked at."""
    plant("hello", HELLO, permissions=[{"id": "services.subscribe.news"}])
    plant("other", HELLO.replace("hello.", "other."), permissions=[{"id": "services.emit.*"}])

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("hello.listen", {"type": "news"})
            await host.call("other.emit", {"type": "news", "data": {"n": 1}})
            assert await host.call("hello.heard") == [["news", "other", {"n": 1}]]
            await host.call("hello.listen", {"type": "theme.changed"})
            host.theme.set("light")
            assert await host.call("hello.heard") == [["theme.changed", "host", {"theme": "light"}]]

    run(test)


async def _first_call(host: Host) -> "asyncio.Future[Any]":
    """Ask hello for its setting; return when it has a process, which is not ready yet."""
    first = asyncio.ensure_future(host.call("hello.setting"))
    while not host.is_running("hello"):
        await asyncio.sleep(0)
    return first


def test_a_setting_that_changes_while_a_plugin_starts_is_what_it_has_then(plant: Plant, run: Run) -> None:
    """It is asked to initialize before its interpreter is there, and told afterwards what that missed."""
    plant("hello", HELLO, configuration={"greeting": {"type": "string", "default": "Hi"}})

    async def test() -> None:
        async with Host(control=False) as host:
            first = await _first_call(host)
            host.settings.set("hello.greeting", "Good day")
            assert await first == "Good day"

    run(test)


def test_a_setting_that_changes_as_a_plugin_gets_ready_reaches_it(plant: Plant, run: Run) -> None:
    """Between what it has missed and what it hears by itself there is no gap."""
    late = """
    def get_commands(self):
        from viloapp_sdk import ICommand
        return [*super().get_commands(), ICommand("hello.late", "Late", lambda: "late")]
"""
    plant("hello", HELLO + late, configuration={"greeting": {"type": "string", "default": "Hi"}})

    async def test() -> None:
        async with Host(control=False) as host:

            def later(name: str, data: dict[str, Any]) -> None:
                if name == "commands.changed":  # it has answered, and is said to run in the loop's next turn
                    assert host.plugins()[0]["state"] == "starting"
                    asyncio.get_running_loop().call_soon(host.settings.set, "hello.greeting", "Good day")

            host.subscribe(later)
            assert await host.call("hello.setting") == "Good day"

    run(test)


SLOW = """
import asyncio
from viloapp_sdk import Plugin, Widget, command

class Slow(Widget):
    id = "slow.panel"
    title = "Slow"
    async def create(self, params):
        if params.get("again"):
            await asyncio.sleep(60)
        return {}
    def get_state(self):
        return {}
    def restore_state(self, state):
        pass

class P(Plugin):
    widgets = [Slow]
"""


def test_a_widget_that_does_not_come_back_is_not_waited_for_without_bound(plant: Plant, run: Run) -> None:
    """Each instance may take its time to come back; who asks one waits as long as for an answer."""
    plant("slow", SLOW, limits={"execution_time": 1})

    async def test() -> None:
        async with Host(control=False) as host:
            opened = [await host.open_widget("slow.panel") for _ in range(4)]
            for instance in host.workspace.all():
                instance.params = {"again": True}
            await host.restart_plugin("slow")
            with pytest.raises(DeadlineExceededError, match="has not brought back what is open within 1 s"):
                await host.widget_state(opened[-1]["instance"])

    run(test)


def test_a_setting_that_no_frame_can_hold_keeps_nobody_waiting(plant: Plant, run: Run) -> None:
    """It comes while a plugin starts: whoever called that has an answer."""
    plant("hello", HELLO, configuration={"greeting": {"type": "string", "default": "Hi"}})

    async def test() -> None:
        async with Host(control=False) as host:
            first = await _first_call(host)
            path = host.store.root / "settings.json"
            path.write_text(
                '{"version": "3.0", "plugins": {"hello": {"greeting": "half a character: \\ud83d"}}}'
            )
            host.settings.reload()
            async with asyncio.timeout(20):
                assert await first == "Hi"

    run(test)


def test_settings_are_checked_kept_and_reach_a_running_worker(plant: Plant, run: Run) -> None:
    """A default until it is changed; a change is there at once and after a restart."""
    plant("hello", HELLO, configuration={"greeting": {"type": "string", "default": "Hi"}})

    async def test() -> None:
        async with Host(control=False) as host:
            assert await host.call("hello.setting") == "Hi"
            host.settings.set("hello.greeting", "Good day")
            assert await host.call("hello.setting") == "Good day"
            with pytest.raises(ViloError, match="has to be of type string"):
                host.settings.set("hello.greeting", 5)
        async with Host(control=False) as host:
            assert await host.call("hello.setting") == "Good day"

    run(test)


def test_widgets_open_answer_update_and_close(plant: Plant, run: Run) -> None:
    """The life of one instance, as a page sees it."""
    plant("hello", HELLO)

    async def test() -> None:
        events: list[tuple[str, dict[str, Any]]] = []
        async with Host(control=False) as host:
            host.subscribe(lambda name, data: events.append((name, data)))
            view = await host.open_widget("hello.panel", {"text": "one"})
            assert (view["title"], view["data"]["text"]) == ("Panel", "one")
            assert await host.widget_command(view["instance"], "set", {"text": "two"}) == "ok"
            updated = [data for name, data in events if name == "widget.updated"]
            assert updated[-1]["data"]["text"] == updated[-1]["title"] == "two"
            await host.close_widget(view["instance"])
            with pytest.raises(UnknownWidgetError):
                await host.widget_command(view["instance"], "set", {})
            mine = await host.call("hello.open")
            assert [data["instance"] for name, data in events if name == "widget.opened"] == [mine]

    run(test)


def test_a_pause_that_is_given_up_leaves_no_process_behind(plant: Plant, run: Run) -> None:
    """Cancelled while an open widget is asked for its state: the process ends all the same."""
    plant("hello", HELLO)

    async def test() -> None:
        async with Host(control=False) as host:
            await host.open_widget("hello.panel", {"text": "one"})
            worker = host.worker("hello")
            assert worker is not None
            pausing = asyncio.create_task(host.pause_plugin("hello"))
            while host.worker("hello") is worker:
                await asyncio.sleep(0)
            pausing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await pausing
            assert worker.pid is None
            assert await host.call("hello.greet") == "Hello, world!"

    run(test)


def test_open_widgets_outlive_a_crash_with_their_state(plant: Plant, run: Run) -> None:
    """A new worker is started for them and gets the state that was last asked for."""
    plant("hello", HELLO)

    async def test() -> None:
        async with Host(control=False) as host:
            shown = asyncio.Event()
            view = await host.open_widget("hello.panel", {"text": "one"})
            await host.widget_command(view["instance"], "set", {"text": "kept"})
            await host.widget_state(view["instance"])
            host.subscribe(lambda name, data: shown.set() if name == "widget.updated" else None)
            with pytest.raises(WorkerLostError):
                await host.call("hello.exit", {"code": 1})
            await shown.wait()
            assert host.instances()[0]["data"]["text"] == "kept"

    run(test)


def test_a_widget_can_be_asked_as_soon_as_its_plugin_runs_again(plant: Plant, run: Run) -> None:
    """Who asks while it starts, or at the moment when it runs, is answered by the instance."""
    plant("hello", HELLO)

    async def test() -> None:
        async with Host(control=False) as host:
            view = await host.open_widget("hello.panel", {"text": "one"})
            await host.widget_command(view["instance"], "set", {"text": "kept"})
            await host.widget_state(view["instance"])
            worker = host.worker("hello")
            assert worker is not None
            await worker.stop()
            asked = [asyncio.ensure_future(host.widget_state(view["instance"])) for _ in range(3)]
            await worker.start()
            asked.append(asyncio.ensure_future(host.widget_state(view["instance"])))
            assert await asyncio.gather(*asked) == [{"text": "kept"}] * 4

    run(test)


@pytest.mark.parametrize("text", [float("nan"), b"\0", {"deep": [float("inf")]}], ids=repr)
def test_no_widget_s_data_keep_pages_from_being_told_of_all(plant: Plant, run: Run, text: Any) -> None:
    """What no page can be told is refused, at first and later; what it showed before stays."""
    plant("hello", HELLO)

    async def test() -> None:
        async with Host(control=False) as host:
            view = await host.open_widget("hello.panel", {"text": "one"})
            with contextlib.suppress(InvalidArgumentsError):
                await host.open_widget("hello.panel", {"text": text})
            with contextlib.suppress(ViloError):
                await host.widget_command(view["instance"], "set", {"text": text})
            encode(host.instances())

    run(test)


def test_a_widget_comes_back_as_it_was_opened_though_nobody_asked_for_its_state(
    plant: Plant, run: Run
) -> None:
    """A crash right after it was opened does not make another thing of it."""
    plant("hello", HELLO.replace('params.get("text", "empty")', "os.urandom(8).hex()"))

    async def test() -> None:
        async with Host(control=False) as host:
            shown = asyncio.Event()
            view = await host.open_widget("hello.panel")
            host.subscribe(lambda name, data: shown.set() if name == "widget.updated" else None)
            with pytest.raises(WorkerLostError):
                await host.call("hello.exit", {"code": 1})
            await shown.wait()
            assert host.instances()[0]["data"]["text"] == view["data"]["text"]

    run(test)


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("theme.nothing", [], UnknownServiceError),
        ("__class__", [], UnknownServiceError),
        ("theme.get_color", [], InvalidArgumentsError),
        ("theme.get_color", [["background"]], InvalidArgumentsError),
        ("workspace.add_widget", ["other.panel", {}], PermissionDeniedError),
        ("workspace.add_widget", ["nobodys.panel", {}], UnknownWidgetError),
        ("workspace.remove_widget", ["not-mine"], UnknownWidgetError),
        ("notifications.show", ["hi", "shout"], InvalidArgumentsError),
        ("terminals.open", [None, {}], PermissionDeniedError),
        ("terminals.list", [], PermissionDeniedError),
    ],
)
def test_what_a_hostile_plugin_asks_for_is_refused(
    plant: Plant, run: Run, method: str, params: list[Any], error: type[ViloError]
) -> None:
    """Service calls of the wrong name, shape or owner, or without a permission."""
    plant("hello", HELLO)
    plant("other", HELLO.replace("hello.", "other."))

    async def test() -> None:
        async with Host(control=False) as host:
            with pytest.raises(error):
                await host.call("hello.raw", {"method": method, "params": params})

    run(test)


def test_installing_disabling_and_updating_take_effect_in_a_running_host(
    plant: Plant, run: Run, store: Store
) -> None:
    """`refresh` takes over what the store says, and keeps what has not changed running."""
    plant("hello", HELLO)

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("hello.greet")
            pid = host.plugins()[0]["pid"]
            plant("other", HELLO.replace("hello.", "other."))
            assert await host.refresh() == {"added": ["other"], "changed": [], "removed": []}
            assert await host.call("other.greet") == "Hello, world!"
            assert host.plugins()[0]["pid"] == pid
            store.set_enabled(["hello"], False, "for a test")
            assert (await host.refresh())["removed"] == ["hello"]
            with pytest.raises(UnknownCommandError, match="which is disabled") as disabled:
                await host.call("hello.greet")
            assert disabled.value.hint == "viloapp enable hello"
            store.set_enabled(["hello"], True)
            plant("hello", HELLO.replace("Hello, ", "Good day, "), version="2.0")
            await host.refresh()
            assert await host.call("hello.greet") == "Good day, world!"

    run(test)


def test_a_change_that_nobody_told_of_is_noticed(plant: Plant, run: Run) -> None:
    """An installer that was killed after its commit is not lost on a running host."""

    async def test() -> None:
        async with Host(control=False) as host:
            changed = asyncio.Event()
            host.subscribe(lambda name, data: changed.set() if name == "plugins.changed" else None)
            plant("hello", HELLO)
            await changed.wait()
            assert await host.call("hello.greet") == "Hello, world!"

    run(test)


def test_one_host_per_store(run: Run) -> None:
    """A second host of the same store is refused and disturbs nothing."""

    async def test() -> None:
        async with Host():
            with pytest.raises(HostRunningError):
                await Host().start()
        async with Host():
            pass

    run(test)


def test_the_control_socket_reaches_the_same_worker(plant: Plant, store: Store) -> None:
    """Another process gets the answer of the worker that already runs."""
    plant("hello", HELLO)
    with SyncHost() as host:
        pid = host.call("hello.pid")
        client = ControlClient.connect(store.root)
        assert client is not None
        with client:
            assert client.request("call", {"command": "hello.pid"}) == pid
            with pytest.raises(UnknownCommandError):
                client.request("call", {"command": "hello.none"})
            with pytest.raises(InvalidArgumentsError):
                client.request("call", {})
            with pytest.raises(UnknownServiceError):
                client.request("shell", {})
            assert client.request("status")["plugins"][0]["state"] == "running"
        assert call_once(store.root, "hello.pid") == pid
    assert ControlClient.connect(store.root) is None


def test_calls_without_a_host_share_a_temporary_one(plant: Plant, store: Store) -> None:
    """Several at once get along: one becomes the host, the others use it or follow it."""
    plant("hello", HELLO)
    results: list[Any] = []
    threads = [
        threading.Thread(target=lambda: results.append(call_once(store.root, "hello.greet")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == ["Hello, world!"] * 6


def test_a_host_started_from_a_thread_that_ends_keeps_its_workers(plant: Plant) -> None:
    """Parent-death signals hang on the spawning thread, which is the host's own."""
    plant("hello", HELLO)
    box: list[SyncHost] = []

    def begin() -> None:
        box.append(SyncHost(control=False))
        box[0].start()
        box[0].call("hello.greet")

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join(60)
    host = box[0]
    pid = host.plugins()[0]["pid"]
    try:
        assert host.call("hello.greet") == "Hello, world!"
        assert host.plugins()[0]["pid"] == pid
    finally:
        host.stop()


def test_nothing_of_a_worker_is_left_after_stop(plant: Plant, run: Run) -> None:
    """Stopping ends processes that are busy, and leaks no descriptor and no thread."""
    plant("hello", HELLO)
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("hello.greet")
            pid = host.plugins()[0]["pid"]
            spinning = asyncio.ensure_future(host.call("hello.spin"))
            await asyncio.sleep(0)
        with pytest.raises(ViloError):
            await spinning
        assert not Path(f"/proc/{pid}").exists()

    run(test)
    deadline = time.monotonic() + 5  # asyncio's own helper threads take a moment to end
    while threading.active_count() > threads and time.monotonic() < deadline:
        pass
    assert len(os.listdir("/proc/self/fd")) <= descriptors


def test_nothing_of_a_worker_is_left_when_the_loop_is_broken_off(
    plant: Plant, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """Ctrl-C cancels every task at once, that which waits for the worker's end too; it says nothing."""
    plant("hello", HELLO)
    pids: list[int] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("hello.greet")
            pids.append(host.plugins()[0]["pid"])
            asyncio.get_running_loop().call_soon(interrupt)
            await asyncio.Event().wait()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(test())
    assert not Path(f"/proc/{pids[0]}").exists()
    assert not caplog.records
