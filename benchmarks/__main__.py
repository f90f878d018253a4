"""``python -m benchmarks [NAME …] [--quick] [--json FILE]``: run, print, keep.

``check`` stands for a quick run of those whose ratios are compared with what they were;
``charts RESULTS.json`` draws what ``--json`` wrote.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import (
    broker,
    calls,
    chaos,
    charts,
    confined,
    curves,
    events,
    install,
    limits,
    memory,
    metrics,
    regression,
    reload,
    scale,
    start,
    streams,
    trust,
)
from benchmarks import list as listing
from benchmarks.building import other_sdk
from benchmarks.effort import Effort
from benchmarks.report import Outcome, described_machine, render

BENCHMARKS = {
    "calls": calls.run,
    "events": events.run,
    "streams": streams.run,
    "curves": curves.run,
    "install": install.run,
    "list": listing.run,
    "limits": limits.run,
    "trust": trust.run,
    "broker": broker.run,
    "start": start.run,
    "memory": memory.run,
    "scale": scale.run,
    "confined": confined.run,
    "chaos": chaos.run,
    "metrics": metrics.run,
    "reload": reload.run,
}

CHECKED = ("calls", "events", "streams", "start", "memory", "list")


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen benchmarks; 0 whether or not the targets are met, since machines differ.

    1 when one of them failed; `check` alone has a verdict: 1 when a ratio is worse than it was.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["charts"]:
        return charts.main(given[1:])
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{' or '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--rounds", type=int, default=3, help="of installing; 3 by default")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, in less than two minutes")
    parser.add_argument(
        "--tiny", action="store_true", help="only whether the programs work; figures of no worth"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--folder", type=Path, help="where stores are made: on the disk to be measured")
    chosen = parser.parse_args(given)
    if checking := chosen.names == ["check"]:
        chosen.names, chosen.quick = [*CHECKED], True
    if unknown := sorted(set(chosen.names) - set(BENCHMARKS)):
        parser.error(f"no benchmark is called {', '.join(unknown)}")
    if other_sdk():
        parser.error("plugins would get another viloapp-sdk than the one here: python3 dev.py setup")
    effort = Effort.TINY if chosen.tiny else Effort.QUICK if chosen.quick else Effort.FULL
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="viloapp-bench-", dir=chosen.folder))
    outcomes: dict[str, Outcome] = {}
    failed = []
    try:
        machine = described_machine(folder)
        for name in chosen.names or BENCHMARKS:
            (folder / name).mkdir()
            try:
                outcomes[name] = BENCHMARKS[name](folder / name, effort=effort, rounds=chosen.rounds)
            except Exception:  # of a program of half a minute, those of half an hour are not to be lost
                traceback.print_exc()
                failed.append(name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    machine["seconds in all"] = round(time.monotonic() - began)
    sys.stdout.write(render(machine, outcomes))
    if chosen.json:
        value: dict[str, Any] = {"schema": 2, "effort": effort.value, "machine": machine}
        value["benchmarks"] = {name: outcome.to_json() for name, outcome in outcomes.items()}
        chosen.json.write_text(json.dumps(value, indent=2) + "\n", "utf-8")
    if failed:
        sys.stderr.write(f"failed, as told above: {', '.join(failed)}\n")
        return 1
    return _checked(outcomes) if checking else 0


def _checked(outcomes: Mapping[str, Outcome]) -> int:
    """Compare with what was measured before; 1 when something is slower."""
    results = {"benchmarks": {name: outcome.to_json() for name, outcome in outcomes.items()}}
    found = regression.slower(regression.ratios(results), regression.kept())
    sys.stdout.write("".join(f"slower: {line}\n" for line in found) or "nothing is slower than it was\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
