"""What a plugin offers only at run time, held to what its manifest would be held to."""

from typing import Any, Literal

from viloapp_sdk.manifest import API_VERSION, SCHEMA_VERSION, validate
from viloapp_sdk.manifest.fields import COMMAND, PARAMETER, WIDGET
from viloapp_sdk.manifest.shapes import Table

__all__ = ["usable"]

_MAX_ROWS = 1000
"""As many as a manifest may have."""


def usable(kind: Literal["commands", "widgets"], rows: object) -> tuple[list[dict[str, Any]], list[str]]:
    """Split a worker's answer into rows that can be listed and what is wrong with the others.

    One that cannot, such as a parameter that is no table or a default that is not JSON, would keep every
    page and every other plugin from the list of all.

    Args:
        kind: of what.
        rows: the worker's answer, of any shape.

    Returns:
        The good rows without what only a newer SDK knows, and a line for each of the others.
    """
    good: list[dict[str, Any]] = []
    bad: list[str] = []
    if not isinstance(rows, list):
        return good, [] if rows is None else [f"{kind}: must be an array"]
    for row in rows[:_MAX_ROWS]:
        row = _known(row, {"commands": COMMAND, "widgets": WIDGET}[kind])
        issues = validate({"schema": SCHEMA_VERSION, "api_version": API_VERSION, kind: [row]})
        if issues:
            bad.append(f"{issues[0].path}: {issues[0].message}")
        else:
            good.append(row)
    if len(rows) > _MAX_ROWS:
        bad.append(f"{kind}: has more than {_MAX_ROWS} entries")
    return good, bad


def _known(row: object, table: Table) -> Any:
    """Return a row without the keys that this core does not know: they are of a newer SDK, no mistakes."""
    if not isinstance(row, dict):
        return row
    names = {field.name for field in table.fields}
    kept = {key: value for key, value in row.items() if key in names}
    if isinstance(kept.get("parameters"), list):
        kept["parameters"] = [_known(each, PARAMETER) for each in kept["parameters"]]
    return kept
