"""Which trusted root counts, how old it may be, and how it is taken anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.unit.trust.conftest import CLOCK, NOW
from viloapp_core.trust import RefreshError, TrustFileError, TrustStore, refresh_root
from viloapp_core.trust.refreshing import BOOTSTRAP
from viloapp_core.trust.roots import SHIPPED, SHIPPED_ORIGIN


def test_the_shipped_root_is_the_one_that_was_taken() -> None:
    """Its origin names the version of sigstore, when it was taken, and its hash."""
    origin = json.loads(SHIPPED_ORIGIN.read_bytes())
    assert hashlib.sha256(SHIPPED.read_bytes()).hexdigest() == origin["sha256"]
    assert origin["from"].startswith("as of sigstore 4.")
    assert json.loads(BOOTSTRAP.read_bytes())["signed"]["_type"] == "root"


def test_an_old_root_warns_and_is_used(tmp_path: Path) -> None:
    """After 180 days it is said how to take a new one; it counts all the same."""
    keeper = TrustStore(tmp_path)
    taken = datetime.fromisoformat(json.loads(SHIPPED_ORIGIN.read_bytes())["taken_at"])
    assert keeper.authority(taken + timedelta(days=180)).warnings == ()
    old = keeper.authority(taken + timedelta(days=181))
    assert old.warnings == ("the trusted root is 181 days old; viloapp trust refresh takes a new one",)
    old.verifier()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[tuple[str, Path, Path]]:
    """A repository of The Update Framework on loopback: its URL, its folder, and its first root."""
    # Neither package says what it exports.
    tuf: Any = import_module("tuf.api.metadata")
    signers: Any = import_module("securesystemslib.signer")
    folder = tmp_path / "repository"
    (folder / "targets").mkdir(parents=True)
    expires, signer = datetime.now(UTC) + timedelta(days=30), signers.CryptoSigner.generate_ecdsa()
    data = SHIPPED.read_bytes()
    target = tuf.TargetFile.from_data("trusted_root.json", data, ["sha256"])
    (folder / "targets" / f"{target.hashes['sha256']}.trusted_root.json").write_bytes(data)
    root = tuf.Root(expires=expires, consistent_snapshot=True)
    for role in ("root", "timestamp", "snapshot", "targets"):
        root.add_key(signer.public_key, role)
    signed: dict[str, Any] = {
        "1.root.json": root,
        "1.targets.json": tuf.Targets(expires=expires, targets={"trusted_root.json": target}),
        "1.snapshot.json": tuf.Snapshot(expires=expires, meta={"targets.json": tuf.MetaFile(1)}),
        "timestamp.json": tuf.Timestamp(expires=expires, snapshot_meta=tuf.MetaFile(1)),
    }
    for name, each in signed.items():
        metadata: Any = tuf.Metadata(each)
        metadata.sign(signer)
        metadata.to_file(str(folder / name))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder, folder / "1.root.json"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_refreshed_root_counts(tmp_path: Path, repository: tuple[str, Path, Path]) -> None:
    """What the framework vouches for is kept, and is used as long as it is newer than the package's."""
    url, _, first = repository
    keeper = TrustStore(tmp_path / "store")
    cached = refresh_root(keeper, CLOCK, url=url, bootstrap=first)
    assert cached.sha256 == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert keeper.read().root == cached
    # The clock of the tests is before the day on which the package's was taken.
    assert "refreshed" not in keeper.authority(NOW).name


def test_a_refreshed_root_that_was_edited_is_refused(tmp_path: Path) -> None:
    """The copy in the store counts only with the hash that was written down."""
    from dataclasses import replace

    from viloapp_core.trust.book import CachedFile

    keeper = TrustStore(tmp_path)
    data = SHIPPED.read_bytes()
    later = CachedFile(hashlib.sha256(data).hexdigest(), "2036-01-01T00:00:00Z")
    keeper.change(lambda book: replace(book, root=later))
    (tmp_path / "trust" / "trusted_root.json").write_bytes(data)
    assert "refreshed" in keeper.authority(NOW).name
    (tmp_path / "trust" / "trusted_root.json").write_bytes(data + b" ")
    with pytest.raises(TrustFileError, match="is not the file that was taken"):
        keeper.authority(NOW)


def test_what_the_framework_does_not_vouch_for_changes_nothing(
    tmp_path: Path, repository: tuple[str, Path, Path]
) -> None:
    """Another target, a foreign first root, no repository: the root that there was stays."""
    url, folder, first = repository
    keeper = TrustStore(tmp_path / "store")
    with pytest.raises(RefreshError):
        refresh_root(keeper, CLOCK, url=url)  # signed by others than Sigstore
    (target,) = (folder / "targets").iterdir()
    target.write_bytes(target.read_bytes().replace(b"rekor", b"evil1"))
    with pytest.raises(RefreshError) as caught:
        refresh_root(TrustStore(tmp_path / "other"), CLOCK, url=url, bootstrap=first)
    assert "stays in force" in caught.value.hint
    with pytest.raises(RefreshError):
        refresh_root(keeper, CLOCK, url="http://127.0.0.1:9", bootstrap=first)
    assert keeper.read().root is None
    assert "refreshed" not in keeper.authority(NOW).name
