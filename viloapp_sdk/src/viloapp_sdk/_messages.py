"""Messages with placeholders, choices and formats, as ICU has them, read and written; `_filling` fills them.

>>> nodes, issues = parse("{n, plural, one {# file} other {# files}} of { name }: it's {")
>>> nodes[0].name, sorted(nodes[0].cases), nodes[1:], issues
('n', ['one', 'other'], (' of ', Value('name'), ": it's {"), [])
>>> write(nodes)
"{n, plural, one {# file} other {# files}} of {name}: it's {"
>>> parse("Hello {name")[1]
['{name is not closed']

Apostrophes are apostrophes: unlike in ICU nothing is quoted with them, and a brace that begins nothing is a
brace. No text fails to be read. What was probably meant otherwise is an issue, for the author; what it stands
in is text.
Source: the ICU User Guide, Formatting Messages.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    Node: TypeAlias = "str | Value | Choice"

__all__ = ["COUNT", "FORMATS", "Choice", "Value", "parse", "placeholders", "problems", "reworded", "write"]

COUNT = "#"
"""The name of the value that stands for a plural's own number."""
FORMATS = {
    "number": ("", "integer", "percent", "::percent"),
    "date": ("", "short", "medium", "long", "full"),
    "time": ("", "short", "medium", "long", "full"),
    "list": ("", "or", "unit"),
    "relative": ("",),
}
"""Format → its styles; a number has ``::currency/EUR`` too. ``list`` and ``relative`` are not ICU's."""
CATEGORIES = ("zero", "one", "two", "few", "many", "other")
_CURRENCY = re.compile(r"::currency/[A-Z]{3}")
_CHOICES = ("plural", "selectordinal", "select")
_NAME = re.compile(r"[^\W\d]\w*|\d+")
_TYPED = re.compile(r"\s*([^\W\d]\w*|\d+)\s*,\s*([A-Za-z]+)\s*(?:,(.*))?", re.DOTALL)
# What Python's own formatting has, and no message: `{n:.2f}`, `{x!r}`, `{x.y}`, `{x[0]}`.
_PYTHON = re.compile(r"[^\W\d]\w*(?:![rsa]|:\S|\.\w|\[).*", re.DOTALL)
# As many digits as any text needs: Python makes no number of thousands of them.
_OFFSET = re.compile(r"\s*offset:(\d{1,9})(?!\d)")
_CASE = re.compile(r"\s*(=\d{1,15}|[^\s{}=,]+)\s*\{")
_OPEN = re.compile(r"\{\s*[^\W\d]\w*\s*(?:,|$|[^\w\s,}:;=(\"'])|\{[^\W\d]\w*")
_MAX_DEPTH = 10


class Value:
    """``{name}``, ``{name, date, long}``, and a plural's ``#``.

    Args:
        name: of the value; `COUNT` for the number.
        kind: one of `FORMATS`, or empty.
        style: of the format.
        source: as it is written.
    """

    __slots__ = ("kind", "name", "source", "style")

    def __init__(self, name: str, kind: str = "", style: str = "", source: str = "") -> None:
        self.name, self.kind, self.style, self.source = name, kind, style, source

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and write([self]) == write([other])

    def __hash__(self) -> int:
        return hash((self.name, self.kind, self.style))

    def __repr__(self) -> str:
        return f"Value({', '.join(repr(each) for each in (self.name, self.kind, self.style) if each)})"


class Choice:
    """``{name, plural, …}`` with a message for each case; ``other`` is always among them.

    Args:
        name: of the value.
        kind: ``plural``, ``selectordinal`` or ``select``.
        offset: what is taken from the number before its category is looked for.
        cases: selector → message.
        source: as it is written.
    """

    __slots__ = ("cases", "kind", "name", "offset", "source")

    def __init__(
        self, name: str, kind: str, offset: int, cases: "dict[str, tuple[Node, ...]]", source: str = ""
    ) -> None:
        self.name, self.kind, self.offset, self.cases, self.source = name, kind, offset, cases, source

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Choice) and write([self]) == write([other])

    def __hash__(self) -> int:
        return hash((self.name, self.kind, self.offset))


