"""Where a line bends, what a curve is made of, and how it is drawn."""

import json
import xml.etree.ElementTree as ET

import pytest

from benchmarks import charts, svg
from benchmarks.points import Curve, Goal, Point, bend, of_comparisons, of_series
from benchmarks.report import Outcome, Target
from benchmarks.rounds import compare

SVG = "{http://www.w3.org/2000/svg}"


def line(*ys: float) -> list[Point]:
    """A line over 1, 10, 100 …, with quartiles a tenth away."""
    return [Point(10.0**n, y, 0.9 * y, 1.1 * y) for n, y in enumerate(ys)]


def a_curve() -> Curve:
    """One with a limit, a line and a goal."""
    lines = {"raw": line(1, 10, 100), "ours & others": line(3, 30, 3000)}
    return Curve("calls", "Calls <of> 100 bytes", "bytes", "microseconds", lines, [Goal(10, 20, "target: 2")])


def test_a_power_has_no_bend_and_a_cost_that_prevails_later_has_one() -> None:
    """Proportional, constant and square are straight; a floor under a growing cost bends where it ends."""
    assert bend(line(2, 20, 200, 2000)) is None
    assert bend(line(5, 5, 5, 5)) is None
    assert bend(line(1, 100, 10_000)) is None
    assert bend(line(50, 50, 50, 500)) == 100
    assert bend(line(1, 10)) is None


def test_noise_is_no_bend() -> None:
    """What the rounds differ by leaves the slope in doubt; the same line with narrow quartiles bends."""
    assert bend(line(100, 110, 95, 105)) is None
    wide = [Point(x, y, y / 2, y * 2) for x, y in ((1, 100), (2, 140), (4, 100))]
    narrow = [Point(each.x, each.y, each.y * 0.99, each.y * 1.01) for each in wide]
    assert bend(wide) is None
    assert bend(narrow) == 2


def test_points_have_the_quartiles_of_their_rounds() -> None:
    """Of comparisons each contender's, as the figure that is asked for; of series in milliseconds."""
    rounds = iter([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    found = compare("calls", {"raw": lambda: [1.0], "ours": lambda: [next(rounds)]}, 5)
    (point,) = of_comparisons({4: found}, lambda x, us: us / 1e6 / x)["ours"]
    assert (point.x, point.low, point.y, point.high) == pytest.approx((4, 0.5, 0.75, 1.0))
    assert of_series({7: [0.002]}) == [Point(7, 2.0, 2.0, 2.0)]


def test_a_curve_comes_back_from_its_file() -> None:
    """What is written is read, and says where each line bends."""
    value = json.loads(json.dumps(a_curve().to_json()))
    assert value["bends"] == {"raw": None, "ours & others": 10.0}
    assert Curve.from_json(value).table() == a_curve().table()
    assert a_curve().table()[3].startswith("| ours & others | 3 | 30 | 3,000 | 10 |")


def test_a_picture_shows_every_point_name_and_goal() -> None:
    """It is an SVG of its own: the limit is named, axes have units, and both colour schemes are in it."""
    drawn = svg.curve(a_curve())
    root = ET.fromstring(drawn)
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"raw (limit)", "ours & others", "target: 2", "Calls <of> 100 bytes"} <= set(texts)
    assert {"1 B", "10 B", "100 B"} <= set(texts)
    assert len(list(root.iter(f"{SVG}circle"))) == 6
    assert "prefers-color-scheme:dark" in drawn
    assert all("NaN" not in value for element in root.iter() for value in element.attrib.values())


def test_values_lie_where_they_belong() -> None:
    """More is higher, later is further right, and names do not lie over each other."""
    root = ET.fromstring(svg.curve(a_curve()))
    places = [(float(e.attrib["cx"]), float(e.attrib["cy"])) for e in root.iter(f"{SVG}circle")]
    raw, ours = places[:3], places[3:]
    assert raw[0][0] < raw[1][0] < raw[2][0]
    assert raw[0][1] > raw[1][1] > raw[2][1]
    assert all(a[1] > b[1] for a, b in zip(raw, ours, strict=True))
    names = sorted(
        float(e.attrib["y"]) for e in root.iter(f"{SVG}text") if e.text in ("raw (limit)", "ours & others")
    )
    assert names[1] - names[0] >= 15


def test_bars_say_what_is_met() -> None:
    """One bar for each ratio, to the side of the line where it belongs; seconds are no ratios."""
    targets = [Target("a", 1.0, 2.0, low=0.9, high=1.1), Target("b", 3.0, 2.0), Target("c", 9, 10, "s")]
    results = {"benchmarks": {"x": Outcome("X", curves=[a_curve()], targets=targets).to_json()}}
    drawn = charts.draw([results])
    assert set(drawn) == {"calls.svg", "targets.svg"}
    texts = [element.text for element in ET.fromstring(drawn["targets.svg"]).iter(f"{SVG}text")]
    assert {"0.50 met", "1.50 missed"} <= set(texts)
    assert "c" not in texts


def test_of_two_files_the_later_counts() -> None:
    """A curve or a target that was measured again replaces the former."""
    machine = {"commit": "abc with changes", "load before": 0.5}
    old, new = (
        {"machine": machine, "benchmarks": {"x": Outcome("X", targets=[Target("a", value, 2.0)]).to_json()}}
        for value in (4.0, 1.0)
    )
    assert "0.50 met" in charts.draw([old, new])["targets.svg"]
    assert "missed" not in charts.draw([old, new])["targets.svg"]
    assert charts.table([old, new])[2:] == ["| a | 1.00 | 2.00 | met | abc, load 0.5 |"]
