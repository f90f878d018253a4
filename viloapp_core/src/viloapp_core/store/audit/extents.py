"""Where members lie in the archive: one behind the other from its first byte, each told the same twice.

Members that overlap are how one small archive unpacks to petabytes; bytes between them are how it is two
archives at once.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import BinaryIO

from viloapp_core.store.audit.directory import (
    ENCRYPTED,
    HAS_DESCRIPTOR,
    MalformedError,
    Member,
    extra_fields,
)
from viloapp_core.store.audit.names import shown

__all__ = ["locate"]

_LOCAL = struct.Struct("<4s5H3I2H")
_U32 = 0xFFFFFFFF
_ZIP64 = 0x0001
_UTF8 = 0x0800


def locate(stream: BinaryIO, members: Sequence[Member], end: int) -> tuple[dict[int, int], list[str]]:
    """Return where each member's packed bytes start, by the offset of the member, and what is wrong.

    Args:
        stream: the archive.
        members: as its directory has them.
        end: where the directory starts.
    """
    starts: dict[int, int] = {}
    issues: list[str] = []
    ordered = sorted(members, key=lambda member: member.offset)
    if ordered and ordered[0].offset != 0:
        issues.append(f"{ordered[0].offset} bytes stand before the first member")
    for number, member in enumerate(ordered):
        following = ordered[number + 1] if number + 1 < len(ordered) else None
        next_at = following.offset if following is not None else end
        try:
            start = _local_header(stream, member)
            _check_end(stream, member, start, next_at, following)
        except MalformedError as error:
            issues.append(f"{shown(member.name)}: {error}")
        else:
            starts[member.offset] = start
    return starts, issues


def _local_header(stream: BinaryIO, member: Member) -> int:
    """Compare a member's own header with the directory; return where its packed bytes start."""
    stream.seek(member.offset)
    data = stream.read(_LOCAL.size)
    if len(data) != _LOCAL.size or not data.startswith(b"PK\3\4"):
        raise MalformedError("is not where the directory says")
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(data)
    name, extra = stream.read(name_length), stream.read(extra_length)
    if len(name) != name_length or len(extra) != extra_length:
        raise MalformedError("is not where the directory says")
    if name != member.raw_name:
        other = shown(name.decode("utf-8", "backslashreplace"))
        raise MalformedError(f"its own header and the directory disagree on the name: {other}")
    wide = extra_fields(extra).get(_ZIP64)
    if wide is not None and (packed == _U32 or size == _U32):
        if len(wide) < 16:
            raise MalformedError("has a damaged 64-bit size")
        size, packed = struct.unpack_from("<2Q", wide)
    compared = {
        "compression": (method, member.method),
        "flags": (
            flags & (ENCRYPTED | HAS_DESCRIPTOR | _UTF8),
            member.flags & (ENCRYPTED | HAS_DESCRIPTOR | _UTF8),
        ),
    }
    for what, told, known in (
        ("checksum", crc, member.crc),
        ("packed size", packed, member.packed),
        ("size", size, member.size),
    ):
        # Behind a member that was written as a stream, the same follows in its descriptor.
        if not (flags & HAS_DESCRIPTOR and told == 0):
            compared[what] = (told, known)
    wrong = [what for what, (told, known) in compared.items() if told != known]
    if wrong:
        raise MalformedError(f"its own header and the directory disagree on its {', '.join(wrong)}")
    return member.offset + _LOCAL.size + len(name) + len(extra)


def _check_end(stream: BinaryIO, member: Member, start: int, next_at: int, following: Member | None) -> None:
    """Check that the next member, or the directory, begins where this one ends."""
    gap = next_at - (start + member.packed)
    if gap < 0:
        where = f"overlaps {shown(following.name)}" if following is not None else "overlaps the directory"
        raise MalformedError(where)
    if not member.flags & HAS_DESCRIPTOR:
        if gap:
            raise MalformedError(f"{gap} bytes behind it belong to no member")
        return
    stream.seek(start + member.packed)
    descriptor = stream.read(min(gap, 24))
    forms = [
        signature + struct.pack(shape, member.crc, member.packed, member.size)
        for signature in (b"PK\7\x08", b"")
        for shape in ("<3I", "<I2Q")
        if shape == "<I2Q" or max(member.packed, member.size) < _U32
    ]
    if gap > 24 or descriptor not in forms:
        raise MalformedError("the descriptor behind it disagrees with the directory")
