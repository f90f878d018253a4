"""Saving a plugin's source while it runs: real files, a real watcher, real workers in the real sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.host.conftest import planter
from viloapp_core import Host
from viloapp_core.devtools.last_good import LastGood
from viloapp_core.devtools.reloading import Reloader, take_over
from viloapp_core.devtools.watching import changes, matters
from viloapp_core.sandbox import probe
from viloapp_core.store import Store
from viloapp_sdk.errors import UnknownCommandError, ViloError
from viloapp_sdk.manifest.chain import Step

RELOADS = int(os.environ.get("VILOAPP_RELOADS", "3"))
"""The session `reloads` makes two hundred."""
WARM_UP = 20
NEVER = {"policy": "never"}
"""With which a plugin is disabled at its first failure, but not at that of a save."""
PYPROJECT = """
[project]
name = "live"
version = "1"
[project.entry-points."viloapp.plugins"]
live = "live:P"
[tool.viloapp]
api_version = "1.0"
"""
SOURCE = """
import os
from viloapp_sdk import Plugin, Widget, command
{at_import}
class Panel(Widget):
    id = "live.panel"
    def create(self, params):
        self.text = getattr(self, "text", "new")
        return {{"text": self.text, "answer": {answer}}}
    def handle_command(self, command, args):
        self.text = args["text"]
    def get_state(self):
        return {{"text": self.text}}
    def restore_state(self, state):
        self.text = state["text"]

class P(Plugin):
    widgets = [Panel]
    def _note(self, what):
        with open(self.context.storage / "life", "a") as file:
            print(what, file=file)
    def initialize(self, context):
        {at_initialize}
        self._note("initialize {answer}")
    def shutdown(self):
        self._note("shutdown {answer}")
    @command("live.answer")
    def answer(self):
        return {answer}
    @command("live.terminal")
    def terminal(self):
        return self.context.services.terminals.open(["/bin/cat"])["id"]
    @command("live.terminals")
    def terminals(self):
        return [row["id"] for row in self.context.services.terminals.list()]
    {more}
"""


class Live:
    """A running workspace with a plugin whose source the test saves."""

    def __init__(self, host: Host, project: Path, storage: Path) -> None:
        self.host, self.project, self.storage = host, project, storage
        self.told: list[tuple[str, str]] = []
        self.installed = 0
        self.refused = ""
        self.installing: Callable[[threading.Event], object] = lambda given_up: None
        copies = host.store.root / "sources"
        self.reloader = Reloader(host, project, "live", self._install, self._tell, copies)

    def _install(self, given_up: threading.Event) -> None:
        if self.refused:
            raise ViloError("no_solution", self.refused)
        self.installing(given_up)
        self.installed += 1

    def _tell(self, level: str, message: str) -> None:
        self.told.append((level, message))

    def write(self, answer: int, *, at_import: str = "", at_initialize: str = "pass", more: str = "") -> Path:
        """Save the source as an editor does: a new file in the place of the old one."""
        text = SOURCE.format(answer=answer, at_import=at_import, at_initialize=at_initialize, more=more)
        new = self.project / ".live.py.new"
        new.write_text(text)
        return new.replace(self.project / "live.py")

    async def save(self, answer: int, **parts: str) -> bool:
        """Save and reload."""
        return await self.reloader.saved([self.write(answer, **parts)])

    def life(self) -> list[str]:
        """Return what the plugin noted of its life."""
        return (self.storage / "life").read_text().splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder."""
    folder = (tmp_path / "project").resolve()
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT)
    return folder


@asynccontextmanager
async def live(tmp_path: Path, project: Path, **manifest: Any) -> AsyncIterator[Live]:
    """A host with the plugin, installed so that its code comes from the project."""
    store = Store(tmp_path / "store")
    allowed = ("filesystem.read.workspace", "process.spawn.terminal")
    permissions = [{"id": id, "reason": "of the test"} for id in allowed]
    planter(store, tmp_path / "cache")(
        "live", "from live import P\n", permissions=permissions, dev_source=project, **manifest
    )
    packages = next(store.plugin("live").generation.glob("venv/lib/python*/site-packages"))
    (packages / "live.pth").write_text(f"{project}\n")
    async with Host(store.root, workspace=project, control=False) as host:
        made = Live(host, project, store.plugin("live").data_dir)
        assert await made.save(0)
        yield made


