"""The search for what breaks a start: whatever the culprits are, exactly they are found."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.operations.bisecting import Verdict, search

ITEMS = [f"p{number:02}" for number in range(16)]
Start = Callable[[tuple[str, ...]], Verdict]


def _breaking(*culprits: str) -> Start:
    """Return starts that fail where all the culprits are there."""
    return lambda some: "bad" if set(culprits) <= set(some) else "good"


@given(st.sets(st.sampled_from(ITEMS), min_size=1, max_size=4), st.integers(4, 16))
def test_exactly_the_culprits_are_found(culprits: set[str], count: int) -> None:
    """One, two that fail only together, or more; in the order of the items."""
    items = sorted({*ITEMS[:count], *culprits})
    found = search(items, _breaking(*culprits))
    assert (found.outcome, found.culprits) == ("found", tuple(sorted(culprits)))


@given(
    st.lists(st.sets(st.sampled_from(ITEMS), min_size=1, max_size=3).map(frozenset), min_size=1, max_size=3)
)
def test_of_several_faults_one_is_found_whole(faults: list[frozenset[str]]) -> None:
    """What is found is bad, and without any one of them it is not."""

    def start(some: tuple[str, ...]) -> Verdict:
        return "bad" if any(fault <= set(some) for fault in faults) else "good"

    found = search(ITEMS, start)
    assert start(found.culprits) == "bad"
    for left_out in found.culprits:
        assert start(tuple(item for item in found.culprits if item != left_out)) == "good"


@given(st.sampled_from(ITEMS))
def test_one_culprit_among_sixteen_takes_few_starts(culprit: str) -> None:
    """All, none, and at most two for each halving; none is tried twice."""
    tried: list[tuple[str, ...]] = []

    def start(some: tuple[str, ...]) -> Verdict:
        tried.append(some)
        return _breaking(culprit)(some)

    found = search(ITEMS, start)
    assert found.culprits == (culprit,)
    assert found.starts == len(tried) == len(set(tried))
    assert found.starts <= 2 + 2 * 4


@given(st.sets(st.sampled_from(ITEMS), max_size=3), st.randoms(use_true_random=False))
def test_what_cannot_be_told_misleads_nobody(culprits: set[str], random: Random) -> None:
    """A start that is skipped at will makes the answer larger, never wrong."""

    def start(some: tuple[str, ...]) -> Verdict:
        if some and len(some) < len(ITEMS) and random.random() < 0.3:
            return "skip"
        return _breaking(*culprits)(some) if culprits else "good"

    found = search(ITEMS, start)
    assert found.outcome == ("found" if culprits else "nothing")
    assert culprits <= set(found.culprits)


@pytest.mark.parametrize(
    ("everything", "nothing", "outcome", "starts"),
    [
        ("good", "good", "nothing", 1),
        ("bad", "bad", "not_a_plugin", 2),
        ("skip", "good", "unclear", 1),
        ("bad", "skip", "unclear", 2),
    ],
)
def test_what_is_no_plugins_fault(everything: Verdict, nothing: Verdict, outcome: str, starts: int) -> None:
    """It is good after all, or fails with no plugin, or nobody can tell: then none is accused."""
    found = search(ITEMS, lambda some: everything if some else nothing)
    assert (found.outcome, found.culprits, found.starts) == (outcome, (), starts)


def test_no_plugin_is_tried_without_what_it_requires() -> None:
    """And the one that is required is accused, not the one that requires it."""
    requires = {"c": ["b"], "b": ["a"]}
    tried: list[tuple[str, ...]] = []

    def start(some: tuple[str, ...]) -> Verdict:
        tried.append(some)
        return _breaking("a")(some)

    assert search(["a", "b", "c", "d"], start, requires).culprits == ("a",)
    assert all("a" in some for some in tried if "b" in some or "c" in some)


def test_one_plugin_alone() -> None:
    """There is nothing to halve: with it and without it."""
    assert search(["a"], _breaking("a")) == search(["a"], lambda some: "bad" if some else "good")
    assert search(["a"], _breaking("a")).starts == 2
