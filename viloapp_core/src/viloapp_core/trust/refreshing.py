"""Takes Sigstore's trusted root anew, by The Update Framework. The only part of verification with a network.

The framework's client checks each file against metadata that a threshold of Sigstore's root keys signed,
beginning with the ``root.json`` of this package; expiry, rollback and rotation are its business.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from viloapp_core.foundation.clock import Clock, timestamp
from viloapp_core.foundation.files import write_atomic
from viloapp_core.trust.book import Book, CachedFile
from viloapp_core.trust.errors import RefreshError
from viloapp_core.trust.roots import ROOT_FILE, check_root

if TYPE_CHECKING:
    from viloapp_core.trust.keeper import TrustStore

URL = "https://tuf-repo-cdn.sigstore.dev"
BOOTSTRAP = Path(__file__).parent / "data" / "root.json"
_TARGET = "trusted_root.json"


def refresh_root(
    keeper: TrustStore, clock: Clock, *, url: str = URL, bootstrap: Path = BOOTSTRAP
) -> CachedFile:
    """Fetch the trusted root, check it, and let it count from now on; return its hash and time.

    Args:
        keeper: whose root it is.
        clock: for the time.
        url: of the repository.
        bootstrap: the root metadata that is believed to begin with.

    Raises:
        RefreshError: it could not be fetched or does not hold; what there was stays in force.
    """
    data = _fetch(keeper.folder / "tuf", url, bootstrap)
    check_root(data)
    cached = CachedFile(hashlib.sha256(data).hexdigest(), timestamp(clock))

    def how(book: Book) -> Book:
        # First the file: one that no digest names counts for nothing.
        write_atomic(keeper.folder / ROOT_FILE, data)
        return replace(book, root=cached)

    keeper.change(how)
    return cached


def _fetch(folder: Path, url: str, bootstrap: Path) -> bytes:
    from tuf.ngclient.updater import Updater

    try:
        (folder / "targets").mkdir(mode=0o700, parents=True, exist_ok=True)
        updater = Updater(
            metadata_dir=str(folder),
            metadata_base_url=url,
            target_dir=str(folder / "targets"),
            target_base_url=f"{url}/targets/",
            bootstrap=bootstrap.read_bytes(),
        )
        updater.refresh()
        if (info := updater.get_targetinfo(_TARGET)) is None:
            raise RefreshError(f"{url} has no {_TARGET}", "the trusted root that there was stays in force")
        path = updater.find_cached_target(info) or updater.download_target(info)
        return Path(path).read_bytes()
    except RefreshError:
        raise
    except Exception as error:  # the framework's errors, the network's and the disk's have no common root
        why = " ".join(str(error).split())[:300] or type(error).__name__
        raise RefreshError(
            f"the trusted root could not be fetched from {url}: {why}",
            "the trusted root that there was stays in force",
        ) from error
