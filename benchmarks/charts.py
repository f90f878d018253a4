"""``python -m benchmarks charts RESULTS.json …``: pictures of what ``--json`` wrote, and a table of targets.

Of several files the later one counts where two have the same curve or target.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import svg
from benchmarks.points import Curve

__all__ = ["ASSETS", "draw", "main", "table"]

ASSETS = Path(__file__).resolve().parents[1] / "docs" / "assets" / "performance"


def draw(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the pictures by the name of their file."""
    outcomes = [outcome for result in results for outcome in result["benchmarks"].values()]
    curves = {value["name"]: Curve.from_json(value) for outcome in outcomes for value in outcome["curves"]}
    # A ratio says something on any machine; seconds and kilobytes do not.
    targets = {
        target["what"]: target
        for outcome in outcomes
        for target in outcome["targets"]
        if target["unit"] == "times" and target["value"] > 0
    }
    drawn = {f"{name}.svg": svg.curve(curve) for name, curve in curves.items()}
    if targets:
        drawn["targets.svg"] = svg.bars([*targets.values()])
    return drawn


def table(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return all targets as lines of Markdown, each with the run that it was measured in last."""
    rows = {}
    for result in results:
        machine = result["machine"]
        run = f"{machine['commit'].split()[0]}, load {machine['load before']}"
        for outcome in result["benchmarks"].values():
            for each in outcome["targets"]:
                unit = {"times": "", "": ""}.get(each["unit"], f" {each['unit']}")
                spread = f" ({each['low']:.2f} to {each['high']:.2f})" if each["low"] is not None else ""
                verdict = "met" if each["met"] else "**missed**"
                measured = f"{each['value']:,.2f}{unit}{spread}"
                rows[each["what"]] = f"| {measured} | {each['limit']:,.2f}{unit} | {verdict} | {run} |"
    head = ["| target | measured (quartiles) | at most | | commit, load before |", "|---|---:|---:|---|---|"]
    return [*head, *(f"| {what} {row}" for what, row in rows.items())]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pictures, and print the table of all targets."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks charts", description=__doc__)
    parser.add_argument("results", type=Path, nargs="+", help="what `python -m benchmarks --json` wrote")
    parser.add_argument(
        "--to", type=Path, default=ASSETS, metavar="FOLDER", help="docs/assets/performance by default"
    )
    chosen = parser.parse_args(arguments)
    chosen.to.mkdir(parents=True, exist_ok=True)
    results = [json.loads(path.read_text("utf-8")) for path in chosen.results]
    for name, text in draw(results).items():
        (chosen.to / name).write_text(text, "utf-8")
        sys.stderr.write(f"{chosen.to / name}\n")
    sys.stdout.write("\n".join(table(results)) + "\n")
    return 0
