"""Unpacking members in pieces, believing nothing that is declared about them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from viloapp_core.store.audit.directory import MalformedError, Member

__all__ = ["DEFLATED", "STORED", "chunks", "content"]

STORED, DEFLATED = 0, 8
_CHUNK = 256 * 1024


def chunks(stream: BinaryIO, member: Member, start: int) -> Iterator[bytes]:
    """Yield a member's content; never more bytes than it declares, each piece of bounded size.

    Args:
        stream: the archive.
        member: of which to read.
        start: where its packed bytes start.

    Raises:
        MalformedError: it is damaged, or not of the declared size or checksum.
    """
    size = crc = 0
    pieces = _stored(stream, member, start) if member.method == STORED else _inflated(stream, member, start)
    for piece in pieces:
        size += len(piece)
        if size > member.size:
            raise MalformedError(f"unpacks to more than the {member.size} bytes that it declares")
        crc = zlib.crc32(piece, crc)
        yield piece
    if size != member.size:
        raise MalformedError(f"unpacks to {size} bytes, not to the {member.size} that it declares")
    if crc != member.crc:
        raise MalformedError("its checksum is wrong")


def content(stream: BinaryIO, member: Member, start: int, most: int) -> bytes:
    """Return a member's whole content.

    Raises:
        MalformedError: it is damaged, or has more than `most` bytes.
    """
    if member.size > most:
        raise MalformedError(f"has {member.size} bytes, more than {most}")
    return b"".join(chunks(stream, member, start))


def _packed(stream: BinaryIO, member: Member, start: int) -> Iterator[bytes]:
    stream.seek(start)
    left = member.packed
    while left:
        piece = stream.read(min(left, _CHUNK))
        if not piece:
            raise MalformedError("is cut off")
        left -= len(piece)
        yield piece


_stored = _packed


def _inflated(stream: BinaryIO, member: Member, start: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for packed in _packed(stream, member, start):
            if unpacker.eof:
                raise MalformedError("has bytes behind its end")
            while packed:
                yield unpacker.decompress(packed, _CHUNK * 4)
                packed = unpacker.unconsumed_tail
            if unpacker.unused_data:
                raise MalformedError("has bytes behind its end")
        # What zlib still holds is bounded by its window; it grows with no further input.
        while not unpacker.eof and (piece := unpacker.decompress(b"", _CHUNK)):
            yield piece
    except zlib.error as error:
        raise MalformedError(f"cannot be unpacked: {error}") from error
    if not unpacker.eof:
        raise MalformedError("is cut off")
