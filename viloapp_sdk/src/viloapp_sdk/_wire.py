"""The wire between a host and a worker: frames of msgpack behind a length.

A frame is a little-endian u32 length and a msgpack array whose first item is its kind::

    [REQUEST, id, method, params]      [RESPONSE, id, result]      [ERROR, id, {code, detail, hint}]
    [EVENT, name, data]                [CANCEL, id]
    [HELLO, {"protocol": 1, "protocols": [1, 1], …}]

Both sides send `HELLO` first, and speak the newest version that both know (`agreed`). Ids belong to the
side that asks. The same code runs on both ends, so it stays free of everything that a lean worker should
not import. docs/reference/versions.md has the rule of versions.

    >>> buffer = FrameBuffer()
    >>> buffer.feed(pack([EVENT, "theme.changed", {"theme": "dark"}]))
    >>> buffer.take()
    [3, 'theme.changed', {'theme': 'dark'}]
"""

import os

from viloapp_sdk.errors import FrameError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Oldest and newest version of the wire that this code speaks.
PROTOCOLS = (1, 1)

REQUEST, RESPONSE, ERROR, EVENT, CANCEL, HELLO = range(6)
_LENGTHS = {REQUEST: 4, RESPONSE: 3, ERROR: 3, EVENT: 3, CANCEL: 2, HELLO: 2}

# The event with which a host asks for a profile, and the one in which the worker answers. Neither is a
# request, so that nothing waits behind it or counts as a call.
PROFILE = "viloapp.profile"

# In a host's greeting: seconds that a worker may wait without sleeping, see `Channel._stay_awake`.
AWAKE = "awake_s"

# With this event a worker says that a stream is over: ``[ticket, None or {code, detail, hint}]``.
# Its bytes come over a socket of its own, whose other end the host has handed over under that ticket.
STREAM = "viloapp.stream"

# Bytes of one frame. Bulk data belongs in files or streams; a bound keeps a peer from filling our memory.
MAX_FRAME = 16 * 1024 * 1024
_READ_SIZE = 64 * 1024

# The signal upon which a worker writes to its log where each of its threads is: a real-time one, which
# libraries do not use, and which ends a worker of an older SDK. Source: signal(7).
TRACE_SIGNAL = 50

# On the bulk socket: each packet is a ticket, little-endian, with one descriptor; the answer of the call that
# asked for the descriptor names the ticket.
TICKET_BYTES = 8

# A packer that has packed more than this has a buffer that is not worth keeping.
_PACKER_KEPT = 256 * 1024


def greeting(**more: "Any") -> "list[Any]":
    """Return the frame that both sides send first.

    ``protocol`` is the oldest version that we speak: all that the first release asks of it is that it is 1.

    Args:
        more: what else to say of this side; whoever does not know a key passes over it.
    """
    return [HELLO, {"protocol": PROTOCOLS[0], "protocols": list(PROTOCOLS), **more}]


def agreed(hello: "dict[str, Any]") -> int:
    """Return the version of the wire to speak with a peer: the newest that both know; 0 when there is none.

    >>> agreed({"protocol": 1}), agreed({"protocol": 1, "protocols": [1, 9]}), agreed({"protocol": 9})
    (1, 1, 0)
    """
    oldest, newest = spoken(hello)
    version = min(newest, PROTOCOLS[1])
    return version if version >= max(oldest, PROTOCOLS[0]) else 0


def spoken(hello: "dict[str, Any]") -> "tuple[int, int]":
    """Return oldest and newest version that a peer says it speaks; ``(0, 0)`` for what makes no sense."""
    told = hello.get("protocols")
    if told is None:  # of the first release, which knew one
        told = [hello.get("protocol")] * 2
    if type(told) is not list or len(told) != 2 or any(type(each) is not int for each in told):
        return (0, 0)
    return (told[0], told[1]) if 0 < told[0] <= told[1] else (0, 0)


def in_words(versions: "tuple[int, int]") -> str:
    """Return versions of the wire for people."""
    oldest, newest = versions
    if not oldest:
        return "no version of the wire that can be read"
    return f"wire {oldest}" if oldest == newest else f"wire {oldest} to {newest}"


# -- the codec: msgpack's, once there is something to code ----------------------------------------------


def use_codec(packb: "Callable[..., bytes]", unpackb: "Callable[..., Any]") -> None:
    """Code with these, which are called as msgpack's are."""
    global _packb, _unpackb
    _packb, _unpackb = packb, unpackb


def load_codec() -> "tuple[Callable[..., bytes], Callable[..., Any]]":
    """Code with msgpack's from now on, and return them."""
    import msgpack  # type: ignore[import-untyped]  # it has no stubs

    packb = _reusing(msgpack.Packer)
    use_codec(packb, msgpack.unpackb)
    return packb, msgpack.unpackb


