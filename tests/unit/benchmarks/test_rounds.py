"""Contenders in turns, and what is said of a run that is slower than the one before."""

import json
from collections.abc import Sequence

import pytest

from benchmarks.regression import EXPECTED, kept, ratios, slower
from benchmarks.report import Outcome
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


def test_slower_is_what_even_the_better_rounds_say() -> None:
    """Three of four rounds above the tolerance are slower; one that was disturbed is not."""
    before = {"calls": {"ViloApp": 2.0}}
    disturbed = Outcome("Calls", comparisons=[comparison(2.0, 2.0, 2.1, 40.0)]).to_json()
    worse = Outcome("Calls", comparisons=[comparison(2.8, 2.9, 3.0, 3.1)]).to_json()
    assert slower(ratios({"benchmarks": {"calls": disturbed}}), before) == []
    (line,) = slower(ratios({"benchmarks": {"calls": worse}}), before)
    assert line.startswith("calls: ViloApp takes 2.95 times the limit")


def test_nothing_is_known_of_a_question_that_was_never_asked() -> None:
    """A new question, or a contender that was missing, has no verdict."""
    outcome = Outcome("Calls", comparisons=[comparison(9.0, 9.0)]).to_json()
    assert slower(ratios({"benchmarks": {"calls": outcome}}), {"events": {"ViloApp": 1.0}}) == []


def test_what_is_kept_can_be_read() -> None:
    """The file beside the benchmarks has ratios of ours, each a number above none."""
    assert json.loads(EXPECTED.read_text("utf-8"))["schema"] == 1
    values = [value for rows in kept().values() for value in rows.values()]
    assert values
    assert min(values) > 0
