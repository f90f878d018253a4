"""Killed, out of disk or refused at any step of any change: the store is the one before or the one after.

A child made by fork runs the real operation. Python announces each change of the file system to audit hooks:
so the child can end itself at the n-th, and nothing in the product knows of it. Others are killed from
outside at random moments. After each, `check` (what `viloapp repair --check` runs) must find nothing wrong.

VILOAPP_KILLS=200 VILOAPP_SEED=1 pytest tests/e2e/test_crash.py        (as `nox -s chaos` does)
"""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.wheels import forge
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.operations import (
    InstallOptions,
    disable,
    enable,
    install,
    package,
    repair,
    rollback,
    take_back,
    uninstall,
)
from viloapp_core.store import Store
from viloapp_core.store.checking import check
from viloapp_core.store.garbage import collect
from viloapp_core.store.generations import before, generations
from viloapp_sdk.errors import ViloError

KILLS = int(os.environ.get("VILOAPP_KILLS", "40"))
SEED = int(os.environ.get("VILOAPP_SEED", "0")) or random.randrange(1, 10**6)

# For hundreds of kills on a machine that does other work as well.
pytestmark = pytest.mark.timeout(300 + 5 * KILLS)

_CHANGES = {
    *("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate"),
    "os.chmod",
}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_JOURNAL_STEPS = (
    "/journal/",
    "/current",
    "/state.json",
    "/index.json",
    "/receipt.json",
    ".state.",
    ".index.",
)

Seen = Mapping[str, tuple[str, bool]]
"""Version and whether it is enabled, by plugin id."""


@dataclass(frozen=True)
class Change:
    """An operation, and what a reader sees when it is done."""

    name: str
    run: Callable[[Store], object]
    after: Callable[[Store, Seen], Seen]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Bundles of two plugins, one of them in three versions that share a library; no network is needed."""
    folder = tmp_path_factory.mktemp("bundles")
    store = Store(folder / "maker")
    source = folder / "wheels"
    modules = {f"lib/module_{number}.py": f"x = {number}\n" for number in range(12)}
    forge(source, "lib", "1.0", {"lib/__init__.py": "", **modules})
    made = {}
    for name, version in (("hello", "0.1"), ("hello", "0.2"), ("hello", "0.3"), ("other", "1.0")):
        wheel = plugin(source, name, version)
        options = InstallOptions(offline=True, find_links=(str(source),))
        made[f"{name} {version}"] = package(store, str(wheel), folder, options=options, wheels={}).path
    return made


def plugin(folder: Path, name: str, version: str) -> Path:
    """Write the wheel of a plugin that imports a library."""
    manifest = {"schema": 1, "api_version": "1.0", "commands": [{"id": f"{name}.greet"}]}
    files = {
        f"{name}/__init__.py": f"class Plugin: version = {version!r}\n",
        f"{name}-{version}.dist-info/plugin.json": json.dumps(manifest),
    }
    advertised = f"[viloapp.plugins]\n{name} = {name}:Plugin\n"
    return forge(folder, name, version, files, requires=["lib"], entry_points=advertised)


def _changes(bundles: Mapping[str, Path]) -> list[Change]:
    """Return every kind of change there is."""

    def installs(what: str) -> Change:
        name, version = what.split()
        options = InstallOptions(
            offline=True,
            yes=True,
            force_reinstall=True,
            allow_unsigned=(name,),
            allow_downgrade=(name,),
        )

        def run(store: Store) -> object:
            return install(store, [str(bundles[what])], options=options, wheels={})

        def after(store: Store, seen: Seen) -> Seen:
            return {**seen, name: (version, seen.get(name, ("", True))[1])}

        return Change(f"install {what}", run, after)

    def rolled_back(store: Store, seen: Seen) -> Seen:
        target = before(generations(store.layout, "hello"))
        return seen if target is None else {**seen, "hello": (target.version, seen["hello"][1])}

    def taken_back(store: Store, seen: Seen) -> Seen:
        if "hello" not in seen or not store.on_probation(store.plugin("hello")):
            return seen
        former = before(generations(store.layout, "hello"))
        return seen if former is None else {**seen, "hello": (former.version, True)}

    def same(store: Store, seen: Seen) -> Seen:
        return seen

    def without(store: Store, seen: Seen) -> Seen:
        return {name: row for name, row in seen.items() if name != "hello"}

    def switched(enabled: bool) -> Callable[[Store, Seen], Seen]:
        return lambda store, seen: {**seen, "hello": (seen["hello"][0], enabled)} if "hello" in seen else seen

    return [
        *(installs(what) for what in bundles),
        Change("rollback", lambda store: rollback(store, "hello"), rolled_back),
        Change("take back", lambda store: take_back(store, "hello", "it failed", SystemClock()), taken_back),
        Change("gc", collect, same),
        Change("repair", _break_and_repair, same),
        Change("disable", lambda store: disable(store, ["hello"]), switched(False)),
        Change("enable", lambda store: enable(store, ["hello"]), switched(True)),
        Change("uninstall", lambda store: uninstall(store, ["hello"]), without),
        Change("purge", lambda store: uninstall(store, ["hello"], purge=True), without),
    ]


def _break_and_repair(store: Store) -> object:
    """Make a generation again; that its interpreter is missing is no step of the repair itself."""
    if (found := store.plugins().get("other")) is not None:
        found.python.unlink(missing_ok=True)
    return repair(store)


def _seen(store: Store) -> Seen:
    return {key: (plugin.version, plugin.enabled) for key, plugin in store.plugins().items()}


Hook = Callable[[int, str, str], None]


def _child(root: Path, change: Change, hook: Hook, prepare: Callable[[], object] = lambda: None) -> int:
    """Start a child that runs a change, telling the hook each step: its number, event and path."""
    pid = os.fork()
    if pid:
        return pid
    count = 0

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event not in _CHANGES:
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITES):
            return
        paths = [os.fspath(each) for each in arguments if isinstance(each, (str, os.PathLike))]
        if near := [str(path) for path in paths if str(path).startswith(str(root))]:
            count += 1
            hook(count, event, near[-1])

    try:
        prepare()
        sys.addaudithook(listen)
        change.run(Store(root))
    except (ViloError, OSError):
        os._exit(1)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(3)
    os._exit(0)


def _ended(status: int) -> int | None:
    """Return the exit code of a child that was waited for; None when a signal ended it."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else None


