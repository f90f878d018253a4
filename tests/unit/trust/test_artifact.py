"""`VerifiedArtifact`: there is no other way to one than the three functions."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.trust.conftest import CLOCK, Signed
from viloapp_core import trust
from viloapp_core.foundation.errors import FileError
from viloapp_core.trust.blocks import Blocks
from viloapp_core.trust.book import Book
from viloapp_core.trust.procedure import Examination
from viloapp_core.trust.signatures import read_beside

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SUBJECT = trust.Subject("hello", "1.0", "hello-1.0-py3-none-any.whl", "a" * 64, "b" * 12)
OCTO = trust.parse_publisher("github:octo/hello@.github/workflows/release.yml")


def test_it_cannot_be_made_by_hand() -> None:
    """Neither an artifact nor an examination can be constructed, whatever is passed as the seal."""
    with pytest.raises(TypeError, match="made by"):
        trust.VerifiedArtifact(SUBJECT, "signed", "2026-01-02T03:04:05Z")
    with pytest.raises(TypeError, match="made by"):
        trust.VerifiedArtifact(SUBJECT, "signed", "2026-01-02T03:04:05Z", seal=object())
    with pytest.raises(TypeError, match="made by"):
        Examination(SUBJECT, None, (), None, None, None)


def test_it_cannot_be_copied_with_a_change() -> None:
    """An artifact that was accepted does not become one of another wheel."""
    artifact = trust.accept_dev(SUBJECT, Path("/home/me/hello"), now=NOW)
    with pytest.raises(TypeError, match="made by"):
        replace(artifact, subject=replace(SUBJECT, sha256="c" * 64))
    with pytest.raises(AttributeError):
        artifact.subject = replace(SUBJECT, sha256="c" * 64)  # type: ignore[misc]


def test_unsigned_is_refused_unless_allowed_by_name() -> None:
    """Nobody allowed it, or it was allowed for another plugin: refused with the flag that names this one."""
    for book in (Book(), Book().with_unsigned("other", "2026-01-01T00:00:00Z")):
        with pytest.raises(trust.UnsignedError) as caught:
            trust.accept_unsigned(SUBJECT, book=book, blocks=Blocks(), now=NOW)
        assert caught.value.detail == "hello 1.0 is not signed"
        assert "--allow-unsigned hello" in caught.value.hint


def test_unsigned_that_was_allowed_says_so() -> None:
    """A plugin that was allowed by name is accepted, and labelled for what it is."""
    book = Book().with_unsigned("hello", "2026-01-01T00:00:00Z")
    artifact = trust.accept_unsigned(SUBJECT, book=book, blocks=Blocks(), now=NOW)
    assert (artifact.kind, artifact.label) == ("unsigned", "UNSIGNED")
    assert artifact.evidence_files() == {}
    assert trust.label_of(artifact.to_receipt()) == "UNSIGNED"


def test_a_pinned_plugin_is_never_accepted_unsigned() -> None:
    """Leaving the signature out does not get round a pin, even where unsigned was allowed once."""
    book = Book().with_unsigned("hello", "2026-01-01T00:00:00Z").pinned("hello", OCTO, "2026-01-01T00:00:00Z")
    with pytest.raises(trust.UnsignedError, match="is pinned to github:octo/hello"):
        trust.accept_unsigned(SUBJECT, book=book, blocks=Blocks(), now=NOW)


def test_an_older_unsigned_version_is_refused() -> None:
    """Downgrades are refused of unsigned plugins too, unless somebody asked for that version."""
    book = Book().with_unsigned("hello", "2026-01-01T00:00:00Z").seen("hello", "2.0")
    with pytest.raises(trust.DowngradeError, match=r"1\.0 is older than 2\.0"):
        trust.accept_unsigned(SUBJECT, book=book, blocks=Blocks(), now=NOW)
    asked = trust.accept_unsigned(SUBJECT, book=book, blocks=Blocks(), now=NOW, allow_downgrade=True)
    assert asked.version == "1.0"


def test_a_folder_of_the_persons_own_is_labelled() -> None:
    """A ``--dev`` folder needs no signature and is called ``dev``."""
    artifact = trust.accept_dev(SUBJECT, Path("/home/me/hello"), now=NOW)
    assert (artifact.label, artifact.dev_source) == ("dev", Path("/home/me/hello"))
    assert trust.label_of(artifact.to_receipt()) == "dev"


@pytest.mark.parametrize(
    "receipt", [None, "signed", {}, {"kind": "signed"}, {"kind": "signed", "publisher": "x"}]
)
def test_a_receipt_that_says_too_little_is_unsigned(receipt: object) -> None:
    """An edited or older receipt never gets the label of a signature that nobody checked."""
    assert trust.label_of(receipt) == "UNSIGNED"


def test_what_was_installed_is_recorded(tmp_path: Path) -> None:
    """An unsigned plugin's permission and version, and of a folder nothing."""
    keeper, book = trust.TrustStore(tmp_path), Book().with_unsigned("hello", "2026-01-02T03:04:05Z")
    keeper.record(trust.accept_dev(SUBJECT, tmp_path, now=NOW), CLOCK)
    assert keeper.read() == Book()
    keeper.record(trust.accept_unsigned(SUBJECT, book=book, blocks=Blocks(), now=NOW), CLOCK)
    assert keeper.read() == book.seen("hello", "1.0")


def test_the_first_that_signs_is_pinned(signed: Signed, tmp_path: Path) -> None:
    """Recording pins who was accepted, and fills in the ids that a person's own pin left open."""
    for before in (None, OCTO):
        keeper = trust.TrustStore(tmp_path / str(before is None))
        if before is not None:
            keeper.pin("hello", before, CLOCK)
        artifact = trust.verify(signed.examine(book=keeper.read()), now=NOW, accept=OCTO)
        book = keeper.record(artifact, CLOCK)
        assert book.publisher("hello") == artifact.publisher
        assert (artifact.publisher and artifact.publisher.owner_id) == "45"
        assert book.highest_version("hello") == "1.0"


def test_a_pin_that_came_meanwhile_is_not_overwritten(signed: Signed, tmp_path: Path) -> None:
    """Two installations at once, or a person who pins: the second is told, and nothing is changed."""
    artifact = trust.verify(signed.examine(), now=NOW, accept=OCTO)
    keeper = trust.TrustStore(tmp_path)
    other = trust.parse_publisher("github:octo/other@.github/workflows/release.yml")
    book = keeper.pin("hello", other, CLOCK)
    with pytest.raises(trust.TrustError, match="was pinned to github:octo/other"):
        keeper.record(artifact, CLOCK)
    assert keeper.read() == book


def test_a_pipe_beside_a_wheel_is_no_signature(tmp_path: Path) -> None:
    """Nobody may ever write its other end: it is refused, not waited for."""
    os.mkfifo(tmp_path / "hello-1-py3-none-any.whl.sigstore.json")
    with pytest.raises(FileError, match="is no file"):
        read_beside(tmp_path / "hello-1-py3-none-any.whl")
