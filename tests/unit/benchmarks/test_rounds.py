"""Contenders in turns, and what is said of a run that is slower than the one before."""

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from benchmarks.__main__ import CHECKED
from benchmarks.points import Curve, Point
from benchmarks.regression import EXPECTED, Ratios, keep, kept, ratios, slower
from benchmarks.report import Outcome, Target, render
from benchmarks.rounds import Comparison, compare


def comparison(*seconds: float) -> Comparison:
    """One whose limit takes a second in each round, and ours what is given."""
    rounds = iter([1.0, *seconds])
    return compare("calls", {"raw": lambda: [1.0], "ViloApp": lambda: [next(rounds)]}, len(seconds))


def test_each_ratio_is_within_a_round() -> None:
    """A round in which everything took ten times as long changes no ratio; the first does not count."""
    asked: list[str] = []
    slow = iter([7.0, 1.0, 10.0, 1.0])
    now = [1.0]

    def limit() -> Sequence[float]:
        asked.append("limit")
        return [now[0]]

    def ours() -> Sequence[float]:
        asked.append("ours")
        return [2 * now[0], 2 * now[0]]

    def begin() -> Sequence[float]:
        now[0] = next(slow)
        return [1.0]

    found = compare("calls", {"limit": limit, "ours": ours, "clock": begin}, 3)
    assert found.ratio("limit") == 1.0
    assert asked[:2] == ["ours", "limit"]
    assert asked[2:4] == ["limit", "ours"]
    assert found.ratio("ours") == pytest.approx(2.0)


def test_any_two_are_compared_within_the_rounds() -> None:
    """The ratio to a peer is the median of the rounds' ratios, which that of two medians is not."""
    peer, ours = iter([0.0, 1.0, 10.0, 100.0]), iter([0.0, 3.0, 20.0, 100.0])
    turns = {"raw": lambda: [1.0], "peer": lambda: [next(peer)], "ours": lambda: [next(ours)]}
    found = compare("calls", turns, 3)
    assert found.spread("ours", "peer") == pytest.approx((1.5, 2.0, 2.5))
    assert found.ratio("ours") == 20.0
    assert all(math.isnan(each) for each in found.spread("ours", "nobody"))


def known(**programs: dict[str, float]) -> dict[str, dict[str, Any]]:
    """What is kept of each program."""
    return {
        name: {"tolerance": 1.3, "todo": "look there", "run": "then", "ratios": values}
        for name, values in programs.items()
    }


def told(outcome: Outcome) -> Ratios:
    """The ratios of one program, `calls`, as a file has them."""
    return ratios(json.loads(json.dumps({"benchmarks": {"calls": outcome.to_json()}})))


def test_slower_is_what_even_the_better_rounds_say() -> None:
    """Three of four rounds above the tolerance are slower, with what to do; one disturbed round is not."""
    before = known(calls={"calls: ViloApp": 2.0})
    disturbed = Outcome("Calls", comparisons=[comparison(2.0, 2.0, 2.1, 40.0)])
    worse = Outcome("Calls", comparisons=[comparison(2.8, 2.9, 3.0, 3.1)])
    assert slower(told(disturbed), before) == []
    (line,) = slower(told(worse), before)
    assert line.startswith("calls: ViloApp: 2.95 times the limit, and was 2.00 times")
    assert line.endswith("look there")


def test_nothing_is_known_of_a_question_that_was_never_asked() -> None:
    """A new question, or a contender that was missing, has no verdict."""
    outcome = Outcome("Calls", comparisons=[comparison(9.0, 9.0)])
    assert slower(told(outcome), known(events={"ViloApp": 1.0})) == []
    assert slower(told(outcome), known(calls={"calls: another": 1.0})) == []


def test_costs_of_a_curve_are_compared_with_its_limit_and_rates_are_not() -> None:
    """What has no comparisons, as memory, has a ratio at each place; more calls in a second are not worse."""
    lines = {"limit": [Point(10, 2.0, 2.0, 2.0)], "this project, x": [Point(10, 6.0, 5.0, 7.0)]}
    cost = Curve("memory", "Memory", "plugins running", "KiB for each", lines)
    rate = Curve("calls", "Calls", "calls in flight", "calls per second", lines)
    assert told(Outcome("M", curves=[cost, rate])) == {
        "calls": {"Memory: this project, x, 10 plugins running": (3.0, 2.5)}
    }


def test_what_a_run_measured_is_kept_and_the_rest_stays() -> None:
    """Tolerance and advice are people's; a figure that was not measured keeps its ratio and its run."""
    before = known(calls={"calls: ViloApp": 2.0, "calls: other": 7.0}, events={"ViloApp": 1.0})
    value = keep(told(Outcome("Calls", comparisons=[comparison(3.0, 3.0)])), before, "now")
    calls, events = value["programs"]["calls"], value["programs"]["events"]
    assert calls["ratios"] == {"calls: ViloApp": 3.0, "calls: other": 7.0}
    assert (calls["run"], calls["tolerance"], events["run"]) == ("now", 1.3, "then")


def test_what_is_kept_can_be_read() -> None:
    """The file beside the benchmarks has ratios of ours with a tolerance, and what to do for each program."""
    assert json.loads(EXPECTED.read_text("utf-8"))["schema"] == 2
    assert set(kept()) == set(CHECKED)
    for known_of in kept().values():
        assert 1 < known_of["tolerance"] < 2
        assert known_of["todo"]
        assert all(ratio > 0 for ratio in known_of["ratios"].values())


def test_a_target_says_how_far_its_rounds_spread() -> None:
    """The table has the quartiles where there are rounds, and a verdict for each."""
    machine = {"commit": "0", "versions": {"pip": "26"}}
    targets = [
        Target.ratio("calls to raw", comparison(1.0, 2.0, 3.0), "ViloApp", 1.5),
        Target("s", 1, 2, "s"),
    ]
    text = render(machine, {"calls": Outcome("Calls", targets=targets)})
    assert "| calls to raw | 2.00 times | 1.50 to 2.50 | 1.50 times | **missed** |" in text
    assert "| s | 1.00 s |  | 2.00 s | met |" in text
