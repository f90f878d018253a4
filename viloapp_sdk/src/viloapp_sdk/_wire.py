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
# What a buffer for reading has at first. What many frames filled, or one did not fit in, has `READ_MORE`
# from then on: a frame of 64 KiB, which is a common size, and its head are read at once.
_READ_SIZE = 16 * 1024
READ_MORE = 96 * 1024
# A buffer, for reading or of a packer, that is larger than the first may be used otherwise once a small frame
# comes through it: large ones tend to follow one another, and memory that the system makes anew for each,
# page by page, takes longer than all else. A plugin that nobody calls is asked for its health, which is
# small. One that is larger than the second is given back at once.
_KEPT = 256 * 1024
_KEPT_MEANWHILE = 5 * 1024 * 1024
# A body of so many bytes is written out of the packer's own buffer.
_LARGE = 16 * 1024
BEGINNING = 4096

# The signal upon which a worker writes to its log where each of its threads is: a real-time one, which
# libraries do not use, and which ends a worker of an older SDK. Source: signal(7).
TRACE_SIGNAL = 50

# On the bulk socket: each packet is a ticket, little-endian, with one descriptor; the answer of the call that
# asked for the descriptor names the ticket.
TICKET_BYTES = 8


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
    global _size_at
    from struct import Struct  # msgpack has it loaded, and nothing before it

    import msgpack  # type: ignore[import-untyped]  # it has no stubs

    _size_at = Struct("<I").unpack_from
    packb = _reusing(msgpack.Packer)
    use_codec(packb, msgpack.unpackb)
    return packb, msgpack.unpackb


class Large:
    """A large frame, in the buffer of the packer that made it; `free` lets both be used again.

    It is written in two goes: to wake the reader takes about as long as to copy the rest, and they overlap.

    Args:
        packer: whose buffer it is.
        body: what that has packed.
        resting: where the packer goes.

    Attributes:
        begin: what to write first, together; `BEGINNING` bytes.
        rest: what to write then.
    """

    __slots__ = ("_body", "_packer", "_resting", "begin", "rest")

    def __init__(self, packer: "Any", body: memoryview, resting: "list[Any]") -> None:
        self._packer, self._body, self._resting = packer, body, resting
        self.begin = (len(body).to_bytes(4, "little"), body[: BEGINNING - 4])
        self.rest = body[BEGINNING - 4 :]

    def __len__(self) -> int:
        return 4 + len(self._body)

    def __bytes__(self) -> bytes:
        return b"".join((self.begin[0], self._body))

    def free(self) -> None:
        """Give the buffer back: everything is written, or copied. Nothing else may be done with it then."""
        global _swollen
        size = len(self._body)
        for view in (self.begin[1], self.rest, self._body):
            view.release()
        # Many may have been lent at once; and the small frame with which all would be dropped may be over.
        if len(self._resting) < _MOST_KEEPING and (size <= _KEPT or (_large and size <= _KEPT_MEANWHILE)):
            self._packer.reset()
            self._resting.append(self._packer)
            if size > _KEPT:
                _swollen = True  # once it is there: another thread may be about to drop them


# `pop` and `append` are atomic: threads pack at once, and what is packed may itself run code that packs.
_resting: "list[Any]" = []  # packers that copy what they have packed, which is the fastest for what is small
_keeping: "list[Any]" = []  # packers that lend it
_large = False  # what was packed last: large frames come one after another
_MOST_KEEPING = 2
_swollen = False  # whether one of those that lend may have a buffer of more than `_KEPT`


