"""Whether a run is slower than what was measured before: ratios within a run are compared, times never.

    python -m benchmarks check                      # measures quickly what has kept ratios
    python -m benchmarks.regression out.json        # looks at a run that was kept with --json
    python -m benchmarks.regression out.json --keep # makes it what later runs are compared with

A figure is worse when even the lower quartile of its ratio to the limit is above the kept ratio by what its
program tolerates: what a busy machine does to one round stays without a verdict. `expected.json` has for each
program the ratios, the tolerance, and what to do when one is exceeded.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.points import Curve

__all__ = ["EXPECTED", "OURS", "Ratios", "kept", "keep", "ratios", "slower"]

EXPECTED = Path(__file__).with_name("expected.json")
OURS = ("ViloApp", "viloapp", "this project", "in a flood")
"""How the rows begin that are of this project; a flood is ours too."""

Ratios = Mapping[str, Mapping[str, tuple[float, float]]]
"""Median and lower quartile of each of our figures by the limit's, by program and figure."""


def ratios(results: Mapping[str, Any]) -> Ratios:
    """Return our ratios in what ``--json`` wrote, of each program that has a limit."""
    found = {program: _of_outcome(outcome) for program, outcome in results["benchmarks"].items()}
    return {program: each for program, each in found.items() if each}


def _of_outcome(outcome: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    found = {
        f"{comparison['what']}: {row['name']}": (row["ratio"], row["low"])
        for comparison in outcome["comparisons"]
        for row in comparison["rows"]
        if row["name"].startswith(OURS)
    }
    # A curve is made of the comparisons where there are any.
    curves = [] if outcome["comparisons"] else map(Curve.from_json, outcome["curves"])
    for curve in curves:
        if curve.limited and "per second" not in curve.y:
            found |= _of_curve(curve)
    return found


def _of_curve(curve: Curve) -> dict[str, tuple[float, float]]:
    limit = {point.x: point.y for point in next(iter(curve.lines.values()))}
    return {
        f"{curve.title}: {name}, {point.x:,.0f} {curve.x}": (
            point.y / limit[point.x],
            point.low / limit[point.x],
        )
        for name, points in curve.lines.items()
        if name.startswith(OURS)
        for point in points
    }


def slower(now: Ratios, before: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a line for each ratio that is above what was kept; what nothing was kept of is none.

    Args:
        now: what was measured.
        before: what `kept` returns.
    """
    found = []
    for program, figures in now.items():
        known = before.get(program)
        if known is None:
            continue
        for what, (ratio, low) in figures.items():
            kept_ratio = known["ratios"].get(what)
            if kept_ratio is not None and low > kept_ratio * known["tolerance"]:
                found.append(
                    f"{what}: {ratio:.2f} times the limit, and was {kept_ratio:.2f} times "
                    f"(tolerated: {known['tolerance']:g} times that); {known['todo']}"
                )
    return found


def kept() -> dict[str, dict[str, Any]]:
    """Return by program its `ratios`, the `tolerance`, and `todo`: what to do when one is exceeded."""
    value: dict[str, dict[str, Any]] = json.loads(EXPECTED.read_text("utf-8"))["programs"]
    return value


def keep(now: Ratios, before: Mapping[str, Mapping[str, Any]], run: str) -> dict[str, Any]:
    """Return what is to be kept: what a run measured in the place of what was there of the same figure.

    Args:
        now: what was measured.
        before: what `kept` returns; programs that it does not know are left out.
        run: the commit and the machine's load, for the reader.
    """
    programs = {}
    for program, known in before.items():
        measured = {what: round(ratio, 2) for what, (ratio, _) in now.get(program, {}).items()}
        ran = run if measured else known["run"]
        programs[program] = {**known, "run": ran, "ratios": {**known["ratios"], **measured}}
    return {"schema": 2, "programs": programs}


def main() -> int:
    """Compare a file, or keep its ratios; 1 when something is slower."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regression")
    parser.add_argument("results", type=Path, help="what `python -m benchmarks --json` wrote")
    parser.add_argument("--keep", action="store_true", help=f"write the ratios to {EXPECTED.name}")
    chosen = parser.parse_args()
    results = json.loads(chosen.results.read_text("utf-8"))
    now = ratios(results)
    if chosen.keep:
        machine = results["machine"]
        run = f"{machine['commit']}, Python {machine['python']}, load {machine['load before']} before"
        EXPECTED.write_text(json.dumps(keep(now, kept(), run), indent=2) + "\n", "utf-8")
        return 0
    found = slower(now, kept())
    sys.stdout.write("".join(f"slower: {line}\n" for line in found) or "nothing is slower than it was\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
