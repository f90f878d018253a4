"""`viloapp list` with few and with many plugins, and `viloapp --version`, by the interpreter's own start.

The stores are generated: receipts, links and interpreters of plugins as an installation leaves them, without
modules. The index is not generated; the store derives it from them, as it does when one is lost.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.commands import BenchmarkError, base_python, measure, script
from benchmarks.effort import Effort
from benchmarks.plugins import write_project
from benchmarks.points import Curve, of_series
from benchmarks.report import Outcome, Series, Target, say
from benchmarks.rounds import quartiles
from tests.fixtures.artifacts import begin
from viloapp_core.foundation.files import write_json
from viloapp_core.manifest import read_source
from viloapp_core.store import Store
from viloapp_core.store.truth import RECEIPT_SCHEMA

FEW, MANY = 10, 1000
GROWTH_LIMIT = 1.25
START_LIMIT = 5.0

_LIMIT, _VERSION = "python -I -c pass", "viloapp --version"

# Runs `viloapp list` and tells which files it opened; argv[1] is where to write them.
_AUDITED = """
import os, sys
opened = []
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        opened.append(os.path.abspath(os.fsdecode(arguments[0])))
from viloapp_core.cli.main import main
sys.addaudithook(hook)
main(["list"])
with open(sys.argv[1], "w") as file:
    file.write("\\n".join(opened[:]))
"""


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """List stores of several sizes in turn.

    Args:
        folder: for the stores.
        effort: how many rounds; only a full one has a store of 5,000.
        rounds: of installing otherwise; of these quick commands there are ten times as many.
    """
    counts = effort.choose((FEW, 20), (FEW, 100, MANY), (FEW, 100, MANY, 5000))
    stores = {}
    for count in counts:
        say(f"generating a store of {count} plugins")
        stores[count] = generate(folder / str(count), count)
    rounds = effort.choose(1, 15, 10 * rounds)
    say(f"listing, {rounds} rounds")
    turns_of = (_LIMIT, _VERSION, *map(_what, counts))
    times: dict[str, list[float]] = {what: [] for what in turns_of}
    for turn in range(rounds + 1):
        turns = list(turns_of)
        for what in turns[turn % len(turns) :] + turns[: turn % len(turns)]:
            seconds = _measured(what, stores)
            if turn:  # the first only warms the disk's cache
                times[what].append(seconds)
    outcome = Outcome("`viloapp list`")
    outcome.times = [Series(what, tuple(runs)) for what, runs in times.items()]
    outcome.counts = _opened(stores, folder)
    outcome.curves = [_curve(times, counts)]
    many_plugins = MANY if MANY in counts else counts[-1]
    limit, few, many = times[_LIMIT], times[_what(FEW)], times[_what(many_plugins)]
    growth = statistics.median(many) / statistics.median(few)
    outcome.targets = [
        _by(f"list of {FEW} by {_LIMIT}", few, limit, START_LIMIT),
        _by(f"{_VERSION} by {_LIMIT}", times[_VERSION], limit, START_LIMIT),
        Target(f"list of {many_plugins:,} by list of {FEW}, medians", growth, GROWTH_LIMIT),
        _by(f"list of {many_plugins:,} by list of {FEW}, median of the rounds", many, few, GROWTH_LIMIT),
        Target(
            f"files opened in a store of {many_plugins:,}", _in_store(outcome.counts, many_plugins), 1, ""
        ),
    ]
    return outcome


def _by(what: str, times: Sequence[float], others: Sequence[float], most: float) -> Target:
    """Hold the median of the rounds' ratios against what it may be."""
    low, ratio, high = quartiles([a / b for a, b in zip(times, others, strict=True)])
    return Target(what, ratio, most, low=low, high=high)


def _curve(times: Mapping[str, Sequence[float]], counts: Sequence[int]) -> Curve:
    lines = {
        _LIMIT: of_series({count: times[_LIMIT] for count in counts}),
        _VERSION: of_series({count: times[_VERSION] for count in counts}),
        "viloapp list": of_series({count: times[_what(count)] for count in counts}),
    }
    return Curve("list", "The command line, by what is installed", "plugins installed", "ms", lines)


def _what(count: int) -> str:
    return f"viloapp list of {count:,}"


