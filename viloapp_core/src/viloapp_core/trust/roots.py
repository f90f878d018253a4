"""Whose certificates and logs count: a trusted root.

The first of these that there is:

1. the file that ``--trust-config`` names, for one command,
2. the configuration that ``viloapp trust configure FILE`` took into the store: an organisation's own
   Sigstore,
3. the copy of Sigstore's public root that ``viloapp trust refresh`` took, when it is newer than what this
   package has,
4. the copy in this package.

None of them is fetched when something is verified. The files in the store count only with the hash that
``trust.toml`` has of them.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from viloapp_core.foundation.errors import FoundationError
from viloapp_core.foundation.files import read_json
from viloapp_core.trust.book import Book
from viloapp_core.trust.errors import TrustFileError

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig
    from sigstore.verify import Verifier

SHIPPED = Path(__file__).parent / "data" / "trusted_root.json"
SHIPPED_ORIGIN = Path(__file__).parent / "data" / "origin.json"
STALE_DAYS = 180
"""A root older than this is warned of. Sigstore has added keys about twice a year; one that is missing
refuses signatures that are true, and never accepts one that is not."""
MAX_CONFIG_BYTES = 4 << 20
ROOT_FILE, CONFIG_FILE = "trusted_root.json", "client_trust_config.json"


@dataclass(frozen=True)
class Authority:
    """A trusted root, and where it comes from.

    Args:
        name: for people and receipts, with the first digits of its hash.
        path: the file.
        is_config: whether the file is a whole client configuration, which has a root in it.
        warnings: what a person should know of it, a line each.
    """

    name: str
    path: Path
    is_config: bool = False
    warnings: tuple[str, ...] = ()

    def verifier(self) -> Verifier:
        """Return sigstore's verifier for this root; it is made once for each file.

        Raises:
            TrustFileError: the file cannot be used.
        """
        stamp = self.path.stat() if self.path.exists() else None
        return _verifier(self.path, self.is_config, stamp.st_mtime_ns if stamp else 0)


def choose(book: Book, folder: Path, now: datetime, override: Path | None = None) -> Authority:
    """Return the trusted root that is in force.

    Args:
        book: has the hashes of the files in the store.
        folder: ``trust/`` of the store.
        now: the time.
        override: the file that a person named for this command.

    Raises:
        TrustFileError: a file is missing, or not the one that was taken.
    """
    if override is not None:
        return Authority(f"{override} ({_read_hash(override)[:12]})", override, is_config=True)
    if book.config is not None:
        path = _checked(folder / CONFIG_FILE, book.config.sha256, "viloapp trust configure FILE")
        return Authority(f"configured ({book.config.sha256[:12]})", path, is_config=True)
    taken, origin = _shipped()
    if book.root is not None and datetime.fromisoformat(book.root.taken_at) > taken:
        path = _checked(folder / ROOT_FILE, book.root.sha256, "viloapp trust refresh")
        taken, name = datetime.fromisoformat(book.root.taken_at), "sigstore.dev, refreshed"
        return Authority(f"{name} ({book.root.sha256[:12]})", path, warnings=_stale(taken, now))
    return Authority(f"sigstore.dev, {origin}", SHIPPED, warnings=_stale(taken, now))


def load_config(path: Path) -> ClientTrustConfig:
    """Return the client configuration in a file.

    Raises:
        TrustFileError: it cannot be read, or is no such configuration.
    """
    from sigstore.models import ClientTrustConfig

    data = read_config(path)
    try:
        return ClientTrustConfig.from_json(data.decode())
    except Exception as error:  # pydantic's and sigstore's errors have no common root
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        hint = "it is JSON of media type application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
        raise TrustFileError(f"{path} is no Sigstore client configuration: {why}", hint) from error


def check_root(data: bytes) -> None:
    """Refuse what is no trusted root.

    Raises:
        TrustFileError: it is none.
    """
    with tempfile.TemporaryDirectory(prefix="viloapp-") as folder:
        path = Path(folder) / ROOT_FILE
        path.write_bytes(data)
        Authority("new", path).verifier()


@lru_cache(maxsize=4)
def _verifier(path: Path, is_config: bool, stamp: int) -> Verifier:
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier

    try:
        root = load_config(path).trusted_root if is_config else TrustedRoot.from_file(str(path))
        return Verifier(trusted_root=root)
    except TrustFileError:
        raise
    except Exception as error:  # as above
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TrustFileError(f"{path} is no trusted root: {why}", "viloapp trust refresh") from error


def _shipped() -> tuple[datetime, str]:
    """Return when the copy in this package was taken, and from what."""
    try:
        origin = read_json(SHIPPED_ORIGIN)
        return datetime.fromisoformat(origin["taken_at"]), str(origin["from"])
    except (FoundationError, KeyError, TypeError, ValueError) as error:
        raise TrustFileError(f"{SHIPPED_ORIGIN} is damaged", "install viloapp-core again") from error


def _stale(taken: datetime, now: datetime) -> tuple[str, ...]:
    if (days := (now - taken).days) <= STALE_DAYS:
        return ()
    return (f"the trusted root is {days} days old; viloapp trust refresh takes a new one",)


def _checked(path: Path, sha256: str, hint: str) -> Path:
    if _read_hash(path) != sha256:
        raise TrustFileError(f"{path} is not the file that was taken: its SHA-256 is another", hint)
    return path


def _read_hash(path: Path) -> str:
    return hashlib.sha256(read_config(path)).hexdigest()


def read_config(path: Path) -> bytes:
    """Return the bytes of a configuration or root.

    Raises:
        TrustFileError: it cannot be read or is too large.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise TrustFileError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_CONFIG_BYTES:
        raise TrustFileError(f"{path} is larger than {MAX_CONFIG_BYTES} bytes")
    return data
