r"""Terminals that the host runs for plugins and shows to pages.

The host owns the pseudo-terminal, so that a session survives its plugin's crash, reload and update, and
bytes go between the shell and the page without passing the plugin.

    terminals = Terminals(spawner, on_event=print)
    terminal = await terminals.open(owner="viloxterm", argv=None, cwd=Path.home(), env={}, title="shell")
    attachment = terminals.attach(terminal.id, websocket_queue.put_nowait)
    terminals.write(terminal.id, b"echo $((6*7))\r")
    await terminals.close(terminal.id)
"""

import asyncio
import contextlib
import dataclasses
import os
import pwd
import secrets
import signal
from collections.abc import Callable, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

from viloapp_core.broker.errors import UnknownTerminalError
from viloapp_core.broker.terminal import Attachment, LiveTerminal, Terminal
from viloapp_core.process import Spawner, open_pty, signal_session

__all__ = ["Attachment", "Terminal", "Terminals"]

_ID_BYTES = 24
# How long a shell may take to save its history after SIGHUP.
_GRACE_S = 2.0
# Ended terminals whose output a page can still fetch: one that ends at once would show nothing otherwise.
_ENDED_KEPT = 16


class Terminals:
    """All terminals of one host. Every method is called on the host's loop.

    Args:
        spawner: starts the shells.
        on_event: told ``terminal.exited`` with ``{"terminal", "code", "owner", "detail"}``.
        environ: what a shell's environment is made from; ``os.environ`` by default.
        waited_s: returns for how many seconds something has been waited for that goes before output.
    """

    def __init__(
        self,
        spawner: Spawner,
        *,
        on_event: Callable[[str, dict[str, Any]], None],
        environ: Mapping[str, str] | None = None,
        waited_s: Callable[[], float] = lambda: inf,
    ) -> None:
        self._spawner = spawner
        self._on_event = on_event
        self._environ = environ
        self._waited_s = waited_s
        self._terminals: dict[str, LiveTerminal] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}

    async def open(
        self,
        *,
        owner: str,
        argv: Sequence[str] | None = None,
        cwd: Path,
        env: Mapping[str, str],
        rows: int = 24,
        cols: int = 80,
        title: str = "",
    ) -> Terminal:
        """Start a program on a new terminal, with the person's own authority.

        Args:
            owner: id of the plugin that asks.
            argv: the program and its arguments; the person's shell when there are none.
            cwd: its folder.
            env: what is added to the person's environment.
            rows: height in characters, at least 1.
            cols: width in characters, at least 1.
            title: for the tab; the program's name when empty.

        Raises:
            SpawnError: the program or the folder is missing, or the system has no terminal left.
        """
        variables = self._variables(env)
        command = tuple(argv or (_shell(variables),))
        pty = await open_pty(command, cwd=cwd, env=variables, rows=rows, cols=cols, spawner=self._spawner)
        about = Terminal(
            id=secrets.token_urlsafe(_ID_BYTES),
            title=title or os.path.basename(command[0]),
            pid=pty.child.pid,
            owner=owner,
            cwd=cwd,
            rows=rows,
            cols=cols,
        )
        live = self._terminals[about.id] = LiveTerminal(about, pty, self._waited_s)
        self._watchers[about.id] = asyncio.get_running_loop().create_task(self._watch(live))
        return about

    def attach(self, terminal_id: str, sink: Callable[[bytes], None]) -> Attachment:
        """Hand what the terminal printed so far, and from now on, to ``sink``.

        The caller acknowledges every byte, replayed ones too; without that the program is paused. Works for
        a terminal that ended a moment ago; look at ``ended`` of what is returned.

        Raises:
            UnknownTerminalError: there is none with this id.
        """
        return self._get(terminal_id).attach(sink)

    def write(self, terminal_id: str, data: bytes) -> None:
        """Type ``data``. Never waits; nothing happens when the program has ended.

        Raises:
            TerminalInputFullError: the program has not read for long; nothing of ``data`` was taken.
            UnknownTerminalError: there is none with this id.
        """
        self._get(terminal_id).write(data)

    def resize(self, terminal_id: str, rows: int, cols: int) -> None:
        """Change the size in characters.

        Raises:
            UnknownTerminalError: there is none with this id.
        """
        self._get(terminal_id).resize(rows, cols)

    def list(self, owner: str | None = None) -> list[Terminal]:
        """Return the terminals whose program runs, of one plugin or of all, oldest first."""
        return [
            _now(live)
            for live in self._terminals.values()
            if live.ended is None and owner in (None, live.about.owner)
        ]

    async def close(self, terminal_id: str) -> None:
        """End the terminal: SIGHUP for its session, SIGKILL for what is left of it after two seconds.

        Raises:
            UnknownTerminalError: there is none with this id.
        """
        live = self._get(terminal_id)
        if live.ended is None:
            signal_session(live.child.pid, signal.SIGHUP)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(live.child.wait(), _GRACE_S)
            # Its jobs too: each is in a process group of its own, all are in the shell's session.
            signal_session(live.child.pid, signal.SIGKILL)
            if watcher := self._watchers.get(terminal_id):
                await asyncio.wait([watcher], timeout=_GRACE_S)
        self._terminals.pop(terminal_id, None)

    async def aclose(self) -> None:
        """Close every terminal."""
        await asyncio.gather(*(self.close(terminal_id) for terminal_id in tuple(self._terminals)))

    async def _watch(self, live: LiveTerminal) -> None:
        about = live.about
        try:
            status = await live.watch()
        finally:
            live.release()
            self._watchers.pop(about.id, None)
        self._forget_old()
        self._on_event(
            "terminal.exited",
            {
                "terminal": about.id,
                "code": status.shell_code,
                "owner": about.owner,
                "detail": status.describe(),
            },
        )

    def _forget_old(self) -> None:
        ended = [live.about.id for live in self._terminals.values() if live.ended is not None]
        for terminal_id in ended[:-_ENDED_KEPT]:
            del self._terminals[terminal_id]

    def _get(self, terminal_id: str) -> LiveTerminal:
        try:
            return self._terminals[terminal_id]
        except KeyError:
            raise UnknownTerminalError(terminal_id) from None

    def _variables(self, added: Mapping[str, str]) -> dict[str, str]:
        variables = dict(os.environ if self._environ is None else self._environ)
        for name in ("LINES", "COLUMNS"):
            # The size of the terminal that the host itself was started in.
            variables.pop(name, None)
        # What the page's terminal is, whatever the host was started in.
        return {**variables, "TERM": "xterm-256color", "COLORTERM": "truecolor", **added}


def _now(live: LiveTerminal) -> Terminal:
    """Describe a terminal as it is at this moment."""
    try:
        cwd = Path(os.readlink(f"/proc/{live.child.pid}/cwd"))
    except OSError:
        cwd = live.about.cwd
    return dataclasses.replace(live.about, cwd=cwd, rows=live.rows, cols=live.cols, ended=live.ended)


def _shell(variables: Mapping[str, str]) -> str:
    """The person's shell: what they say, what their account says, what every system has."""
    candidates = [variables.get("SHELL", "")]
    with contextlib.suppress(KeyError):
        candidates.append(pwd.getpwuid(os.getuid()).pw_shell)
    return next((path for path in candidates if path and os.access(path, os.X_OK)), "/bin/sh")