def bounded(test: Callable[[], Awaitable[None]], seconds: float = 120) -> None:
    """Run a coroutine with a bound."""

    async def limited() -> None:
        async with asyncio.timeout(seconds):
            await test()

    asyncio.run(limited())


def test_a_save_runs_in_a_new_process(tmp_path: Path, project: Path) -> None:
    """The old one shuts down first; widgets keep their state, and terminals their shells."""

    async def test() -> None:
        async with live(tmp_path, project) as it:
            panel = (await it.host.open_widget("live.panel"))["instance"]
            await it.host.widget_command(panel, "set", {"text": "kept"})
            terminal = await it.host.call("live.terminal")
            shown: asyncio.Queue[dict[str, object]] = asyncio.Queue()
            it.host.subscribe(lambda name, data: shown.put_nowait(data) if name == "widget.updated" else None)
            assert await it.save(1)
            assert await it.host.call("live.answer") == 1
            assert (await shown.get())["data"] == {"text": "kept", "answer": 1}
            assert await it.host.call("live.terminals") == [terminal]
            assert it.life() == ["initialize 0", "shutdown 0", "initialize 1"]

    bounded(test)


def test_a_broken_save_changes_nothing(tmp_path: Path, project: Path) -> None:
    """What does not parse or import is told, and what ran before goes on, not restarted."""

    async def test() -> None:
        async with live(tmp_path, project) as it:
            life = it.life()
            for broken in ("def (", "import no_such_module", "1 / 0", "raise SystemExit(3)", "os._exit(3)"):
                assert not await it.save(1, at_import=broken)
                level, message = it.told[-1]
                assert level == "error"
                assert message.endswith("what ran before goes on")
                assert await it.host.call("live.answer") == 0
            assert it.life() == life

    bounded(test)


def test_what_fails_to_initialize_gives_way_to_what_ran(tmp_path: Path, project: Path) -> None:
    """It raises or ends: the last good code initializes again, from a copy, and widgets keep their state."""

    async def test() -> None:
        async with live(tmp_path, project, restart=NEVER) as it:
            assert await it.save(1)
            (project / "live.py").touch()
            assert await it.save(2)
            for at_initialize, why in {
                "raise ValueError('in vain')": "in vain",
                "os._exit(3)": "code 3",
            }.items():
                problem = await gives_way_to_2(it, at_initialize, why)
                if "raise" in at_initialize:  # the other says nothing of where it was
                    assert (problem["file"], problem["line"]) == ("live.py", line_of(project, at_initialize))
                    assert "_channel.py" not in problem["stack"]
                    assert problem["stack"].startswith("Traceback (most recent call last):\n  File")
            assert await it.save(4)
            assert it.life()[-2:] == ["shutdown 2", "initialize 4"]
            assert await it.host.call("live.answer") == 4
            assert it.host.reloading.problems == {}

    bounded(test)


def test_what_hangs_as_it_initializes_gives_way_to_what_ran(tmp_path: Path, project: Path) -> None:
    """As what raises does, once the time of a start is over; where it was is told."""
    hangs = "while True: pass"

    async def test() -> None:
        # The good starts have as long, on a machine that is busy with others.
        async with live(tmp_path, project, limits={"startup_time": 20}, restart=NEVER) as it:
            assert await it.save(2)
            problem = await gives_way_to_2(it, hangs, "within 20 s")
            assert (problem["file"], problem["line"]) == ("live.py", line_of(project, hangs))

    bounded(test)


async def gives_way_to_2(it: Live, at_initialize: str, why: str) -> Mapping[str, Any]:
    """Save what does not initialize while 2 runs, which then runs again; return the problem that is shown."""
    panel = (await it.host.open_widget("live.panel"))["instance"]
    await it.host.widget_command(panel, "set", {"text": "kept"})
    it.storage.joinpath("life").unlink()
    assert not await it.save(3, at_initialize=at_initialize)
    assert why in it.told[-1][1]
    assert it.told[-1][1].endswith("what ran before goes on")
    assert it.life() == ["shutdown 2", "initialize 2"]
    assert await it.host.call("live.answer") == 2
    assert await it.host.widget_state(panel) == {"text": "kept"}
    problem: Mapping[str, Any] = it.host.reloading.problems["live"]
    assert problem["goes_on"]
    return problem


