"""The control socket: how other processes of the same user reach the host of a store.

Frames are those of the workers' wire. The socket lies in a folder that only the user may enter, and the
kernel says who connects; nobody else is answered.
"""

import asyncio
import contextlib
import os
import select
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from viloapp_core.foundation.errors import FoundationError
from viloapp_core.foundation.files import read_json, write_json
from viloapp_core.foundation.paths import runtime_dir
from viloapp_core.foundation.version import __version__
from viloapp_core.host.errors import ControlError
from viloapp_core.host.measuring import metrics
from viloapp_core.host.probation import ROLLED_BACK
from viloapp_core.host.prompts import Asker
from viloapp_core.host.streams import Stream
from viloapp_core.permissions import Permission
from viloapp_core.rpc import Peer, refusal
from viloapp_core.store import InstalledPlugin
from viloapp_sdk._wire import (
    ERROR,
    EVENT,
    HELLO,
    REQUEST,
    RESPONSE,
    FrameBuffer,
    agreed,
    greeting,
    pack,
)
from viloapp_sdk.errors import (
    InvalidArgumentsError,
    StreamingCommandError,
    UnknownServiceError,
    ViloError,
    from_wire,
)

if TYPE_CHECKING:
    from viloapp_core.host.host import Host

__all__ = ["ControlClient", "ControlServer"]

_MAX_CLIENTS = 64
_CONNECT_TIMEOUT_S = 5.0


LIMIT_EVENT = "plugin.limit"
_NOTE = "host.json"
"""In the store: where its host listens. The runtime folder hangs on the environment of whoever asks."""


