"""The test authority, once for all, and a wheel that it signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fixtures import authority as sigstore
from tests.fixtures.authority import github
from viloapp_core.trust import (
    Authority,
    BundleSignature,
    Examination,
    Signature,
    Subject,
    TrustStore,
    examine,
)
from viloapp_core.trust.blocks import Blocks
from viloapp_core.trust.book import Book

NOW = datetime.now(UTC)
WHEEL = b"the bytes of a wheel"
SUBJECT = Subject("hello", "1.0", "hello-1.0-py3-none-any.whl", hashlib.sha256(WHEEL).hexdigest(), "0" * 12)


class FixedClock:
    """A clock that stands."""

    def now(self) -> datetime:
        """Return one moment."""
        return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def monotonic(self) -> float:
        """Return one moment."""
        return 1.0


CLOCK = FixedClock()


class Signed:
    """A wheel, its signature, and the procedure with whatever differs from the good case."""

    def __init__(self, service: sigstore.Authority, folder: Path) -> None:
        self.service = service
        self.wheel = folder / SUBJECT.filename
        self.wheel.write_bytes(WHEEL)
        self.config = service.write_config(folder)
        self.keeper = TrustStore(folder / "store")
        self.authority: Authority = self.keeper.authority(NOW, self.config)
        self.bundle = service.sign(WHEEL, github())

    def examine(
        self,
        signature: Signature | None = None,
        *,
        subject: Subject = SUBJECT,
        book: Book | None = None,
        blocks: Blocks | None = None,
        authority: Authority | None = None,
    ) -> Examination:
        """Take the seven steps."""
        return examine(
            subject,
            signature or BundleSignature(self.bundle),
            authority=authority or self.authority,
            book=book or Book(),
            blocks=blocks or Blocks(),
        )


@pytest.fixture(scope="session")
def service() -> Iterator[sigstore.Authority]:
    """The authority on loopback."""
    with sigstore.Authority() as authority:
        yield authority


@pytest.fixture(scope="session")
def signed(service: sigstore.Authority, tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """A wheel that a release of octo/hello signed."""
    return Signed(service, tmp_path_factory.mktemp("signed"))