def line_of(project: Path, text: str) -> int:
    """Return where a text stands in the plugin's source."""
    lines = (project / "live.py").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_what_ran_before_survives_its_own_loss(tmp_path: Path, project: Path) -> None:
    """Once a save is broken, a process that is lost starts again from the code that ran, not from that."""

    async def test() -> None:
        async with live(tmp_path, project) as it:
            assert not await it.save(1, at_import="import no_such_module")
            worker = it.host.worker("live")
            assert worker is not None
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            while worker.state == "running":
                await asyncio.sleep(0.01)
            assert await it.host.call("live.answer") == 0
            assert await it.save(2)
            assert await it.host.call("live.answer") == 2

    bounded(test)


def test_a_broken_manifest_starts_nothing(tmp_path: Path, project: Path) -> None:
    """A manifest with mistakes, or what cannot be installed, is told with its place; the next save mends."""

    async def test() -> None:
        async with live(tmp_path, project) as it:
            life = it.life()
            path = project / "pyproject.toml"
            for text, place in (("[project\n", 1), (PYPROJECT + "permisions = []\n", 9)):
                path.write_text(text)
                assert not await it.reloader.saved([path])
                problem = it.host.reloading.problems["live"]
                assert (problem["file"], problem["line"], problem["goes_on"]) == (
                    "pyproject.toml",
                    place,
                    True,
                )
                assert it.told[-1][1].endswith("what ran before goes on")
            assert it.installed == 0
            path.write_text(PYPROJECT)
            it.refused = "nobody has this library"
            assert not await it.reloader.saved([path])
            assert "nobody has this library" in it.told[-1][1]
            assert await it.host.call("live.answer") == 0
            assert it.life() == life
            it.refused = ""
            assert await it.save(1)  # it is installed with this, though nothing of pyproject.toml was saved
            assert it.installed == 1
            assert await it.host.call("live.answer") == 1

    bounded(test)


def test_a_save_that_hangs_gives_way_to_the_next(tmp_path: Path, project: Path) -> None:
    """Nobody waits for the time of a start to be over who has mended what hung."""

    async def test() -> None:
        async with live(tmp_path, project, limits={"startup_time": 600}) as it:
            saves: asyncio.Queue[frozenset[Path] | None] = asyncio.Queue()

            async def each() -> AsyncIterator[frozenset[Path]]:
                while (paths := await saves.get()) is not None:
                    yield paths

            taking = asyncio.ensure_future(take_over(each(), it.reloader.saved))
            saves.put_nowait(frozenset([it.write(1, at_initialize="while True: pass")]))
            while it.life()[-1] != "shutdown 0":
                await asyncio.sleep(0.01)
            saves.put_nowait(frozenset([it.write(2)]))
            saves.put_nowait(None)
            await taking
            assert await it.host.call("live.answer") == 2

    bounded(test)


