"""What was measured, as a table for people and as JSON."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.points import Curve
from benchmarks.rounds import Comparison

_CLONE = Path(__file__).resolve().parents[1]
_DISTRIBUTIONS = ("viloapp-core", "viloapp-sdk", "pip", "virtualenv", "installer", "pipx", "uv")


@dataclass(frozen=True)
class Series:
    """The runs of one thing, in seconds."""

    what: str
    runs_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """The middle one."""
        return statistics.median(self.runs_s)

    def to_json(self) -> dict[str, Any]:
        """Return it with what a table shows."""
        return {
            "what": self.what,
            "median_s": self.median_s,
            "min_s": min(self.runs_s),
            "max_s": max(self.runs_s),
            "runs_s": list(self.runs_s),
        }


@dataclass(frozen=True)
class Size:
    """What `du` says of some folders, hard links counted once."""

    what: str
    allocated: int
    """Bytes of the blocks that the disk gives."""
    apparent: int
    """Bytes of the files' contents."""


@dataclass(frozen=True)
class Target:
    """A figure that must not be above its limit."""

    what: str
    value: float
    limit: float
    unit: str = "times"
    low: float | None = None
    """The lower quartile of the rounds, where it is a ratio of rounds."""
    high: float | None = None

    @classmethod
    def ratio(cls, what: str, found: Comparison, name: str, limit: float, to: str | None = None) -> Target:
        """Hold one contender's time by another's, or by the limit's, against what it may be."""
        low, value, high = found.spread(name, to)
        return cls(what, value, limit, low=low, high=high)

    @property
    def met(self) -> bool:
        """Whether it is not."""
        return self.value <= self.limit


@dataclass
class Outcome:
    """All that one benchmark found."""

    title: str
    comparisons: list[Comparison] = field(default_factory=list)
    times: list[Series] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    curves: list[Curve] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return everything, single runs included."""
        return {
            "title": self.title,
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
            "times": [series.to_json() for series in self.times],
            "sizes": [asdict(size) for size in self.sizes],
            "counts": self.counts,
            "curves": [curve.to_json() for curve in self.curves],
            "targets": [{**asdict(target), "met": target.met} for target in self.targets],
            "notes": self.notes,
        }


def disk(what: str, folders: Iterable[Path]) -> Size:
    """Ask `du` what folders take together."""
    paths = sorted(map(str, folders))
    return Size(what, _du(paths), _du(paths, "--apparent-size"))


def _du(paths: Sequence[str], *options: str) -> int:
    # One command for all of them: only then is a file that several link to counted once.
    words = ["du", "--summarize", "--total", "--block-size=1", *options, "--", *paths]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return int(told.splitlines()[-1].split()[0])


def described_machine(folder: Path) -> dict[str, Any]:
    """Return what one must know of the machine and the versions to judge the figures."""
    words = ["stat", "--file-system", "--format=%T", str(folder)]
    file_system = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "commit": _commit(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": os.cpu_count(),
        "file system": file_system or "unknown",
        "load before": round(os.getloadavg()[0], 1),
        "versions": {name: _version(name) for name in _DISTRIBUTIONS},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    git = shutil.which("git")
    if git is None or not (_CLONE / ".git").exists():
        return "unknown"

    def ask(*words: str) -> str:
        return subprocess.run(
            [git, *words], cwd=_CLONE, capture_output=True, text=True, check=False
        ).stdout.strip()

    return ask("rev-parse", "--short", "HEAD") + (" with changes" if ask("status", "--porcelain") else "")


def say(text: str) -> None:
    """Tell how far the run is."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()


def render(machine: Mapping[str, Any], outcomes: Mapping[str, Outcome]) -> str:
    """Return the tables, in Markdown."""
    facts = {**machine, "versions": ", ".join(f"{k} {v}" for k, v in machine["versions"].items())}
    lines = [f"- {name}: {fact}" for name, fact in facts.items()]
    for outcome in outcomes.values():
        lines += ["", f"## {outcome.title}", ""]
        lines += [line for comparison in outcome.comparisons for line in comparison.table()]
        lines += [line for curve in outcome.curves for line in curve.table()]
        lines += _sizes(outcome.sizes) + _times(outcome.times)
        lines += [f"- {what}: {count}" for what, count in outcome.counts.items()]
        lines += [f"- {note}" for note in outcome.notes]
        if outcome.targets:
            lines += ["", "| target | measured | quartiles | at most | |", "|---|---:|---:|---:|---|"]
        for goal in outcome.targets:
            verdict = "met" if goal.met else "**missed**"
            value, limit = (f"{number:.2f} {goal.unit}" for number in (goal.value, goal.limit))
            spread = "" if goal.low is None or goal.high is None else f"{goal.low:.2f} to {goal.high:.2f}"
            lines.append(f"| {goal.what} | {value} | {spread} | {limit} | {verdict} |")
    return "\n".join(lines) + "\n"


def _sizes(sizes: Sequence[Size]) -> list[str]:
    if not sizes:
        return []
    first = sizes[0]
    lines = ["| on disk (`du`) | MB | times the first | apparent MB |", "|---|---:|---:|---:|"]
    for size in sizes:
        ratio = size.allocated / first.allocated
        megabytes = f"{size.allocated / 1e6:.1f} | {ratio:.2f} | {size.apparent / 1e6:.1f}"
        lines.append(f"| {size.what} | {megabytes} |")
    return [*lines, ""]


def _times(times: Sequence[Series]) -> list[str]:
    if not times:
        return []
    lines = ["| time, seconds | median | min | max | runs |", "|---|---:|---:|---:|---:|"]
    for series in times:
        shown = " | ".join(
            f"{seconds:.3f}" for seconds in (series.median_s, min(series.runs_s), max(series.runs_s))
        )
        lines.append(f"| {series.what} | {shown} | {len(series.runs_s)} |")
    return [*lines, ""]