def _steps(root: Path, change: Change) -> tuple[int, list[int]]:
    """Run a change to its end; return how many steps it has, and which are those of the journal."""
    reading, writing = os.pipe()

    def tell(number: int, event: str, path: str) -> None:
        marked = any(part in path for part in _JOURNAL_STEPS)
        os.write(writing, f"{number} {int(marked)}\n".encode())

    pid = _child(root, change, tell)
    os.close(writing)
    with os.fdopen(reading) as stream:
        lines = [line.split() for line in stream]
    _, status = os.waitpid(pid, 0)
    # Left alone, everything succeeds but to change what is not installed.
    assert _ended(status) == 0 or (_ended(status) == 1 and "install " not in change.name), change.name
    return len(lines), [int(number) for number, marked in lines if marked == "1"]


def _whole(root: Path, allowed: tuple[Seen, ...], what: str) -> Seen:
    """Check every invariant of the store after a crash, and return what a reader sees."""
    unrecovered = _seen(Store(root))  # a reader who comes before anybody has cleaned up
    store = Store(root)
    store.recover()
    deadline = time.monotonic() + 5
    while list(store.layout.journal.glob("*.d")) and time.monotonic() < deadline:
        store.recover()  # what a child of the killed wrote with its last breath goes with the next command
    seen = _seen(store)
    assert seen in allowed, f"{what}: {seen} is neither of {allowed} (seed {SEED})"
    assert unrecovered in allowed, f"{what}: {unrecovered} before recovery (seed {SEED})"
    found = [problem for problem in check(store) if "with is gone" not in problem.what]  # unlinked above
    assert found == [], f"{what} (seed {SEED})"
    assert list(store.layout.journal.iterdir()) == [], what
    left = [path.name for path in (*root.glob(".*"), *root.glob("plugins/*/.*"))]
    assert left == [], f"{what} (seed {SEED})"
    return seen


def _kills(root: Path, changes: list[Change], rng: random.Random) -> Iterator[tuple[str, bool]]:
    """Kill one change after the other, each where it is in the store that the last left; for ever."""
    journal_steps: dict[str, list[int]] = {}
    totals: dict[str, int] = {}
    durations: dict[str, float] = {}
    while True:
        change = rng.choice(changes)
        store = Store(root)
        seen = _seen(store)
        after = change.after(store, seen)
        if change.name not in totals or rng.random() < 0.1:  # now and then nothing happens to it
            began = time.monotonic()
            totals[change.name], journal_steps[change.name] = _steps(root, change)
            durations[change.name] = time.monotonic() - began
            _whole(root, (after,), change.name)
            continue
        at_random = rng.random() < 0.3
        steps = journal_steps[change.name]
        step = rng.choice(steps) if steps and rng.random() < 0.6 else rng.randint(1, totals[change.name] + 1)

        def die(number: int, event: str, path: str, at: int = 0 if at_random else step) -> None:
            if number == at:
                os.kill(os.getpid(), signal.SIGKILL)

        pid = _child(root, change, die)
        if at_random:
            time.sleep(rng.uniform(0, durations[change.name]))
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        what = f"{change.name} {'at random' if at_random else f'at step {step}'}"
        assert _ended(status) in (None, 0, 1), what
        _whole(root, (seen, after), what)
        yield what, os.WIFSIGNALED(status)


