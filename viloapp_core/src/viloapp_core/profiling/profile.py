"""One profile: stacks of functions, and how often each was seen."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from viloapp_core.profiling.errors import ProfilingError

__all__ = ["DEEPEST", "MOST_STACKS", "Profile", "from_folded", "from_worker"]

DEEPEST = 256
MOST_STACKS = 20_000
LONGEST_NAME = 300
MOST_COUNT = 2**31
# Of a worker's answer, a little above what the SDK's sampler sends: more was made to keep the host busy.
MOST_ROWS, LONGEST_ROW, MOST_FUNCTIONS = 6_000, 256, 12_000
MORE = "(more)"
"""Stands for what is beyond these bounds."""

# Control characters, which no drawing may hold; half of a surrogate pair, which no encoding can.
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

Stack = tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """What a sampler saw.

    Args:
        plugin_id: of whom.
        sampler: what looked: ``py-spy`` or ``sdk``.
        seconds: for how long.
        rate: looks a second.
        stacks: functions, outermost first, as ``name (file:line)`` → how often that was seen.
        idle: how often a thread was seen that waited for something to do; -1 when that was not told: py-spy
            leaves out itself what it knows to wait.
    """

    plugin_id: str
    sampler: str
    seconds: float
    rate: float
    stacks: Mapping[Stack, int] = field(default_factory=dict)
    idle: int = -1

    @property
    def samples(self) -> int:
        """How many stacks were seen at work."""
        return sum(self.stacks.values())

    def hottest(self, count: int = 5) -> list[tuple[str, float]]:
        """Return the functions in which most time was spent themselves, each with its share of 1."""
        own: Counter[str] = Counter()
        for stack, seen in self.stacks.items():
            own[stack[-1]] += seen
        whole = self.samples
        return [(name, seen / whole) for name, seen in own.most_common(count)]


def from_worker(answer: Any, *, plugin_id: str, seconds: float, rate: float) -> Profile:
    """Read what the SDK's sampler sent out of a plugin's process.

    Args:
        answer: ``{"functions": [name], "stacks": [[number…, count]], "idle": count}``, if it is honest.
        plugin_id: whose process.
        seconds: what was asked for.
        rate: what was asked for.

    Raises:
        ProfilingError: it is anything else, or says that it could not.
    """
    if not isinstance(answer, dict):
        raise ProfilingError(f"{plugin_id} answered with no profile")
    if isinstance(error := answer.get("error"), str):
        raise ProfilingError(f"{plugin_id} could not be profiled: {_name(error)}")
    functions: Any = answer.get("functions")
    rows: Any = answer.get("stacks")
    idle: Any = answer.get("idle")
    if not (_are(functions, str, MOST_FUNCTIONS) and _are(rows, list, MOST_ROWS) and _is_count(idle)):
        raise ProfilingError(f"{plugin_id} answered with no profile")
    names = [_name(each) for each in functions]
    stacks: list[tuple[Stack, int]] = []
    for row in rows:
        if not 2 <= len(row) <= LONGEST_ROW or not all(_is_count(number) for number in row):
            raise ProfilingError(f"{plugin_id} answered with a profile that is none")
        *numbers, seen = row
        if any(number >= len(names) for number in numbers):
            raise ProfilingError(f"{plugin_id} answered with a profile that is none")
        stacks.append((tuple(names[number] for number in numbers), seen))
    return Profile(plugin_id, "sdk", seconds, rate, _bounded(stacks), idle)


def from_folded(text: str, *, plugin_id: str, seconds: float, rate: float) -> Profile:
    """Read stacks in the folded form, which py-spy calls raw: ``outer;inner 12`` on each line.

    A line that is none is left out: a function's name may hold a line break. So is what waits, by the rule of
    the SDK's sampler: py-spy asks the system which threads do, and cannot where they have other numbers
    inside than outside, as in a sandbox.
    """
    stacks, idle = [], 0
    for line in text.splitlines():
        path, _, count = line.rpartition(" ")
        if path and count.isascii() and count.isdigit() and len(count) < 10:
            if _waits(path.rpartition(";")[2]):
                idle += int(count)
                continue
            stacks.append((tuple(_name(each) for each in path.split(";")), int(count)))
    return Profile(plugin_id, "py-spy", seconds, rate, _bounded(stacks), idle or -1)


def _waits(innermost: str) -> bool:
    """Whether ``Class.function (file:line)`` is where a thread waits for something to do."""
    from viloapp_sdk.worker._sampler import IDLE

    name, _, place = innermost.partition(" (")
    file = "/" + place.rpartition(":")[0]
    function = name.rpartition(".")[2]
    return any(function == idle and file.endswith(f"/{end.lstrip('/')}") for end, idle in IDLE)


def _bounded(stacks: Iterable[tuple[Stack, int]]) -> dict[Stack, int]:
    """Add up stacks that are equal; what is too deep or too many is put together."""
    found: dict[Stack, int] = {}
    for stack, seen in stacks:
        if len(stack) > DEEPEST:
            stack = (*stack[: DEEPEST - 1], MORE)
        if stack not in found and len(found) >= MOST_STACKS:
            stack = (MORE,)
        if seen > 0:
            found[stack] = found.get(stack, 0) + seen
    return found


def _name(text: str) -> str:
    return _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text[:LONGEST_NAME]) or "(unnamed)"


def _are(values: Any, kind: type, most: int) -> bool:
    return isinstance(values, list) and len(values) <= most and all(isinstance(each, kind) for each in values)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_COUNT