def _reusing(new: "Callable[..., Any]") -> "Callable[..., Any]":
    """Return what packs as msgpack's `packb` does, without a new packer and its buffer for each value."""

    def packb(value: "Any", in_place: bool = False) -> "bytes | Large":
        if _large and in_place:
            return lend(value)
        try:
            packer = _resting.pop()
        except IndexError:
            packer = new()
        # Where this fails, the packer and the half that it holds are dropped.
        body: bytes = packer.pack(value)
        _rest(packer, len(body), in_place)
        return body

    def lend(value: "Any") -> "bytes | Large":
        global _large, _swollen
        try:
            packer = _keeping.pop()
        except IndexError:
            packer = new(autoreset=False)
        packer.pack(value)
        body = packer.getbuffer()
        if len(body) >= _LARGE:
            return Large(packer, body, _keeping)
        _large = False
        copy = bytes(body)
        body.release()
        if _swollen:
            _swollen = False
            _keeping.clear()
            return copy
        packer.reset()
        _keeping.append(packer)
        return copy

    return packb


def _rest(packer: "Any", size: int, in_place: bool) -> None:
    """Keep a packer that has packed so many bytes, if it is worth it."""
    global _large
    if size >= _LARGE and in_place:
        _large = True
    if size <= _KEPT:
        _resting.append(packer)


def _packb(value: "Any", in_place: bool = False) -> "Any":
    return load_codec()[0](value, in_place)


def _unpackb(body: "Any", strict_map_key: bool) -> "Any":
    return load_codec()[1](body, strict_map_key=strict_map_key)


def _first_sizes(view: "Any", start: int) -> "tuple[int]":
    return (int.from_bytes(view[start : start + 4], "little"),)


# Tells the length of a frame that begins at a place of a buffer, in a tuple; faster once there is `struct`.
_size_at: "Callable[[Any, int], tuple[Any, ...]]" = _first_sizes


# -- frames ----------------------------------------------------------------------------------------------


def pack(frame: "list[Any] | tuple[Any, ...]") -> bytes:
    """Encode one frame with its length.

    Raises:
        FrameError: a value cannot be sent, or the frame is larger than `MAX_FRAME` bytes.
    """
    return bytes(encode(frame, in_place=False))


def encode(frame: "list[Any] | tuple[Any, ...]", in_place: bool = True) -> "bytes | Large":
    """Encode one frame with its length; a large one where it was encoded, to be given back with `Large.free`.

    Raises:
        FrameError: see `pack`.
    """
    try:
        if _large:
            body = _packb(frame, in_place)
        else:
            try:
                packer = _resting.pop()
            except IndexError:  # the first, or other threads encode as well
                body = _packb(frame, in_place)
            else:
                body = packer.pack(frame)
                if len(body) < _LARGE:  # as nearly always
                    _resting.append(packer)
                    return len(body).to_bytes(4, "little") + body  # type: ignore[no-any-return]
                _rest(packer, len(body), in_place)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise FrameError(
            f"a value cannot be sent: {error}", "send None, bool, int, float, str, bytes, list or dict"
        ) from None
    if len(body) > MAX_FRAME:
        raise FrameError(
            f"a frame of {len(body)} bytes is over the limit of {MAX_FRAME}", "send it in parts, or as a file"
        )
    return len(body).to_bytes(4, "little") + body if type(body) is bytes else body