class ControlServer:
    """Answers other processes of the user on behalf of a host.

    Args:
        host: a running host that holds the store's lock.
    """

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._path = runtime_dir(host.store.root, os.environ) / "host.sock"
        self._note = host.store.root / _NOTE
        self._socket: socket.socket | None = None
        self._peers: set[Peer] = set()
        self._paused: dict[Peer, list[str]] = {}
        self._streams: dict[Peer, tuple[Stream, contextlib.ExitStack]] = {}
        self._about_to_stream: set[Peer] = set()
        self._methods: Mapping[str, Callable[[dict[str, Any]], Any]] = {
            "commands": lambda params: host.commands(),
            "status": lambda params: {"pid": os.getpid(), "address": host.address, "plugins": host.plugins()},
            "metrics": lambda params: metrics(host),
            "profile": self._profile,
            "refresh": lambda params: host.refresh(),
            "held": lambda params: {row["id"]: row["reason"] for row in host.plugins() if row["held"]},
            "release": lambda params: host.release(_texts(params, "plugins")),
            "address": lambda params: host.address,
            "settings.list": lambda params: host.settings.list(),
            "settings.get": lambda params: host.settings.get(_text(params, "key")),
            "settings.set": lambda params: host.settings.set(_text(params, "key"), params.get("value")),
            "settings.adopt": lambda params: host.settings.adopt(_document(params)).to_json(),
            "settings.unset": lambda params: host.settings.unset(_text(params, "key")),
            "permissions.show": lambda params: _described(host, _plugin(host, params)),
            "permissions.grant": self._grant,
            "permissions.revoke": self._revoke,
            "permissions.reset": self._reset,
            "permissions.answer": lambda params: host.permissions.prompts.answer(
                int(params.get("id", 0)), _text(params, "answer")
            ),
        }

    def start(self) -> None:
        """Listen. A socket that a dead host left behind is replaced: the store's lock is ours."""
        self._path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(str(self._path))
            self._path.chmod(0o600)
            listening.listen(_MAX_CLIENTS)
        except OSError as error:
            listening.close()
            raise ControlError(f"the control socket {self._path} cannot be made: {error.strerror}") from error
        listening.setblocking(False)
        self._socket = listening
        # Who lists plugins asks a host that holds some back, and none else.
        holds = bool(self._host.holding)
        write_json(self._note, {"pid": os.getpid(), "socket": str(self._path), "holds": holds})
        asyncio.get_running_loop().add_reader(listening, self._accept)

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._path.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)
        for peer in tuple(self._peers):
            peer.close()

    def _accept(self) -> None:
        assert self._socket is not None
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return
        if _uid_of(connection) != os.geteuid() or len(self._peers) >= _MAX_CLIENTS:
            connection.close()
            return
        fd = connection.detach()
        peers = self._peers
        peer = Peer(
            fd,
            fd,
            on_request=lambda method, params: self._answer(peer, method, params),
            on_event=lambda name, data: None,
            on_close=lambda reason: self._gone(peer),
        )
        peers.add(peer)
        peer.start()

    def _answer(self, peer: Peer, method: str, params: Any) -> Any:
        run = self._methods.get(method)
        if method == "call" and isinstance(params, dict):
            return self._call(peer, params)
        if method == "stream.open" and isinstance(params, dict):
            return self._open_stream(peer, params)
        if method == "stream.read":
            return self._read_stream(peer)
        if method in ("pause", "resume") and isinstance(params, dict):
            return self._pause(peer, _text(params, "plugin"), pausing=method == "pause")
        if run is None:
            raise UnknownServiceError(
                f"the host, viloapp-core {__version__}, has no method {method[:80]!r}",
                "end the workspace, and start it again with the viloapp that is installed now",
            )
        if not isinstance(params, dict):
            raise InvalidArgumentsError(f"{method} takes its parameters by name")
        return run(params)

    async def _pause(self, peer: Peer, plugin_id: str, *, pausing: bool) -> None:
        """Keep a plugin from running for as long as who asks is there, or let it run again."""
        if pausing:
            await self._host.pause_plugin(plugin_id)
            if peer in self._peers:
                self._paused.setdefault(peer, []).append(plugin_id)
            else:  # it went meanwhile
                await self._host.resume_plugin(plugin_id)
        elif plugin_id in (mine := self._paused.get(peer, [])):
            mine.remove(plugin_id)
            await self._host.resume_plugin(plugin_id)

    def _gone(self, peer: Peer) -> None:
        self._peers.discard(peer)
        self._end_stream(peer)
        self._keep_for(peer, keep=False)
        for plugin_id in self._paused.pop(peer, ()):
            self._host.in_background(self._host.resume_plugin(plugin_id))

    async def _call(self, peer: Peer, params: dict[str, Any]) -> Any:
        """Run a command; who called is told what was denied, and asked if there is a person."""
        with self._telling(peer, params):
            try:
                return await self._host.call(
                    _text(params, "command"), params.get("arguments"), timeout_s=params.get("timeout_s")
                )
            except StreamingCommandError:
                if params.get("streams") is True and peer in self._peers:
                    self._keep_for(peer, keep=True)
                raise

    def _keep_for(self, peer: Peer, *, keep: bool) -> None:
        """Keep a host that ends when it is idle for a peer that is about to stream what it has called."""
        if keep and peer not in self._about_to_stream:
            self._about_to_stream.add(peer)
            self._host.begin_stream()
        elif not keep and peer in self._about_to_stream:
            self._about_to_stream.remove(peer)
            self._host.end_stream()

    async def _open_stream(self, peer: Peer, params: dict[str, Any]) -> None:
        """Begin the one stream that a peer may have at a time, in the place of the one before."""
        self._end_stream(peer)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._telling(peer, params))
            timeout_s = params.get("timeout_s")
            stream = self._host.stream(_text(params, "command"), params.get("arguments"), timeout_s=timeout_s)
            stack.callback(stream.close)
            try:
                await stream.open()
            finally:  # now the stream itself keeps the host
                self._keep_for(peer, keep=False)
            if peer in self._peers:  # else it went meanwhile
                self._end_stream(peer)  # another that it began meanwhile
                self._streams[peer] = (stream, stack.pop_all())

    async def _read_stream(self, peer: Peer) -> bytes:
        """Return the next piece of a peer's stream, nothing at its end; who reads slowly asks slowly."""
        if peer not in self._streams:
            return b""
        try:
            data = await self._streams[peer][0].read()
        except BaseException:
            self._end_stream(peer)
            raise
        if not data:
            self._end_stream(peer)
        return data

    def _end_stream(self, peer: Peer) -> None:
        if (held := self._streams.pop(peer, None)) is not None:
            held[1].close()

    @contextlib.contextmanager
    def _telling(self, peer: Peer, params: dict[str, Any]) -> Iterator[None]:
        """Tell a peer what is denied to a command's plugin meanwhile, and ask if there is a person."""
        permissions, called = self._host.permissions, self._host.plugin_of(_text(params, "command"))

        def limited(name: str, data: dict[str, Any]) -> None:
            if name in (LIMIT_EVENT, ROLLED_BACK) and data["plugin"] == called:
                peer.notify(name, data)

        with contextlib.ExitStack() as stack:
            stack.callback(self._host.subscribe(limited))
            stack.callback(permissions.on_denied(lambda told: peer.notify("permission.denied", told)))
            if params.get("prompts") is True:
                asker = Asker(
                    ask=lambda question: peer.notify("permission.asked", question),
                    withdraw=lambda id: peer.notify("permission.settled", {"id": id}),
                )
                stack.callback(permissions.prompts.attach(asker))
            yield

    async def _profile(self, params: dict[str, Any]) -> Any:
        from viloapp_core.host.profiling import profile  # few are ever asked for one

        return await profile(self._host, params)

    async def _grant(self, params: dict[str, Any]) -> Any:
        plugin_id = _plugin(self._host, params).plugin_id
        for permission in _permissions(params):
            self._host.permissions.grant_permission(plugin_id, permission)
        return await self._host.permissions_applied(plugin_id)

    async def _revoke(self, params: dict[str, Any]) -> Any:
        plugin_id = _plugin(self._host, params).plugin_id
        for permission in _permissions(params):
            self._host.permissions.revoke_permission(plugin_id, permission)
        return await self._host.permissions_applied(plugin_id)

    async def _reset(self, params: dict[str, Any]) -> Any:
        plugin_id = _plugin(self._host, params).plugin_id
        self._host.permissions.reset(plugin_id)
        return await self._host.permissions_applied(plugin_id)


