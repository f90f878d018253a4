"""A percentage of a processor, over a minute, whatever the pattern of use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.limits import Budget

# (seconds that pass, processors that are busy meanwhile if nobody holds the plugin)
steps = st.lists(st.tuples(st.floats(0.01, 5), st.floats(0, 8)), max_size=60)
percents = st.floats(1, 800)


def run(budget: Budget, pattern: list[tuple[float, float]]) -> tuple[Budget, float, float]:
    """Play a greedy plugin that is held while its budget is spent: ``(budget, used, the time then)``."""
    used, now = 0.0, budget.at
    held = False
    for passed, busy in pattern:
        now += passed
        part = 0.0 if held else passed * busy
        used += part
        budget = budget.advance(now=now, used_s=part)
        held = not budget.refilled if held else budget.spent
    return budget, used, now


@given(percents, steps)
def test_no_pattern_gets_more_than_its_share(percent: float, pattern: list[tuple[float, float]]) -> None:
    """At most a minute's worth in advance, the share of the time, and what one step overshoots."""
    budget = Budget.full(percent, now=0.0)
    _, used, elapsed = run(budget, pattern)
    overshoot = max((passed * busy for passed, busy in pattern), default=0.0)
    assert used <= (elapsed + 60) * percent / 100 + overshoot + 1e-6


@given(percents, steps)
def test_who_stays_below_the_share_is_never_held(percent: float, pattern: list[tuple[float, float]]) -> None:
    """Steady use at the percentage leaves the budget where it is."""
    budget = Budget.full(percent, now=0.0)
    now = 0.0
    for passed, _ in pattern:
        now += passed
        budget = budget.advance(now=now, used_s=passed * percent / 100 * 0.999)
        assert not budget.spent


@given(percents, steps)
def test_a_held_plugin_goes_on_after_the_time_that_was_named(
    percent: float, pattern: list[tuple[float, float]]
) -> None:
    """`wait_s` is exact: no plugin is forgotten, none is looked at in vain."""
    budget, _, now = run(Budget.full(percent, now=0.0), pattern)
    later = budget.advance(now=now + budget.wait_s() + 1e-6, used_s=0.0)
    assert later.refilled


def test_the_default_is_fifteen_seconds_at_once_then_a_quarter() -> None:
    """A plugin that was quiet may use all of one processor for 20 s; after that 25 % of it."""
    budget, busy = Budget.full(25, now=0.0), 0.0
    while not budget.spent:
        busy += 0.1
        budget = budget.advance(now=busy, used_s=0.1)
    assert busy == pytest.approx(20, abs=0.2)
    minute = [(0.05, 1.0)] * 1200
    _, used, end = run(budget, minute)
    assert used / (end - busy) == pytest.approx(0.25, abs=0.01)


def test_time_that_goes_backwards_earns_nothing() -> None:
    """Two looks at the same moment, or a clock that jumps back, give no budget away."""
    budget = Budget.full(25, now=10.0).advance(now=10.0, used_s=15.0)
    assert budget.advance(now=5.0, used_s=0.0).left_s == pytest.approx(0.0)


def test_a_quiet_spell_earns_a_minute_at_most() -> None:
    """An hour of sleep does not allow an hour of work."""
    assert Budget.full(25, now=0.0).advance(now=3600.0, used_s=0.0).left_s == 15
