"""Steps of a plugin's settings at an update: once, confined, on a copy; taken or refused as a whole."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import command_lines
from tests.fixtures.installable import msgpack_wheel, sdk_wheel
from tests.fixtures.wheels import forge
from viloapp_core.cli.main import main
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.foundation.files import read_json
from viloapp_core.host import Host
from viloapp_core.host.control import ControlClient
from viloapp_core.host.steps import HostSteps, SeparateSteps
from viloapp_core.operations import (
    InstallOptions,
    UpdateOutcome,
    describe,
    install,
    rollback,
    take_back,
    update,
)
from viloapp_core.operations.fitting import Steps
from viloapp_core.sandbox import probe
from viloapp_core.services.sections import Section, read_section, write_section
from viloapp_core.store import Store
from viloapp_core.store.checking import check
from viloapp_core.store.garbage import collect
from viloapp_sdk.errors import ViloError

Run = Callable[[Callable[[], Awaitable[None]]], None]

PLUGIN = """
from viloapp_sdk import Plugin, command

class Hello(Plugin):
    @command("hello.say")
    def say(self):
        text = (self.context.storage / "note").read_text() if (self.context.storage / "note").exists() else ""
        return [self.context.version, self.context.settings.as_dict(), text]

    @command("hello.write")
    def write(self, text: str) -> None:
        (self.context.storage / "note").write_text(text)
"""
STEPS = """
import os, socket, subprocess, time
from pathlib import Path

def to_2(settings, data):
    settings["text"] = settings.pop("greeting", "none")
    (data / "note").write_text("2:" + ((data / "note").read_text() if (data / "note").exists() else ""))
    (data / "fresh").mkdir()
    return settings

async def to_3(settings, data):
    note = data / "note"
    note.write_text("3:" + note.read_text())
    return {"words": settings["text"].split(), **{k: v for k, v in settings.items() if k != "text"}}

def to_4(settings, data):
    return settings | {"count": len(settings["words"])}

def raises(settings, data):
    (data / "note").write_text("spoiled")
    raise ValueError("no greeting\\nof that kind")

def forgets(settings, data):
    settings["text"] = "x"

def hangs(settings, data):
    time.sleep(600)

def dies(settings, data):
    os._exit(7)

def misfits(settings, data):
    return {"count": "many", "text": b"x", "limits.memory_mb": 9}

def reaches(settings, data):
    found = {}
    for name, attempt in {
        "connects": lambda: socket.create_connection(("127.0.0.1", 1), timeout=1),
        "runs": lambda: subprocess.run(["/bin/true"], check=True),
        "reads": lambda: os.listdir(settings["store"]),
        "home": lambda: Path(settings["home"], "secret").read_text(),
    }.items():
        try:
            attempt()
        except BaseException as error:
            found[name] = type(error).__name__
        else:
            found[name] = "reached"
    return {"found": found}
"""
TEXT = {"type": "string", "default": ""}
SICK = (
    PLUGIN
    + """
    def initialize(self, context):
        super().initialize(context)
        (context.storage / "note").write_text("sick")
        raise RuntimeError("it is sick")
