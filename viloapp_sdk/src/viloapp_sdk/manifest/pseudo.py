"""Texts as a language that nobody speaks, to see what a plugin does with longer ones and with right-to-left.

    >>> pseudo("en-XA", "Say hello to {name}")
    '[Šåý ĥéļļö ţö {name} one two]'
    >>> print(pseudo("ar-XB", "Say {n, plural, one {# word} other {# words}}"))
    ساي {n, plural, one {# وورد} other {# ووردس}}

What is still plain English on the screen then came from no catalogue; a text whose end ``]`` is missing was
cut. Placeholders and choices are as they were. ``ar-XB`` is written in Arabic letters, and not in Latin ones
between marks that turn them round, since what shows texts takes such marks out.
Source: CLDR, the locales ``XA`` and ``XB``, which tests may use.
"""

from __future__ import annotations

from collections.abc import Mapping

from viloapp_sdk._messages import parse, reworded, write
from viloapp_sdk.manifest.translations import PREFIX

__all__ = ["PSEUDO", "pseudo", "pseudo_catalogue"]

PSEUDO = ("en-XA", "ar-XB")
"""The languages, which nobody translates."""

_ACCENTED = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "ÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽåƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýž",
)
_ARABIC = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ابچديفگهيجكلمنوپقرستوڤوخيز")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# Source: the W3C on text expansion: short texts double, long ones grow by a third.
_GROWTH = 0.35


def pseudo(language: str, text: str, *, plain: bool = False) -> str:
    """Return a text in one of the pseudo languages.

    Args:
        language: ``en-XA`` or ``ar-XB``.
        text: a message of the default language.
        plain: it takes no values: a brace in it is a brace.
    """
    word = _arabic if language == "ar-XB" else _accented
    shown = word(text) if plain else write(reworded(parse(text)[0], word))
    if language == "ar-XB" or not text:
        return shown
    more = max(1, round(len(text) * _GROWTH / 4))
    return f"[{shown} {' '.join(_NUMBERS[at % len(_NUMBERS)] for at in range(more))}]"


def pseudo_catalogue(language: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Return the catalogue of a pseudo language: key → text, sorted."""
    keys = sorted(texts)
    return {key: pseudo(language, texts[key], plain=key.startswith(PREFIX)) for key in keys}


def _accented(text: str) -> str:
    return text.translate(_ACCENTED)


def _arabic(text: str) -> str:
    return text.lower().translate(_ARABIC)