def _measured(what: str, stores: Mapping[int, Path]) -> float:
    for count, store in stores.items():
        if what == _what(count):
            finished = measure([script("viloapp"), "list"], {"VILOAPP_HOME": str(store)})
            if finished.stdout.count("\n") != count + 1:
                raise BenchmarkError(f"{what} does not list them all: {finished.stdout[:500]}")
            return finished.seconds
    command = [script("viloapp"), "--version"] if what == _VERSION else [sys.executable, "-I", "-c", "pass"]
    return measure(command, {}).seconds


def generate(root: Path, count: int) -> Path:
    """Make a store with so many plugins and return it.

    Each is begun through the store and given what `Store.commit_install` gives it. That one writes the index
    anew each time, which for thousands at once would take hours; here the store does so once, at the end.
    """
    manifest = read_source(write_project(root.with_name(f"{root.name}-source"), 1)).manifest.to_json()
    store = Store(root)
    for number in range(count):
        plugin_id = f"generated-{number:04}"
        entry, generation, _artifact = begin(store, plugin_id, "1.0")
        (generation / "venv" / "bin").mkdir(parents=True)
        (generation / "venv" / "bin" / "python").symlink_to(base_python())
        write_json(generation / "receipt.json", receipt(plugin_id, _renamed(manifest, number)))
        for made in (store.layout.data(plugin_id), store.layout.log(plugin_id)):
            made.mkdir(mode=0o700)
        store.layout.current(plugin_id).symlink_to(f"generations/{generation.name}")
        entry.close()
    if len(store.plugins()) != count or not store.layout.index.is_file():
        raise BenchmarkError(f"the store has {len(store.plugins())} plugins; {count} were generated")
    return root


def _renamed(value: Any, number: int) -> Any:
    """Return a manifest with ids of its own: no two plugins have one command."""
    if isinstance(value, dict):
        return {key: _renamed(item, number) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_renamed(item, number) for item in value]
    return re.sub(r"\bbench01\.", f"generated{number:04}.", value) if isinstance(value, str) else value


def receipt(plugin_id: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the store keeps of a generated plugin."""
    return {
        "schema": RECEIPT_SCHEMA,
        "replaces": None,
        "plugin_id": plugin_id,
        "name": plugin_id,
        "version": "1.0",
        "summary": "A generated plugin, of which there are many.",
        "author": "",
        "license": "MIT",
        "entry_point": f"{plugin_id.replace('-', '_')}:Bench",
        "manifest": dict(manifest),
        "source": "index",
        "requested": plugin_id,
        "dev_source": None,
        "index_url": "PyPI",
        "permissions": [],
        "python_version": ".".join(map(str, sys.version_info[:3])),
        "base_prefix": sys.base_prefix,
        "base_executable": base_python(),
        "lock_digest": "0" * 12,
        "packages": [],
        "notes": [],
        "installed_at": "2026-01-01T00:00:00Z",
        "installed_by": "benchmarks",
    }


def _opened(stores: Mapping[int, Path], folder: Path) -> dict[str, int]:
    """Count the files that a listing opens, with strace where there is one."""
    counts = {}
    for count, store in stores.items():
        within = [path for path in _traced(store, folder) if path.startswith(f"{store}/")]
        # A folder may be listed without a plugin's file being read.
        files = [path for path in within if not Path(path).is_dir()]
        counts[_files(count)] = len(files)
        counts[f"folders of a store of {count:,} listed"] = len(set(within) - set(files))
    return counts


def _files(count: int) -> str:
    return f"files of a store of {count:,} opened"


def _in_store(counts: Mapping[str, int], count: int) -> int:
    return counts[_files(count)]


def _traced(store: Path, folder: Path) -> Iterable[str]:
    environ = {"VILOAPP_HOME": str(store)}
    log = folder / "opened"
    strace = shutil.which("strace")
    if strace is None:
        measure([sys.executable, "-c", _AUDITED, log], environ)
        return log.read_text("utf-8").splitlines()
    measure([strace, "-f", "-e", "trace=open,openat", "-o", log, script("viloapp"), "list"], environ)
    return _successful(log.read_text("utf-8", "replace").splitlines())


def _successful(lines: Sequence[str]) -> list[str]:
    found = []
    for line in lines:
        match = re.search(r'open(?:at)?\((?:AT_FDCWD, )?"([^"]+)".*\) = \d+', line)
        if match:
            found.append(match[1])
    return found
