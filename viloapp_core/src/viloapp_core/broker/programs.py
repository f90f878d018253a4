"""Programs that the host runs for plugins, each in a sandbox of its own.

    programs = Programs(spawner, gate, plan)
    ticket = await programs.run("hello", b"git", [b"git", b"status"], worker.hand_over)

The host looks the program up, writes it and its arguments into a socket pair, starts the sandbox with one end
of it, and gives the other end to the plugin, which adds the standard streams (`program_start` has the rest).
So the host holds no descriptor of the plugin's and reads nothing that comes from it.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from viloapp_core.broker.errors import ProgramNotFoundError, ProgramRefusedError, TooMuchOpenError
from viloapp_core.broker.lookup import find, names
from viloapp_core.broker.network import HandOver
from viloapp_core.broker.rate import Rate
from viloapp_core.ledger import Gate
from viloapp_core.permissions import Permission
from viloapp_core.process import Child, Spawner
from viloapp_core.sandbox import Launch
from viloapp_sdk.errors import InvalidArgumentsError, PermissionDeniedError

__all__ = ["START", "Plan", "Programs"]

START = Path(__file__).with_name("program_start.py")
_MOST_RUNNING = 16
_PER_SECOND, _BURST = 10.0, 50
_MOST_BYTES = 128 * 1024
"""Of a program's arguments together."""

Plan = Callable[[str, Path, tuple[str, ...], tuple[int, ...]], Awaitable[Launch]]
"""``(plugin id, script, its arguments, descriptors)``: how to start the script in the plugin's sandbox, with
the system's programs in it."""


@dataclass(eq=False, slots=True)
class _Running:
    """One program: the grant that it needs, and its process once there is one."""

    permission: Permission
    child: Child | None = None
    over: bool = False
    """Whether it is to end, or not to start."""


@dataclass(slots=True)
class _Client:
    rate: Rate
    running: set[_Running] = field(default_factory=set)


