"""``trust.toml``: what it keeps, what it refuses, and that an edit is noticed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.unit.trust.conftest import CLOCK
from viloapp_core.trust import Book, TrustFileError, TrustStore, parse_publisher

OCTO = parse_publisher("github:octo/hello@.github/workflows/release.yml,repository-id=123,owner-id=45")


@pytest.fixture
def keeper(tmp_path: Path) -> TrustStore:
    """A store that trusts nobody yet."""
    return TrustStore(tmp_path / "store")


def test_nothing_is_trusted_at_first(keeper: TrustStore) -> None:
    """Without a file nobody is pinned, and reading makes none."""
    assert keeper.read() == Book()
    assert not keeper.path.exists()


def test_a_pin_is_kept(keeper: TrustStore) -> None:
    """What is pinned is read back, from a file that only its owner reads."""
    keeper.pin("hello", OCTO, CLOCK)
    book = TrustStore(keeper.path.parent).read()
    assert book.publisher("hello") == OCTO
    assert book.plugins["hello"].pinned_at == "2026-01-02T03:04:05Z"
    assert book.publisher("other") is None
    assert stat.S_IMODE(keeper.path.stat().st_mode) == 0o600


def test_unpinning_forgets_everything_of_a_plugin(keeper: TrustStore) -> None:
    """Publisher, permission and version go together; other plugins stay."""
    keeper.pin("hello", OCTO, CLOCK)
    keeper.pin("other", OCTO, CLOCK)
    keeper.allow_unsigned("hello", CLOCK)
    keeper.change(lambda book: book.seen("hello", "2.0"))
    book = keeper.unpin("hello")
    assert book == keeper.read()
    assert book.publisher("hello") is None
    assert "hello" not in book.unsigned
    assert book.highest_version("hello") is None
    assert book.publisher("other") == OCTO


def test_the_highest_version_only_rises(keeper: TrustStore) -> None:
    """Versions are compared as versions, and a lower one changes nothing."""
    keeper.pin("hello", OCTO, CLOCK)
    for version in ("1.9", "1.10", "1.2"):
        keeper.change(lambda book, version=version: book.seen("hello", version))  # type: ignore[misc]
    assert keeper.read().highest_version("hello") == "1.10"


def test_a_new_pin_keeps_the_highest_version(keeper: TrustStore) -> None:
    """Who pins again, or pins what was unsigned, does not make an older release acceptable."""
    keeper.allow_unsigned("hello", CLOCK)
    keeper.change(lambda book: book.seen("hello", "2.0"))
    assert keeper.pin("hello", OCTO, CLOCK).highest_version("hello") == "2.0"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('repository = "octo/hello"', 'repository = "evil/hello"'),
        ('owner_id = "45"', 'owner_id = "46"'),
        ('ref = "refs/tags/*"', 'ref = "*"'),
        ('highest_version = "2.0"', 'highest_version = "0.1"'),
        ("[unsigned]", '[unsigned.evil]\nallowed_at = "2026-01-02T03:04:05Z"'),
    ],
)
def test_an_edited_file_is_refused(keeper: TrustStore, old: str, new: str) -> None:
    """A change by something else is noticed by the digest: nothing is trusted until a person looked."""
    keeper.pin("hello", OCTO, CLOCK)
    keeper.change(lambda book: book.seen("hello", "2.0"))
    text = keeper.path.read_text()
    assert old in text
    keeper.path.write_text(text.replace(old, new))
    with pytest.raises(TrustFileError, match="was changed by something other than viloapp") as caught:
        keeper.read()
    assert "accept-edits" in caught.value.hint
    with pytest.raises(TrustFileError):
        keeper.pin("more", OCTO, CLOCK)


def test_an_edit_that_a_person_agrees_with_is_taken_over(keeper: TrustStore) -> None:
    """After `accept-edits` the file counts again, as it was edited."""
    keeper.pin("hello", OCTO, CLOCK)
    keeper.path.write_text(keeper.path.read_text().replace("octo/hello", "octo/moved"))
    edited = keeper.change(lambda book: book, edited=True)
    assert keeper.read() == edited
    assert edited.plugins["hello"].publisher.repository == "octo/moved"


def test_all_mistakes_of_a_damaged_file_at_once(keeper: TrustStore) -> None:
    """Unknown keys, wrong kinds and missing ones are told together, each with its place."""
    keeper.path.parent.mkdir()
    keeper.path.write_text(
        'schema = 2\ncolour = "red"\n[plugins.hello]\nkind = "github"\nissuer = 7\n'
        'pinned_at = "yesterday"\nfoo = "bar"\n[plugins."Bad Id"]\nkind = "email"\nissuer = "https://a.example"\n'
        'email = "a@b"\npinned_at = "2026-01-02T03:04:05Z"\n[unsigned]\nx = 1\n'
    )
    with pytest.raises(TrustFileError, match="nothing is trusted") as caught:
        keeper.read()
    for part in (
        "schema is 2",
        "colour is not known",
        "plugins.hello.issuer is no text",
        "plugins.hello.foo is not known",
        "plugins.Bad Id is no plugin id",
        "unsigned.x is no table",
    ):
        assert part in caught.value.detail


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"schema = ", b"", b"[" * 10_000])
def test_what_is_no_toml_is_refused(keeper: TrustStore, damage: bytes) -> None:
    """A damaged file trusts nobody, and does not read as an empty one."""
    keeper.path.parent.mkdir()
    keeper.path.write_bytes(damage)
    with pytest.raises(TrustFileError):
        keeper.read()