class FrameBuffer:
    """Reassembles frames from a byte stream into one reused buffer.

    Args:
        max_frame: bytes a peer may announce for one frame.
        first: bytes that it holds at first, for many small frames.

    Attributes:
        end: where what was read ends in the buffer; 0 when all was taken.
    """

    __slots__ = ("_first", "_max_frame", "_start", "_view", "end")

    def __init__(self, max_frame: int = MAX_FRAME, first: int = _READ_SIZE) -> None:
        self._max_frame = max_frame
        self._first = first
        self._view = _memory(first)
        self._start = 0
        self.end = 0

    @property
    def size(self) -> int:
        """Bytes that it holds at present, used or not."""
        return len(self._view)

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
        view = self._view
        count = os.readv(fd, (view,))
        if count < 4:
            if not count:
                raise EOFError
            self.end = count
            return self.take()
        (size,) = _size_at(view, 0)
        if count == size + 4 and size <= self._max_frame and len(view) <= _KEPT:
            try:  # `_unpack`, in fewer steps; what that would refuse is left to it
                frame: list[Any] = _unpackb(view[4:count], strict_map_key=False)
                kind = frame[0]
                known = type(frame) is list and type(kind) is int and _LENGTHS[kind] == len(frame)
                if known and (kind >= EVENT or type(frame[1]) is int):
                    return frame
            except Exception:
                pass  # what is no frame is decoded again, and refused
        self.end = count  # a part, more than one, or too much
        return self.take()

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
        (size,) = _size_at(self._view, start)
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
        held = len(self._view)
        if held > _KEPT:
            if size <= _KEPT or held > _KEPT_MEANWHILE:
                self._replace(self._first)
        elif end == len(self._view) < READ_MORE:  # there was more than this
            self._replace(READ_MORE)
        return frame

    def take_some(self, most: int) -> "list[list[Any]]":
        """Return the next whole frames, none when more bytes are needed.

        Args:
            most: how many at most.

        Raises:
            FrameError: see `take`; when there are frames before, they are returned, and the next raises it.
        """
        frames: list[list[Any]] = []
        start, end, view = self._start, self.end, self._view
        size_at, unpack, lengths = _size_at, _unpackb, _LENGTHS
        after = start
        # Nothing in a buffer that is no larger than the largest frame is too large.
        for _ in range(most if len(view) <= self._max_frame else 0):
            try:  # `_unpack`, in fewer steps; what that would refuse is left to it
                after = start + 4 + size_at(view, start)[0]
                if after >= end:  # also the last, with which a buffer is seen to
                    break
                frame = unpack(view[start + 4 : after], strict_map_key=False)
                kind = frame[0]
                if type(frame) is not list or type(kind) is not int or lengths[kind] != len(frame):
                    break
                if type(frame[1]) is not int and kind < EVENT:
                    break
            except Exception:
                break
            frames.append(frame)
            start = after
        self._start = start
        if not frames or after == end:
            try:
                frame = self.take()
            except FrameError:
                if not frames:
                    raise
                return frames
            if frame is not None:
                frames.append(frame)
        return frames

    def _reserve(self, count: int) -> None:
        """Make room for ``count`` more bytes after the end."""
        size = len(self._view)
        if size - self.end >= count:
            return
        used = self.end - self._start
        if used + count > size or size < READ_MORE:
            self._replace(max(used + count, READ_MORE))
            return
        self._view[:used] = self._view[self._start : self.end]
        self._start, self.end = 0, used

    def _replace(self, size: int) -> None:
        """Move what is unread to the front of a buffer of ``size`` bytes."""
        # A new buffer: one with live views cannot be resized.
        view = _memory(size)
        used = self.end - self._start
        view[:used] = self._view[self._start : self.end]
        self._view = view
        self._start, self.end = 0, used


# Where in its first page large memory to read into begins. Some processors copy many times slower to an
# address whose place in its page is 1 to 31 bytes after that of the source (23 us in place of 1.6 for 64 KiB,
# on an AMD EPYC). A pipe's bytes come from the beginning of a page, and what the C library allocates in pages
# of its own lies close to the beginning of one: half a page away is far from both.
_INTO_PAGE = 2048
_MALLOC_KEEPS = 192 * 1024


def _memory(size: int) -> memoryview:
    """Return memory to read into; much of it takes nothing before it is used."""
    if size <= _READ_SIZE:
        return memoryview(bytearray(size))
    try:
        from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
    except (ImportError, OSError):  # a process that may open no more files cannot load it, and must go on
        return memoryview(bytearray(size))

    # Large frames hold large values, which come and go. glibc gives what is free at the end of its heap, from
    # 128 KiB on, back to the system, which makes it anew page by page for the next; until it has once freed
    # something larger than that, after which it keeps twice as much. Source: mallopt(3), M_MMAP_THRESHOLD.
    bytes(_MALLOC_KEEPS)
    # A child that is forked has a copy of its own, as of all other memory.
    return memoryview(mmap(-1, _INTO_PAGE + size, MAP_PRIVATE | MAP_ANONYMOUS))[_INTO_PAGE:]


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
