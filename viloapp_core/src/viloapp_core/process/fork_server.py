"""The host's side of the fork server: has workers forked in sandboxes that bubblewrap has made.

    server = ForkServer(spawner)
    child = await server.fork(forking, cwd=folder, fds=(reads, writes, bulk), log=log)
    status = await child.wait()
    server.close()

Bubblewrap makes the sandbox and waits in it, for the end of a pipe that this process alone holds. The fork
server's child joins that sandbox and is confined further (`viloapp_core.sandbox.fork_server`). So the
sandbox, and with it all that is in it, ends when the host ends it, and when the host itself ends.
"""

import array
import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from viloapp_core.process.child import Child
from viloapp_core.process.errors import ForkServerError, SpawnError
from viloapp_core.process.exit_status import WRAPPED_SIGNAL, ExitStatus
from viloapp_core.process.pipes import pipe, readable
from viloapp_core.process.spawner import Spawner
from viloapp_core.sandbox import IGNORING, Forking, open_python, open_server, server_command
from viloapp_core.sandbox.syscalls import MACHINES

__all__ = ["ForkServer", "Forked"]

_MADE_S = 10.0
"""How long bubblewrap may take to make a sandbox, and the fork server to fork."""
_LOOK_S = 0.0005
_NOT_FORKED = {
    0: "the fork server has no room for another",
    -2: "a child of the fork server cannot join the sandbox",
}
_NOT_CONFINED = 126
"""With which a worker ends that cannot be confined, as in `viloapp_core.sandbox.bootstrap`."""
_TOLD_S = 1.0
"""How long after its sandbox the end of a worker may be told."""


class Forked:
    """A worker that was forked, and its sandbox; it is waited for and ended as `Child` is.

    Args:
        sandbox: bubblewrap, which waits outside of it.
        held: what ends the sandbox when it is closed.
        told: where the fork server says the worker's process id and how it ended; None when the sandbox
            could not be made, which bubblewrap has told in the log.

    Attributes:
        pid: process id of bubblewrap.
        worker: process id of the worker; None until it is known, and where there is none.
    """

    def __init__(self, sandbox: Child, held: int, told: int | None) -> None:
        self.pid = sandbox.pid
        self.worker: int | None = None
        self._sandbox = sandbox
        self._held, self._told = held, told
        self._own: ExitStatus | None = None
        self._killed = False
        self._words = b""
        loop = asyncio.get_running_loop()
        self._begun: asyncio.Future[str] = loop.create_future()
        self._ended: asyncio.Future[None] = loop.create_future()
        if told is None:
            self._own = ExitStatus(code=1)
            self._sandbox.kill()  # it does not hear of the end of its own child
            self._over()
        else:
            os.set_blocking(told, False)
            loop.add_reader(told, self._hear, loop, told)

    @property
    def status(self) -> ExitStatus | None:
        """How it ended, None while it runs."""
        return None if (status := self._sandbox.status) is None else self._own or status

    async def begun(self) -> str:
        """Wait until there is a worker or none will be; return why it has to be started, if it has."""
        return await asyncio.shield(self._begun)

    async def wait(self) -> ExitStatus:
        """Wait for its end. Any number of tasks may wait, and a cancelled wait disturbs nobody."""
        status = await self._sandbox.wait()
        await asyncio.wait([self._ended], timeout=_TOLD_S)
        self.close()
        return self._own or status

    def kill(self) -> None:
        """End the sandbox, and so every process in it."""
        self._killed = True
        self._sandbox.kill()

    def close(self) -> None:
        """Let go of it: the sandbox ends. May be called twice."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1
        if self._told is not None:
            asyncio.get_running_loop().remove_reader(self._told)
            os.close(self._told)
            self._told = None
            self._over()

    def _hear(self, loop: asyncio.AbstractEventLoop, told: int) -> None:
        """Two lines, the worker's process id and its status (``waitpid(2)``); then the sandbox is done."""
        try:
            piece = os.read(told, 64)
        except BlockingIOError:
            return
        self._words += piece
        lines = [int(line) for line in self._words.split(b"\n")[:-1]]
        if lines and lines[0] > 0 and self.worker is None:
            self.worker = lines[0]
            self._begun.set_result("")
        if len(lines) > 1 and not self._killed:
            self._own = _as_bubblewrap_says(lines[1])
        if lines and lines[0] == -1:  # it has said why in the log
            self._own = ExitStatus(code=_NOT_CONFINED)
        elif lines and lines[0] in _NOT_FORKED:
            self._begun.set_result(_NOT_FORKED[lines[0]])
        elif not piece and not lines:
            self._begun.set_result("the fork server has ended")
        if not piece or len(lines) > 1 or (lines and lines[0] <= 0):
            loop.remove_reader(told)
            self._sandbox.kill()
            self._over()

    def _over(self) -> None:
        if not self._begun.done():
            self._begun.set_result("")
        if not self._ended.done():
            self._ended.set_result(None)


