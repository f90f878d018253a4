"""What becomes of a profile, an honest one and a hostile one."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.profiling import Profile, ProfilingError, from_folded, from_worker
from viloapp_core.profiling.flame_graph import flame_graph
from viloapp_core.profiling.profile import DEEPEST, MORE, MOST_STACKS
from viloapp_core.profiling.speedscope import speedscope

NASTY = '</title><script>alert("1")</script>\x00\x1b]0;x\x07\ud800&"\''
SVG = "{http://www.w3.org/2000/svg}"


def of(stacks: dict[tuple[str, ...], int]) -> Profile:
    """Return a profile of some stacks."""
    return Profile("hello", "sdk", 10, 100, stacks, 3)


def answered(**changes: Any) -> Profile:
    """Return what is read of a worker's answer."""
    answer = {"functions": ["main (m.py:1)", "work (m.py:9)"], "stacks": [[0, 1, 7], [0, 2]], "idle": 4}
    return from_worker({**answer, **changes}, plugin_id="hello", seconds=10, rate=100)


def test_a_workers_answer_is_read() -> None:
    """Numbers become names; counts add up."""
    profile = answered()
    assert profile.stacks == {("main (m.py:1)", "work (m.py:9)"): 7, ("main (m.py:1)",): 2}
    assert (profile.samples, profile.idle) == (9, 4)
    assert profile.hottest(1) == [("work (m.py:9)", 7 / 9)]


@pytest.mark.parametrize(
    "changes",
    [
        {"functions": None},
        {"functions": [1]},
        {"functions": {"a": 1}},
        {"stacks": [[0, 2, 7]]},
        {"stacks": [[-1, 7]]},
        {"stacks": [[0, True, 7]]},
        {"stacks": [["0", 7]]},
        {"stacks": [[7]]},
        {"stacks": [[0, 2**70]]},
        {"stacks": "x"},
        {"stacks": [[0] * 5000]},
        {"stacks": [[0, 1]] * 100_000},
        {"functions": ["f"] * 100_000},
        {"idle": "many"},
        {"error": "can't start new thread\n"},
    ],
)
def test_an_answer_that_is_no_profile_is_refused(changes: dict[str, Any]) -> None:
    """In one line that names the plugin, whatever the worker sent."""
    with pytest.raises(ProfilingError, match="hello") as caught:
        answered(**changes)
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize("answer", [None, 5, [], "text"])
def test_an_answer_that_is_no_object_is_refused(answer: Any) -> None:
    """It may be anything that the wire carries."""
    with pytest.raises(ProfilingError):
        from_worker(answer, plugin_id="hello", seconds=1, rate=1)


def test_what_is_too_deep_or_too_many_is_put_together() -> None:
    """The bounds hold; no sample is lost."""
    deep = from_folded(";".join(["f"] * 5000) + " 3", plugin_id="hello", seconds=1, rate=1)
    ((stack, seen),) = deep.stacks.items()
    assert (len(stack), stack[-1], seen) == (DEEPEST, MORE, 3)
    lines = "\n".join(f"f{number} 1" for number in range(MOST_STACKS + 10))
    many = from_folded(lines, plugin_id="hello", seconds=1, rate=1)
    assert len(many.stacks) == MOST_STACKS + 1
    assert many.stacks[(MORE,)] == 10


def test_folded_lines_are_read_and_others_left_out() -> None:
    """A function's name with a line break makes lines that are none."""
    text = "main (a.py:1);work (a.py:2) 12\nnonsense\n 5\nx ²\nmain (a.py:1) 99999999999\nlast 1"
    profile = from_folded(text, plugin_id="hello", seconds=1, rate=1)
    assert profile.stacks == {("main (a.py:1)", "work (a.py:2)"): 12, ("last",): 1}


