"""The load order, against every permutation."""

from __future__ import annotations

from itertools import pairwise, permutations
from random import Random

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from viloapp_core.resolve import DependencyCycleError, Relations, load_order, waits_for
from viloapp_core.resolve.load_order import predecessors

IDS = "abcdefg"
ABSENT = "z"


@st.composite
def graphs(draw: st.DrawFn) -> list[Relations]:
    """Up to seven plugins that name each other, and now and then one that is not there."""
    ids = draw(st.lists(st.sampled_from(IDS), unique=True, max_size=7))
    density = draw(st.integers(0, 2))
    others = st.lists(st.sampled_from([*IDS, ABSENT]), unique=True, max_size=density)
    return [
        Relations(
            plugin_id,
            "1",
            requires_plugins=tuple(f"{name}>=1" for name in draw(others) if name != plugin_id),
            load_after=tuple(name for name in draw(others) if name != plugin_id),
            load_before=tuple(name.upper() for name in draw(others) if name != plugin_id),
        )
        for plugin_id in ids
    ]


def _pairs(plugins: list[Relations]) -> set[tuple[str, str]]:
    """Return, straight from the definitions, which comes before which."""
    pairs = set()
    for plugin in plugins:
        pairs |= {(text[0], plugin.plugin_id) for text in plugin.requires_plugins}
        pairs |= {(name, plugin.plugin_id) for name in plugin.load_after}
        pairs |= {(plugin.plugin_id, name.lower()) for name in plugin.load_before}
    there = {plugin.plugin_id for plugin in plugins}
    return {(before, after) for before, after in pairs if before in there and after in there}


def _first_valid(plugins: list[Relations]) -> list[str] | None:
    """Return the first of all permutations, in their order, in which each pair is the right way round."""
    pairs = _pairs(plugins)
    for order in permutations(sorted(plugin.plugin_id for plugin in plugins)):
        if all(order.index(before) < order.index(after) for before, after in pairs):
            return list(order)
    return None


@settings(max_examples=300, deadline=None)
@given(plugins=graphs(), shuffled=st.randoms(use_true_random=False))
def test_the_order_is_the_first_of_all_valid_ones(plugins: list[Relations], shuffled: Random) -> None:
    """It is found exactly when a permutation satisfies every edge, whatever the order they are given in."""
    expected = _first_valid(plugins)
    event("a cycle" if expected is None else "an order")
    given_order = list(plugins)
    shuffled.shuffle(given_order)
    if expected is None:
        with pytest.raises(DependencyCycleError) as caught:
            load_order(given_order)
        with pytest.raises(DependencyCycleError) as again:
            load_order(plugins)
        assert caught.value.detail == again.value.detail
    else:
        assert load_order(given_order) == expected


@settings(max_examples=300, deadline=None)
@given(plugins=graphs())
def test_a_cycle_is_a_chain_of_what_the_plugins_say(plugins: list[Relations]) -> None:
    """Each of its links is an edge, the last leads to the first, and none is there twice."""
    if _first_valid(plugins) is not None:
        return
    with pytest.raises(DependencyCycleError) as caught:
        load_order(plugins)
    chain, causes = caught.value.chain, caught.value.causes
    assert len(set(chain)) == len(chain) == len(causes)
    assert chain[0] == min(chain)
    pairs = _pairs(plugins)
    for after, before, cause in zip(chain, [*chain[1:], chain[0]], causes, strict=True):
        assert (before, after) in pairs
        assert cause in (
            f"{after} requires {before}>=1",
            f"{after} is to load after {before}",
            f"{before} is to load before {after}",
        )


@settings(max_examples=300, deadline=None)
@given(plugins=graphs(), starting=st.sets(st.sampled_from(IDS)))
def test_starting_waits_for_all_that_come_before(plugins: list[Relations], starting: set[str]) -> None:
    """Directly or through plugins that do not start: the same as the paths between them say."""
    if _first_valid(plugins) is None:
        return
    pairs, there = _pairs(plugins), {plugin.plugin_id for plugin in plugins}
    between = sorted(there - starting)
    paths = [path for length in range(len(between) + 1) for path in permutations(between, length)]

    def before(last: str) -> set[str]:
        return {
            first
            for first in there & starting
            if any(all(pair in pairs for pair in pairwise((first, *path, last))) for path in paths)
        }

    found = waits_for(starting, plugins)
    assert list(found) == [each for each in load_order(plugins) if each in starting]
    assert {each: set(waiting) for each, waiting in found.items()} == {
        each: before(each) for each in there & starting
    }


def test_a_chain_names_the_cause_of_each_edge() -> None:
    """Read from left to right, each waits for the next, and the last for the first."""
    plugins = [
        Relations("c", "1"),
        Relations("b", "1", load_after=("C",)),
        Relations("a", "1", requires_plugins=("B >= 1",), load_before=("c",)),
        Relations("d", "1", requires_plugins=("a",)),
    ]
    with pytest.raises(DependencyCycleError) as caught:
        load_order(plugins)
    assert caught.value.causes == (
        "a requires B>=1",
        "b is to load after c",
        "a is to load before c",
    )
    assert caught.value.code == "dependency_cycle"
    assert "a requires B>=1; b is to load after c; a is to load before c" in str(caught.value)


def test_a_plugin_that_waits_for_itself() -> None:
    """The shortest of all cycles is told as well."""
    with pytest.raises(DependencyCycleError, match="a requires a>=1"):
        load_order([Relations("a", "1", requires_plugins=("a>=1",))])


def test_a_preferred_order_decides_where_nothing_else_does() -> None:
    """What is not in it comes first."""
    plugins = [Relations("a", "1", load_after=("d",)), *(Relations(each, "1") for each in "bcde")]
    assert load_order(plugins, ["d", "c", "a", "b"]) == ["e", "d", "c", "a", "b"]
    assert load_order(plugins, ["a", "c", "b", "d", "e"]) == ["c", "b", "d", "a", "e"]


def test_absent_plugins_and_false_markers_are_no_edges() -> None:
    """What is not there, or not meant on this Python, puts nothing in order."""
    plugins = [
        Relations("a", "1", "3.12.1", requires_plugins=('b; python_version < "3.12"',), load_after=("z",)),
        Relations("b", "1", load_after=("a",), load_before=("y",)),
    ]
    assert predecessors(plugins) == {"a": {}, "b": {"a": "b is to load after a"}}
    assert load_order(plugins) == ["a", "b"]
