"""What no member of a wheel may be, by what the archive declares of it."""

from __future__ import annotations

import stat
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from viloapp_core.store.audit import bounds
from viloapp_core.store.audit.contents import DEFLATED, STORED
from viloapp_core.store.audit.directory import ENCRYPTED, Member
from viloapp_core.store.audit.names import shown

__all__ = ["declared_issues", "view_issues"]

# The mark of a folder in the file attributes of DOS.
_DOS_FOLDER = 0x10


def declared_issues(members: Sequence[Member]) -> Iterator[str]:
    """Yield why members may not be unpacked at all: kind, packing, size, or standing there twice."""
    for name, count in Counter(member.name for member in members).items():
        if count > 1:
            yield f"{shown(name)}: is there {'twice' if count == 2 else f'{count} times'}"
    for member in members:
        for issue in (member.issue, _kind_issue(member), _packing_issue(member), _size_issue(member)):
            if issue:
                yield f"{shown(member.name)}: {issue}"
    size, packed = sum(member.size for member in members), sum(member.packed for member in members)
    if size > bounds.UNPACKED_BYTES:
        yield f"unpacks to {size} bytes, more than {bounds.UNPACKED_BYTES}"
    if _is_bomb(size, packed):
        yield f"unpacks {packed} bytes to {size}, more than {bounds.RATIO} times as many"


def view_issues(stream: BinaryIO, members: Sequence[Member]) -> list[str]:
    """Return whether the module which unpacks the wheel sees other members than these."""
    try:
        with zipfile.ZipFile(stream) as archive:
            seen = [
                (info.filename, info.header_offset, info.compress_size, info.file_size)
                for info in archive.infolist()
            ]
    except (zipfile.BadZipFile, NotImplementedError) as error:
        return [f"cannot be unpacked: {error}"]
    if seen != [(member.name, member.offset, member.packed, member.size) for member in members]:
        return ["has more than one reading"]
    return []


def _kind_issue(member: Member) -> str:
    kind = stat.S_IFMT(member.attributes >> 16)
    if kind == stat.S_IFLNK:
        return "is a link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a special file"
    marked = kind == stat.S_IFDIR or bool(member.attributes & _DOS_FOLDER)
    if member.is_folder and member.size:
        return "is a folder with content"
    if (marked and not member.is_folder) or (kind == stat.S_IFREG and member.is_folder):
        return "is a folder by one mark and a file by another"
    return ""


def _packing_issue(member: Member) -> str:
    if member.flags & ENCRYPTED:
        return "is encrypted"
    if member.method not in (STORED, DEFLATED):
        return f"is packed with neither deflate nor store, but with method {member.method}"
    if member.method == STORED and member.packed != member.size:
        return f"is stored in {member.packed} bytes and declares {member.size}"
    return ""


def _size_issue(member: Member) -> str:
    if member.size > bounds.MEMBER_BYTES:
        return f"unpacks to {member.size} bytes, more than {bounds.MEMBER_BYTES}"
    if _is_bomb(member.size, member.packed):
        return f"unpacks {member.packed} bytes to {member.size}, more than {bounds.RATIO} times as many"
    return ""


def _is_bomb(size: int, packed: int) -> bool:
    return size > bounds.RATIO_FROM_BYTES and size > bounds.RATIO * packed
