"""Programs on a pseudo-terminal of their own.

The host keeps the master end. When the host is gone, however it ended, the kernel closes that end and sends
the session SIGHUP: a shell does not outlive its host.
"""

import fcntl
import os
import shutil
import struct
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.process.child import Child
from viloapp_core.process.errors import SpawnError
from viloapp_core.process.spawner import Spawner

__all__ = ["PtyChild", "open_pty", "resize"]

_START = str(Path(__file__).with_name("_terminal_start.py"))


@dataclass(frozen=True, slots=True)
class PtyChild:
    """A program and the master end of its terminal, non-blocking. Whoever holds this closes ``master_fd``."""

    master_fd: int
    child: Child


async def open_pty(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], rows: int, cols: int, spawner: Spawner
) -> PtyChild:
    """Start a program as the leader of a session whose terminal is a new one.

    Args:
        argv: the program and its arguments; a bare name is looked up on ``env["PATH"]``.
        cwd: its working folder.
        env: its whole environment.
        rows: height in characters.
        cols: width in characters.
        spawner: who starts it.

    Raises:
        SpawnError: the program or the folder is missing, or the system has no terminal left.
    """
    program = os.path.join(cwd, argv[0]) if os.path.dirname(argv[0]) else argv[0]
    if shutil.which(program, path=env.get("PATH", os.defpath)) is None:
        raise SpawnError(
            f"cannot start {argv[0]}: there is no such program", "check its name, and PATH for one without /"
        )
    try:
        master, slave = os.openpty()
    except OSError as error:
        raise SpawnError(
            f"the system has no terminal left ({error.strerror})", "close terminals that you do not use"
        ) from error
    try:
        resize(master, rows, cols)
        os.set_blocking(master, False)
        child = await spawner.spawn_async(
            (sys.executable, "-I", "-S", _START, *argv),
            env=env,
            cwd=cwd,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            # A job that the person left running with nohup stays, as it does in any terminal.
            owns_group=False,
        )
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
    return PtyChild(master, child)


def resize(master_fd: int, rows: int, cols: int) -> None:
    """Tell the terminal its size in characters; its foreground program gets SIGWINCH."""
    fcntl.ioctl(master_fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
