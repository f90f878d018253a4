"""Programs on a real pseudo-terminal."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from viloapp_core.process import PtyChild, Spawner, SpawnError, open_pty

ENV = {"PATH": "/usr/bin:/bin"}

HOST = """
import asyncio, os, sys
from pathlib import Path
from viloapp_core.process import Spawner, open_pty

async def main():
    pty = await open_pty(["sh"], cwd=Path("/"), env={"PATH": "/usr/bin:/bin"}, rows=24, cols=80,
                         spawner=Spawner())
    print(pty.child.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def run(spawner: Spawner, *argv: str, cwd: Path = Path("/")) -> PtyChild:
    """Start a program on a terminal of 30 by 100."""
    return asyncio.run(open_pty(argv, cwd=cwd, env=ENV, rows=30, cols=100, spawner=spawner))


def read_all(pty: PtyChild) -> str:
    """Read until the program has ended."""
    printed = b""
    os.set_blocking(pty.master_fd, True)
    try:
        while data := os.read(pty.master_fd, 4096):
            printed += data
    except OSError:
        pass
    os.close(pty.master_fd)
    return printed.decode()


def test_the_program_has_a_terminal_of_its_own(spawner: Spawner) -> None:
    """It is a controlling terminal, has the size asked for, and its leader is the program itself."""
    pty = run(spawner, "sh", "-c", "stty size; echo of-its-own > /dev/tty; ps -o sid= -p $$")
    assert read_all(pty).split() == ["30", "100", "of-its-own", str(pty.child.pid)]


def test_ignored_and_blocked_signals_are_not_passed_on(spawner: Spawner) -> None:
    """Started from a host that ignores SIGINT and blocks SIGTERM, a shell still hears both."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        fresh = Spawner()
        printed = read_all(run(fresh, "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"))
        fresh.close()
    finally:
        signal.signal(signal.SIGINT, previous)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    # 32 and 33 are the C library's own: its posix_spawn may leave them ignored in whatever it starts.
    own = 1 << (32 - 1) | 1 << (33 - 1)
    assert [int(line.split()[1], 16) & ~own for line in printed.splitlines()] == [0, 0]


def test_a_relative_program_belongs_to_the_folder(spawner: Spawner, tmp_path: Path) -> None:
    """``./run`` is looked for where the terminal opens, not where the host is."""
    program = tmp_path / "run"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    assert read_all(run(spawner, "./run", cwd=tmp_path)).split() == ["found"]


def test_a_missing_program_is_refused_before_anything_starts(spawner: Spawner) -> None:
    """The error names it; no descriptor is left open."""
    before = os.listdir("/proc/self/fd")
    with pytest.raises(SpawnError, match="no-such-shell"):
        run(spawner, "no-such-shell")
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_shell_ends_with_its_host() -> None:
    """Kill -9 of the host closes the terminal; the shell gets SIGHUP from the kernel."""
    host = subprocess.Popen([sys.executable, "-c", HOST], stdout=subprocess.PIPE)
    assert host.stdout is not None
    shell = os.pidfd_open(int(host.stdout.readline()))
    host.kill()
    host.wait()
    host.stdout.close()
    gone = select.select([shell], [], [], 2)[0]
    os.close(shell)
    assert gone
