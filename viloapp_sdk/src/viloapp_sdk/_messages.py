"""Messages with placeholders and choices, as ICU writes them; what is no such thing stays text.

>>> english = lambda number: "one" if number == 1 else "other"
>>> files = "{count, plural, =0 {no files} one {# file} other {# files}} of {name}"
>>> fill(files, {"count": 2, "name": "{count}"}, english)
'2 files of {count}'
>>> fill("{who, select, her {She} other {They}} said: it's {unknown} {", {"who": "her"}, english)
"She said: it's {unknown} {"

Apostrophes are apostrophes: unlike in ICU nothing is quoted with them. A text never fails, whatever it and
the values are: `problems` tells an author what would be shown as it is written.
Source: the ICU User Guide, Formatting Messages, for ``plural`` and ``select``.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = ["fill", "placeholders", "problems"]

_CHOICE = re.compile(r"\s*([^{},]+?)\s*,\s*(plural|select)\s*,")
_CASE = re.compile(r"\s*(=\d+|[^\s{}=]+)\s*\{")
_PLAIN = re.compile(r"([^{},]*)\}")
_MAX_DEPTH = 10


def fill(text: str, variables: "Mapping[str, Any]", plural: "Callable[[Any], str]") -> str:
    """Return a message with its values.

    Args:
        text: the message.
        variables: values by name; they are put in once, as text.
        plural: the CLDR category of a number in the message's language.
    """
    return _fill(text, variables, plural, None, 0)


def _fill(
    text: str, variables: "Mapping[str, Any]", plural: "Callable[[Any], str]", number: "Any", depth: int
) -> str:
    shown = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "#" and number is not None:
            shown.append(str(number))
        elif character == "{":
            if plain := _PLAIN.match(text, at + 1):
                name = plain[1]
                shown.append(str(variables[name]) if name in variables else plain[0].join(("{", "")))
                at = plain.end()
                continue
            found = _choice(text, at) if depth < _MAX_DEPTH else None
            if found is not None and found[0] in variables:
                name, kind, cases, end = found
                value = variables[name]
                inner = value if kind == "plural" else number
                shown.append(_fill(_case(kind, cases, value, plural), variables, plural, inner, depth + 1))
                at = end
                continue
            shown.append(character)
        else:
            shown.append(character)
        at += 1
    return "".join(shown)


def _case(kind: str, cases: "dict[str, str]", value: "Any", plural: "Callable[[Any], str]") -> str:
    if kind == "select":
        return cases.get(str(value), cases["other"])
    exact = cases.get(f"={value}")
    return exact if exact is not None else cases.get(plural(value), cases["other"])


def _choice(text: str, start: int) -> "tuple[str, str, dict[str, str], int] | None":
    """Return name, kind, cases and end of the choice that begins at a brace; None where there is none."""
    head = _CHOICE.match(text, start + 1)
    if head is None:
        return None
    cases: dict[str, str] = {}
    at = head.end()
    while case := _CASE.match(text, at):
        end = _closing(text, case.end())
        if end < 0:
            return None
        cases[case[1]] = text[case.end() : end]
        at = end + 1
    rest = text[at:].lstrip()
    if "other" not in cases or not rest.startswith("}"):
        return None
    return head[1], head[2], cases, len(text) - len(rest) + 1


def _closing(text: str, at: int) -> int:
    """Return where the brace closes that is open at a place; -1 where it does not."""
    depth = 1
    for place in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return -1


def problems(text: str) -> "list[str]":
    """Return what is meant as a choice and is none: it would be shown as it is written."""
    found = []
    for head in _CHOICE.finditer(text):
        start = head.start() - 1
        if start >= 0 and text[start] == "{" and _choice(text, start) is None:
            found.append(
                f"{{{head[1]}, {head[2]}, …}} is no choice: it needs a case `other {{…}}`, each in braces"
            )
    return found


def placeholders(text: str) -> "set[str]":
    """Return the names of the values that a message takes, those inside of choices too.

    >>> sorted(placeholders("{n, plural, one {# of {name}} other {all}}: {error}"))
    ['error', 'n', 'name']
    """
    names: set[str] = set()
    at = 0
    while (at := text.find("{", at)) >= 0:
        if plain := _PLAIN.match(text, at + 1):
            names.add(plain[1])
            at = plain.end()
        elif found := _choice(text, at):
            name, _, cases, at = found
            names.add(name)
            for case in cases.values():
                names |= placeholders(case)
        else:
            at += 1
    return names
