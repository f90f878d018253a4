"""What a tree of real processes uses, and how it is stopped as a whole."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from viloapp_core.process import tree as tree_module
from viloapp_core.process.disk import folder_mb, scratch_mb
from viloapp_core.process.tree import Look, Member, Tree, held

MB = 1024 * 1024
_SPIN = "while True: pass"
# A parent whose children spin, end after a while and are waited for.
_GENERATIONS = """
import os, time
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.05
        while time.process_time() < end: pass
        os._exit(0)
    os.wait()
"""
_UNWAITED = f"import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN){_GENERATIONS}".replace(
    "os.wait()", "time.sleep(0.05)"
)


@pytest.fixture
def start() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts Python programs that are gone, with their children, after the test."""
    started: list[subprocess.Popen[str]] = []

    def run(source: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-I", "-S", "-c", source]
        started.append(subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def looked(tree: Tree, check: Callable[[Look], bool]) -> Look:
    """Look until something holds."""
    end = time.monotonic() + 30
    while not check(look := tree.look(time.monotonic())):
        assert time.monotonic() < end, look
        time.sleep(0.01)
    return look


def used(tree: Tree, seconds: float) -> float:
    """Return the processor time that looks 20 ms apart add up to."""
    total, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        total += tree.look(time.monotonic()).used_s
        time.sleep(0.02)
    return total


def rusage(pid: int) -> float:
    """Return the processor time of a process and of the children that it waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def test_memory_threads_and_children_add_up(start: Callable[[str], subprocess.Popen[str]]) -> None:
    """A child's memory counts, a shared page once, and threads are tasks."""
    source = f"""
import mmap, os, threading, time
shared = mmap.mmap(-1, 40 * {MB})
for at in range(0, 40 * {MB}, 4096): shared[at] = 1
threading.Thread(target=time.sleep, args=(60,)).start()
if os.fork() == 0:
    sum(shared[at] for at in range(0, 40 * {MB}, 4096))
print("ready", flush=True)
time.sleep(60)
"""
    process = start(source)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["ready\n", "ready\n"]
    look = looked(Tree(process.pid), lambda look: len(look.members) == 2)
    assert look.tasks == 3
    assert look.resident_mb > 80
    whole, shared = look.proportional_mb()
    assert 39 < shared < 42
    assert 40 < whole < 70


def test_what_ended_since_the_look_has_no_memory_left(start: Callable[[str], subprocess.Popen[str]]) -> None:
    """Not even for a process that is dead and not waited for, and so is still in the table of processes."""
    source = """
import os, signal, time
kept = b"x" * (30 * 1024 * 1024)
for _ in range(4):
    if os.fork() == 0: time.sleep(60)
print("ready", flush=True)
signal.pause()
"""
    process = start(source)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    tree = Tree(process.pid)
    look = looked(tree, lambda look: len(look.members) == 5)
    assert look.resident_mb > 150
    whole, _ = look.proportional_mb()
    assert whole < 70
    for member in look.members[1:]:
        os.kill(member.pid, signal.SIGKILL)
    looked(tree, lambda look: [each.state for each in look.members[1:]] == ["Z"] * 4)
    assert look.proportional_mb()[0] < 70


def test_time_of_children_that_ended_counts_once(start: Callable[[str], subprocess.Popen[str]]) -> None:
    """Seen while they lived, and again in their parent's account: not twice."""
    process = start(_GENERATIONS)
    tree = Tree(process.pid)
    looked(tree, lambda look: look.used_s > 0)
    before = rusage(process.pid)
    told = used(tree, 2.0)
    really = rusage(process.pid) - before
    assert told == pytest.approx(really, rel=0.35, abs=0.15)


def test_children_that_nobody_waits_for_do_not_hide(start: Callable[[str], subprocess.Popen[str]]) -> None:
    """Their time is in nobody's account, and yet it counts about as much as they used."""
    process = start(_UNWAITED)
    tree = Tree(process.pid)
    looked(tree, lambda look: len(look.members) > 1)
    before = rusage(process.pid)
    told = used(tree, 2.0)
    assert rusage(process.pid) - before < told / 2, "the parent's account would have told"
    assert told > 0.3


def test_a_stopped_tree_uses_nothing_and_goes_on(start: Callable[[str], subprocess.Popen[str]]) -> None:
    """Every process of it, one that is made meanwhile included."""
    process = start(f"import os\nos.fork(); os.fork()\n{_SPIN}")
    tree = Tree(process.pid)
    looked(tree, lambda look: len(look.members) == 4)
    tree.stop()
    looked(tree, lambda look: tree.stopped())
    tree.look(time.monotonic())
    assert used(tree, 0.3) == 0
    tree.resume()
    assert looked(tree, lambda look: look.used_s > 0).members


def test_a_tree_that_forks_all_the_time_is_stopped(start: Callable[[str], subprocess.Popen[str]]) -> None:
    """A process that appears while the others are being stopped is found."""
    process = start(_GENERATIONS)
    tree = Tree(process.pid)
    looked(tree, lambda look: len(look.members) > 1)
    tree.stop()
    looked(tree, lambda look: tree.stopped())
    tree.look(time.monotonic())
    assert used(tree, 0.3) == 0


def test_a_tree_that_has_ended_is_empty(start: Callable[[str], subprocess.Popen[str]]) -> None:
    """Nothing is signalled and nothing raised."""
    process = start("pass")
    process.wait()
    tree = Tree(process.pid)
    assert tree.look(0.0).members == ()
    tree.stop()
    tree.resume()


def test_the_process_outside_of_a_sandbox_is_looked_at_once(
    start: Callable[[str], subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bubblewrap's outer process only waits for the inner one, whose end is seen all the same."""
    process = start(
        "import os, time\n"
        "for _ in range(2):\n"
        "    if child := os.fork():\n"
        "        print(os.getpid(), child, flush=True)\n"
        "        os.wait()\n"
        "        time.sleep(1000)\n"
        f"{_SPIN}"
    )
    assert process.stdout is not None
    lines = [process.stdout.readline().split() for _ in range(2)]  # either of the two may come first
    (inner,) = (int(child) for parent, child in lines if int(parent) == process.pid)
    read, seen = tree_module._read, []

    def record(pid: int) -> Member | None:
        seen.append(pid)
        return read(pid)

    monkeypatch.setattr(tree_module, "_read", record)
    tree = Tree(process.pid, passed=2)
    worker = looked(tree, lambda look: len(look.members) == 1).members[0].pid
    seen.clear()
    again = looked(tree, lambda look: look.used_s > 0)
    assert [member.pid for member in again.members] == [worker]
    assert again.firsts == (worker,)
    assert {*seen} == {inner, worker}
    os.kill(worker, signal.SIGKILL)
    os.kill(inner, signal.SIGKILL)
    assert looked(tree, lambda look: not look.members).used_s >= 0
    assert tree.first() is None


def test_a_name_with_a_parenthesis_and_a_space(start: Callable[[str], subprocess.Popen[str]]) -> None:
    """The name of a process is its own to choose."""
    process = start(
        "import time; open('/proc/self/comm', 'w').write('a) R 1 1')\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    assert process.stdout is not None
    process.stdout.readline()
    tree = Tree(process.pid)
    (member,) = looked(tree, lambda look: look.members[0].state == "S").members
    assert (member.pid, member.threads) == (process.pid, 1)


def test_descriptors_and_what_is_behind_them(
    start: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Memory that no process has mapped, and a deleted file that still takes its place."""
    process = start(f"""
import os, time
memory = os.memfd_create("hidden")
for _ in range(20): os.write(memory, b"x" * {MB})
file = open({str(tmp_path / "gone")!r}, "wb")
file.write(os.urandom(10 * {MB})); file.flush(); os.fsync(file.fileno()); os.unlink(file.name)
print("ready", flush=True)
time.sleep(60)
""")
    assert process.stdout is not None
    process.stdout.readline()
    look = Tree(process.pid).look(0.0)
    assert look.resident_mb < 20
    found = held(look.members)
    assert found.most == 5
    assert found.memory_mb + found.disk_mb == pytest.approx(30, abs=1)
    assert found.memory_mb >= 20


def test_a_folder_counts_what_it_allocates(tmp_path: Path) -> None:
    """Holes are free, a second link too, links lead nowhere, and counting ends when it is enough."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "big").write_bytes(b"x" * 5 * MB)
    folder = tmp_path / "data"
    (folder / "below").mkdir(parents=True)
    (folder / "a").write_bytes(os.urandom(2 * MB))
    (folder / "below/b").write_bytes(os.urandom(MB))
    os.link(folder / "a", folder / "below/again")
    (folder / "out").symlink_to(outside)
    with (folder / "hole").open("wb") as file:
        file.truncate(50 * MB)
    assert folder_mb(folder, enough_mb=100) == pytest.approx(3, abs=0.3)
    assert folder_mb(folder, enough_mb=1) > 1
    assert folder_mb(tmp_path / "missing", enough_mb=1) == 0


def test_the_hosts_own_folders_are_no_scratch(start: Callable[[str], subprocess.Popen[str]]) -> None:
    """What lies in the machine's /tmp is not counted against a process that sees the same one."""
    process = start("import time; time.sleep(60)")
    assert scratch_mb(process.pid) == 0


def test_a_folder_that_cannot_be_counted_is_too_full(tmp_path: Path) -> None:
    """Deeper than a path may be long, or (but for root) without the right to look: anything may be in it."""
    here = os.open(tmp_path, os.O_RDONLY)
    name = "d" * 200
    for _ in range(25):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    assert folder_mb(tmp_path, enough_mb=10) > 10
    subprocess.run(["rm", "-rf", str(tmp_path / name)], check=True)
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0)
        assert folder_mb(tmp_path, enough_mb=10) > 10
