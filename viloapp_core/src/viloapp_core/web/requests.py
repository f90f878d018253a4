"""The shape of what the page sends: decoded and checked before any method sees it.

    >>> Fields(Field("id", "string"), Field("arguments", "object", {})).check("command.run", {"id": "a.b"})
    {'id': 'a.b', 'arguments': {}}

Every fault is reported at once, each with its path; an unknown key is a fault.
"""

import difflib
import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from viloapp_core.web.errors import InvalidRequestError

__all__ = ["REQUIRED", "Field", "Fields", "Request", "decode", "decode_object"]

Kind = Literal["string", "optional string", "boolean", "integer", "object", "strings", "any"]

REQUIRED: Final = object()

MAX_ID: Final = 2**53 - 1
"""The largest integer that the page's numbers hold exactly (ECMA-262, Number.MAX_SAFE_INTEGER)."""


def _fits(value: object, kind: Kind) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "optional string":
            return value is None or isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "object":
            return isinstance(value, dict)
        case "strings":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case "any":
            return True


@dataclass(frozen=True)
class Field:
    """One key of a message; without a default it has to be there."""

    name: str
    kind: Kind
    default: Any = REQUIRED


class Fields:
    """The keys that a message takes."""

    def __init__(self, *fields: Field) -> None:
        self._fields = {field.name: field for field in fields}

    def check(self, where: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return ``params`` completed with defaults.

        Raises:
            InvalidRequestError: with every fault found.
        """
        issues = [self._unknown(key) for key in params if key not in self._fields]
        checked: dict[str, Any] = {}
        for field in self._fields.values():
            value = params.get(field.name, field.default)
            if value is REQUIRED:
                issues.append(f"{field.name}: is missing")
            elif field.name in params and not _fits(value, field.kind):
                issues.append(f"{field.name}: must be {field.kind}, not {type(value).__name__}")
            checked[field.name] = value
        if issues:
            raise InvalidRequestError(where, issues)
        return checked

    def _unknown(self, key: str) -> str:
        close = difflib.get_close_matches(key, self._fields, n=1)
        return f"{key[:80]}: is not known" + (f"; did you mean {close[0]}?" if close else "")


@dataclass(frozen=True)
class Request:
    """One call of the page."""

    id: int
    method: str
    params: dict[str, Any]


_ENVELOPE = Fields(Field("id", "integer"), Field("method", "string"), Field("params", "object", {}))


def decode_object(where: str, text: str) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        InvalidRequestError: the text is not JSON, or not an object.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(where, [f"not JSON: {error}"]) from error
    if not isinstance(value, dict):
        raise InvalidRequestError(where, [f"must be an object, not {type(value).__name__}"])
    return value


def decode(text: str) -> Request:
    """Read one call of the page.

    Raises:
        InvalidRequestError: the text is not a call.
    """
    envelope = _ENVELOPE.check("message", decode_object("message", text))
    if not 0 <= envelope["id"] <= MAX_ID:
        raise InvalidRequestError("message", [f"id: must be 0 to {MAX_ID}"])
    return Request(**envelope)