"""
)
CONFIGURATION: dict[str, dict[str, Any]] = {
    "1": {"greeting": TEXT},
    "2": {"text": TEXT},
    "3": {"words": {"type": "array", "default": []}},
    "4": {"words": {"type": "array", "default": []}, "count": {"type": "integer", "default": 0}},
}
CHAIN = [
    {"from": "1", "to": "2", "run": "hello.steps:to_2"},
    {"from": "2", "to": "3", "run": "hello.steps:to_3"},
    {"from": "3", "to": "4", "run": "hello.steps:to_4"},
]


class Shop:
    """A folder of releases, and a store that installs from it alone."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.store, self.folder = store, folder / "index"
        self.wheels = {"viloapp-sdk": sdk_wheel(folder / "wheelhouse")}
        msgpack_wheel(self.folder)
        self.steps: Steps = SeparateSteps(store)

    def release(self, version: str, settings: str = "1", /, **more: Any) -> None:
        """Offer a version of the plugin, with settings of a version."""
        code = more.pop("code", PLUGIN)
        configuration = more.pop("configuration", CONFIGURATION[settings.partition(".")[0]])
        table = {"version": settings, "steps": [row for row in CHAIN if row["to"] <= settings]}
        manifest = {
            "schema": 1,
            "api_version": "1.0",
            "commands": [{"id": "hello.say"}, {"id": "hello.write", "parameters": [{"name": "text"}]}],
            "configuration": configuration,
            **({"settings": table} if settings != "1" else {}),
            **more,
        }
        files = {
            "hello/__init__.py": code,
            "hello/steps.py": STEPS,
            f"hello-{version}.dist-info/plugin.json": json.dumps(manifest),
        }
        points = "[viloapp.plugins]\nhello = hello:Hello\n"
        forge(self.folder, "hello", version, files, requires=["viloapp-sdk"], entry_points=points)

    def _options(self, **more: Any) -> dict[str, Any]:
        chosen: dict[str, Any] = {
            "offline": True,
            "find_links": (str(self.folder),),
            "allow_unsigned": ("hello",),
            "yes": True,
        }
        return {"options": InstallOptions(**chosen, **more), "wheels": self.wheels, "steps": self.steps}

    def install(self, what: str = "hello", **more: Any) -> Any:
        """Install."""
        return install(self.store, [what], **self._options(**more))

    def update(self, **more: Any) -> UpdateOutcome:
        """Update, and return what became of the plugin."""
        return update(self.store, **more, **self._options())[0]

    def set(self, **values: Any) -> None:
        """Set settings as they are in the file."""
        now = read_section(self.store.layout.settings, "hello")
        write_section(
            self.store.layout.settings, "hello", Section({**(now.values or {}), **values}, now.version)
        )

    def note(self, text: str) -> None:
        """Have the plugin have stored a note."""
        (self.store.layout.data("hello") / "note").write_text(text)

    def seen(self) -> tuple[str, dict[str, Any], str, str]:
        """Return version, settings, their recorded version, and the note."""
        section, note = (
            read_section(self.store.layout.settings, "hello"),
            self.store.layout.data("hello") / "note",
        )
        text = note.read_text() if note.exists() else ""
        assert check(self.store) == []
        assert list(self.store.layout.journal.iterdir()) == []
        return self.store.plugin("hello").version, dict(section.values or {}), section.version, text


@pytest.fixture
def shop(tmp_path: Path, store: Store) -> Shop:
    """A store, and a shop with the first version in it, installed, set and used."""
    made = Shop(tmp_path, store)
    made.release("0.1")
    made.install()
    made.set(greeting="good day", **{"limits.execution_time": 30})
    made.note("mine")
    return made


BEFORE = ("0.1", {"greeting": "good day", "limits.execution_time": 30}, "", "mine")
AFTER = (
    "0.4",
    {"words": ["good", "day"], "count": 2, "limits.execution_time": 30},
    "4",
    "3:2:mine",
)


def test_several_versions_are_skipped_and_every_step_runs_once(shop: Shop) -> None:
    """1 becomes 4 by all three steps, data too; the dry run says which; rollbacks lead back, and forward."""
    shop.release("0.4", "4")
    would = shop.update(check=True)
    steps = ["1 to 2 (hello.steps:to_2)", "2 to 3 (hello.steps:to_3)", "3 to 4 (hello.steps:to_4)"]
    assert would.settings == {"before": "1", "after": "4", "steps": steps, "restored": False}
    assert any("version 1 to 4, by the steps 1 to 2" in note for note in would.notes)
    assert shop.seen() == BEFORE
    done = shop.update()
    assert (done.status, done.settings) == ("updated", would.settings)
    assert shop.seen() == AFTER
    assert (shop.store.layout.data("hello") / "fresh").is_dir()
    assert describe(shop.store, "hello")["settings"] == {"version": "4", "reads": "4"}
    assert shop.update().status == "unchanged"

    shop.set(words=["changed"], count=7)
    shop.note("later")
    back = rollback(shop.store, "hello", steps=shop.steps)
    assert shop.seen() == BEFORE
    assert back.settings is not None
    assert back.settings["restored"]
    assert "cannot read version 4" in back.notes[0]
    assert "set since (count, words) is kept beside 0.4" in back.notes[1]
    rollback(shop.store, "hello", to="0.4")
    changed = {"words": ["changed"], "count": 7, "limits.execution_time": 30}
    assert shop.seen() == ("0.4", changed, "4", "later")


