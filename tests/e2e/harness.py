"""The installed command `viloapp` and what it leaves behind, as a person at a shell meets it.

app = Viloapp(tmp_path)
app("install", wheel).ok()
with app.workspace(folder) as workspace:
    assert app.call("hello.greet") == "Hello, world!"
    workspace.kill()
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.fixtures.wheels import PROJECTS

__all__ = ["UNSIGNED", "Finished", "Viloapp", "Workspace", "command_lines", "eventually"]

T = TypeVar("T")

UNSIGNED = tuple(
    word
    for plugin in (
        *(path.name.replace("_", "-") for path in sorted(PROJECTS.iterdir())),
        *("viloxterm", "viloedit", "hello-again", "calm"),
    )
    for word in ("--allow-unsigned", plugin)
)
"""Options that allow every plugin of the tests by name, since nobody signs them; but see test_trust.py."""

PATIENCE_S = 90.0
"""How long anything may take before it counts as hanging; two shared cores are slow at times."""

_CLEARED = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "NO_COLOR", "FORCE_COLOR", "PAGER", "BROWSER")


def eventually(check: Callable[[], T], *, within_s: float = PATIENCE_S, what: str = "") -> T:
    """Return the first true result of ``check``, asked again and again until a deadline.

    Raises:
        AssertionError: there was none in time.
    """
    deadline = time.monotonic() + within_s
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what or check}; the last answer was {result!r}")
        time.sleep(0.02)


def command_lines(containing: str) -> dict[int, str]:
    """Return the command lines of all living processes that contain a text, by process id."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # it ended meanwhile
            if containing in line:  # a zombie has no command line
                found[int(entry.name)] = line
    return found


@dataclass(frozen=True)
class Finished:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    def ok(self) -> Finished:
        """Return this, when the command succeeded.

        Raises:
            AssertionError: it did not.
        """
        assert self.code == 0, f"exit code {self.code}\n{self.out}\n{self.err}"
        return self

    def refused(self, *codes: int) -> str:
        """Return the error's text, after checking that it is one clear answer with exit code 1 or 2.

        Raises:
            AssertionError: the command succeeded, crashed, or said something unclear.
        """
        assert self.code in (codes or (1, 2)), f"exit code {self.code}\n{self.out}\n{self.err}"
        assert "Traceback" not in self.err + self.out, self.err
        assert "unexpected" not in self.err, self.err
        lines = self.err.splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith("error: ")]
        assert starts, self.err
        return "\n".join(lines[starts[0] :])

    def json(self) -> Any:
        """Return what was printed, as JSON with the schema's number.

        Raises:
            AssertionError: it has none.
        """
        value = json.loads(self.ok().out)
        assert value["schema"] == 1
        return value


