"""The command line in this process, the same behind a pseudo-terminal, and a store with plugins in it."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.artifacts import begin
from viloapp_core.cli.main import main
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.store import InstalledPlugin, Store

_PATIENCE_S = 20.0
_STEPS = {"open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.truncate", "os.chmod", "os.utime"}
"""Events with which Python announces each change of the file system, and more."""


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


class OnTerminal:
    """A command whose three streams are a terminal.

    Args:
        argv: the program and its arguments.
        env: added to the environment.
    """

    def __init__(self, argv: Sequence[str], **env: str) -> None:
        self._master, terminal = pty.openpty()
        self.process = subprocess.Popen(
            argv,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**os.environ, "TERM": "xterm", **env},
            start_new_session=True,
            preexec_fn=lambda: _take_terminal(terminal),
        )
        os.close(terminal)
        self.shown = ""

    def until(self, text: str) -> str:
        """Read until the text is shown; returns all that was."""
        deadline = time.monotonic() + _PATIENCE_S
        while text not in self.shown and self._read(deadline):
            pass
        assert text in self.shown, self.shown
        return self.shown

    def type(self, text: str) -> None:
        """Type on the keyboard, once the command waits for it.

        CPython's `input` loses a signal that comes between its prompt and its read; no person is that quick.
        """
        waits = 0
        while waits < 5:
            self._read(time.monotonic() + 0.01)
            state = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2][0]
            waits = waits + 1 if state == "S" else 0
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + _PATIENCE_S
        while self._read(deadline):
            pass
        return self.process.wait(_PATIENCE_S)

    def close(self) -> None:
        """End what is left of it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._master)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        try:
            data = os.read(self._master, 65536) if ready else b""
        except OSError:  # Linux says EIO when the last holder of the terminal is gone
            data = b""
        self.shown += data.decode(errors="replace")
        return bool(data)


def _take_terminal(terminal: int) -> None:
    """Make the terminal the controlling one, so that Ctrl-C typed on it is a signal."""
    import fcntl

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


@pytest.fixture
def viloapp(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Return a function that runs `viloapp ARGS` in this process."""

    def run(*args: str) -> Ran:
        capsys.readouterr()
        code = main(args)
        shown = capsys.readouterr()
        return Ran(code, shown.out, shown.err)

    return run


@pytest.fixture
def on_terminal() -> Iterator[Callable[..., OnTerminal]]:
    """Return a function that runs `viloapp ARGS`, or other Python `code`, on a terminal."""
    started: list[OnTerminal] = []

    def run(*args: str, code: str = "", **env: str) -> OnTerminal:
        argv = (
            [sys.executable, "-c", code] if code else [sys.executable, "-m", "viloapp_core.cli.main", *args]
        )
        started.append(OnTerminal(argv, **env))
        return started[-1]

    yield run
    for command in started:
        command.close()


@pytest.fixture
def store(isolated_home: Path) -> Store:
    """Return the store of this test; it does not exist yet."""
    return Store(Path(os.environ["VILOAPP_HOME"]))


@pytest.fixture
def installed(store: Store) -> Callable[..., InstalledPlugin]:
    """Return a function that installs a plugin with no code: enough for all that only reads about it."""

    def install(
        plugin_id: str = "hello", *, summary: str = "Greets.", version: str = "1.0", **manifest: Any
    ) -> InstalledPlugin:
        entry, generation, artifact = begin(store, plugin_id, version)
        (generation / "venv" / "bin").mkdir(parents=True)
        (generation / "venv" / "bin" / "python").symlink_to(sys.executable)
        return store.commit_install(
            entry,
            artifact,
            {
                "name": plugin_id,
                "summary": summary,
                "entry_point": "hello:Hello",
                "manifest": {"schema": 1, "api_version": "1.0", **manifest},
                "source": "wheel",
                "permissions": [row["id"] for row in manifest.get("permissions", ())],
                "python_version": "3.11.7",
                "base_prefix": sys.base_prefix,
                "base_executable": os.path.realpath(sys.executable),  # it has to be there
            },
            SystemClock(),
        )

    return install


def die_at(step: int, argv: list[str]) -> bool:
    """Run a command in a child that kills itself at a step; return whether it got so far."""
    child = os.fork()
    if child == 0:
        count = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            if event in _STEPS:
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
        sys.addaudithook(hook)
        os._exit(main(argv))
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)