class ControlClient:
    """A blocking connection to the host of a store, for the command line."""

    def __init__(self, connection: socket.socket) -> None:
        self.on_event: Callable[[str, dict[str, Any]], None] = lambda name, data: None
        """Told of events that come while a request waits."""
        self._backlog: deque[list[Any]] = deque()
        self._socket = connection
        self._buffer = FrameBuffer()
        self._next_id = 0
        self._socket.sendall(pack(greeting(core=__version__)))

    @classmethod
    def connect(cls, store: Path) -> Self | None:
        """Return a connection to the host of ``store``, None when there is no host."""
        try:
            note = read_json(store / _NOTE)
        except FoundationError:
            return None
        if not isinstance(note, dict) or not isinstance(note.get("socket"), str):
            return None
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_CONNECT_TIMEOUT_S)
        try:
            connection.connect(note["socket"])
            connection.settimeout(None)
            return cls(connection)
        except OSError:
            connection.close()
            return None

    def request(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Ask the host and wait for its answer.

        Raises:
            ControlError: the host ended before it answered.
            IncompatibleVersionsError: the host is of another version, and the two have none in common.
            ViloError: the host's answer was an error.
        """
        self._next_id += 1
        id = self._next_id
        try:
            self._socket.sendall(pack([REQUEST, id, method, dict(params or {})]))
            while True:
                frame = self._receive()
                if frame[0] == HELLO and not agreed(frame[1]):
                    raise refusal(frame[1])
                if frame[0] == EVENT and isinstance(frame[2], dict):
                    self.on_event(str(frame[1]), frame[2])
                if frame[0] in (RESPONSE, ERROR) and frame[1] == id:
                    break
        except OSError as error:
            raise self._broken(error) from error
        if frame[0] == ERROR:
            raise from_wire(frame[2])
        return frame[2]

    def _broken(self, error: OSError) -> ViloError:
        """Return why there is no connection any more: a host that cannot speak with us has hung up."""
        with contextlib.suppress(OSError, ControlError):
            while (frame := self._receive())[0] != HELLO:
                pass
            if not agreed(frame[1]):
                return refusal(frame[1])
        return ControlError(f"the connection to the host broke: {error}", "try again")

    def send(self, method: str, params: Mapping[str, Any]) -> None:
        """Ask without waiting for the answer, while another request waits for its own."""
        self._next_id += 1
        self._socket.sendall(pack([REQUEST, self._next_id, method, dict(params)]))

    def has_news(self) -> bool:
        """Return whether something came that ends a question, an answer above all; does not wait."""
        while True:
            while (frame := self._buffer.take()) is not None:
                self._backlog.append(frame)
            if not select.select([self._socket], [], [], 0)[0]:
                break
            if not self._buffer.read_from(self._socket.fileno()):
                return True
        return any(frame[0] != EVENT or frame[1] == "permission.settled" for frame in self._backlog)

    def close(self) -> None:
        """End the connection; a call that is under way is given up."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _receive(self) -> list[Any]:
        if self._backlog:
            return self._backlog.popleft()
        while (frame := self._buffer.take()) is None:
            if not self._buffer.read_from(self._socket.fileno()):
                raise ControlError("the host ended before it answered", "try again")
        return frame


def _uid_of(connection: socket.socket) -> int:
    """Return the user at the other end; -1 where the system does not say."""
    if not hasattr(socket, "SO_PEERCRED"):
        return -1
    with contextlib.suppress(OSError):
        data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", data)[1])
    return -1


def _document(params: dict[str, Any]) -> dict[str, Any]:
    document = params.get("document")
    if not isinstance(document, dict):
        raise InvalidArgumentsError("document has to be an object")
    return document


def _text(params: Mapping[str, Any], name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str):
        raise InvalidArgumentsError(f"{name} is missing")
    return value


def _plugin(host: "Host", params: Mapping[str, Any]) -> InstalledPlugin:
    return host.store.plugin(_text(params, "plugin"))


def _described(host: "Host", plugin: InstalledPlugin) -> list[dict[str, Any]]:
    return host.permissions.describe(plugin, host.wording.of(plugin.plugin_id))


def _texts(params: Mapping[str, Any], name: str) -> list[str]:
    given = params.get(name)
    if not isinstance(given, list) or not given or not all(isinstance(text, str) for text in given):
        raise InvalidArgumentsError(f"{name} is missing")
    return given


def _permissions(params: Mapping[str, Any]) -> list[Permission]:
    """Return the permissions that are named; all are read before the first is changed."""
    return [Permission.parse(text) for text in _texts(params, "permissions")]
