"""A codec for the first frames of a worker, in plain Python, until loading msgpack's compiled one pays.

That takes longer to import than all else that a worker needs, and brings `datetime` and `collections`. A
plugin that answers now and then does without: its frames are few and small. Whatever this does not know (a
large frame, an extension, a value that cannot be sent) is left to msgpack, which is there from then on; so
what can be sent, and how it is refused, is one thing.

Source: the specification of MessagePack, format by format.
"""

from time import monotonic

from viloapp_sdk import _wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["begin", "packb", "unpackb"]

MOST_BYTES = 4096
"""Of a frame, of a text, and items of a list: more are msgpack's."""
MOST_DEPTH = 16
MOST_FRAMES = 32
"""That arrive within `WINDOW_S`: when there are more, decoding them takes longer than loading msgpack."""
WINDOW_S = 1.0


class _UnknownError(Exception):
    """This is msgpack's to judge."""


_since = 0.0
_frames = 0


def begin() -> None:
    """Use this codec in this process until there is reason for the other."""
    _wire.use_codec(packb, unpackb)


def packb(value: "Any", in_place: bool = False) -> "Any":
    """Encode a value as `msgpack.packb` does; what is not for this codec as msgpack's in `_wire` does."""
    out = bytearray()
    try:
        _encode(value, out, 0)
    except (_UnknownError, UnicodeEncodeError):
        return _wire.load_codec()[0](value, in_place)
    return bytes(out)


def unpackb(body: "Any", strict_map_key: bool = False) -> "Any":
    """Decode a value as `msgpack.unpackb` does."""
    if _quiet() and len(body) <= MOST_BYTES and (known := _decoded(body)) is not None:
        return known[0]
    try:
        unpack = _wire.load_codec()[1]
    except (ImportError, OSError):  # no file handle is left to load it with; a plugin must not end of that
        if (known := _decoded(body)) is None:
            raise
        return known[0]
    return unpack(body, strict_map_key=strict_map_key)


def _decoded(body: "Any") -> "tuple[Any] | None":
    """Return the value, in a tuple; None when it is msgpack's to judge."""
    try:
        value, end = _decode(bytes(body), 0, 0)
    except (_UnknownError, IndexError, UnicodeDecodeError, TypeError):
        return None
    return (value,) if end == len(body) else None


def _quiet() -> bool:
    """Count a frame; tell whether they come slowly."""
    global _since, _frames
    now = monotonic()
    if now - _since > WINDOW_S:
        _since, _frames = now, 0
    _frames += 1
    return _frames <= MOST_FRAMES


def _encode(value: "Any", out: bytearray, depth: int) -> None:
    kind = type(value)
    if kind is str:
        data = value.encode()
        _head(out, len(data), 0xA0, 32, (0xD9, 0xDA))
        out += data
    elif value is None or kind is bool:
        out.append(0xC0 if value is None else 0xC3 if value else 0xC2)
    elif kind is int:
        _encode_int(value, out)
    elif depth == MOST_DEPTH:
        raise _UnknownError
    elif kind is dict:
        _head(out, len(value), 0x80, 16, (0, 0xDE))
        for key, item in value.items():
            _encode(key, out, depth + 1)
            _encode(item, out, depth + 1)
    elif kind is list or kind is tuple:
        _head(out, len(value), 0x90, 16, (0, 0xDC))
        for item in value:
            _encode(item, out, depth + 1)
    elif kind is bytes:
        _head(out, len(value), 0, 0, (0xC4, 0xC5))
        out += value
    elif kind is float:
        from struct import pack

        out += b"\xcb" + pack(">d", value)
    else:
        raise _UnknownError


def _head(out: bytearray, count: int, fixed: int, below: int, marks: "tuple[int, int]") -> None:
    """Write how long something is: in the mark itself, or in one byte or two after it."""
    if count > MOST_BYTES:
        raise _UnknownError
    if count < below:
        out.append(fixed + count)
    elif count < 256 and marks[0]:
        out.append(marks[0])
        out.append(count)
    else:
        out.append(marks[1])
        out += count.to_bytes(2, "big")


def _encode_int(value: int, out: bytearray) -> None:
    if -32 <= value < 128:
        out.append(value & 0xFF)
        return
    first, bits = (0xCC, 0) if value >= 0 else (0xD0, 1)
    for power in range(4):  # of 1, 2, 4 and 8 bytes
        size = 1 << power
        if -(1 << (8 * size - 1)) <= value < 1 << (8 * size - bits):
            out.append(first + power)
            out += value.to_bytes(size, "big", signed=bool(bits))
            return
    raise _UnknownError


def _decode(data: bytes, at: int, depth: int) -> "tuple[Any, int]":
    """Return the value that begins there, and where it ends; beyond the data when that is too short."""
    mark = data[at]
    at += 1
    if mark < 0x80:
        return mark, at
    if mark >= 0xE0:
        return mark - 256, at
    if mark < 0xC0:
        if mark >= 0xA0:
            end = at + (mark & 31)
            return data[at:end].decode(), end
        return _items(data, at, mark & 15, depth, mark < 0x90)
    if mark in _CONSTANTS:
        return _CONSTANTS[mark], at
    known = _SIZED.get(mark)
    if known is None:
        raise _UnknownError
    kind, size = known
    end = at + size
    number = int.from_bytes(data[at:end], "big", signed=kind == "signed")
    if kind in ("signed", "unsigned"):
        return number, end
    if kind in ("map", "list"):
        return _items(data, end, number, depth, kind == "map")
    if kind == "float":
        return _float(number), end
    at, end = end, end + number
    return data[at:end].decode() if kind == "text" else data[at:end], end


def _items(data: bytes, at: int, count: int, depth: int, pairs: bool) -> "tuple[Any, int]":
    if depth == MOST_DEPTH:
        raise _UnknownError
    items = []
    for _ in range(2 * count if pairs else count):
        item, at = _decode(data, at, depth + 1)
        items.append(item)
    if pairs:
        return dict(zip(items[::2], items[1::2])), at  # noqa: B905 - as many of each
    return items, at


def _float(bits: int) -> float:
    """Return the number whose 64 bits these are; `struct` would be a library of its own to load.

    Source: IEEE 754, binary64.
    """
    exponent, fraction = bits >> 52 & 0x7FF, bits & (1 << 52) - 1
    if exponent == 0x7FF:
        raise _UnknownError  # infinite, or not a number
    sign, whole = "-" if bits >> 63 else "", 1 if exponent else 0
    return float.fromhex(f"{sign}0x{whole}.{fraction:013x}p{(exponent or 1) - 1023}")


_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
# The kind of what follows the mark, and in how many bytes its value or its length stands.
_SIZED = {
    0xC4: ("bytes", 1),
    0xC5: ("bytes", 2),
    0xC6: ("bytes", 4),
    0xCB: ("float", 8),
    0xCC: ("unsigned", 1),
    0xCD: ("unsigned", 2),
    0xCE: ("unsigned", 4),
    0xCF: ("unsigned", 8),
    0xD0: ("signed", 1),
    0xD1: ("signed", 2),
    0xD2: ("signed", 4),
    0xD3: ("signed", 8),
    0xD9: ("text", 1),
    0xDA: ("text", 2),
    0xDB: ("text", 4),
    0xDC: ("list", 2),
    0xDD: ("list", 4),
    0xDE: ("map", 2),
    0xDF: ("map", 4),
}