class ForkServer:
    """Owns the fork server's process, which begins with the first worker, and again when it was lost.

    Args:
        spawner: starts it, and the sandboxes.
    """

    def __init__(self, spawner: Spawner) -> None:
        self._spawner = spawner
        self._server: Child | None = None
        self._control: socket.socket | None = None
        self._retired: list[socket.socket] = []
        self._locale: dict[str, str] = {}
        self._starting = asyncio.Lock()

    def _retire(self) -> None:
        """Ask another next time; those that this one has forked go on, for as long as it tells of them."""
        if self._control is not None:
            self._retired.append(self._control)
            self._server = self._control = None

    @property
    def pid(self) -> int | None:
        """The server's process id, None while there is none."""
        return self._server.pid if self._server is not None and self._server.status is None else None

    def close(self) -> None:
        """Have the server end; its workers do."""
        for control in self._retired:
            control.close()
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._server is not None:
            self._server.kill()

    async def fork(
        self,
        forking: Forking,
        *,
        cwd: Path,
        fds: Sequence[int],
        log: int,
        enter: Callable[[Sequence[str]], Sequence[str]] = tuple,
        group: Path | None = None,
    ) -> Forked:
        """Have a worker forked. Cancelled, it leaves nothing behind.

        Args:
            forking: how.
            cwd: where bubblewrap is started.
            fds: the descriptors of the SDK's worker.
            log: where it prints.
            enter: puts the sandbox's command into a group of the kernel's.
            group: the file by which that group is entered.

        Raises:
            SpawnError: bubblewrap cannot be started.
            ForkServerError: the worker cannot be forked here.
        """
        control = await self._running(forking)
        with ExitStack() as ours, ExitStack() as theirs:
            waits, held = pipe(theirs, ours)
            sandbox, inside = await self._sandbox(forking, cwd, log, enter, waits)
            ours.callback(sandbox.kill)
            if inside is None:  # it has said why
                ours.pop_all()
                return Forked(sandbox, held, None)
            theirs.callback(os.close, inside[1])
            told, tells = pipe(ours, theirs)
            _send(control, forking, inside, group, (tells, log, *fds))
            theirs.close()
            child = Forked(sandbox, held, told)
            ours.pop_all()
        try:
            async with _bounded("the fork server has not forked"):
                why = await child.begun()
            if why:
                raise ForkServerError(why)
        except BaseException as error:
            if isinstance(error.__cause__, TimeoutError):
                self._retire()
            child.kill()
            child.close()
            raise
        return child

    async def _running(self, forking: Forking) -> socket.socket:
        async with self._starting:
            if self.pid is None or self._control is None:
                self.close()
                await self._start(forking.locale)
            if self._locale != forking.locale:
                raise ForkServerError("the fork server speaks another language than this worker is to")
            assert self._control is not None
            return self._control

    async def _start(self, locale: dict[str, str]) -> None:
        try:
            await self._try(locale)
        except (ImportError, OSError, SpawnError) as error:
            raise ForkServerError(f"the fork server cannot be started: {error}") from error

    async def _try(self, locale: dict[str, str]) -> None:
        trying = await self._spawner.spawn_async((*IGNORING, "true"), env=locale, cwd=Path("/"))
        if not (await trying.wait()).ok:
            raise ForkServerError(
                f"{IGNORING[0]} cannot have a signal ignored (coreutils has that from 8.31 on)"
            )
        with ExitStack() as kept, ExitStack() as passed:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            kept.callback(ours.close)
            passed.callback(theirs.close)
            ours.setblocking(False)
            passed.callback(os.close, python := open_python())
            passed.callback(os.close, plan := open_server(theirs.fileno(), python))
            # Not a device, so that the streams that its workers take over are as in any other. Nobody reads
            # there: it has nothing to say but what is wrong with itself, and is not needed then.
            _nowhere, writes = pipe(passed, passed)
            self._server = await self._spawner.spawn_async(
                server_command(plan),
                executable=f"/proc/self/fd/{python}",
                env=locale,
                cwd=Path("/"),
                pass_fds=(theirs.fileno(), plan, python),
                stdout=writes,
                stderr=writes,
            )
            kept.pop_all()
        self._control, self._locale = ours, locale

    async def _sandbox(
        self,
        forking: Forking,
        cwd: Path,
        log: int,
        enter: Callable[[Sequence[str]], Sequence[str]],
        waits: int,
    ) -> tuple[Child, tuple[int, int] | None]:
        """Start bubblewrap; return it, and of the process that waits inside the id and a descriptor.

        None for that when it came to nothing.
        """
        with ExitStack() as ours:
            with ExitStack() as theirs:
                info, says = pipe(ours, theirs)
                sandbox = await self._spawner.spawn_async(
                    enter(forking.sandbox(waits, says)),
                    env=forking.environment,
                    cwd=cwd,
                    pass_fds=(waits, says),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            try:
                async with _bounded("bubblewrap has not made the sandbox"):
                    return sandbox, await _waiting(sandbox, info, waits)
            except BaseException:
                sandbox.kill()
                raise


def _send(
    control: socket.socket,
    forking: Forking,
    inside: tuple[int, int],
    group: Path | None,
    rest: tuple[int, ...],
) -> None:
    """Ask for a worker, which is one byte and the descriptors."""
    tells, log, *fds = rest
    with ExitStack() as stack:
        try:
            plan = forking.open_plan(inside[0], group)
            stack.callback(os.close, plan)
            signal.pidfd_send_signal(inside[1], 0)  # what was looked at by its number was that process
            rights = array.array("i", [tells, plan, inside[1], log, *fds])
            control.sendmsg([b"f"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        except (BrokenPipeError, ConnectionResetError):
            raise ForkServerError("the fork server has ended") from None
        except OSError as error:
            raise ForkServerError(f"the fork server cannot be asked: {error.strerror}") from error


async def _waiting(sandbox: Child, info: int, waits: int) -> tuple[int, int] | None:
    """Return the process that waits in the sandbox once all of that is made; None when it has ended instead.

    Its id and a descriptor of it.

    Raises:
        ForkServerError: it cannot be seen what bubblewrap does.
    """
    text = b""
    while not text.rstrip().endswith(b"}"):
        await readable(info)
        piece = os.read(info, 4096)
        if not piece:
            return None
        text += piece
    pid = int(json.loads(text)["child-pid"])
    read = MACHINES[os.uname().machine].numbers["read"]  # there is a filter for it, or nothing is forked
    try:
        inside = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    try:
        found = await _reads(sandbox, pid, [str(read), f"{waits:#x}"])
    except BaseException:
        os.close(inside)
        raise
    if found:
        return pid, inside
    os.close(inside)
    return None


async def _reads(sandbox: Child, pid: int, reading: list[str]) -> bool:
    """Wait until a child of bubblewrap's is in a system call; False when it has ended instead."""
    while True:
        try:
            parent = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            return False
        if parent[0] in "ZX" or int(parent[1]) != sandbox.pid:
            return False  # it has ended, or its number is another's
        try:
            words = Path(f"/proc/{pid}/syscall").read_text("ascii").split()
        except ProcessLookupError:
            return False
        except OSError as error:
            raise ForkServerError(f"what bubblewrap does cannot be seen: {error.strerror}") from error
        if words[:2] == reading:
            return True
        await asyncio.sleep(_LOOK_S)


@contextlib.asynccontextmanager
async def _bounded(what: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_MADE_S):
            yield
    except TimeoutError as error:
        raise ForkServerError(f"{what} within {_MADE_S:g} s") from error


def _as_bubblewrap_says(status: int) -> ExitStatus:
    """A worker's status as it is known of every other in a sandbox, whose own ending is bubblewrap's."""
    code = os.waitstatus_to_exitcode(status)
    return ExitStatus(code=code if code >= 0 else WRAPPED_SIGNAL - code)
