"""Block lists in the store: read at every start, verified when they are taken."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path

from viloapp_core.trust.blocks import BlockList, Blocks, read_list
from viloapp_core.trust.book import Book, ListSource
from viloapp_core.trust.errors import TrustFileError

MAX_LIST_BYTES = 8 << 20


def load_lists(book: Book, folder: Path, now: datetime) -> Blocks:
    """Return every list that the book has, as it was verified when it was taken.

    Args:
        book: has the hash of each.
        folder: ``trust/`` of the store.
        now: the time; a list that has expired is warned of and still blocks.

    Raises:
        TrustFileError: a list is missing or was changed; nothing can be said then of what is blocked.
    """
    lists, warnings = [], []
    for name, source in sorted(book.block_lists.items()):
        listed = _load(name, source, folder)
        lists.append(listed)
        if now > listed.expires:
            warnings.append(
                f"the block list {name} expired on {listed.expires:%Y-%m-%d} and still blocks; "
                "viloapp trust block-list refresh takes a new one"
            )
    return Blocks(tuple(lists), tuple(warnings))


def list_path(folder: Path, sha256: str) -> Path:
    """Return where a list is kept."""
    return folder / f"blocks-{sha256}.json"


def _load(name: str, source: ListSource, folder: Path) -> BlockList:
    path, hint = list_path(folder, source.sha256), f"viloapp trust block-list refresh {name}"
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        raise TrustFileError(
            f"the block list {name} cannot be read: {path}: {error.strerror}", hint
        ) from error
    if hashlib.sha256(data).hexdigest() != source.sha256:
        raise TrustFileError(f"the block list {name} was changed: {path} has another SHA-256", hint)
    try:
        return read_list(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise TrustFileError(f"the block list {name} cannot be used: {error}", hint) from error