def _reusing(new: "Callable[[], Any]") -> "Callable[[Any], bytes]":
    """Return what packs as msgpack's `packb` does, without a new packer and its buffer for each value."""
    # `pop` and `append` are atomic: threads pack at once, and what is packed may itself run code that packs.
    resting: list[Any] = []

    def packb(value: "Any") -> bytes:
        try:
            packer = resting.pop()
        except IndexError:
            packer = new()
        # Where this fails, the packer and the half that it holds are dropped.
        body: bytes = packer.pack(value)
        if len(body) <= _PACKER_KEPT:
            resting.append(packer)
        return body

    return packb


def _packb(value: "Any") -> bytes:
    return load_codec()[0](value)


def _unpackb(body: "Any", strict_map_key: bool) -> "Any":
    return load_codec()[1](body, strict_map_key=strict_map_key)


# -- frames ----------------------------------------------------------------------------------------------


def pack(frame: "list[Any] | tuple[Any, ...]") -> bytes:
    """Encode one frame with its length.

    Raises:
        FrameError: a value cannot be sent, or the frame is larger than `MAX_FRAME` bytes.
    """
    try:
        body: bytes = _packb(frame)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise FrameError(
            f"a value cannot be sent: {error}", "send None, bool, int, float, str, bytes, list or dict"
        ) from None
    if len(body) > MAX_FRAME:
        raise FrameError(
            f"a frame of {len(body)} bytes is over the limit of {MAX_FRAME}", "send it in parts, or as a file"
        )
    return len(body).to_bytes(4, "little") + body


class FrameBuffer:
    """Reassembles frames from a byte stream into one reused buffer.

    Args:
        max_frame: bytes a peer may announce for one frame.

    Attributes:
        end: where what was read ends in the buffer; 0 when all was taken.
    """

    __slots__ = ("_buffer", "_max_frame", "_start", "_view", "end")

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max_frame = max_frame
        self._buffer = bytearray(_READ_SIZE)
        self._view = memoryview(self._buffer)
        self._start = 0
        self.end = 0

    def read_from(self, fd: int) -> int:
        """Read once from ``fd``; return the number of bytes, 0 at its end.

        Raises:
            BlockingIOError: ``fd`` is non-blocking and has nothing.
        """
        end = self.end
        count = os.readv(fd, (self._view[end:] if end else self._view,))
        self.end = end + count
        return count

    def receive(self, fd: int) -> "list[Any] | None":
        """Read once from ``fd``, of which all before was taken; return the first frame if it is here.

        Raises:
            BlockingIOError: ``fd`` is non-blocking and has nothing.
            EOFError: it is at its end.
            FrameError: see `take`.
        """
        count = os.readv(fd, (self._view,))
        if count < 4:
            if not count:
                raise EOFError
            self.end = count
            return self.take()
        size = int.from_bytes(self._buffer[:4], "little")
        if count != size + 4 or size > self._max_frame:  # a part, more than one, or too much
            self.end = count
            return self.take()
        return _unpack(self._view[4:count])

    def feed(self, data: bytes) -> None:
        """Append bytes that were read elsewhere."""
        self._reserve(len(data))
        self._view[self.end : self.end + len(data)] = data
        self.end += len(data)

    def take(self) -> "list[Any] | None":
        """Return the next whole frame, or None when more bytes are needed.

        Raises:
            FrameError: the peer announced too large a frame, or sent one that is none.
        """
        start, end = self._start, self.end
        if start == end:
            return None
        body = start + 4
        if body > end:
            self._reserve(body - end)
            return None
        size = int.from_bytes(self._buffer[start:body], "little")
        if size > self._max_frame:
            raise FrameError(f"the peer announced a frame of {size} bytes; the limit is {self._max_frame}")
        after = body + size
        if after > end:
            self._reserve(after - end)
            return None
        frame = _unpack(self._view[body:after])
        if after != end:
            self._start = after
            return frame
        self._start = self.end = 0
        if len(self._buffer) > 4 * _READ_SIZE:  # one large frame must not pin memory for good
            self._replace(_READ_SIZE)
        return frame

    def _reserve(self, count: int) -> None:
        """Make room for ``count`` more bytes after the end."""
        if len(self._buffer) - self.end >= count:
            return
        used = self.end - self._start
        self._replace(max(used + count, _READ_SIZE))

    def _replace(self, size: int) -> None:
        """Move what is unread to the front of a buffer of ``size`` bytes."""
        # A new buffer: a bytearray with live views cannot be resized.
        buffer = bytearray(size)
        used = self.end - self._start
        buffer[:used] = self._view[self._start : self.end]
        self._buffer = buffer
        self._view = memoryview(buffer)
        self._start, self.end = 0, used


def _unpack(body: "memoryview") -> "list[Any]":
    try:
        frame: list[Any] = _unpackb(body, strict_map_key=False)
        kind = frame[0]
        # True and 1.0 are kinds to a dict, and none to us.
        known = type(kind) is int and type(frame) is list and _LENGTHS.get(kind) == len(frame)
    except Exception as error:  # msgpack raises ValueError and several kinds of its own
        raise FrameError(f"the peer sent bytes that are no frame: {type(error).__name__}") from None
    if not known:
        raise FrameError("the peer sent a frame of no known kind")
    if kind < EVENT and type(frame[1]) is not int:
        raise FrameError("the peer sent a frame whose id is no integer")
    return frame