def test_a_probation_that_fails_brings_settings_and_data_back(shop: Shop) -> None:
    """What was before the steps is there again; what was set since is kept, and told by the caller."""
    from viloapp_core.operations.updating import set_since_update

    shop.release("0.4", "4")
    shop.update()
    shop.set(count=9)
    assert set_since_update(shop.store, "hello") == ["count"]
    take_back(shop.store, "hello", "it did not start", SystemClock())
    assert shop.seen() == BEFORE
    kept = read_json(next(shop.store.layout.left("hello").glob("0.4-*")) / "settings.json")
    assert kept["values"]["count"] == 9


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("raises", "ValueError: no greeting of that kind"),
        ("forgets", "it returned nothing, not the settings"),
        ("dies", "ended with code 7"),
        ("hangs", "it took more than 1 s"),
        ("absent", "has no attribute 'absent'"),
        ("misfits", "text: it is nothing that JSON has; limits.memory_mb: that is no name of a setting"),
    ],
)
def test_a_step_that_fails_refuses_the_update(shop: Shop, step: str, why: str) -> None:
    """One line names the step and the error; version, settings and data are as they were."""
    if step == "hangs":
        shop.set(**{"limits.execution_time": 1})
    before = shop.seen()
    rows = [{"from": "1", "to": "2", "run": f"hello.steps:{step}"}]
    shop.release("0.2", "2", settings={"version": "2", "steps": rows})
    with pytest.raises(ViloError) as raised:
        shop.update()
    assert f"hello 0.2 is not taken: the step of its settings from 1 to 2 (hello.steps:{step}) failed: " in (
        raised.value.detail
    )
    assert why in raised.value.detail
    assert "\n" not in raised.value.detail
    assert shop.seen() == before
    assert [path.name.partition("-")[0] for path in shop.store.layout.generations("hello").iterdir()] == [
        "0.1"
    ]
    assert not shop.store.layout.left("hello").exists()


def test_a_step_reaches_nothing_but_the_copy(shop: Shop, tmp_path: Path) -> None:
    """Also what the plugin itself may: it has no permission, for nothing else could be taken back."""
    (tmp_path / "secret").write_text("x")
    wanted = ["network.connect.*", "process.execute.*", "filesystem.read.*"]
    rows = [{"from": "1", "to": "2", "run": "hello.steps:reaches"}]
    shop.set(store=str(shop.store.root / "trust"), home=str(tmp_path))
    shop.release(
        "0.2",
        "2",
        configuration={"found": {"type": "object", "default": {}}},
        settings={"version": "2", "steps": rows},
        permissions=[{"id": each} for each in wanted],
    )
    shop.update()
    found = shop.seen()[1]["found"]
    assert set(found) == {"connects", "runs", "reads", "home"}
    assert "reached" not in found.values(), found


def test_without_a_host_nobody_runs_a_step(shop: Shop) -> None:
    """A caller who brings nobody to run them is refused; code of the plugin never runs in its process."""
    shop.release("0.2", "2")
    shop.steps = None  # type: ignore[assignment]
    with pytest.raises(ViloError, match="which only a host runs"):
        shop.update()
    assert shop.seen() == BEFORE


def test_a_minor_version_survives_a_downgrade(shop: Shop) -> None:
    """Older code reads what it knows of it: nothing goes back, and what was added is still there later."""
    shop.release("0.2", "1.1", configuration={"greeting": TEXT, "extra": TEXT})
    done = shop.update()
    assert any("1 to 1.1, which needs no step" in note for note in done.notes)
    shop.set(extra="new", greeting="hi")
    back = rollback(shop.store, "hello")
    assert back.notes == ("settings and data stay as they are, version 1.1: it knows 1 of them",)
    values = {"extra": "new", "greeting": "hi", "limits.execution_time": 30}
    assert shop.seen() == ("0.1", values, "1.1", "mine")


