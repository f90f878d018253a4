"""Children really started, really killed."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from viloapp_core.process import Child, ExitStatus, Spawner, SpawnerClosedError, SpawnError

ENV = {"PATH": "/usr/bin:/bin"}
ROOT = Path("/")

# Asks to be killed with the thread that started it, says so, and answers until then.
ANSWERS_UNTIL_PARENT_DIES = """
import ctypes, os
ctypes.CDLL(None).prctl(1, 9)
os.write(1, b"armed")
while data := os.read(0, 5):
    os.write(1, data)
"""


def is_gone(pid: int, timeout_s: float = 2.0) -> bool:
    """Wait until a process has ended; a zombie whose parent does not look has ended too."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([pidfd], [], [], timeout_s)[0])
    finally:
        os.close(pidfd)


def read_line(fd: int) -> bytes:
    """Read up to a line's end or the end of the pipe."""
    line = b""
    while not line.endswith(b"\n") and (data := os.read(fd, 1)):
        line += data
    return line


def test_an_exit_code_and_a_signal_are_told_apart(spawner: Spawner) -> None:
    """Waiting yields how the program ended, every time it is asked."""

    async def scene() -> tuple[ExitStatus, ...]:
        three = await spawner.spawn_async(["sh", "-c", "exit 3"], env=ENV, cwd=ROOT)
        killed = await spawner.spawn_async(["sleep", "1000"], env=ENV, cwd=ROOT)
        killed.kill()
        return (await three.wait(), await three.wait(), await killed.wait())

    assert asyncio.run(scene()) == (ExitStatus(code=3), ExitStatus(code=3), ExitStatus(signal=9))


def test_a_cancelled_wait_disturbs_nobody(spawner: Spawner) -> None:
    """Another task, and another loop later, still learn of the end."""
    child = spawner.spawn(["sleep", "1000"], env=ENV, cwd=ROOT)

    async def scene() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(child.wait(), 0.01)

    asyncio.run(scene())
    child.kill()
    assert asyncio.run(child.wait()) == ExitStatus(signal=9)


def test_a_child_outlives_the_thread_that_asked_for_it(spawner: Spawner) -> None:
    """The parent-death signal follows the spawning thread, so that one has to stay."""
    assert _answers_after_its_thread_ended(
        lambda argv, fds: spawner.spawn(argv, env=ENV, cwd=ROOT, stdin=fds[0], stdout=fds[1])
    )


def test_without_the_spawner_it_would_die() -> None:
    """The control of the test above: the same child, started in the thread itself, is killed."""
    started = []

    def start(argv: list[str], fds: tuple[int, int]) -> None:
        started.append(subprocess.Popen(argv, stdin=fds[0], stdout=fds[1]))

    assert not _answers_after_its_thread_ended(start)
    assert started[0].wait() == -signal.SIGKILL


def _answers_after_its_thread_ended(start: Callable[[list[str], tuple[int, int]], object]) -> bool:
    """Start the child from a thread, let the thread end, and see whether the child still answers."""
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    argv = [sys.executable, "-I", "-S", "-c", ANSWERS_UNTIL_PARENT_DIES]

    def work() -> None:
        start(argv, (their_in, their_out))
        os.close(their_in)
        os.close(their_out)
        assert os.read(our_in, 5) == b"armed"

    thread = threading.Thread(target=work)
    thread.start()
    number = _native_id(thread)
    thread.join()
    _wait_for_thread(number)
    try:
        os.write(our_out, b"hello")
        return os.read(our_in, 5) == b"hello"
    except BrokenPipeError:
        return False
    finally:
        os.close(our_out)
        os.close(our_in)


def _native_id(thread: threading.Thread) -> int:
    assert thread.native_id is not None
    return thread.native_id


def _wait_for_thread(number: int) -> None:
    """Join returns a moment before the kernel's thread is gone, and the signal comes with that."""
    while os.path.exists(f"/proc/self/task/{number}"):
        os.sched_yield()


@pytest.mark.parametrize(
    ("argv", "cwd", "said"),
    [
        (["no-such-program"], ROOT, "cannot start no-such-program: No such file or directory"),
        (["true"], Path("/no/such/folder"), "cannot enter the folder /no/such/folder: No such file"),
        (["/etc/passwd"], ROOT, "cannot start /etc/passwd: Permission denied"),
        (["true", "a\0b"], ROOT, "cannot start true: "),
    ],
)
def test_what_cannot_start_says_why(spawner: Spawner, argv: list[str], cwd: Path, said: str) -> None:
    """The error names the program or the folder, and never the environment."""
    with pytest.raises(SpawnError) as caught:
        spawner.spawn(argv, env={**ENV, "SECRET": "hunter2"}, cwd=cwd)
    assert caught.value.detail.startswith(said)
    assert caught.value.hint
    assert "hunter2" not in f"{caught.value.detail} {caught.value.hint}"


