"""Whether a text has a case for each plural form of its language, and what it needs Babel for.

The forms are CLDR's, from Babel, which is in the extra ``author``; without it nothing is said of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from viloapp_sdk._locale import normal, wider
from viloapp_sdk._messages import Choice, Value, parse
from viloapp_sdk.manifest.catalogues import Catalogue
from viloapp_sdk.manifest.translations import PREFIX

__all__ = ["categories", "needs_more", "plural_findings"]

# A form that only fractions or millions have, as French and Czech have, is nothing that each text needs.
_LARGEST = 200


@cache
def categories(language: str, ordinal: bool = False) -> frozenset[str]:
    """Return the CLDR categories of the whole numbers up to two hundred; none where they are not known."""
    try:
        import babel
    except ImportError:
        return frozenset()
    for each in wider(normal(language)):
        try:
            locale = babel.Locale.parse(each, sep="-")
        except (babel.UnknownLocaleError, ValueError):
            continue
        rule = locale.ordinal_form if ordinal else locale.plural_form
        return frozenset(str(rule(number)) for number in range(_LARGEST + 1))
    return frozenset()


def plural_findings(catalogue: Catalogue) -> Iterator[tuple[int, str, str]]:
    """Yield line, message and level of each text that lacks a form of its language."""
    for key, text in catalogue.texts.items():
        if key.startswith(PREFIX):
            continue
        for choice in _choices(parse(text)[0]):
            if choice.kind == "select":
                continue
            needed = categories(catalogue.language, choice.kind == "selectordinal") - set(choice.cases)
            # A form of single numbers may be written as these: `=1` for `one`, `=2` for `two`.
            exact = {"zero": "=0", "one": "=1", "two": "=2"}
            lacking = sorted(each for each in needed if exact.get(each) not in choice.cases)
            if lacking:
                message = f"{key}: {{{choice.name}, {choice.kind}, …}} lacks {', '.join(lacking)}"
                yield catalogue.lines[key], f"{message}, which {catalogue.language} has", "warning"


def needs_more(language: str, text: str) -> str:
    """Return what of a text is not as it is meant without Babel in the plugin; empty where all is."""
    nodes = parse(text)[0]
    for value in _values(nodes):
        if value.kind:
            return f"{{{value.name}, {value.kind}}}"
    for choice in _choices(nodes):
        if choice.kind == "selectordinal":
            return f"{{{choice.name}, selectordinal}}"
        if choice.kind == "plural" and categories(language) - {"one", "other"}:
            return f"{{{choice.name}, plural}} in {language}"
    return ""


def _choices(nodes: Iterable[object]) -> Iterator[Choice]:
    for node in nodes:
        if isinstance(node, Choice):
            yield node
            for case in node.cases.values():
                yield from _choices(case)


def _values(nodes: Iterable[object]) -> Iterator[Value]:
    for node in nodes:
        if isinstance(node, Value):
            yield node
        elif isinstance(node, Choice):
            for case in node.cases.values():
                yield from _values(case)