class Programs:
    """All programs of a host's plugins. Every method is called on the host's loop.

    Args:
        spawner: starts them.
        gate: what each plugin may, and the audit log.
        plan: how a plugin's sandbox is started.
    """

    def __init__(self, spawner: Spawner, gate: Gate, plan: Plan) -> None:
        self._spawner = spawner
        self._gate = gate
        self._plan = plan
        self._clients: dict[str, _Client] = {}
        self._watching: set[asyncio.Task[None]] = set()
        self._forget = gate.on_change(self._reconsider)

    def pids(self, plugin_id: str) -> list[int]:
        """Return the process ids of a plugin's programs, of the outermost process of each sandbox."""
        client = self._clients.get(plugin_id)
        running = client.running if client is not None else ()
        return [each.child.pid for each in running if each.child is not None]

    def find(self, plugin_id: str, program: bytes) -> str | None:
        """Return the path of a program that the plugin may run, None for any other."""
        path = find(os.fsdecode(program))
        if path is None or self._granted(plugin_id, os.fsdecode(program), path) is None:
            return None
        return path

    async def run(self, plugin_id: str, program: bytes, argv: Sequence[bytes], hand_over: HandOver) -> int:
        """Start a program; returns the ticket of the socket that leads to it.

        Args:
            plugin_id: who asks.
            program: a name, looked up in the system's folders, or an absolute path.
            argv: its arguments as it is to see them, the first its own name.
            hand_over: gives the plugin its socket.

        Raises:
            PermissionDeniedError: nothing allows it.
            ProgramNotFoundError: there is none, or none that may be run.
            TooMuchOpenError: as many run already as may.
            ViloError: the sandbox could not be started.
        """
        name = os.fsdecode(program)
        permission, path = self._decide(plugin_id, name)
        client = self._clients.setdefault(plugin_id, _Client(Rate(_PER_SECOND, _BURST)))
        if len(client.running) >= _MOST_RUNNING:
            raise TooMuchOpenError(plugin_id, "programs", _MOST_RUNNING)
        running = _Running(permission)
        client.running.add(running)
        try:
            await client.rate.turn()
            if running.over:
                raise _taken_back(plugin_id, permission)
            ticket = await self._start(plugin_id, client, running, _order(path, argv), hand_over)
        except BaseException:
            client.running.discard(running)
            raise
        self._audit(plugin_id, permission, "started", path)
        return ticket

    def drop(self, plugin_id: str) -> None:
        """The plugin's process is gone: end its programs."""
        client = self._clients.get(plugin_id)
        for running in list(client.running) if client is not None else ():
            _kill(running)

    async def aclose(self) -> None:
        """End every program, and wait until they have ended."""
        self._forget()
        for plugin_id in self._clients:
            self.drop(plugin_id)
        await asyncio.gather(*self._watching, return_exceptions=True)

    # -- deciding ------------------------------------------------------------------------------------

    def _decide(self, plugin_id: str, name: str) -> tuple[Permission, str]:
        """Return the grant and the file: what is not granted is not even looked for."""
        path = find(name)
        wanted = self._granted(plugin_id, name, path) or _permission(name)
        granted = self._gate.require(plugin_id, wanted, "process.run")
        if path is None:
            raise ProgramNotFoundError(name)
        for file in {path, os.path.realpath(path)}:
            if self._gate.allowed(plugin_id, Permission("filesystem", "write", file)).allowed:
                raise ProgramRefusedError(plugin_id, file)
        return granted, path

    def _granted(self, plugin_id: str, name: str, path: str | None) -> Permission | None:
        """Return the first of a program's names under which it may be run."""
        wanted = (_permission(each) for each in (name, *names(path)))
        return next((each for each in wanted if self._gate.allowed(plugin_id, each).allowed), None)

    def _reconsider(self, plugin_id: str) -> None:
        """The plugin's grants have changed: end what is not allowed any more."""
        client = self._clients.get(plugin_id)
        granted = self._gate.granted(plugin_id)
        for running in list(client.running) if client is not None else ():
            if running.permission not in granted:
                self._audit(plugin_id, running.permission, "ended", "the permission was taken back")
                _kill(running)

    # -- one program ---------------------------------------------------------------------------------

    async def _start(
        self, plugin_id: str, client: _Client, running: _Running, order: bytes, hand_over: HandOver
    ) -> int:
        theirs, inside = socket.socketpair()
        said, errors = os.pipe()
        try:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * _MOST_BYTES)
            theirs.setblocking(False)
            if theirs.send(order) < len(order):
                raise InvalidArgumentsError("the arguments of the program are too long")
            theirs.setblocking(True)
            launch = await self._plan(plugin_id, START, (str(inside.fileno()),), (inside.fileno(),))
            try:
                running.child = child = await self._spawner.spawn_async(
                    launch.argv,
                    env=launch.env,
                    cwd=launch.cwd,
                    pass_fds=launch.pass_fds,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                )
            finally:
                launch.close()
            if running.over:  # while it was being started
                child.kill()
            task = asyncio.get_running_loop().create_task(
                self._watch(plugin_id, client, running, child, os.dup(said))
            )
            self._watching.add(task)
            task.add_done_callback(self._watching.discard)
            try:
                return hand_over(theirs.fileno())
            except BaseException:
                child.kill()
                raise
        finally:
            theirs.close()
            inside.close()
            os.close(said)
            os.close(errors)

    async def _watch(
        self, plugin_id: str, client: _Client, running: _Running, child: Child, said: int
    ) -> None:
        try:
            await child.wait()
        finally:
            client.running.discard(running)
            os.set_blocking(said, False)
            text = b""
            with contextlib.suppress(BlockingIOError):
                text = os.read(said, 1000)
            os.close(said)
        if text:
            self._audit(plugin_id, running.permission, "failed", text.decode(errors="replace").strip()[-300:])

    def _audit(self, plugin_id: str, permission: Permission, outcome: str, detail: str) -> None:
        self._gate.audit("broker", plugin_id, str(permission), "process.run", outcome, detail)


def _permission(program: str) -> Permission:
    """Return what running a program needs.

    Raises:
        PermissionSyntaxError: no permission can name it.
    """
    return Permission.parse(f"process.execute.{program}")


def _order(path: str, argv: Sequence[bytes]) -> bytes:
    """Return the message that tells the sandbox what to run."""
    if not argv or any(b"\0" in each for each in argv):
        raise InvalidArgumentsError("a program needs a name, and no argument holds a zero byte")
    body = b"".join(each + b"\0" for each in (os.fsencode(path), *argv))
    if len(body) > _MOST_BYTES:
        raise InvalidArgumentsError(
            f"the arguments of {path} are over {_MOST_BYTES} bytes", "pass long data by a file or a pipe"
        )
    return len(body).to_bytes(4, "little") + body


def _taken_back(plugin_id: str, permission: Permission) -> PermissionDeniedError:
    return PermissionDeniedError(f"{permission} was taken back from {plugin_id}")


def _kill(running: _Running) -> None:
    running.over = True
    if running.child is not None:
        running.child.kill()
