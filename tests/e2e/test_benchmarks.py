"""Every benchmark program runs, on a scale of which no figure is worth anything: what it tells has its shape.

`install` fetches what it installs and is left out, as are the faults on purpose, which
tests/e2e/test_chaos.py has. Time has no verdict here.
"""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.charts import draw
from benchmarks.points import Curve
from benchmarks.regression import kept, ratios

CLONE = Path(__file__).resolve().parents[2]
ELSEWHERE = {"install", "chaos"}
# Of each program one target, and the curves that docs/performance.md shows.
TARGETS = {
    "calls": "100 bytes, uvloop, to raw",
    "events": "event to 2, to raw",
    "streams": "a stream's time to the raw one's",
    "limits": "a call, watched and not",
    "trust": "verifying a provenance, ms",
    "list": "list of 10 by python -I -c pass",
    "start": "start without sandbox, to the interpreter alone",
    "memory": "this project, no sandbox, each of 2",
    "scale": "host ready, 10 installed to 10, median of the rounds",
    "metrics": "counting one call, the quickest round",
    "reload": "reloads for a file that is written twice",
    "confined": "added to a start, median",
}
CURVES = {
    "curves": {"calls", "payload", "events"},
    "start": {"starts"},
    "memory": {"memory"},
    "list": {"list"},
    "scale": {"host"},
}
NEEDS_BUBBLEWRAP = {"confined"}


# The first of these tests has the run of all programs in it.
pytestmark = pytest.mark.timeout(900)
PROGRAMS = sorted(set(BENCHMARKS) - ELSEWHERE)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """What a run of all programs wrote, and what it printed."""
    file = tmp_path_factory.mktemp("benchmarks") / "results.json"
    words = [sys.executable, "-m", "benchmarks", *PROGRAMS, "--tiny", "--json", str(file)]
    done = subprocess.run(words, cwd=CLONE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(file.read_text("utf-8")), done.stdout


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_tells_what_it_is_there_for(name: str, ran: tuple[dict[str, Any], str]) -> None:
    """Figures, targets and curves of the program's own, each a number; and the table has them all."""
    results, printed = ran
    assert (results["schema"], results["effort"]) == (2, "tiny")
    outcome = results["benchmarks"][name]
    assert f"## {outcome['title']}\n" in printed
    for comparison in outcome["comparisons"]:
        limit, *others = comparison["rows"]
        assert limit["ratio"] == 1.0
        assert others
        assert all(0 < row["low"] <= row["ratio"] <= row["high"] for row in comparison["rows"])
    for series in outcome["times"]:
        assert 0 <= series["min_s"] <= series["median_s"] <= series["max_s"]
    targets = {target["what"]: target for target in outcome["targets"]}
    if name in TARGETS and not (name in NEEDS_BUBBLEWRAP and outcome["notes"][0].startswith("not measured")):
        assert TARGETS[name] in targets
    assert all(math.isfinite(target["value"]) and target["limit"] >= 0 for target in targets.values())
    assert all(f"| {what} |" in printed for what in targets)
    assert {curve["name"] for curve in outcome["curves"]} == CURVES.get(name, set())
    for curve in map(Curve.from_json, outcome["curves"]):
        assert all(len(points) == len(next(iter(curve.lines.values()))) for points in curve.lines.values())
        assert f"{curve.name}.svg" in draw([results])
    assert (name in kept()) <= (name in ratios(results))
