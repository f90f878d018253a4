"""Whether a run is slower than what was measured before: ratios within a run are compared, times never.

    python -m benchmarks check                      # measures calls, events and streams, quickly
    python -m benchmarks.regression out.json        # looks at a run that was kept with --json
    python -m benchmarks.regression out.json --keep # makes it what later runs are compared with

A contender is slower when even the lower quartile of its ratio is above the kept ratio by `TOLERANCE`: what a
busy machine does to one round stays without a verdict.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["EXPECTED", "Ratios", "kept", "ratios", "slower"]

EXPECTED = Path(__file__).with_name("expected.json")
TOLERANCE = 1.3
OURS = "ViloApp"

Ratios = Mapping[str, Mapping[str, tuple[float, float]]]
"""Median and lower quartile of each of our rows, by question and row."""


def ratios(results: Mapping[str, Any]) -> Ratios:
    """Return our ratios in what ``--json`` wrote."""
    return {
        comparison["what"]: {
            row["name"]: (row["ratio"], row["low"])
            for row in comparison["rows"]
            if row["name"].startswith(OURS) or row["name"] == "in a flood"
        }
        for outcome in results["benchmarks"].values()
        for comparison in outcome["comparisons"]
    }


def slower(now: Ratios, before: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a line for each ratio that is above what was kept; what nothing was kept of is none."""
    found = []
    for what, rows in now.items():
        for name, (ratio, low) in rows.items():
            known = before.get(what, {}).get(name)
            if known is not None and low > known * TOLERANCE:
                found.append(f"{what}: {name} takes {ratio:.2f} times the limit, and took {known:.2f} times")
    return found


def kept() -> dict[str, dict[str, float]]:
    """Return the ratios that runs are compared with."""
    value: dict[str, dict[str, float]] = json.loads(EXPECTED.read_text("utf-8"))["ratios"]
    return value


def main() -> int:
    """Compare a file, or keep its ratios; 1 when something is slower."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regression")
    parser.add_argument("results", type=Path, help="what `python -m benchmarks --json` wrote")
    parser.add_argument("--keep", action="store_true", help=f"write the ratios to {EXPECTED.name}")
    chosen = parser.parse_args()
    results = json.loads(chosen.results.read_text("utf-8"))
    now = ratios(results)
    if chosen.keep:
        medians = {
            what: {name: round(each[0], 2) for name, each in rows.items()} for what, rows in now.items()
        }
        before = kept() if EXPECTED.exists() else {}
        value = {"schema": 1, "commit": results["machine"]["commit"], "ratios": {**before, **medians}}
        EXPECTED.write_text(json.dumps(value, indent=2) + "\n", "utf-8")
        return 0
    found = slower(now, kept())
    sys.stdout.write("".join(f"{line}\n" for line in found) or "nothing is slower than it was\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
