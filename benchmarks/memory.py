"""Memory of plugins that need the SDK alone: PSS of all their processes, after each has answered once.

Pages that several processes share count by the number of those who share them (proc(5), ``smaps_rollup``), so
that the sum over all is what the machine has less. Of a worker everything counts: the two processes of
bubblewrap, and the interpreter. The fork server, of which there is one, has a line of its own. What one alone
is charged with depends on who else runs the same interpreter, which the limit beside it shows; what is a
worker's own does not.
"""

from __future__ import annotations

import statistics
import subprocess
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from benchmarks import many
from benchmarks.effort import Effort
from benchmarks.points import Curve, Goal, Point
from benchmarks.report import Outcome, Target, say
from benchmarks.start_peers import PEERS, memory_kib
from benchmarks.starters import BARE, FORKED, INSIDE, OUTSIDE, Started, peer
from viloapp_core.sandbox import probe

COUNTS, QUICK_COUNTS, TINY_COUNTS = (1, 2, 4, 10, 50, 100), (1, 10), (1, 2)
ROUNDS = {1: 5, 2: 3, 4: 3, 10: 3, 50: 1, 100: 1}
SERVER = "fork server"
MOST_KIB = 5_000_000 / 1024
_WAITS = "import sys; sys.stdout.write('.'); sys.stdout.flush(); sys.stdin.read()"


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Plant plugins, start them, and add up.

    Args:
        folder: an empty one.
        effort: how many at once.
        rounds: not used.
    """
    counts = effort.choose(TINY_COUNTS, QUICK_COUNTS, COUNTS)
    say(f"memory: planting {max(counts)} plugins")
    outcome = Outcome("Memory of a plugin that needs the SDK alone")
    with ExitStack() as stack:
        started = Started(stack, folder / "store", many.plant(folder / "store", max(counts)))
        python = next(folder.glob("store/plugins/*/generations/*/venv/bin/python"))
        lines: dict[str, list[Point]] = {}
        for count in counts:
            say(f"memory: {count} at once")
            _measure(outcome, started, python, count, lines)
    goals = [Goal(counts[-1], MOST_KIB, "target")]
    title = "Memory of each plugin (PSS)"
    outcome.curves = [Curve("memory", title, "plugins running", "KiB for each", lines, goals)]
    return outcome


def _measure(
    outcome: Outcome, started: Started, python: Path, count: int, lines: dict[str, list[Point]]
) -> None:
    def note(who: str, kib: Sequence[float]) -> None:
        each = [one / count for one in kib]
        lines.setdefault(who, []).append(Point.of(count, each))
        outcome.counts[f"{who}: PSS for each of {count}, KiB"] = round(statistics.median(kib) / count)

    times = range(ROUNDS[count])
    note(f"{BARE}, waiting", [_waiting(python, count) for _ in times])
    for name in (OUTSIDE, INSIDE, FORKED):
        backend = probe().backend
        if (name == INSIDE and backend == "none") or (name == FORKED and backend != "bubblewrap"):
            outcome.notes.append(f"{name}: not measured: {probe().reason}")
            continue
        found, own, servers = [], [], []
        for _ in times:
            started.start(count, name)
            pids = [each for pid in started.pids(count) for each in _tree(pid)]
            if name == FORKED:
                pids += started.forked(count)
                servers.append(float(memory_kib([started.fork_server])))
            found.append(float(memory_kib(pids)))
            own.append(memory_kib(pids, "Private_Dirty"))
            kinds = Counter(Path(f"/proc/{pid}/comm").read_text("ascii").strip() for pid in pids)
            started.stop()
        note(name, found)
        if servers:  # there is one, however many plugins run
            outcome.counts[f"{SERVER}, beside {count}, KiB"] = round(statistics.median(servers))
        outcome.counts[f"{name}: of its own for each of {count}, KiB"] = round(statistics.median(own) / count)
        if name != FORKED:  # which is asked for, and of which the fork server is a part
            outcome.targets.append(
                Target(f"{name}, each of {count}", statistics.median(found) / count, MOST_KIB, "KiB")
            )
        listed = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
        outcome.notes.append(f"{name}, processes of {count}: {listed}")
    for name, (word, module) in PEERS.items():
        if find_spec(module) is None:
            outcome.notes.append(f"{name}: not measured: {module} is not installed")
        else:
            note(name, [peer(word, count)["pss_kib"] for _ in times])


def _tree(pid: int) -> list[int]:
    """Return a process and all that come from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [pid, *(each for child in children for each in _tree(int(child)))]


def _waiting(python: Path, count: int) -> float:
    """Return the PSS of interpreters that have started, and wait."""
    words = [str(python), "-I", "-c", _WAITS]
    with ExitStack() as stack:
        processes = []
        for _ in range(count):
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        for process in processes:
            assert process.stdout is not None
            process.stdout.read(1)
        return memory_kib([process.pid for process in processes])
