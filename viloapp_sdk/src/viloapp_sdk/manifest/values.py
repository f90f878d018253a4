"""Whether a value fits what is declared of a setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["problem"]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def problem(schema: Mapping[str, Any], value: Any) -> str:
    """Return why ``value`` does not fit ``schema``; empty when it does."""
    kinds = _TYPES.get(schema.get("type", ""), (object,))
    if not isinstance(value, kinds) or (
        isinstance(value, bool) and bool not in kinds and object not in kinds
    ):
        return f"it has to be of type {schema['type']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"it has to be one of {', '.join(map(str, schema['enum']))}"
    if isinstance(value, (int, float)):
        if "minimum" in schema and value < schema["minimum"]:
            return f"it has to be at least {schema['minimum']}"
        if "maximum" in schema and value > schema["maximum"]:
            return f"it has to be at most {schema['maximum']}"
    return ""