class Viloapp:
    """The command, with a home and a store of its own.

    Args:
        root: holds home and store; made when missing.
        executable: the script; the one beside the Python that runs the tests when None.
        cache: of downloads, shared by several homes.
    """

    def __init__(self, root: Path, *, executable: Path | None = None, cache: Path | None = None) -> None:
        self.store = root / "store"
        self.executable = executable or Path(sys.executable).with_name("viloapp")
        home = root / "home"
        # A socket's path has to stay under 100 bytes, which the folders of tests do not.
        self.runtime = Path(tempfile.mkdtemp(prefix="vt-"))
        self.environ = {
            name: value
            for name, value in os.environ.items()
            if name not in _CLEARED and (not name.startswith("PIP_") or name == "PIP_CERT")
        } | {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_DATA_HOME": str(home / ".local/share"),
            "XDG_STATE_HOME": str(home / ".local/state"),
            "XDG_CACHE_HOME": str(cache or home / ".cache"),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "VILOAPP_HOME": str(self.store),
            "SHELL": "/bin/bash",
        }
        home.mkdir(parents=True, exist_ok=True)

    def start(
        self, *arguments: str | Path, environ: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Start the command in a session of its own, so that a test can kill it with all its children."""
        return subprocess.Popen(
            [str(self.executable), *map(str, arguments)],
            env={**self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
            **{"stderr": subprocess.PIPE, **options},
        )

    def __call__(
        self,
        *arguments: str | Path,
        timeout_s: float = 2 * PATIENCE_S,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Finished:
        """Run the command to its end."""
        process = self.start(*arguments, environ=environ, cwd=cwd)
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise AssertionError(f"viloapp {arguments} hung; so far:\n{out}\n{err}") from None
        return Finished(process.returncode, out, err)

    def call(self, command: str, /, **arguments: Any) -> Any:
        """Return the result of `viloapp call`."""
        return json.loads(self("call", command, json.dumps(arguments)).ok().out)

    def plugins(self) -> dict[str, dict[str, Any]]:
        """Return what `viloapp list` says, by plugin id."""
        return {plugin["id"]: plugin for plugin in self("list", "--json").json()["plugins"]}

    def snapshot(self) -> dict[str, bytes]:
        """Return everything in the store that says what is installed: path and content of its files.

        Left out are locks, which only say who works on it, and caches: wheels and interpreters.
        """
        return {
            str(path.relative_to(self.store)): b"->" + os.fsencode(os.readlink(path))
            if path.is_symlink()
            else path.read_bytes()
            for path in sorted(self.store.rglob("*"))
            if (path.is_file() or path.is_symlink())
            and path.suffix != ".lock"
            and path.relative_to(self.store).parts[0] not in ("archives", "cache", "wheels")
        }

    def processes(self) -> dict[int, str]:
        """Return the living processes that were started from the store: workers, and their sandboxes."""
        return command_lines(str(self.store))

    @contextmanager
    def workspace(self, folder: Path, *options: str) -> Iterator[Workspace]:
        """Run the workspace on a folder for as long as the context lasts."""
        workspace = Workspace(self, folder, *options)
        try:
            yield workspace
        finally:
            workspace.stop()

    def close(self) -> None:
        """End what is left of it, and remove the folder of its sockets."""
        for pid in self.processes():
            _signal(pid, signal.SIGKILL)
        shutil.rmtree(self.runtime, ignore_errors=True)


class Workspace:
    """A running `viloapp run`.

    Args:
        app: the command.
        folder: shown as the workspace folder.
        options: further arguments of `viloapp run`.

    Attributes:
        url: the address that it printed.
        pid: of the host.
    """

    def __init__(self, app: Viloapp, folder: Path, *options: str) -> None:
        folder.mkdir(exist_ok=True, parents=True)
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed with the host
        self._process = app.start("run", folder, "--no-browser", *options, stderr=self._log)
        self.pid = self._process.pid
        self.lines: queue.Queue[str | None] = queue.Queue()
        self._said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            line = self.lines.get(timeout=PATIENCE_S)
        except queue.Empty:
            line = None
        if line is None:
            self.kill()
            raise AssertionError(f"the workspace printed no address:\n{self.said()}")
        self.url = line

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.put(line.strip())
        self.lines.put(None)

    def said(self) -> str:
        """Return what it has written to standard error."""
        if not self._log.closed:
            self._log.seek(0)
            self._said = self._log.read()
        return self._said

    def alive(self) -> bool:
        """Return whether the host's process is there."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the host as `kill -9` does: it alone, and without a chance to clean up."""
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._close()

    def stop(self, number: int = signal.SIGINT, within_s: float = PATIENCE_S) -> int:
        """Ask the host to end as Ctrl-C does; return its exit code.

        Raises:
            AssertionError: it does not.
        """
        if self.alive():
            self._process.send_signal(number)
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            raise AssertionError(f"the host did not end within {within_s} s:\n{self.said()}") from None
        finally:
            self._close()

    def _close(self) -> None:
        """Give back the files, once the process is gone."""
        self.said()
        self._reader.join(5)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
