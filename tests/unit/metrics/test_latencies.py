"""Quantiles out of buckets are as near as they claim."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.metrics import Latencies
from viloapp_core.metrics.latencies import MOST_NS

DURATIONS = st.lists(
    st.one_of(st.integers(0, 200), st.integers(0, 10**6), st.integers(0, MOST_NS // 2)), min_size=1
)


def recorded(values: list[int]) -> Latencies:
    """Return a histogram of some values."""
    latencies = Latencies()
    for value in values:
        latencies.record(value / 1e9)
    return latencies


@given(values=DURATIONS, share=st.floats(0, 1))
def test_a_quantile_is_within_a_64th_of_the_exact_one(values: list[int], share: float) -> None:
    """Whatever was recorded: nearest rank, at most 1/64 of the exact value off, never above the longest."""
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    found = recorded(values).quantile(share) * 1e9
    assert abs(found - exact) <= exact / 64 + 1e-3
    assert found <= max(values) + 1e-3


@given(values=DURATIONS)
def test_sum_mean_and_longest_are_exact(values: list[int]) -> None:
    """Only quantiles come out of buckets."""
    latencies = recorded(values)
    assert (latencies.count, latencies.total_ns, latencies.longest_ns) == (
        len(values),
        sum(values),
        max(values),
    )
    assert latencies.mean_s == pytest.approx(sum(values) / len(values) / 1e9)


@given(values=DURATIONS, exponent=st.integers(6, 42))
def test_counts_below_a_power_of_two_are_exact(values: list[int], exponent: int) -> None:
    """A scraper's buckets end where ours do."""
    assert recorded(values).up_to(exponent) == sum(value < 2**exponent for value in values)


@given(values=DURATIONS, shares=st.lists(st.floats(0, 1), max_size=5).map(sorted))
def test_many_quantiles_are_those_of_each(values: list[int], shares: list[float]) -> None:
    """One pass finds the same as one pass for each."""
    latencies = recorded(values)
    assert latencies.quantiles(shares) == [latencies.quantile(share) for share in shares]


def test_a_million_calls_take_no_more_memory_than_one() -> None:
    """The buckets are all there is, whatever is recorded; what is beyond them counts in the last."""
    latencies = recorded([5])
    buckets = len(latencies._buckets)
    for value in (-5, 10**18, *range(0, 10**9, 9973)):
        latencies.record(value / 1e9)
        assert len(latencies._recent) < 256
    assert latencies.quantile(1) == pytest.approx(1e9)
    assert len(latencies._buckets) == buckets == 1216
    assert sum(latencies._buckets) == latencies.count


def test_nothing_recorded_is_zero() -> None:
    """A plugin that was never called has no quantile."""
    assert Latencies().quantiles([0.5, 0.99]) == [0.0, 0.0]
    assert Latencies().mean_s == 0.0
