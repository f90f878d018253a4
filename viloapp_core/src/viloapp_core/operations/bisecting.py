"""Which of several plugins make a start fail, alone or together. Pure: whoever asks tries the starts.

>>> def start(plugins):
...     return "bad" if {"c", "f"} <= set(plugins) else "good"
>>> search("abcdefgh", start).culprits
('c', 'f')
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Verdict = Literal["good", "bad", "skip"]
"""How a start went; ``skip`` where that cannot be said."""
Outcome = Literal["found", "nothing", "not_a_plugin", "unclear"]


@dataclass(frozen=True)
class Search:
    """What a search came to.

    Args:
        outcome: ``found``; ``nothing``, since all together start well; ``not_a_plugin``, since it fails with
            none of them too; ``unclear``, where it cannot be said of all together, or of none.
        culprits: no start without any one of these fails as far as was tried, with all of them it does.
        starts: how many were tried.
    """

    outcome: Outcome
    culprits: tuple[str, ...]
    starts: int


def search(
    items: Sequence[str],
    start: Callable[[tuple[str, ...]], Verdict],
    requires: Mapping[str, Sequence[str]] | None = None,
) -> Search:
    """Find a smallest set of plugins with which a start is bad.

    This is Zeller's and Hildebrandt's *ddmin*: halves first, as git bisects, so that one culprit among n
    takes about 2 log2 n starts; where neither half is bad by itself, the complements of ever smaller parts.
    What it finds is 1-minimal: without any one of them (and what requires it) no start was seen to be bad.
    A start is never tried twice, and never without what its plugins require.

    Args:
        items: the plugins, those that are required before those that require them.
        start: tries a start with some of them, in this order.
        requires: by plugin, which others it requires.

    Source: A. Zeller, R. Hildebrandt: Simplifying and Isolating Failure-Inducing Input, IEEE Transactions on
        Software Engineering 28 (2), 2002.
    """
    tried: dict[tuple[str, ...], Verdict] = {}
    needs = requires or {}

    def verdict(some: Sequence[str]) -> Verdict:
        whole = _closed(some, needs)
        key = tuple(item for item in items if item in whole)
        if key not in tried:
            tried[key] = start(key)
        return tried[key]

    def ended(outcome: Outcome, culprits: Sequence[str] = ()) -> Search:
        return Search(outcome, tuple(culprits), len(tried))

    everything = verdict(items)
    if everything != "bad":
        return ended("nothing" if everything == "good" else "unclear")
    nothing = verdict(())
    if nothing != "good":
        return ended("not_a_plugin" if nothing == "bad" else "unclear")
    return ended("found", _minimal(list(items), lambda some: verdict(some) == "bad"))


def _minimal(current: list[str], bad: Callable[[Sequence[str]], bool]) -> list[str]:
    """Return a 1-minimal part of a list that is bad, of which nothing is not."""
    parts = 2
    while len(current) >= 2:
        chunks = _chunks(current, parts)
        smaller = next((chunk for chunk in chunks if bad(chunk)), None)
        if smaller is not None:
            current, parts = smaller, 2
            continue
        complements = [[item for item in current if item not in chunk] for chunk in chunks]
        smaller = next((rest for rest in complements if parts > 2 and bad(rest)), None)
        if smaller is not None:
            current, parts = smaller, max(parts - 1, 2)
        elif parts < len(current):
            parts = min(2 * parts, len(current))
        else:
            break
    return current


def _chunks(items: list[str], parts: int) -> list[list[str]]:
    """Cut a list into parts of nearly the same length."""
    bounds = [len(items) * number // parts for number in range(parts + 1)]
    return [items[begin:end] for begin, end in pairwise(bounds)]


def _closed(some: Sequence[str], requires: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the items with all that they require, all the way down."""
    found, waiting = set[str](), list(some)
    while waiting:
        item = waiting.pop()
        if item not in found:
            found.add(item)
            waiting += requires.get(item, ())
    return found
