"""The archive's directory, read strictly: one reading only is possible of what is accepted.

Installers disagree on archives that two parts of describe differently, so that what one audits another does
not unpack. An accepted wheel has no comment, nothing before, between or after its members, and local
headers that say what the directory says.

Source: APPNOTE.TXT 6.3.10, the .ZIP file format specification, sections 4.3.7 to 4.5.3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from viloapp_core.store.audit import bounds
from viloapp_core.store.audit.names import shown

__all__ = ["ENCRYPTED", "HAS_DESCRIPTOR", "MalformedError", "Member", "extra_fields", "read_directory"]

_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_ENTRY = struct.Struct("<4s2B5H3I5H2I")
_U16, _U32 = 0xFFFF, 0xFFFFFFFF

ENCRYPTED = 0x0001
HAS_DESCRIPTOR = 0x0008
_UTF8 = 0x0800
# The others stand for encryption, patches and masked headers; 0x6 is the effort of deflate.
_KNOWN_FLAGS = ENCRYPTED | 0x0006 | HAS_DESCRIPTOR | _UTF8
# Another name for the same member, for tools that look for it.
_UNICODE_PATH = 0x7075
_ZIP64 = 0x0001


class MalformedError(ValueError):
    """The archive has no one meaning; `audit` makes an issue of it."""


@dataclass(frozen=True)
class Member:
    """A file or folder of the archive, as the directory has it."""

    name: str
    raw_name: bytes
    offset: int
    packed: int
    """Declared size in the archive, in bytes."""
    size: int
    """Declared size unpacked, in bytes."""
    crc: int
    method: int
    flags: int
    attributes: int
    """External attributes: above bit 16 the mode of Unix."""
    issue: str
    """Why the entry itself cannot be accepted, or an empty string."""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, as every installer tells it: by its name."""
        return self.name.endswith("/")


def read_directory(stream: BinaryIO) -> tuple[list[Member], int]:
    """Return the members, as the directory lists them, and the offset where the directory starts.

    Raises:
        MalformedError: there is no directory, or more than one reading of it.
    """
    count, start, length = _end(stream)
    if count > bounds.MEMBERS:
        raise MalformedError(f"has {count} members, more than {bounds.MEMBERS}")
    if length > bounds.DIRECTORY_BYTES:
        raise MalformedError(f"its directory has {length} bytes, more than {bounds.DIRECTORY_BYTES}")
    stream.seek(start)
    data = stream.read(length)
    if len(data) != length:
        raise MalformedError("is cut off")
    members, position = [], 0
    for _ in range(count):
        member, position = _entry(data, position)
        members.append(member)
    if position != length:
        raise MalformedError(f"its directory has more than the {count} members that it declares")
    return members, start


def extra_fields(data: bytes) -> dict[int, bytes]:
    """Return extra fields by their id.

    Raises:
        MalformedError: they are damaged, or one that matters stands twice.
    """
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(data):
        if position + 4 > len(data):
            raise MalformedError("has a damaged extra field")
        identity, length = struct.unpack_from("<2H", data, position)
        position += 4
        value = data[position : position + length]
        position += length
        if len(value) != length or (identity == _ZIP64 and identity in fields):
            raise MalformedError("has a damaged extra field")
        fields[identity] = value
    return fields


def _end(stream: BinaryIO) -> tuple[int, int, int]:
    """Return how many members there are, and where the directory starts and how long it is."""
    size = stream.seek(0, 2)
    end_at = size - _END.size
    record = _read(stream, end_at, _END)
    if record is None or record[0] != b"PK\5\6" or record[7] != 0:
        raise MalformedError(
            "does not end as an archive does: it is none, has a comment, or something follows"
        )
    _, disk, first_disk, count_here, count, length, start, _ = record
    directory_end = end_at
    locator = _read(stream, end_at - _LOCATOR.size, _LOCATOR)
    if locator is not None and locator[0] == b"PK\6\7":
        directory_end = end_at - _LOCATOR.size - _END64.size
        record64 = _read(stream, directory_end, _END64)
        if record64 is None or record64[0] != b"PK\6\6" or locator[1:] != (0, directory_end, 1):
            raise MalformedError("has a damaged 64-bit end")
        wide = (record64[4], record64[5], record64[6], record64[7], record64[8], record64[9])
        narrow = (disk, first_disk, count_here, count, length, start)
        limits = (_U16, _U16, _U16, _U16, _U32, _U32)
        if record64[1] != _END64.size - 12 or any(
            value not in (other, limit) for value, other, limit in zip(narrow, wide, limits, strict=True)
        ):
            raise MalformedError("its two ends disagree")
        disk, first_disk, count_here, count, length, start = wide
    if disk or first_disk or count_here != count:
        raise MalformedError("is one part of several")
    if start + length != directory_end:
        raise MalformedError("has something before or behind its directory")
    return count, start, length


def _read(stream: BinaryIO, offset: int, shape: struct.Struct) -> tuple[Any, ...] | None:
    if offset < 0:
        return None
    stream.seek(offset)
    data = stream.read(shape.size)
    return shape.unpack(data) if len(data) == shape.size else None


def _entry(data: bytes, position: int) -> tuple[Member, int]:
    """Return the entry at a position, and the position behind it."""
    if position + _ENTRY.size > len(data):
        raise MalformedError("its directory is cut off")
    fields_of_entry = _ENTRY.unpack_from(data, position)
    signature, _, _, _, flags, method, _, _, crc, packed, size = fields_of_entry[:11]
    name_length, extra_length, comment_length, disk, _, attributes, offset = fields_of_entry[11:]
    if signature != b"PK\1\2":
        raise MalformedError("its directory is damaged")
    name_at = position + _ENTRY.size
    extra_at = name_at + name_length
    end = extra_at + extra_length + comment_length
    if end > len(data):
        raise MalformedError("its directory is cut off")
    raw_name = data[name_at:extra_at]
    name, issue = _decoded(raw_name, flags)
    try:
        fields = extra_fields(data[extra_at : extra_at + extra_length])
        size, packed, offset, disk = _widened(fields.get(_ZIP64), size, packed, offset, disk)
    except MalformedError as error:
        raise MalformedError(f"{shown(name)}: {error}") from error
    if _UNICODE_PATH in fields:
        issue = issue or "has a second name"
    if flags & ~_KNOWN_FLAGS:
        issue = issue or f"is packed in a way that wheels are not (flags {flags:#06x})"
    if disk:
        issue = issue or "is in another part of the archive"
    member = Member(name, raw_name, offset, packed, size, crc, method, flags, attributes, issue)
    return member, end


def _decoded(raw: bytes, flags: int) -> tuple[str, str]:
    """Return a name, and what is wrong with how it is written."""
    if raw.isascii():
        return raw.decode("ascii"), ""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "backslashreplace"), "its name is not UTF-8"
    return name, "" if flags & _UTF8 else "its name is not marked as UTF-8, so that tools read it differently"


def _widened(field: bytes | None, *values: int) -> Iterator[int]:
    """Replace each value that its 32 (or 16) bits cannot hold by the one of the 64-bit field."""
    limits = (_U32, _U32, _U32, _U16)
    widths = (8, 8, 8, 4)
    position = 0
    for value, limit, width in zip(values, limits, widths, strict=True):
        if field is not None and value == limit:
            chunk = field[position : position + width]
            if len(chunk) != width:
                raise MalformedError("has a damaged 64-bit size")
            position += width
            value = int.from_bytes(chunk, "little")
        yield value