def test_killed_at_journal_steps_and_at_random(tmp_path: Path, bundles: dict[str, Path]) -> None:
    """Before or after, never a mixture; every invariant holds, and the store goes on being used."""
    killed: list[str] = []
    for what, died in _kills(tmp_path / "store", _changes(bundles), random.Random(SEED)):
        killed += [what] if died else []
        if len(killed) >= KILLS:
            break
    kinds = {what.rpartition(" at ")[0] for what in killed}
    assert len(kinds) >= 6, kinds
    assert any("random" in what for what in killed)
    print(f"\n{len(killed)} kills of {len(kinds)} kinds of change, seed {SEED}")


@pytest.mark.parametrize("fault", ["full disk", "permission denied"])
def test_out_of_disk_or_refused_at_any_step(tmp_path: Path, bundles: dict[str, Path], fault: str) -> None:
    """An error at any step ends the operation as an error, and leaves the store as it was or as it should be.

    A full disk refuses all that is written from that step on; a missing right refuses one step.
    """
    rng, root, tried = random.Random(SEED), tmp_path / "store", 0
    changes = [change for change in _changes(bundles) if change.name not in ("enable", "repair")]
    for change in [*changes[:4], *changes]:
        store = Store(root)
        seen = _seen(store)
        _, status = os.waitpid(_child(root, change, lambda number, event, path: None), 0)
        allowed = (seen, change.after(store, seen))
        assert _ended(status) in (0, 1)
    total, marked = _steps(root, changes[0])
    for _ in range(max(12, KILLS // 4)):
        change = rng.choice(changes)
        store = Store(root)
        seen = _seen(store)
        allowed = (seen, change.after(store, seen))
        step = rng.choice(marked) if rng.random() < 0.5 else rng.randint(1, total)

        def refuse(number: int, event: str, path: str, at: int = step) -> None:
            if fault == "permission denied" and number == at:
                raise PermissionError(errno.EACCES, "Permission denied", path)
            writes = event in ("open", "os.mkdir", "os.symlink", "os.link")
            if fault == "full disk" and number >= at and writes and not path.endswith((".lock", ".json")):
                raise OSError(errno.ENOSPC, "No space left on device", path)

        _, status = os.waitpid(_child(root, change, refuse), 0)
        what = f"{change.name}, {fault} at step {step}"
        assert _ended(status) in (0, 1), what
        _whole(root, allowed, what)
        tried += 1
    assert tried >= 12


def test_files_that_may_not_grow(tmp_path: Path, bundles: dict[str, Path]) -> None:
    """The kernel itself refuses to write on (RLIMIT_FSIZE), in the middle of whatever file."""
    root = tmp_path / "store"
    change = _changes(bundles)[0]
    for limit in (0, 50, 150, 400, 1000, 1400, 2500, 4000, 10**6):

        def limited(limit: int = limit) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        _, status = os.waitpid(_child(root, change, lambda number, event, path: None, limited), 0)
        assert _ended(status) in (0, 1), limit
        seen = _whole(root, ({}, {"hello": ("0.1", True)}), f"files of {limit} bytes")
    assert seen  # the last limit is none


def test_twenty_at_once(tmp_path: Path) -> None:
    """Twenty installations into one store from one folder: all are there, and a reader never waits."""
    source, root = tmp_path / "wheels", tmp_path / "store"
    forge(source, "lib", "1.0", {"lib/__init__.py": "", "lib/module.py": "x = 1\n"})
    names = [f"plugin{number}" for number in range(20)]
    wheels = [plugin(source, name, "1.0") for name in names]
    options = InstallOptions(offline=True, yes=True, find_links=(str(source),), allow_unsigned=tuple(names))

    def installing(wheel: Path) -> Change:
        return Change(
            "", lambda store: install(store, [str(wheel)], options=options, wheels={}), lambda s, x: x
        )

    pids = {_child(root, installing(wheel), lambda number, event, path: None) for wheel in wheels}
    revisions = []
    while pids:
        revisions.append(Store(root).revision())
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in pids:  # and not what an earlier test left
            pids.discard(pid)
            assert _ended(status) == 0
        time.sleep(0.02)
    assert set(Store(root).plugins()) == set(names)  # none was lost
    assert revisions == sorted(revisions)
    assert check(Store(root)) == []
    assert len(list(Store(root).layout.wheels.iterdir())) == 21
    with Store(root).locked():
        assert len(Store(root).plugins()) == 20  # a reader that waited would never end