def test_an_older_version_gets_what_was_kept_of_its_settings(shop: Shop) -> None:
    """Installed by name it is a downgrade: what is kept of its version comes back, or it is refused."""
    shop.release("0.2", "2")
    shop.update()
    (outcome,) = shop.install("hello==0.1", allow_downgrade=("hello",), force_reinstall=True)
    assert any("those that were kept of version 1 come back" in note for note in outcome.notes)
    assert shop.seen() == (*BEFORE[:2], "1", "mine")
    shop.install("hello==0.2")
    collect(shop.store)
    for kept in shop.store.layout.left("hello").iterdir():
        (kept / "settings.json").unlink()
    with pytest.raises(ViloError, match="of version 2, and this one needs 1, of which nothing is kept"):
        shop.install("hello==0.1", allow_downgrade=("hello",), force_reinstall=True)
    assert shop.seen()[0] == "0.2"


def test_what_an_uninstalled_plugin_left_is_made_fit_for_the_next(shop: Shop) -> None:
    """Its settings and data wait, and count as the version they had; a first installation runs no step."""
    from viloapp_core.operations import uninstall

    shop.release("0.2", "2")
    uninstall(shop.store, ["hello"])
    shop.install()
    assert shop.seen() == ("0.2", {"text": "good day", "limits.execution_time": 30}, "2", "2:mine")
    uninstall(shop.store, ["hello"], purge=True)
    assert not shop.store.layout.left("hello").exists()
    (outcome,) = shop.install()
    assert shop.seen() == ("0.2", {}, "2", "")
    assert outcome.settings == {"before": "", "after": "2", "steps": [], "restored": False}


def test_what_changes_meanwhile_is_not_overwritten(shop: Shop) -> None:
    """A setting that somebody changes while the steps run refuses the update, and stays."""

    class Meddling(SeparateSteps):
        def run(self, *arguments: Any) -> Any:
            made = super().run(*arguments)
            shop.set(greeting="newer")
            return made

    shop.steps = Meddling(shop.store)
    shop.release("0.2", "2")
    with pytest.raises(ViloError, match="changed while its steps ran"):
        shop.update()
    assert shop.seen() == ("0.1", {"greeting": "newer", "limits.execution_time": 30}, "", "mine")


@pytest.mark.parametrize("inside", [True, False], ids=["of the host", "beside the host"])
def test_a_running_plugin_stands_back_while_its_steps_run(shop: Shop, run: Run, inside: bool) -> None:
    """Its process has ended before the copy is made, starts not meanwhile, and is the new one afterwards."""
    refused = []

    async def live() -> None:
        async with Host(shop.store.root) as host:
            assert (await host.call("hello.say"))[0] == "0.1"
            await host.call("hello.write", {"text": "last"})
            loop, own = asyncio.get_running_loop(), HostSteps(host) if inside else SeparateSteps(shop.store)

            class Watching:
                def quiet(self, plugin_id: str, /) -> Any:
                    return own.quiet(plugin_id)

                def run(self, *arguments: Any) -> Any:
                    assert not host.is_running("hello")
                    try:
                        asyncio.run_coroutine_threadsafe(host.call("hello.say"), loop).result()
                    except ViloError as error:
                        refused.append(error.code)
                    return own.run(*arguments)

            shop.steps = Watching()
            shop.release("0.4", "4")
            await asyncio.to_thread(shop.update)
            await host.refresh()
            version, values, note = await host.call("hello.say")
            assert (version, values, note) == ("0.4", {"words": ["good", "day"], "count": 2}, "3:2:last")
            assert refused == ["paused"]
            outcome = await host.rollback("hello")
            assert outcome.version == "0.1"
            assert (await host.call("hello.say"))[1:] == [{"greeting": "good day"}, "last"]

    before = threading.active_count()
    run(live)
    assert threading.active_count() == before


