"""The versions of a plugin's settings, and the steps from one to the next. Pure.

    >>> table = {"version": "2", "steps": [{"from": "1", "to": "2", "run": "hello.steps:to_2"}]}
    >>> [step.run for step in steps_from(table, "1.3")]
    ['hello.steps:to_2']

A version is ``MAJOR`` or ``MAJOR.MINOR``, compared by number as PEP 440 does: 1.10 comes after 1.9, 2 is 2.0.
A minor one adds: older code reads what it knows of it. A major one is another format, to which a step leads.
The settings and the data of a plugin have one version.

Source: ``docs/reference/settings.md``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from viloapp_sdk.manifest.errors import Issue
from viloapp_sdk.manifest.values import problem

__all__ = ["UNDECLARED", "Step", "chain_issues", "declared", "later", "major", "objections", "steps_from"]

UNDECLARED = "1"
"""What settings count as that were written before their plugin declared a version."""

_MAX_VALUE = 1024 * 1024


@dataclass(frozen=True, order=True)
class Step:
    """One step of a plugin.

    Args:
        end: the version that it makes.
        begin: the version that it takes; later minor versions of that too.
        run: ``module:function`` of the plugin.
    """

    end: tuple[int, int]
    begin: tuple[int, int]
    run: str

    def __str__(self) -> str:
        """Return it as people read it."""
        return f"{shown(self.begin)} to {shown(self.end)} ({self.run})"


def parse(version: str) -> tuple[int, int]:
    """Return the numbers of a version that the manifest's shape has found to be one."""
    first, _, second = version.partition(".")
    return int(first), int(second or 0)


def shown(version: tuple[int, int]) -> str:
    """Return numbers as an author writes them."""
    return f"{version[0]}.{version[1]}" if version[1] else str(version[0])


def major(version: str) -> int:
    """Return the number that says whether code of another version can read the settings."""
    return parse(version)[0]


def later(one: str, other: str) -> str:
    """Return the later of two versions."""
    return one if parse(one) >= parse(other) else other


def declared(manifest: Mapping[str, Any]) -> str:
    """Return the version of the settings that a manifest declares."""
    return str((manifest.get("settings") or {}).get("version", UNDECLARED))


def steps_from(table: Mapping[str, Any], stored: str) -> list[Step]:
    """Return the steps that make settings of version `stored` those that a manifest declares, in order.

    Of one major version the step runs that leads least far; so none is left out.

    Args:
        table: ``settings`` of the manifest; empty where there is none.
        stored: the version of what is there. Of a later major version nothing leads back: there are no steps.
    """
    steps, end = _steps(table), parse(str(table.get("version", UNDECLARED)))
    at, found = parse(stored), []
    while following := [step for step in steps if step.begin[0] == at[0] and at < step.end <= end]:
        found.append(min(following))
        at = found[-1].end
    return found


def chain_issues(table: object) -> Iterator[Issue]:
    """Yield where the steps of a manifest's ``settings``, whose shape is right, do not make one chain."""
    if not isinstance(table, Mapping):
        return
    end, seen = parse(table.get("version", UNDECLARED)), dict[tuple[int, int], int]()
    for index, row in enumerate(table.get("steps", ())):
        begin, to, path = parse(row["from"]), parse(row["to"]), f"settings.steps[{index}]"
        if to <= begin:
            yield Issue(f"{path}.to", f"{row['to']} does not come after {row['from']}")
        if to > end:
            yield Issue(f"{path}.to", f"{row['to']} comes after settings.version, {table['version']}")
        if begin in seen:
            yield Issue(
                f"{path}.from", f"{row['from']} is where settings.steps[{seen[begin]}] begins already"
            )
        seen.setdefault(begin, index)
    begins = [parse(UNDECLARED), *(step.begin for step in _steps(table))]
    broken = {_reached(table, begin)[0] for begin in begins if begin < end} - {end[0]}
    for number in sorted(broken):
        yield Issue("settings.steps", f"no step leads from {number} on to {table['version']}")


def objections(name: str, value: object, configuration: Mapping[str, Any]) -> str:
    """Return why a value that a step made cannot be stored; empty when it can.

    Args:
        name: of the setting.
        value: what it would be.
        configuration: of the new manifest. What that does not declare is kept for code of other versions.
    """
    if not name or len(name) > 200 or "." in name or not name.isprintable():
        return "that is no name of a setting"
    try:
        text = json.dumps(value, allow_nan=False)
        same = json.loads(text) == value
    except (TypeError, ValueError, RecursionError):
        same, text = False, ""
    if not same:
        return "it is nothing that JSON has"
    if len(text) > _MAX_VALUE:
        return f"it has more than {_MAX_VALUE} characters"
    return problem(configuration[name], value) if name in configuration else ""


def _steps(table: Mapping[str, Any]) -> list[Step]:
    rows = table.get("steps", ())
    return [Step(parse(row["to"]), parse(row["from"]), str(row["run"])) for row in rows]


def _reached(table: Mapping[str, Any], begin: tuple[int, int]) -> tuple[int, int]:
    found = steps_from(table, shown(begin))
    return found[-1].end if found else begin
