"""Bytes to text and back: nothing is lost, and only what was edited changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloedit.documents import EMPTY, decode, encode
from viloedit.errors import NotTextError
from viloedit.languages import language_of

LINES = st.lists(st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), max_size=8), max_size=8)
ENDINGS = st.sampled_from(["\n", "\r\n", "\r"])


def _join(lines: list[str], endings: list[str], last: str) -> bytes:
    return ("".join(line + end for line, end in zip(lines, endings, strict=False)) + last).encode()


@given(st.binary(max_size=200))
def test_unedited_text_saves_the_same_bytes(data: bytes) -> None:
    """Whatever is accepted comes back byte for byte, marks and mixed endings included."""
    try:
        document = decode(data)
    except NotTextError:
        return
    assert encode(document.text, document) == data


@given(LINES, st.lists(ENDINGS, min_size=8, max_size=8), st.sampled_from(["", "end"]), st.booleans())
def test_mixed_endings_come_back(lines: list[str], endings: list[str], last: str, bom: bool) -> None:
    """Every line keeps the ending it had."""
    data = (b"\xef\xbb\xbf" if bom else b"") + _join(lines, endings, last)
    document = decode(data)
    assert "\r" not in document.text
    assert encode(document.text, document) == data


# Not empty: a lone CR, an empty line and a lone LF are one CRLF.
@given(
    LINES.filter(lambda lines: bool(lines and all(lines))),
    st.lists(ENDINGS, min_size=8, max_size=8),
    st.data(),
)
def test_edited_line_changes_no_other(lines: list[str], endings: list[str], data: st.DataObject) -> None:
    """Changing one line of a file with mixed endings leaves the bytes of all others alone."""
    document = decode(_join(lines, endings, ""))
    index = data.draw(st.integers(0, len(lines) - 1))
    edited = [*lines[:index], "an edited line", *lines[index + 1 :]]
    saved = encode("\n".join([*edited, ""]), document).decode()
    kept = decode(saved.encode()).endings
    assert kept[:index] == tuple(endings[:index])
    assert kept[index + 1 :] == tuple(endings[index + 1 : len(lines)])


def test_windows_file_stays_one() -> None:
    """A line typed into a file with CRLF gets CRLF."""
    document = decode(b"one\r\ntwo\r\n")
    assert encode("one\nand a half\ntwo\n", document) == b"one\r\nand a half\r\ntwo\r\n"


def test_new_text_has_unix_endings_and_no_mark() -> None:
    """A text without a file is written as it stands."""
    assert encode("é\n", EMPTY) == "é\n".encode()


@pytest.mark.parametrize(("data", "says"), [(b"\x7fELF\0\0", "binary"), (b"caf\xe9\n", "byte 3 is 0xe9")])
def test_what_is_no_text_is_refused_with_its_reason(data: bytes, says: str) -> None:
    """The error tells binary from another encoding, and where that shows."""
    with pytest.raises(NotTextError) as caught:
        decode(data, "a.bin")
    assert says in caught.value.detail
    assert "a.bin" in caught.value.detail
    assert caught.value.hint


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.py", "python"),
        ("X.PYI", "python"),
        ("Makefile", "makefile"),
        ("c.tar.gz", "text"),
        ("README", "text"),
        (".bashrc", "shell"),
        ("a.tsx", "typescript"),
        ("", "text"),
    ],
)
def test_language_by_name(path: str, language: str) -> None:
    """The name decides, whatever its case; an unknown one is plain text."""
    assert language_of(path) == language
