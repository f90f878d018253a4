"""Block lists in the store: verified when they are taken, read at every start."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from viloapp_core.foundation.clock import Clock, timestamp
from viloapp_core.foundation.files import write_atomic
from viloapp_core.trust.blocks import BlockList, Blocks, read_list
from viloapp_core.trust.book import Book, ListSource
from viloapp_core.trust.errors import RefreshError, TrustFileError
from viloapp_core.trust.policy import filled, mismatches
from viloapp_core.trust.publishers import Publisher
from viloapp_core.trust.signatures import Subject, recognize
from viloapp_core.trust.steps import FAILED

if TYPE_CHECKING:
    from viloapp_core.trust.keeper import TrustStore
    from viloapp_core.trust.roots import Authority

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


def take_list(
    keeper: TrustStore,
    source: str,
    data: bytes,
    signature: bytes,
    *,
    publisher: Publisher,
    authority: Authority,
    clock: Clock,
    name: str = "",
) -> BlockList:
    """Verify a list and let it count from now on.

    Args:
        keeper: where it is kept.
        source: the URL or file that it came from, for the next refresh.
        data: the list.
        signature: its sigstore bundle.
        publisher: who has to have signed it.
        authority: whose certificates and logs count.
        clock: for the time.
        name: of the list that it takes the place of; empty: whatever it is called.

    Raises:
        RefreshError: it is not signed by that publisher, is no list, is another one, or is older than the one
            that there is, which stays in force.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    publisher = _check_signature(source, data, signature, publisher, authority)
    try:
        listed = read_list(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise _refused(source, f"it is no block list: {error}") from error
    if name and listed.name != name:
        # Another list of the same publisher would leave this one as it is, without a word.
        raise _refused(source, f"it is the list {listed.name!r}, not {name!r}")

    def how(book: Book) -> Book:
        old = book.block_lists.get(listed.name)
        if old is not None:
            _check_newer(source, listed, sha256, publisher, old)
        write_atomic(list_path(keeper.folder, sha256), data)
        row = ListSource(source, publisher, sha256, _time(listed.issued), timestamp(clock))
        return replace(book, block_lists={**book.block_lists, listed.name: row})

    keeper.change(how)
    return listed


def drop_list(keeper: TrustStore, name: str) -> bool:
    """Let a list count no more; return whether there was one. What was seen of it is forgotten too."""
    found = False

    def how(book: Book) -> Book:
        nonlocal found
        found = name in book.block_lists
        rest = {key: row for key, row in book.block_lists.items() if key != name}
        return replace(book, block_lists=rest)

    keeper.change(how)
    return found


def _check_signature(
    source: str, data: bytes, signature: bytes, publisher: Publisher, authority: Authority
) -> Publisher:
    """Refuse what its publisher did not sign; return the publisher with the ids of whoever did."""
    from viloapp_core.trust.sigstore_port import establish

    subject = Subject("", "", source.rpartition("/")[2], hashlib.sha256(data).hexdigest())
    established = establish(subject, recognize(signature), authority.verifier())
    if failed := [one for one in established.steps if one.outcome == FAILED]:
        raise _refused(source, f"its signature does not hold, step {failed[0].number}: {failed[0].detail}")
    if established.signer is None or established.passed != len(established.steps):
        raise _refused(source, "its signature does not hold")
    if wrong := mismatches(established.signer, publisher):
        raise _refused(source, f"it is not signed by {publisher}: {'; '.join(wrong)}")
    return filled(publisher, established.signer)


def _check_newer(source: str, listed: BlockList, sha256: str, publisher: Publisher, old: ListSource) -> None:
    """Refuse an older list in place of a newer one, and another publisher's in place of this one's."""
    if old.publisher != publisher:
        raise _refused(source, f"the list {listed.name} is of {old.publisher}, and this one of {publisher}")
    seen = datetime.fromisoformat(old.issued)
    if listed.issued < seen or (listed.issued == seen and sha256 != old.sha256):
        raise _refused(
            source, f"it was issued on {_time(listed.issued)}, the one that there is on {old.issued}"
        )


def _time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _refused(source: str, why: str) -> RefreshError:
    return RefreshError(f"the block list {source} is refused: {why}", "what is in force stays so")