@pytest.mark.parametrize("refused", ["", "nobody has this library"], ids=["hangs", "fails"])
def test_a_save_called_off_leaves_no_copying_behind(
    refused: str, tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next copies into the same folder: it comes when what was begun there is over."""
    begun, go_on, over = threading.Event(), threading.Event(), threading.Event()

    def held(copies: LastGood) -> bool:
        begun.set()
        go_on.wait(60)
        over.set()
        return False

    async def test() -> None:
        async with live(tmp_path, project) as it:
            it.refused, it.installing = refused, lambda given_up: go_on.wait(60)
            monkeypatch.setattr(LastGood, "take", held)
            saving = asyncio.ensure_future(it.reloader.saved([project / "pyproject.toml"]))
            await asyncio.to_thread(begun.wait, 60)
            while refused and it.told[-1][0] != "error":  # so that nothing is left but the copying
                await asyncio.sleep(0.01)
            saving.cancel()
            for _ in range(20):  # turns of the loop, of which being called off takes two or three
                await asyncio.sleep(0)
            left = saving.done()
            go_on.set()
            await asyncio.wait([saving])
            assert not left
            assert saving.cancelled()
            assert over.is_set()

    bounded(test)


def test_a_save_called_off_leaves_no_installation_behind(tmp_path: Path, project: Path) -> None:
    """It is told to give up, and the next save begins when it has: one installs into a store at a time."""
    begun, told, go_on = threading.Event(), threading.Event(), threading.Event()
    order: list[str] = []

    def installs(given_up: threading.Event) -> None:
        order.append("begins")
        if len(order) == 1:
            begun.set()
            if given_up.wait(60):
                told.set()
            go_on.wait(60)
        order.append("ends")
        if given_up.is_set():
            raise ViloError("command_cancelled", "cancelled")

    async def test() -> None:
        async with live(tmp_path, project) as it:
            it.installing = installs
            first = asyncio.ensure_future(it.reloader.saved([project / "pyproject.toml"]))
            await asyncio.to_thread(begun.wait, 60)
            first.cancel()
            assert await asyncio.to_thread(told.wait, 60)
            for _ in range(20):  # turns of the loop, of which being called off takes two or three
                await asyncio.sleep(0)
            assert not first.done()
            go_on.set()
            await asyncio.wait([first])
            assert first.cancelled()
            assert await it.save(1)
            assert order == ["begins", "ends", "begins", "ends"]  # what was given up is installed with it
            assert [level for level, _ in it.told] == ["info", "info"]

    bounded(test)


def test_a_step_is_the_one_that_was_saved(tmp_path: Path, project: Path) -> None:
    """Steps run the code of the folder also while a copy of what ran before stands in its place."""

    async def test() -> None:
        async with live(tmp_path, project) as it:
            step = Step((2, 0), (1, 0), "live_steps:to_2")
            plugin = it.host.store.plugin("live")
            it.refused = "the step of its settings failed"
            assert not await it.reloader.saved([project / "pyproject.toml"])  # as without the file
            (project / "live_steps.py").write_text("def to_2(settings, data):\n    return {'text': 1}\n")
            assert await it.host.run_steps(plugin, [step], {}) == {"text": 1}

    bounded(test)


def test_what_an_installation_ended_runs_again_when_it_fails(tmp_path: Path, project: Path) -> None:
    """Its settings were to be changed, for which it is ended: afterwards it goes on, as its message says."""

    async def test() -> None:
        async with live(tmp_path, project) as it:
            loop = asyncio.get_running_loop()
            it.installing = lambda given_up: paused_and_refused(it, loop)
            assert not await it.reloader.saved([project / "pyproject.toml"])
            assert it.told[-1][1].endswith("a step failed; what ran before goes on")
            assert it.host.is_running("live")
            assert it.life()[-2:] == ["shutdown 0", "initialize 0"]

    bounded(test)


def paused_and_refused(it: Live, loop: asyncio.AbstractEventLoop) -> None:
    """Do what an installation does whose step fails."""
    asyncio.run_coroutine_threadsafe(it.host.pause_plugin("live"), loop).result()
    asyncio.run_coroutine_threadsafe(it.host.resume_plugin("live"), loop).result()
    raise ViloError("step_failed", "a step failed")


def test_an_older_sdk_is_not_asked(tmp_path: Path, project: Path) -> None:
    """One that knows no look before the start is started at once: a good save runs, a bad one is told."""

    async def test() -> None:
        async with live(tmp_path, project) as it:
            generation = Store(tmp_path / "store").plugin("live").generation
            runtime = next(generation.glob("venv/lib/python*/site-packages/viloapp_sdk/worker/_runtime.py"))
            code = runtime.read_text()
            assert '"import": self._import,' in code
            runtime.write_text(code.replace('"import": self._import,', ""))
            assert await it.save(1)
            assert await it.host.call("live.answer") == 1
            assert not await it.save(2, at_import="import no_such_module")
            assert "no_such_module" in it.told[-1][1]
            assert it.told[-1][1].endswith("what ran before goes on")
            assert await it.host.call("live.answer") == 1
            assert await it.save(3)
            assert await it.host.call("live.answer") == 3

    bounded(test)


def test_without_mounts_the_next_save_mends(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be shown in place of a folder, what failed to initialize stays down, and says so."""
    weaker = replace(probe(), backend="landlock")
    monkeypatch.setattr("viloapp_core.host.reloading.probe", lambda: weaker)

    async def test() -> None:
        async with live(tmp_path, project) as it:
            assert not await it.save(1, at_initialize="raise ValueError('in vain')")
            assert it.told[-1][1].endswith("in vain; it runs again after the next save")
            assert not it.host.reloading.problems["live"]["goes_on"]
            assert await it.save(2)
            assert await it.host.call("live.answer") == 2

    bounded(test)


def test_what_is_offered_follows_the_source(tmp_path: Path, project: Path) -> None:
    """A command that was added can be called, one that was taken away is gone."""
    more = '@command("live.more", title="More")\n    def more(self):\n        return "more"'

    async def test() -> None:
        async with live(tmp_path, project) as it:
            assert await it.save(1, more=more)
            assert await it.host.call("live.more") == "more"
            assert await it.save(2)
            with pytest.raises(UnknownCommandError):
                await it.host.call("live.more")
            (project / "pyproject.toml").write_text(PYPROJECT)
            assert await it.reloader.saved([project / "pyproject.toml"])
            assert it.installed == 1

    bounded(test)


@pytest.mark.timeout(300 + 10 * RELOADS)
def test_reloads_in_a_row(tmp_path: Path, project: Path) -> None:
    """Each save is answered; no process, no descriptor and no memory is left of any."""

    async def test() -> None:
        async with live(tmp_path, project) as it:
            stop, passed = asyncio.Event(), asyncio.Queue[bool]()

            async def reload() -> None:
                async for paths in changes(project, stop):
                    passed.put_nowait(await it.reloader.saved(paths))

            reloading = asyncio.ensure_future(reload())
            while passed.empty():  # the watcher begins some time after it was asked to
                it.write(0)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(_one_of(passed), 2)
            before: tuple[int, int, int] | None = None
            for number in range(1, RELOADS + 1):
                it.write(number)
                while await it.host.call("live.answer") != number:  # until its time is up, if it was missed
                    assert await passed.get(), it.told[-1]
                if number == min(WARM_UP, RELOADS - 1):
                    before = _held()
            after = _held()
            stop.set()
            await reloading
            assert before is not None
            # For the session `reloads`: descendants, descriptors, kilobytes after the warm-up and in the end.
            print(f"{RELOADS} reloads: {before} after {min(WARM_UP, RELOADS - 1)}, {after} in the end")
            assert after[:2] == before[:2]
            if RELOADS > 2 * WARM_UP:
                assert after[2] - before[2] < 8 * 1024, f"{before[2]} kB before, {after[2]} kB after"

    bounded(test, 120 + 8 * RELOADS)


async def _one_of(passed: asyncio.Queue[bool]) -> None:
    passed.put_nowait(await passed.get())  # and leave it there


def _held() -> tuple[int, int, int]:
    """Return how many descendants and descriptors this process has, and its kilobytes of memory."""
    status = Path("/proc/self/status").read_text()
    memory = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return len(_descendants(os.getpid())), len(os.listdir("/proc/self/fd")), int(memory)


def _descendants(pid: int) -> list[int]:
    """Source: proc_pid_task(5), ``children``."""
    found = []
    for file in Path("/proc", str(pid), "task").glob("*/children"):
        with contextlib.suppress(OSError):  # it ended between the two looks
            for child in map(int, file.read_text().split()):
                found += [child, *_descendants(child)]
    return found


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("src/hello/plugin.py", True),
        ("src/hello/locales/cs.json", True),
        ("pyproject.toml", True),
        ("src/hello/notes.txt", False),
        ("src/pyproject.toml", False),
        (".venv/lib/x.py", False),
        ("src/hello/__pycache__/x.py", False),
        ("build/lib/hello.py", False),
        ("src/hello.egg-info/plugin.json", False),
        ("../elsewhere.py", False),
    ],
)
def test_which_saves_count(name: str, counts: bool) -> None:
    """Code, catalogues and the project's own file; nothing that tools write."""
    project = Path("/project")
    assert matters(project, Path(os.path.normpath(project / name))) is counts


def test_what_is_written_twice_is_one_save(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    """What follows before it is quiet comes with it: an editor that writes in two goes saves once."""
    monkeypatch.setattr("viloapp_core.devtools.watching.QUIET_S", 2.0)  # so that no load makes it two

    async def test() -> None:
        stop = asyncio.Event()
        saves = changes(project, stop)
        taking = asyncio.ensure_future(anext(saves))
        number = 0
        while not taking.done():
            number += 1
            (project / f"module{number % 2}.py").write_text(f"x = {number}\n")
            if number > 20:
                break
            await asyncio.sleep(0.05)
        assert {path.name for path in await taking} == {"module0.py", "module1.py"}
        stop.set()
        await saves.aclose()  # type: ignore[attr-defined]

    bounded(test)
