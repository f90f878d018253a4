"""Catalogues read with the line of each key."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_sdk.manifest.catalogues import (
    Catalogue,
    catalogue_issues,
    other_placeholders,
    parse_catalogue,
    read_catalogue,
)
from viloapp_sdk.manifest.translations import MAX_BYTES


@pytest.mark.parametrize(
    ("language", "content", "line", "words"),
    [
        ("deutsch", b"{}", 0, "no language"),
        ("../de", b"{}", 0, "no language"),
        ("de", b'{"a":\n"\xff"}', 2, "no UTF-8: byte 0xff"),
        ("de", "{}".encode("utf-16"), 1, "no UTF-8"),
        ("de", b"\xef\xbb\xbf{}", 1, "BOM"),
        ("de", b'{"a": "b",\n\nx}', 3, "no JSON"),
        ("de", b'["a"]', 1, "no object"),
        ("de", b"[" * 100_000, 0, "no JSON"),
        ("de", b'{\n"a": "b",\n"a": "c"}', 3, "a: stands there twice"),
        ("de", b'{"a": "b",\n"c": {"d": "e"}}', 2, "c: is no text"),
        ("de", b'{"a": "\\"c\\": {x",\n"c": "{oh"}', 2, "c: {oh is not closed"),
        ("de", b'{"a": "b",\n"c": "\\ud800"}', 2, "c: has half a character, \\ud800"),
        ("de", b'{"\\udc00": []}', 1, "\ufffd: has half a character, \\udc00"),
        ("de", b'{"a": "' + b"b" * MAX_BYTES + b'"}', 0, "more than 512 KiB"),
        ("de", b'{"\\u0061": "x",\n"a": "y"}', 2, "a: stands there twice"),
    ],
)
def test_what_is_wrong_and_where(language: str, content: bytes, line: int, words: str) -> None:
    """Each with its line, that of the key and not of a text that looks like one."""
    found = parse_catalogue(language, content).issues
    assert [(at, words in what) for at, what in found if words in what] == [(line, True)], found


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=8), st.sampled_from([None, 0, 3]))
def test_what_json_reads_is_read(texts: dict[str, str], indent: int | None) -> None:
    """The same keys and texts, each on its line, however it is written."""
    content = json.dumps(texts, indent=indent, ensure_ascii=bool(indent))
    try:
        encoded = content.encode()
    except UnicodeEncodeError:
        return
    read = parse_catalogue("de", encoded)
    assert (read.texts, read.readable) == (texts, True)
    if indent is not None and texts:
        assert list(read.lines.values()) == list(range(2, 2 + len(texts)))


@given(st.binary(max_size=40))
def test_no_content_fails(content: bytes) -> None:
    """Whatever a file holds."""
    read = parse_catalogue("de", content)
    assert read.readable or read.issues


def test_a_manifests_words_take_no_values() -> None:
    """A brace in one is a brace, and it needs no text in the default language."""
    read = parse_catalogue("de", b'{"manifest.summary": "{oh"}')
    assert read.issues == []
    assert list(other_placeholders(read, Catalogue("en", {"manifest.summary": "x"}))) == []


def test_what_is_no_folder_or_file(tmp_path: Path) -> None:
    """A module has no catalogues; a folder called like one is none."""
    (tmp_path / "a.py").touch()
    (tmp_path / "b/locales/de.json").mkdir(parents=True)
    assert catalogue_issues([tmp_path / "a.py"], tmp_path) == []
    (issue,) = catalogue_issues([tmp_path / "b"], tmp_path)
    assert str(issue).startswith("b/locales/de.json: cannot be read")
    assert read_catalogue(tmp_path / "de.json").issues[0][1].startswith("cannot be read")
    os.mkfifo(tmp_path / "fr.json")  # nobody writes into it
    (tmp_path / "pl.json").symlink_to("/dev/zero")
    for name in ("fr.json", "pl.json"):
        assert read_catalogue(tmp_path / name).issues == [(0, "cannot be read: it is no file")]


def test_an_untranslated_text_has_no_placeholders() -> None:
    """Empty is not translated yet, which no build minds."""
    base = Catalogue("en", {"a": "{x}", "b": "{x} {y}"})
    german = Catalogue("de", {"a": "", "b": "{x}"})
    assert list(other_placeholders(german, base)) == [("b", "has other placeholders than en.json: y")]
