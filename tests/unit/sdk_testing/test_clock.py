"""Time that passes when a test says so."""

from __future__ import annotations

import time

import pytest

from viloapp_sdk.testing import FakeClock


def test_time_stands_still_until_it_is_moved() -> None:
    """Every reading agrees, and who sleeps moves it."""
    real = time.time
    with FakeClock(1000.0).installed() as clock:
        assert (time.time(), time.monotonic(), time.time_ns()) == (1000.0, 0.0, 1000 * 10**9)
        clock.advance(5)
        time.sleep(2.5)
        assert (time.time(), time.monotonic(), time.perf_counter()) == (1007.5, 7.5, 7.5)
    assert time.time is real


def test_alarms_ring_in_order_at_their_moment() -> None:
    """What is due meanwhile happens at its own time, those asked for by an alarm too."""
    clock, rung = FakeClock(0.0), list[tuple[str, float]]()
    clock.at(3, lambda: rung.append(("late", clock.now)))
    clock.at(1, lambda: clock.at(1, lambda: rung.append(("nested", clock.now))))
    clock.at(9, lambda: rung.append(("never", clock.now)))
    clock.advance(5)
    assert (rung, clock.now) == ([("nested", 2.0), ("late", 3.0)], 5.0)


def test_time_does_not_run_backwards() -> None:
    """A negative step is a mistake of the test."""
    with pytest.raises(ValueError, match="backwards"):
        FakeClock().advance(-1)