def parse(text: str) -> "tuple[tuple[Node, ...], list[str]]":
    """Return what a message consists of, and what is probably not as it was meant."""
    parser = _Parser(text)
    nodes = parser.nodes(0, len(text), False, 0)
    return nodes, list(dict.fromkeys(parser.issues))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.issues: list[str] = []
        self.closing, self.lonely = _pairs(text)

    def nodes(self, at: int, end: int, counted: bool, depth: int) -> "tuple[Node, ...]":
        """Return what is between two places; ``#`` is the number where a plural is around."""
        found: list[Node] = []
        start = at
        while at < end:
            node: Node | None = None
            after = at + 1
            character = self.text[at]
            if character == COUNT and counted:
                node = Value(COUNT, source=COUNT)
            elif character == "{" and at in self.closing:
                after = self.closing[at] + 1
                node = self.argument(at, counted, depth)
            elif character == "{" and (meant := _OPEN.match(self.text, at)):
                self.issues.append(f"{meant[0].rstrip(' ,')[:40]} is not closed")
            elif at in self.lonely and (meant := re.search(r"\w+\Z", self.text[max(start, at - 40) : at])):
                self.issues.append(f"{meant[0]}}} closes what is not open")
            if isinstance(node, str):  # read already, and no choice: read again, nested ones would never end
                at = after
            elif node is not None:
                found += [self.text[start:at], node] if start < at else [node]
                start = at = after
            else:
                at += 1
        return (*found, self.text[start:end]) if start < end else tuple(found)

    def argument(self, at: int, counted: bool, depth: int) -> "Node | None":
        """Return what stands in braces; None where the brace is text, the text where all of it is."""
        source = self.text[at : self.closing[at] + 1]
        inner = source[1:-1]
        name = inner.strip()
        if _NAME.fullmatch(name):
            return Value(name, source=source)
        typed = _TYPED.fullmatch(inner)
        if typed is None:
            if _PYTHON.fullmatch(inner):
                self.issues.append(f"{source[:40]} is Python's formatting: a message has {{name}} alone")
            # Not a value that anybody could mean, except who passes values by such names.
            return Value(inner, source=source) if name and not re.search("[{},#]", inner) else None
        if typed[2] in _CHOICES:
            return self.choice(at, typed, counted, depth)
        style = (typed[3] or "").strip()
        styles = FORMATS.get(typed[2])
        if styles is None:
            known = ", ".join((*_CHOICES, *FORMATS))
            self.issues.append(f"{{{typed[1]}, {typed[2]}, …}}: there is no {typed[2]!r}, but {known}")
        elif style not in styles and not (typed[2] == "number" and _CURRENCY.fullmatch(style)):
            known = ", ".join(each for each in styles if each) or "none"
            more = ", ::currency/EUR" if typed[2] == "number" else ""
            self.issues.append(f"{source[:60]}: the style is one of {known}{more}")
        else:
            return Value(typed[1], typed[2], style, source)
        return None

    def choice(self, at: int, typed: "re.Match[str]", counted: bool, depth: int) -> "Choice | str":
        """Return a choice; its text, and an issue, where it is none."""
        name, kind = typed[1], typed[2]
        end = self.closing[at]
        place = at + 1 + typed.start(3) if typed[3] is not None else end
        shown = f"{{{name}, {kind}, …}}"
        source = self.text[at : end + 1]
        offset = _OFFSET.match(self.text, place, end) if kind != "select" else None
        place = offset.end() if offset else place
        cases: dict[str, tuple[Node, ...]] = {}
        if depth >= _MAX_DEPTH:
            self.issues.append(f"{shown} is in more than {_MAX_DEPTH} others")
            return source
        while (case := _CASE.match(self.text, place, end)) and case.end() - 1 in self.closing:
            if case[1] in cases:
                self.issues.append(f"{shown} has the case {case[1]} twice")
            elif kind != "select" and case[1] not in CATEGORIES and not case[1].startswith("="):
                self.issues.append(f"{shown}: {case[1]} is none of {', '.join(CATEGORIES)} and no =1")
            place = self.closing[case.end() - 1]
            cases[case[1]] = self.nodes(case.end(), place, counted or kind != "select", depth + 1)
            place += 1
        if self.text[place:end].strip():
            self.issues.append(f"{shown} is no choice: each case is a word and a message in braces")
        elif "other" not in cases:
            self.issues.append(f"{shown} is no choice: it needs a case `other {{…}}`")
        else:
            return Choice(name, kind, int(offset[1]) if offset else 0, cases, source)
        return source


def _pairs(text: str) -> "tuple[dict[int, int], set[int]]":
    """Return where each brace closes that does, and the closing ones that close nothing."""
    closing: dict[int, int] = {}
    lonely: set[int] = set()
    open: list[int] = []
    for brace in re.finditer("[{}]", text):
        if brace[0] == "{":
            open.append(brace.start())
        elif open:
            closing[open.pop()] = brace.start()
        else:
            lonely.add(brace.start())
    return closing, lonely


def write(nodes: "Iterable[Node]") -> str:
    """Return the message that consists of something: what `parse` makes that of."""
    shown = []
    for node in nodes:
        if isinstance(node, str):
            shown.append(node)
        elif isinstance(node, Value):
            parts = [part for part in (node.name, node.kind, node.style) if part]
            shown.append(COUNT if node.name == COUNT else f"{{{', '.join(parts)}}}")
        else:
            offset = f" offset:{node.offset}" if node.offset else ""
            cases = "".join(f" {selector} {{{write(case)}}}" for selector, case in node.cases.items())
            shown.append(f"{{{node.name}, {node.kind},{offset}{cases}}}")
    return "".join(shown)


def reworded(nodes: "Iterable[Node]", word: "Callable[[str], str]") -> "Iterator[Node]":
    """Yield a message with each text in it replaced, and its placeholders as they are."""
    for node in nodes:
        if isinstance(node, str):
            yield word(node)
        elif isinstance(node, Choice):
            cases = {selector: tuple(reworded(case, word)) for selector, case in node.cases.items()}
            yield Choice(node.name, node.kind, node.offset, cases)
        else:
            yield node


def problems(text: str) -> "list[str]":
    """Return what is probably not as it was meant, for the author."""
    return parse(text)[1] if "{" in text or "}" in text else []


def placeholders(text: str) -> "set[str]":
    """Return the names of the values that a message takes, those inside of choices too.

    >>> sorted(placeholders("{n, plural, one {# of {name}} other {all}}: {error}"))
    ['error', 'n', 'name']
    """
    return set(_names(parse(text)[0]))


def _names(nodes: "Iterable[Node]") -> "Iterator[str]":
    for node in nodes:
        if isinstance(node, Choice):
            yield node.name
            for case in node.cases.values():
                yield from _names(case)
        elif isinstance(node, Value) and _NAME.fullmatch(node.name):
            yield node.name