def test_a_flame_graph_has_a_box_for_each_call_as_wide_as_its_share() -> None:
    """Callers below, shares in the tooltips; it is an XML document with no script."""
    root = ElementTree.fromstring(flame_graph(of({("a", "b"): 3, ("a", "c"): 1})))
    boxes = {box.findtext(f"{SVG}title"): box.find(f"{SVG}rect") for box in root.iter(f"{SVG}g")}
    assert list(boxes) == [
        "all: 4 samples, 100.0%",
        "a: 4 samples, 100.0%",
        "b: 3 samples, 75.0%",
        "c: 1 samples, 25.0%",
    ]
    b, a = boxes["b: 3 samples, 75.0%"], boxes["a: 4 samples, 100.0%"]
    assert a is not None
    assert b is not None
    assert float(b.get("width", "")) == pytest.approx(899.5)
    assert float(b.get("y", "")) < float(a.get("y", ""))


def test_a_plugin_that_only_waited_has_a_picture_that_says_so() -> None:
    """Without a division by no samples."""
    assert "waited for something to do" in flame_graph(of({}))
    assert json.loads(speedscope(of({})))["profiles"][0]["samples"] == []
    assert of({}).hottest() == []


@given(names=st.lists(st.one_of(st.text(max_size=60), st.just(NASTY)), min_size=1, max_size=6))
def test_whatever_functions_are_called_both_files_are_well_formed(names: list[str]) -> None:
    """Names are a plugin's: they end no element, start no script, hold nothing that XML or UTF-8 cannot."""
    profile = from_worker(
        {"functions": names, "stacks": [[*range(len(names)), 5]], "idle": 0},
        plugin_id="hello",
        seconds=1,
        rate=100,
    )
    drawn = flame_graph(profile)
    root = ElementTree.fromstring(drawn.encode())
    tags = {each.tag.removeprefix(SVG) for each in root.iter()}
    assert tags <= {"svg", "title", "style", "text", "g", "rect"}
    attributes = {name for each in root.iter() for name in each.attrib}
    assert not [name for name in attributes if name.startswith("on") or "href" in name]
    assert len(list(root.iter(f"{SVG}g"))) == len(names) + 1
    assert len(json.loads(speedscope(profile))["profiles"][0]["samples"][0]) == len(names)


def test_speedscope_is_told_file_and_line() -> None:
    """Weights are seconds."""
    value = json.loads(speedscope(of({("main (pkg/m.py:3)", "odd"): 50})))
    assert value["shared"]["frames"] == [{"name": "main", "file": "pkg/m.py", "line": 3}, {"name": "odd"}]
    assert value["profiles"][0]["weights"] == [0.5]
    assert value["profiles"][0]["endValue"] == 0.5


def test_a_large_hostile_profile_is_drawn_in_bounds() -> None:
    """Tens of thousands of stacks make a file of some megabytes, not more."""
    stacks: dict[tuple[str, ...], int] = {
        (f"f{number % 7}", f"g{number}" * 40): 1 for number in range(MOST_STACKS)
    }
    drawn = flame_graph(of(stacks))
    assert len(drawn) < 3_000_000
    assert drawn.count("<rect") < 7 * 3001


def test_what_waits_is_left_out_of_what_py_spy_saw_too() -> None:
    """In a sandbox py-spy cannot know which threads wait: an idle worker would look busy."""
    text = (
        "main (viloapp_sdk/worker/__init__.py:15);FrameBuffer.read_from (viloapp_sdk/_wire.py:84) 90\n"
        "run (threading.py:982);Condition.wait (threading.py:320) 5\n"
        "main (viloapp_sdk/worker/__init__.py:15);Hello.wait (hello/threading_of_its_own.py:3) 4\n"
        "main (viloapp_sdk/worker/__init__.py:15);read_from (mine/_wire.py:84) 1\n"
    )
    profile = from_folded(text, plugin_id="hello", seconds=1, rate=100)
    assert (profile.samples, profile.idle) == (5, 95)
    assert profile.hottest() == [
        ("Hello.wait (hello/threading_of_its_own.py:3)", 0.8),
        ("read_from (mine/_wire.py:84)", 0.2),
    ]
