"""`TrustStore`: reads and writes ``trust.toml`` and the folder ``trust/`` of a store.

keeper = TrustStore(store.root)
book = keeper.read()
keeper.pin("hello", parse_publisher("github:octo/hello@.github/workflows/release.yml"), clock)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from viloapp_core.foundation.clock import Clock, timestamp
from viloapp_core.foundation.errors import FoundationError
from viloapp_core.foundation.files import FileLock, write_atomic
from viloapp_core.trust.artifact import DEV, UNSIGNED, VerifiedArtifact
from viloapp_core.trust.blocks import Blocks
from viloapp_core.trust.book import Book, CachedFile, digest, read_book
from viloapp_core.trust.errors import TrustError, TrustFileError
from viloapp_core.trust.policy import filled
from viloapp_core.trust.publishers import Publisher
from viloapp_core.trust.roots import CONFIG_FILE, Authority, choose, read_config

_MAX_BYTES = 4 << 20
_HEADER = b"# Written by viloapp. After an edit by hand: viloapp trust accept-edits\n"


class TrustStore:
    """What a store trusts.

    A damaged file, or one that something else changed, is an error in every method: nothing is trusted
    until a person has looked.

    Args:
        root: the store's folder.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / "trust.toml"
        self.folder = root / "trust"

    def read(self) -> Book:
        """Return what is written.

        Raises:
            TrustFileError: the file is damaged or was changed by something else; all problems at once.
        """
        value = self._decode()
        if value is None:
            return Book()
        book, problems = read_book(value)
        if problems:
            raise self._damaged("; ".join(problems[:20]))
        if value.get("digest") != digest(value):
            raise TrustFileError(
                f"{self.path} was changed by something other than viloapp; nothing is trusted",
                "viloapp trust accept-edits shows what it says now, and takes it over if you agree",
            )
        return book

    def read_edited(self) -> Book:
        """Return what a file says that was changed by hand, for a person to look at.

        Raises:
            TrustFileError: it is not only changed but damaged.
        """
        book, problems = read_book(self._decode() or {})
        if problems:
            raise self._damaged("; ".join(problems[:20]))
        return book

    def change(self, how: Callable[[Book], Book], *, edited: bool = False) -> Book:
        """Change what is written, under a lock, and return it.

        Args:
            how: what to do with the book.
            edited: start from what was written by hand.

        Raises:
            TrustFileError: as `read`, or the file cannot be written.
        """
        import tomli_w

        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self.folder / "lock").acquire():
                before = self.read_edited() if edited else self.read()
                book = how(before)
                if book != before or edited:
                    write_atomic(self.path, _HEADER + tomli_w.dumps(book.to_dict()).encode())
                return book
        except OSError as error:
            raise TrustFileError(f"{self.folder} cannot be written to: {error.strerror}") from error
        except FoundationError as error:
            raise TrustFileError(error.detail, error.hint) from error

    def pin(self, plugin_id: str, publisher: Publisher, clock: Clock) -> Book:
        """Write down who is the publisher of a plugin from now on; the highest version stays known."""
        return self.change(lambda book: book.pinned(plugin_id, publisher, timestamp(clock)))

    def unpin(self, plugin_id: str) -> Book:
        """Forget all that is known of a plugin: publisher, permission to be unsigned, highest version."""
        return self.change(lambda book: book.unpinned(plugin_id))

    def allow_unsigned(self, plugin_id: str, clock: Clock) -> Book:
        """Write down that a person allowed a plugin without a signature, and return the book with it."""
        return self.change(lambda book: book.with_unsigned(plugin_id, timestamp(clock)))

    def record(self, artifact: VerifiedArtifact, clock: Clock) -> Book:
        """Write down that an artifact was installed: who is pinned or allowed, and the highest version.

        Call it when nothing else can fail; it takes no lock but its own.

        Raises:
            TrustError: another publisher was pinned since it was verified.
            TrustFileError: as `change`.
        """

        def how(book: Book) -> Book:
            plugin_id, pinned = artifact.plugin_id, book.publisher(artifact.plugin_id)
            publisher = artifact.publisher
            # Ids that a person left open when pinning are those of the first that signed.
            if pinned is not None and (publisher is None or filled(pinned, publisher) != publisher):
                raise TrustError(
                    "changed_meanwhile",
                    f"{plugin_id} was pinned to {pinned.short} while it was installed",
                    "nothing was changed; install it again",
                )
            if publisher is not None and pinned != publisher:
                book = book.pinned(plugin_id, publisher, timestamp(clock))
            if artifact.kind == UNSIGNED:
                book = book.with_unsigned(plugin_id, timestamp(clock))
            return book.seen(plugin_id, artifact.version)

        return self.read() if artifact.kind == DEV else self.change(how)

    def configure(self, config: Path | None, clock: Clock) -> Book:
        """Take an organisation's own Sigstore into the store, or with None go back to the public one.

        Raises:
            TrustFileError: the file is no client configuration.
        """
        data = b""
        if config is not None:
            data = read_config(config)
            Authority("new", config, is_config=True).verifier()
        cached = CachedFile(hashlib.sha256(data).hexdigest(), timestamp(clock)) if config else None

        def how(book: Book) -> Book:
            if cached is not None:
                write_atomic(self.folder / CONFIG_FILE, data)
            return replace(book, config=cached)

        return self.change(how)

    def authority(self, now: datetime, trust_config: Path | None = None) -> Authority:
        """Return the trusted root that is in force; see `viloapp_core.trust.roots`.

        Raises:
            TrustFileError: a file of it is missing or was changed.
        """
        return choose(self.read(), self.folder, now, trust_config)

    def blocks(self, now: datetime) -> Blocks:
        """Return the block lists that are in force, verified when they were fetched.

        Raises:
            TrustFileError: a list is missing or was changed.
        """
        book = self.read()
        if not book.block_lists:
            return Blocks()
        from viloapp_core.trust.block_lists import load_lists

        return load_lists(book, self.folder, now)

    def _decode(self) -> dict[str, Any] | None:
        import tomllib

        try:
            with self.path.open("rb") as stream:
                data = stream.read(_MAX_BYTES + 1)
            if len(data) > _MAX_BYTES:
                raise self._damaged(f"it is larger than {_MAX_BYTES} bytes")
            return tomllib.loads(data.decode())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TrustFileError(f"{self.path} cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise self._damaged(f"it is not TOML: {error}") from error

    def _damaged(self, why: str) -> TrustFileError:
        hint = "put it right or, to begin anew with nobody trusted, move it away"
        return TrustFileError(f"{self.path} is damaged, nothing is trusted: {why}", hint)