def test_a_child_gets_what_it_is_given_and_no_more(spawner: Spawner) -> None:
    """Its environment is exactly the one named; of our descriptors it has those passed on, no other."""
    out, theirs = os.pipe()
    given, kept = os.pipe()
    os.set_inheritable(kept, True)
    script = """
import os, sys
def is_open(fd):
    try:
        return bool(os.fstat(fd))
    except OSError:
        return False
# The interpreter itself may set LC_CTYPE (PEP 538).
print(sorted(os.environ.keys() - {"LC_CTYPE"}), [is_open(int(fd)) for fd in sys.argv[1:]])
"""
    spawner.spawn(
        [sys.executable, "-I", "-S", "-c", script, str(given), str(kept)],
        env={"ONE": "1"},
        cwd=ROOT,
        pass_fds=(given,),
        stdout=theirs,
    )
    for fd in (theirs, given, kept):
        os.close(fd)
    assert read_line(out) == b"['ONE'] [True, False]\n"
    os.close(out)


def test_stop_insists_when_sigterm_is_ignored(spawner: Spawner) -> None:
    """A program that ignores SIGTERM is killed after the grace."""
    out, theirs = os.pipe()
    child = spawner.spawn(
        ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000; done"],
        env=ENV,
        cwd=ROOT,
        stdout=theirs,
    )
    os.close(theirs)
    assert read_line(out) == b"ready\n"
    os.close(out)
    assert asyncio.run(child.stop(0.05)) == ExitStatus(signal=9)


def test_stop_asks_first(spawner: Spawner) -> None:
    """A program that handles SIGTERM ends in its own way."""
    out, theirs = os.pipe()
    child = spawner.spawn(
        ["sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done"],
        env=ENV,
        cwd=ROOT,
        stdout=theirs,
    )
    os.close(theirs)
    read_line(out)
    os.close(out)
    assert asyncio.run(child.stop(5)) == ExitStatus(code=7)


@pytest.mark.parametrize("owns_group", [True, False])
def test_what_a_child_left_behind(spawner: Spawner, owns_group: bool) -> None:
    """A worker's helpers end with it; a shell's background jobs do not."""
    out, theirs = os.pipe()
    child = spawner.spawn(
        ["sh", "-c", "sleep 1000 >/dev/null & echo $!"],
        env=ENV,
        cwd=ROOT,
        stdout=theirs,
        owns_group=owns_group,
    )
    os.close(theirs)
    left = int(read_line(out))
    os.close(out)
    assert asyncio.run(child.wait()).ok
    try:
        assert is_gone(left, timeout_s=2.0 if owns_group else 0.05) is owns_group
    finally:
        if not owns_group:
            os.kill(left, signal.SIGKILL)


def test_close_kills_what_runs(spawner: Spawner) -> None:
    """Nothing outlives the spawner, and it takes no further order."""
    child = spawner.spawn(["sleep", "1000"], env=ENV, cwd=ROOT)
    spawner.close()
    assert child.status == ExitStatus(signal=9)
    with pytest.raises(SpawnerClosedError):
        spawner.spawn(["true"], env=ENV, cwd=ROOT)


def test_an_abandoned_spawn_leaves_no_child(spawner: Spawner) -> None:
    """Cancelling the task that spawns ends the child that nobody would own."""
    ours, theirs = os.pipe()

    async def scene() -> None:
        task = asyncio.create_task(
            spawner.spawn_async(["sleep", "1000"], env=ENV, cwd=ROOT, pass_fds=(theirs,))
        )
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    # The next order is served after the abandoned one.
    spawner.spawn(["true"], env=ENV, cwd=ROOT)
    os.close(theirs)
    readable = select.select([ours], [], [], 2)[0]
    os.close(ours)
    assert readable


def test_somebody_else_may_collect_the_status(spawner: Spawner) -> None:
    """An embedding program that waits for every child of its own leaves us an ending without a code."""
    child = spawner.spawn(["true"], env=ENV, cwd=ROOT)
    os.waitpid(child.pid, 0)
    assert child.status == ExitStatus()


def test_a_child_that_nobody_waits_for_leaves_no_zombie(spawner: Spawner) -> None:
    """The spawner collects it when it starts the next one, and without a ResourceWarning."""
    pid = spawner.spawn(["true"], env=ENV, cwd=ROOT).pid
    assert is_gone(pid)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spawner.spawn(["true"], env=ENV, cwd=ROOT)
    assert not os.path.exists(f"/proc/{pid}")


def test_signals_after_the_end_go_nowhere(spawner: Spawner) -> None:
    """The number of an ended child may be another program's by now."""
    child: Child = spawner.spawn(["true"], env=ENV, cwd=ROOT)
    child.wait_blocking(2)
    child.kill()
    assert child.pidfd == -1
