"""Messages with their values: what `viloapp_sdk._messages` has read, in a language.

A value is put in once, as text: what looks like a placeholder in one is never read, and nothing but a value's
own text is reached, no attribute and no item. Nothing here fails, whatever message and values are.
"""

from viloapp_sdk._messages import COUNT, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Protocol

    from viloapp_sdk._messages import Choice, Node

    class Rules(Protocol):
        """What is a language's own."""

        def plural(self, number: Any, ordinal: bool) -> str:
            """Return the CLDR category of a number."""

        def show(self, value: Any, kind: str, style: str) -> str | None:
            """Return a value as the language writes it; None where it cannot be told."""


__all__ = ["fill"]


def fill(nodes: "Iterable[Node]", values: "Mapping[str, Any]", rules: "Rules", number: "Any" = None) -> str:
    """Return a message with its values; a placeholder without a value stays as it is written.

    Args:
        nodes: of the message.
        values: by name.
        rules: of the language that the message is in.
        number: that ``#`` stands for.
    """
    shown = []
    for node in nodes:
        if isinstance(node, str):
            shown.append(node)
        elif isinstance(node, Value):
            if node.name == COUNT:
                shown.append(_shown(number, "number", "", rules))
            elif node.name in values:
                shown.append(_shown(values[node.name], node.kind, node.style, rules))
            else:
                shown.append(node.source)
        elif node.name in values:
            value = values[node.name]
            case, inner = _case(node, value, rules)
            shown.append(fill(node.cases[case], values, rules, number if node.kind == "select" else inner))
        else:
            shown.append(node.source)
    return "".join(shown)


def _case(choice: "Choice", value: "Any", rules: "Rules") -> "tuple[str, Any]":
    """Return which case a value has, and the number that is shown in it."""
    if choice.kind == "select":
        case = _text(value)
        return (case if case in choice.cases else "other"), None
    if isinstance(value, bool) or not _is_number(value):
        return "other", value
    try:
        rest = value - choice.offset
        for selector in choice.cases:
            if selector[0] == "=" and value == int(selector[1:]):
                return selector, rest
    except Exception:  # of a number that none is compared with, such as Decimal("sNaN")
        return "other", value
    case = rules.plural(rest, choice.kind == "selectordinal")
    return (case if case in choice.cases else "other"), rest


def _shown(value: "Any", kind: str, style: str, rules: "Rules") -> str:
    found = rules.show(value, kind, style) if kind else None
    return _text(value) if found is None else found


def _text(value: "Any") -> str:
    try:
        return str(value)
    except Exception:  # a text is not where a value's own fault becomes one of the screen
        return object.__repr__(value)


def _is_number(value: "Any") -> bool:
    # By name, since `decimal` is nothing that a worker imports for a plugin that has no such number.
    return isinstance(value, (int, float)) or type(value).__name__ in ("Decimal", "Fraction")
