"""What the page says stands in its catalogues alone, and they say the same things."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from viloapp_core.permissions.words import MESSAGES, WARNINGS
from viloapp_core.services.settings import CORE
from viloapp_sdk._messages import placeholders, problems

SOURCES = Path(__file__).resolve().parents[3] / "viloapp_core" / "frontend" / "src"
CATALOGUES = {path.stem: json.loads(path.read_text("utf-8")) for path in (SOURCES / "locales").glob("*.json")}
ENGLISH = CATALOGUES["en"]
FILES = sorted(path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.ts*"))
# Keys that are put together from a prefix and what the host or the code names.
COMPOSED = re.compile(
    r"(command\.(focus|move)|connection|error|may|plugin\.state|setting\.core|theme|warning)\..+"
)
# What is the same in every language, what the host says on the wire, and the names of keys.
ALLOWED = re.compile(
    r"ViloApp|notes\.md|Bearer \{\}|signed by .*|would install|Home|End|Enter|Escape|Delete"
    r"|\{\} requests are unanswered|wait for them"
    r"|\{\}: its arguments make a message of .*|send less at a time"
)
# Colours, fonts, generics and the signs on keys.
NO_WORDS = {"theme.ts", "frame/rows.ts", "keys.ts", "own.ts", "store.ts", "views/highlight.ts", "css.d.ts"}
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
UNREAD_BEFORE = re.compile(
    r"(?:class|className|data-testid|from|import|matchMedia|querySelector\w*|closest|is|d)"
    r"(?:<[^>]*>)?\s*(?:=|:|\()?\s*\{?\s*$"
)
UNREAD_AFTER = re.compile(r"\s*: t\(")  # what a library calls it, and how it is said here
WORDS = re.compile(r"[A-Za-z]{2,}[,:;.!?…]? [a-z]{2,}|^[A-Z][a-z]{2,}[.!?…]?$|^[A-Z][a-z]+:? [A-Z]?[a-z]+")
BETWEEN_TAGS = re.compile(r"(?<=[\w\"'}/])>\s*([A-Z“][^<>{}=;()]*?[a-z.])\s*(?=<|\{)")


@pytest.mark.parametrize("locale", sorted(set(CATALOGUES) - {"en"}))
def test_every_language_says_everything(locale: str) -> None:
    """No key is missing or superfluous, and each text takes the values that the English one takes."""
    texts = CATALOGUES[locale]
    assert sorted(texts) == sorted(ENGLISH)
    assert {key: text for key, text in texts.items() if not text.strip()} == {}
    differing = {key for key in ENGLISH if placeholders(texts[key]) != placeholders(ENGLISH[key])}
    assert differing == set()
    assert [key for key, text in texts.items() if problems(text)] == []
    same = {key for key, text in ENGLISH.items() if texts[key] == text and len(_longer_words(text)) > 1}
    assert same == set(), "was that translated?"


def _longer_words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z]{4,}", re.sub(r"\{[^}]*\}", "", text))


def test_the_page_has_german_and_a_language_to_the_left() -> None:
    """English stands in the bundle, the others come when they are chosen."""
    assert set(CATALOGUES) >= {"en", "de", "ar"}


def test_every_key_that_is_used_is_there_and_the_other_way_round() -> None:
    """A key is a literal, or put together from one of few prefixes."""
    code = "\n".join((SOURCES / path).read_text("utf-8") for path in FILES)
    calls = set(re.findall(r'\b(?:t|rich|label)\((?:[^()"`]*,\s*)?"([^"]+)"', code))
    assert calls - set(ENGLISH) == set()
    quoted = set(re.findall(r'"([a-z_]+\.[a-z0-9._-]+)"', code))
    unused = {key for key in ENGLISH if key not in quoted and not COMPOSED.fullmatch(key)}
    assert unused == set()


def test_the_host_and_the_page_say_the_same_in_english() -> None:
    """What permissions allow and what settings do, the command line says in these words too."""
    assert {**MESSAGES, **WARNINGS}.items() <= ENGLISH.items()
    settings = {f"setting.core.{name}": str(schema["description"]) for name, schema in CORE.items()}
    assert settings.items() <= ENGLISH.items()


@pytest.mark.parametrize("path", sorted(set(FILES) - NO_WORDS))
def test_no_words_stand_outside_of_the_catalogues(path: str) -> None:
    """Neither in a string nor between tags."""
    assert list(_words((SOURCES / path).read_text("utf-8"))) == []


def test_the_search_for_words_finds_them() -> None:
    """In each of the places where one would be written."""
    for code in (
        '<button title="Close the tab" />',
        "<p>Nothing is here.</p>",
        "notify(`${id} is enabled.`)",
        'label: "Save"',
        "<button>\n  Install\n</button>",
        '{ title: "Plugins: Show" }',
    ):
        assert list(_words(code)), code


def _words(code: str) -> Iterator[str]:
    """Yield what looks like a text for people."""
    code = re.sub(r"/\*.*?\*/", "", code, flags=re.DOTALL)
    code = re.sub(r"(?<![:\"'`\w])//[^\n]*", "", code)
    for found in STRING.finditer(code):
        text = re.sub(r"\$\{[^}]*\}", "{}", found[1] or found[2] or "")
        before = code[max(0, found.start() - 80) : found.start()]
        read = not UNREAD_BEFORE.search(before) and not UNREAD_AFTER.match(code, found.end())
        if read and WORDS.search(text.strip()) and not ALLOWED.fullmatch(text):
            yield text
    yield from (text for text in BETWEEN_TAGS.findall(code) if not ALLOWED.fullmatch(text))
