r"""Shapes of JSON values: each checks a value and describes itself as JSON Schema, from one declaration.

    >>> shape = Table((Field("name", Text(), "What people read.", required=True),))
    >>> [str(issue) for issue in shape.check({"nmae": "x"}, "widget")]
    ["widget.nmae: unknown key; did you mean 'name'?", 'widget.name: is missing']
    >>> shape.json_schema()["required"]
    ['name']

Values come from strangers, so a check never raises, is bounded in depth, and refuses characters that
would change what a terminal shows (control characters, reordering of text): permissions and their
reasons are printed before anybody consented to anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

from viloapp_sdk._deprecated import Deprecation
from viloapp_sdk.manifest.errors import Issue
from viloapp_sdk.manifest.printable import SAFE_LINE, SAFE_LINES

_MAX_DEPTH = 16
_MAX_SUGGESTIONS = 8


class Shape(Protocol):
    """What a value has to be."""

    def check(self, value: object, path: str) -> Iterator[Issue]:
        """Yield what is wrong with ``value``, which stands at ``path``; never raises."""
        ...

    def json_schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema (draft 2020-12)."""
        ...


def _deprecated_in(shape: Shape, value: object, path: str) -> Iterator[Issue]:
    if isinstance(shape, (Array, Dictionary, Table)):
        yield from shape.deprecated(value, path)


@dataclass(frozen=True)
class Text:
    """A string.

    Args:
        pattern: regular expression, common to Python and ECMA 262, that all of the string matches.
        says: what the pattern asks for, in words.
        max_length: in code points.
        lines: whether newlines and tabs may stand in it.
    """

    pattern: str = ""
    says: str = ""
    max_length: int = 200
    lines: bool = False

    @property
    def _safe(self) -> str:
        return SAFE_LINES if self.lines else SAFE_LINE

    def check(self, value: object, path: str) -> Iterator[Issue]:
        """Yield what is wrong with ``value``."""
        if not isinstance(value, str):
            yield Issue(path, f"must be a string, not {describe(value)}")
        elif len(value) > self.max_length:
            yield Issue(path, f"is longer than {self.max_length} characters")
        elif not re.fullmatch(self._safe, value):
            yield Issue(path, "contains control characters or characters that reorder text")
        elif self.pattern and not re.fullmatch(self.pattern, value):
            yield Issue(path, f"{value!r} is not {self.says}")

    def json_schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        safe = {"pattern": f"^{self._safe}$"}
        own = {"pattern": f"^(?:{self.pattern})$"}
        # A pattern of named characters lets nothing unsafe through by itself; a negated one would.
        says = [own, safe] if "[^" in self.pattern or ".*" in self.pattern else [own]
        patterns = safe if not self.pattern else own if len(says) == 1 else {"allOf": says}
        return {"type": "string", "maxLength": self.max_length} | patterns


@dataclass(frozen=True)
class Number:
    """A number within bounds, both allowed; infinite and not-a-number are not JSON and are refused."""

    minimum: float | None = None
    maximum: float | None = None
    integer: bool = False

    def check(self, value: object, path: str) -> Iterator[Issue]:
        """Yield what is wrong with ``value``."""
        kind = "an integer" if self.integer else "a number"
        allowed = int if self.integer else (int, float)
        if isinstance(value, bool) or not isinstance(value, allowed) or not _finite(value):
            yield Issue(path, f"must be {kind}, not {describe(value)}")
        elif self.minimum is not None and value < self.minimum:
            yield Issue(path, f"must be at least {self.minimum}")
        elif self.maximum is not None and value > self.maximum:
            yield Issue(path, f"must be at most {self.maximum}")

    def json_schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        kind = "integer" if self.integer else "number"
        return {"type": kind} | {key: bound for key, bound in bounds.items() if bound is not None}


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def check(self, value: object, path: str) -> Iterator[Issue]:
        """Yield what is wrong with ``value``."""
        if not isinstance(value, bool):
            yield Issue(path, f"must be true or false, not {describe(value)}")

    def json_schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class Choice:
    """One of a few strings."""

    values: tuple[str, ...]

    def check(self, value: object, path: str) -> Iterator[Issue]:
        """Yield what is wrong with ``value``."""
        if not isinstance(value, str):
            yield Issue(path, f"must be one of {', '.join(self.values)}, not {describe(value)}")
        elif value not in self.values:
            hint = suggest(value, self.values) or f"; must be one of {', '.join(self.values)}"
            yield Issue(path, f"unknown value {shorten(value)}{hint}")

    def json_schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {"enum": list(self.values)}


@dataclass(frozen=True)
class Exactly:
    """One integer and no other: the version of a format."""

    value: int

    def check(self, value: object, path: str) -> Iterator[Issue]:
        """Yield what is wrong with ``value``."""
        if isinstance(value, bool) or not isinstance(value, int) or value != self.value:
            yield Issue(path, f"must be {self.value}; another version of ViloApp may know the format")

    def json_schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {"const": self.value}