def test_steps_that_are_cancelled_end_at_once(shop: Shop, run: Run) -> None:
    """A step that hangs has no more of its 30 seconds; its process is gone, and all is as it was."""
    rows = [{"from": "1", "to": "2", "run": "hello.steps:hangs"}]
    shop.release("0.2", "2", settings={"version": "2", "steps": rows})
    shop.set(**{"limits.execution_time": 600})
    before = shop.seen()

    async def live() -> None:
        async with Host(shop.store.root) as host:
            given_up, begun = threading.Event(), asyncio.Event()
            loop = asyncio.get_running_loop()

            class Telling(HostSteps):
                def run(self, *arguments: Any) -> Any:
                    loop.call_soon_threadsafe(begun.set)
                    return super().run(*arguments)

            shop.steps = Telling(host, given_up)
            updating = asyncio.ensure_future(asyncio.to_thread(shop.update))
            await begun.wait()
            given_up.set()
            with pytest.raises(ViloError) as raised:
                await updating
            assert raised.value.code == "command_cancelled"
            assert (await host.call("hello.say"))[0] == "0.1"

    run(live)
    assert shop.seen() == before


def test_steps_end_when_who_waits_for_them_is_cancelled(shop: Shop, run: Run) -> None:
    """As the loop ends, for example: no process of theirs is left."""
    rows = [{"from": "1", "to": "2", "run": "hello.steps:hangs"}]
    shop.release("0.2", "2", settings={"version": "2", "steps": rows})
    shop.set(**{"limits.execution_time": 600})

    async def live() -> None:
        async with Host(shop.store.root) as host:
            loop, waiting = asyncio.get_running_loop(), asyncio.Event()
            tasks: list[asyncio.Task[Any]] = []

            class Telling(HostSteps):
                async def _unless_cancelled(self, work: Any) -> Any:
                    task = asyncio.current_task()
                    assert task is not None
                    tasks.append(task)
                    loop.call_soon(waiting.set)
                    return await super()._unless_cancelled(work)

            shop.steps = Telling(host)
            updating = asyncio.ensure_future(asyncio.to_thread(shop.update))
            await waiting.wait()
            while not command_lines(str(shop.store.root)):
                await asyncio.sleep(0.01)
            tasks[0].cancel()
            with pytest.raises((asyncio.CancelledError, concurrent.futures.CancelledError)):
                await updating
            assert not command_lines(str(shop.store.root))

    run(live)


