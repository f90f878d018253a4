"""Ten plugins that share numpy, requests and rich: what they take on disk, and how long the tenth takes.

The peers are `pipx install` and `uv tool install` of the same ten files. uv is measured as it is and with
``--compile-bytecode``, since the other two leave every module compiled.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.commands import BenchmarkError, Finished, base_python, measure
from benchmarks.effort import Effort
from benchmarks.plugins import Prepared, prepare
from benchmarks.report import Outcome, Series, Size, Target, disk, say
from benchmarks.tools import Pipx, Tool, Uv, ViloApp

PLUGINS = 10
STORE_LIMIT, ARCHIVES_LIMIT = 1.3, 1.5
ABOVE_RESOLVING_LIMIT_S = 1.0
BY_PIPX_LIMIT = 0.5
DISK_BY_PIPX_LIMIT = 1 / 6


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Install ten plugins with each tool, in rounds.

    Args:
        folder: for everything that is made.
        effort: unless it is a full one there is one round, in which the peers install the first and the last
            alone: each of theirs is whole.
        rounds: how many otherwise.
    """
    say("building ten plugins and fetching what they need")
    prepared = prepare(folder, PLUGINS)
    ours = ViloApp(prepared.links)
    tools: list[Tool] = [ours, Pipx(prepared.links), Uv(prepared.links), Uv(prepared.links, compiles=True)]
    outcome = Outcome("Ten plugins that share numpy, requests and rich")
    outcome.sizes.append(_one_environment(prepared, folder / "one"))
    times: dict[str, list[float]] = defaultdict(list)
    quick = effort is not Effort.FULL
    rounds = 1 if quick else rounds
    for turn in range(rounds):
        say(f"installing, round {turn + 1} of {rounds}")
        home = folder / f"round-{turn}"
        counts = _install_all(tools, ours, prepared.wheels, home, times, quick=quick)
        if turn == 0:
            for tool in tools:
                tool.check(prepared.wheels[-1], _home(home, tool))
                outcome.sizes += tool.sizes(_home(home, tool), counts[tool.name])
        shutil.rmtree(home)
    outcome.times = [Series(what, tuple(runs)) for what, runs in times.items()]
    outcome.targets = _targets(outcome, times, quick=quick)
    outcome.notes.append("packages: " + ", ".join(f"{k} {v}" for k, v in prepared.packages.items()))
    return outcome


def _install_all(
    tools: Sequence[Tool],
    ours: ViloApp,
    wheels: Sequence[Path],
    home: Path,
    times: dict[str, list[float]],
    *,
    quick: bool,
) -> Counter[str]:
    """Install all with each tool, each plugin with all of them before the next; return how many each did."""
    counts: Counter[str] = Counter()
    together: dict[str, float] = defaultdict(float)
    for number, wheel in enumerate(wheels, start=1):
        last = number == len(wheels)
        if last:  # resolving as the person sees it: the command that ends before anything is installed
            dry = ours.install(wheel, _home(home, ours), "--dry-run")
            times["viloapp install --dry-run, the tenth"].append(dry.seconds)
        for tool in (*tools[number % len(tools) :], *tools[: number % len(tools)]):
            if quick and tool is not ours and number not in (1, len(wheels)):
                continue
            finished = tool.install(wheel, _home(home, tool))
            counts[tool.name] += 1
            if not quick or number in (1, len(wheels)):
                together[tool.name] += finished.seconds
            if number == 1:
                times[f"{tool.name}, the first"].append(finished.seconds)
            elif last:
                times[f"{tool.name}, the {'tenth' if counts[tool.name] == PLUGINS else 'second'}"].append(
                    finished.seconds
                )
            if last and tool is ours:
                resolving = _resolving(finished)
                times["viloapp install, the tenth: resolving"].append(resolving)
                times["viloapp install, the tenth: all but resolving"].append(finished.seconds - resolving)
    for name, seconds in together.items():
        times[f"{name}, {_set(quick=quick)}"].append(seconds)
    return counts


def _set(*, quick: bool) -> str:
    """Return what each tool installed, in words."""
    return "the first and the tenth together" if quick else "all ten together"


def _home(folder: Path, tool: Tool) -> Path:
    home = folder / tool.name.replace(" ", "-")
    home.mkdir(parents=True, exist_ok=True)
    return home


def _resolving(finished: Finished) -> float:
    """Return the seconds from the first line on resolving to that which says that all is locked."""
    begun = [at for at, line in finished.progress if ": resolve: resolving " in line]
    locked = [at for at, line in finished.progress if ": lock: " in line]
    if not begun or not locked:
        raise BenchmarkError("viloapp install -v does not say when it resolves")
    return locked[-1] - begun[0]


def _one_environment(prepared: Prepared, folder: Path) -> Size:
    """Make what all is compared with: one environment without pip, filled and byte-compiled by pip."""
    subprocess.run([base_python(), "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    offline = ["--no-index", "--find-links", str(prepared.links), "--disable-pip-version-check"]
    measure([*pip, *offline, "--compile", prepared.wheels[0]], {"PIP_CONFIG_FILE": os.devnull})
    return disk("one environment by pip, byte-compiled", [folder])


def _targets(outcome: Outcome, times: Mapping[str, Sequence[float]], *, quick: bool) -> list[Target]:
    one, without, with_archives = (size.allocated for size in outcome.sizes[:3])
    rest = statistics.median(times["viloapp install, the tenth: all but resolving"])
    whole = statistics.median(times["viloapp install, the tenth"])
    dry = statistics.median(times["viloapp install --dry-run, the tenth"])
    done = _set(quick=quick)
    ours, pipx = (times[f"{name}, {done}"] for name in ("viloapp install", "pipx install"))
    ratio = statistics.median(a / b for a, b in zip(ours, pipx, strict=True))
    targets = [Target(f"{done}, by pipx", ratio, BY_PIPX_LIMIT)]
    if not quick:  # of two environments nothing follows for ten
        [theirs] = [size.allocated for size in outcome.sizes if size.what.startswith("pipx")]
        targets.append(
            Target("store of ten with archives by pipx's", with_archives / theirs, DISK_BY_PIPX_LIMIT)
        )
    return [
        *targets,
        Target("store of ten by one environment", without / one, STORE_LIMIT),
        Target("store of ten with archives by one environment", with_archives / one, ARCHIVES_LIMIT),
        Target("tenth install above its own resolving", rest, ABOVE_RESOLVING_LIMIT_S, "s"),
        Target("tenth install above a dry run of it", whole - dry, ABOVE_RESOLVING_LIMIT_S, "s"),
    ]