@dataclass(frozen=True)
class AnyJson:
    """Whatever JSON can say, nested no deeper than 16."""

    def check(self, value: object, path: str) -> Iterator[Issue]:
        """Yield what is wrong with ``value``."""
        yield from _check_json(value, path, _MAX_DEPTH)

    def json_schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema, which cannot bound the depth."""
        return {}


@dataclass(frozen=True)
class Array:
    """A list of values of one shape."""

    item: Shape
    max_items: int = 1000

    def check(self, value: object, path: str) -> Iterator[Issue]:
        """Yield what is wrong with ``value``."""
        if not isinstance(value, list):
            yield Issue(path, f"must be an array, not {describe(value)}")
            return
        if len(value) > self.max_items:
            yield Issue(path, f"has more than {self.max_items} entries")
        for index, item in enumerate(value[: self.max_items]):
            yield from self.item.check(item, f"{path}[{index}]")

    def deprecated(self, value: object, path: str) -> Iterator[Issue]:
        """Yield where a deprecated key stands; see `Table.deprecated`."""
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from _deprecated_in(self.item, item, f"{path}[{index}]")

    def json_schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {"type": "array", "maxItems": self.max_items, "items": self.item.json_schema()}


@dataclass(frozen=True)
class Dictionary:
    """A mapping whose keys the author chooses."""

    key: Text
    value: Shape
    max_items: int = 1000

    def check(self, value: object, path: str) -> Iterator[Issue]:
        """Yield what is wrong with ``value``."""
        if not isinstance(value, Mapping):
            yield Issue(path, f"must be a table, not {describe(value)}")
            return
        if len(value) > self.max_items:
            yield Issue(path, f"has more than {self.max_items} entries")
            return
        for key, item in value.items():
            here = join(path, key)
            yield from self.key.check(key, here)
            yield from self.value.check(item, here)

    def deprecated(self, value: object, path: str) -> Iterator[Issue]:
        """Yield where a deprecated key stands; see `Table.deprecated`."""
        for key, item in value.items() if isinstance(value, Mapping) else ():
            yield from _deprecated_in(self.value, item, join(path, key))

    def json_schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {
            "type": "object",
            "maxProperties": self.max_items,
            "propertyNames": self.key.json_schema(),
            "additionalProperties": self.value.json_schema(),
        }


@dataclass(frozen=True)
class Field:
    """A key of a `Table`.

    Args:
        name: the key.
        shape: what its value has to be.
        about: what it means, for the reference and the JSON Schema.
        required: whether it may be left out.
        deprecated: what takes its place, and the API version that has it no more.
    """

    name: str
    shape: Shape
    about: str
    required: bool = False
    deprecated: Deprecation | None = None


@dataclass(frozen=True)
class Table:
    """A mapping with fixed keys; any other is an error with a suggestion."""

    fields: tuple[Field, ...]

    def check(self, value: object, path: str = "") -> Iterator[Issue]:
        """Yield what is wrong with ``value``."""
        if not isinstance(value, Mapping):
            yield Issue(path or "plugin.json", f"must be a table, not {describe(value)}")
            return
        known = {field.name: field for field in self.fields}
        unknown = [key for key in value if key not in known]
        for number, key in enumerate(unknown[: self._max_unknown]):
            hint = suggest(key, known) if number < _MAX_SUGGESTIONS else ""
            yield Issue(join(path, key), f"unknown key{hint}")
        if len(unknown) > self._max_unknown:
            yield Issue(path or "plugin.json", f"{len(unknown) - self._max_unknown} more unknown keys")
        for name, field in known.items():
            if name in value:
                yield from field.shape.check(value[name], join(path, name))
            elif field.required:
                yield Issue(join(path, name), "is missing")

    def deprecated(self, value: object, path: str = "") -> Iterator[Issue]:
        """Yield where a deprecated key stands in ``value``, and what takes its place; any value will do."""
        given = value if isinstance(value, Mapping) else {}
        for field in self.fields:
            if field.name in given:
                here = join(path, field.name)
                if field.deprecated is not None:
                    yield Issue(here, field.deprecated.say(field.name, "API"))
                yield from _deprecated_in(field.shape, given[field.name], here)

    _max_unknown = 100

    def json_schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {
            "type": "object",
            "properties": {
                field.name: {"description": field.about}
                | ({"deprecated": True} if field.deprecated else {})
                | field.shape.json_schema()
                for field in self.fields
            },
            "required": [field.name for field in self.fields if field.required],
            "additionalProperties": False,
        }


def join(path: str, key: object) -> str:
    """Return the path of ``key`` below ``path``; a key that is no plain word is quoted."""
    if isinstance(key, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", key):
        return f"{path}.{key}" if path else key
    return f"{path}[{shorten(key)}]"


def shorten(value: object) -> str:
    """Return ``value`` as a person may see it on a terminal: escaped and at most some 60 characters."""
    text = ascii(value) if isinstance(value, str) else describe(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def describe(value: object) -> str:
    """Return the kind of ``value`` in the words of JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)) and not _finite(value):
        return "an integer of more than 64 bits" if isinstance(value, int) else "infinite or not-a-number"
    names = {str: "a string", int: "an integer", float: "a number", list: "an array"}
    kinds = [name for cls, name in names.items() if isinstance(value, cls)]
    if kinds:
        return kinds[0]
    return "a table" if isinstance(value, Mapping) else f"a {type(value).__name__}"


def suggest(word: object, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """Return ``; did you mean '…'?`` when a known word is close, else nothing."""
    if not isinstance(word, str) or len(word) > 64:
        return ""
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _finite(value: float) -> bool:
    """Return whether ``value`` is a number that both JSON and msgpack, of 64 bits, can say."""
    return -(2**63) <= value < 2**64 if isinstance(value, int) else math.isfinite(value)


def _check_json(value: object, path: str, depth: int) -> Iterator[Issue]:
    if depth == 0:
        yield Issue(path, f"is nested deeper than {_MAX_DEPTH}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _check_json(item, f"{path}[{index}]", depth - 1)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from Text().check(key, join(path, key))
            yield from _check_json(item, join(path, key), depth - 1)
    elif isinstance(value, str):
        yield from Text(max_length=10_000, lines=True).check(value, path)
    elif not (value is None or (isinstance(value, (bool, int, float)) and _finite(value))):
        yield Issue(path, f"must be something JSON can say, not {describe(value)}")