def test_a_host_updates_its_plugins(shop: Shop, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`Host.update` says what would change, refuses with nothing changed, and runs what it installed."""
    monkeypatch.setattr("viloapp_core.operations.installing.wheelhouse", lambda: shop.wheels)
    rows = [{"from": "1", "to": "2", "run": "hello.steps:raises"}]
    shop.release("0.2", "2", settings={"version": "2", "steps": rows})
    chosen = InstallOptions(offline=True, find_links=(str(shop.folder),), allow_unsigned=("hello",), yes=True)

    async def live() -> None:
        async with Host(shop.store.root, control=False) as host:
            assert (await host.call("hello.say"))[0] == "0.1"
            with pytest.raises(ViloError, match="is not taken: the step"):
                await host.update(["hello"], options=chosen)
            assert await host.call("hello.say") == ["0.1", {"greeting": "good day"}, "mine"]
            with pytest.raises(ViloError, match="other is not installed"):
                await host.update(["other"], options=chosen)
            shop.release("0.4", "4")
            (would,) = await host.update(check=True, options=chosen)
            assert (would.version, would.previous_version) == ("0.4", "0.1")
            assert (await host.call("hello.say"))[0] == "0.1"
            (done,) = await host.update(options=chosen)
            assert (done.status, done.version) == ("updated", "0.4")
            values = {"words": ["good", "day"], "count": 2}
            assert await host.call("hello.say") == ["0.4", values, "3:2:mine"]
            (again,) = await host.update(options=chosen)
            assert again.status == "unchanged"

    run(live)
    assert shop.seen() == AFTER


def test_without_a_sandbox_steps_run_where_the_person_accepts_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`update` refuses them, names the option that it has, and changes nothing; with it they run."""
    nothing = replace(probe(), backend="none", reason="there is none", remedy="install one")
    for module in ("supervise.launching", "sandbox"):
        monkeypatch.setattr(f"viloapp_core.{module}.probe", lambda: nothing)
    monkeypatch.setattr("viloapp_core.operations.installing.wheelhouse", lambda: shop.wheels)
    monkeypatch.setenv("VILOAPP_HOME", str(shop.store.root))
    shop.release("0.4", "4")
    command = ["update", "--offline", "--find-links", str(shop.folder), "--allow-unsigned", "hello", "--yes"]
    assert main(command) == 1
    assert "--allow-unsandboxed" in capsys.readouterr().err
    assert shop.seen() == BEFORE
    assert main([*command, "--allow-unsandboxed"]) == 0
    assert "plugins can do everything that you can" in capsys.readouterr().err
    assert shop.seen() == AFTER


def test_a_host_resumes_when_who_paused_it_is_gone(shop: Shop, run: Run) -> None:
    """The command that ran the steps was killed: the plugin is not held for ever."""

    async def live() -> None:
        async with Host(shop.store.root) as host:
            holding = SeparateSteps(shop.store).quiet("hello")
            await asyncio.to_thread(holding.__enter__)
            with pytest.raises(ViloError, match="are being updated"):
                await host.call("hello.say")
            await asyncio.to_thread(holding.__exit__, KeyboardInterrupt, KeyboardInterrupt(), None)
            while "hello" in host._paused:
                await asyncio.sleep(0.01)
            assert (await host.call("hello.say"))[0] == "0.1"

    run(live)


def test_an_update_that_is_taken_back_stands_back_while_its_data_moves(
    shop: Shop, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's call starts it then; the former one runs afterwards, with the data of before the steps."""
    refused = []
    shop.release("0.4", "4", code=SICK)
    shop.update()

    async def live() -> None:
        async with Host(shop.store.root, control=False) as host:
            loop, withdraw = asyncio.get_running_loop(), host.store.withdraw

            def watched(*arguments: Any) -> Any:
                try:
                    asyncio.run_coroutine_threadsafe(host.call("hello.say"), loop).result()
                except ViloError as error:
                    refused.append(error.code)
                assert not host.is_running("hello")
                return withdraw(*arguments)

            monkeypatch.setattr(host.store, "withdraw", watched)
            while shop.store.plugin("hello").version != "0.1" or not host.is_running("hello"):
                await asyncio.sleep(0.01)
            assert await host.call("hello.say") == ["0.1", {"greeting": "good day"}, "mine"]

    run(live)
    assert refused == ["paused"]
    assert shop.seen() == BEFORE


def test_a_workspace_that_ends_while_steps_run_takes_nothing_from_the_update(shop: Shop, run: Run) -> None:
    """What was asked to stand back is gone: the update is done, and is told as done."""

    async def live() -> None:
        async with Host(shop.store.root) as host:
            loop, own = asyncio.get_running_loop(), SeparateSteps(shop.store)

            class Closing:
                def quiet(self, plugin_id: str, /) -> Any:
                    return own.quiet(plugin_id)

                def run(self, *arguments: Any) -> Any:
                    asyncio.run_coroutine_threadsafe(host.stop(), loop).result()
                    return own.run(*arguments)

            shop.steps = Closing()
            shop.release("0.4", "4")
            done = await asyncio.to_thread(shop.update)
            assert (done.status, done.version) == ("updated", "0.4")

    run(live)
    assert shop.seen() == AFTER


def test_who_gives_up_while_a_plugin_is_paused_leaves_it_free(shop: Shop, run: Run) -> None:
    """A rollback is cancelled, a command is killed, both while the process ends: it can run again."""

    async def paused(host: Host, *, is_so: bool) -> None:
        while ("hello" in host._paused) is not is_so:
            await asyncio.sleep(0)

    async def live() -> None:
        async with Host(shop.store.root) as host:
            assert (await host.call("hello.say"))[0] == "0.1"
            rolling = asyncio.create_task(host.rollback("hello"))
            await paused(host, is_so=True)
            rolling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await rolling
            assert (await host.call("hello.say"))[0] == "0.1"

            client = await asyncio.to_thread(ControlClient.connect, shop.store.root)
            assert client is not None
            client.send("pause", {"plugin": "hello"})
            await paused(host, is_so=True)
            client.close()
            await paused(host, is_so=False)
            assert (await host.call("hello.say"))[0] == "0.1"
            assert not host._paused

    run(live)
