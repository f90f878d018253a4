"""The SDK's sampler: bounded whatever it looks at."""

import sys
import threading
from typing import Any

import pytest

from viloapp_sdk.worker import _sampler
from viloapp_sdk.worker._sampler import Samples


def recursion(depth: int, entered: threading.Event, leave: threading.Event) -> None:
    """Call itself, then wait without Python's own `wait` on the stack, which would count as idle."""
    if depth:
        recursion(depth - 1, entered, leave)
    else:
        entered.set()
        while not leave.is_set():
            sum(range(1000))


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that other tests have left are not there to be seen."""
    everyone, others = sys._current_frames, set(sys._current_frames()) - {threading.get_ident()}
    monkeypatch.setattr(
        sys, "_current_frames", lambda: {key: each for key, each in everyone().items() if key not in others}
    )


@pytest.fixture
def deep(alone: None) -> Any:
    """A thread that is busy, five hundred calls deep."""
    entered, leave = threading.Event(), threading.Event()
    thread = threading.Thread(target=recursion, args=(500, entered, leave))
    thread.start()
    entered.wait()
    yield thread
    leave.set()
    thread.join()


def test_a_stack_that_is_too_deep_keeps_where_it_came_from(deep: threading.Thread) -> None:
    """At most 200 functions, the last of them a mark; the thread that looks is left out."""
    samples = Samples()
    samples.look(threading.get_ident())
    result = samples.result()
    (row,) = result["stacks"]
    *numbers, seen = row
    names = [result["functions"][number] for number in numbers]
    assert (len(names), names[-1], seen) == (_sampler.DEEPEST, _sampler.MORE, 1)
    assert any(name.startswith("recursion (") for name in names)


def test_more_stacks_and_functions_than_allowed_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sample is lost; the answer stays within a frame."""
    monkeypatch.setattr(_sampler, "MOST_STACKS", 3)
    monkeypatch.setattr(_sampler, "MOST_FUNCTIONS", 5)
    frames: dict[int, Any] = {}
    monkeypatch.setattr(sys, "_current_frames", lambda: frames)
    samples = Samples()
    for number in range(20):
        scope: dict[str, Any] = {"sys": sys}
        exec(f"def {'x' * 400}{number}(): return sys._getframe()", scope)
        frames[1] = scope[f"{'x' * 400}{number}"]()
        samples.look(0)
    result = samples.result()
    assert sum(row[-1] for row in result["stacks"]) == 20
    assert len(result["stacks"]) <= 4
    assert len(result["functions"]) <= 6
    assert max(map(len, result["functions"])) <= _sampler.LONGEST_NAME


def test_a_thread_that_waits_is_idle(alone: None) -> None:
    """Blocked in the library's own waiting; counted apart."""
    leave = threading.Event()
    thread = threading.Thread(target=leave.wait)
    thread.start()
    try:
        while thread.ident is None or "wait" not in sys._current_frames()[thread.ident].f_code.co_name:
            pass
        samples = Samples()
        samples.look(threading.get_ident())
        assert samples.result()["idle"] >= 1
        assert samples.result()["stacks"] == []
    finally:
        leave.set()
        thread.join()


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("/x/lib/python3.11/site-packages/pkg/m.py", "pkg/m.py"),
        ("/usr/lib/python3.11/json/decoder.py", "json/decoder.py"),
        ("/home/you/project/m.py", "/home/you/project/m.py"),
        ("<string>", "<string>"),
    ],
)
def test_files_are_named_as_they_are_imported(path: str, short: str) -> None:
    """Where a virtualenv lies says nothing about a plugin."""
    assert _sampler._short(path) == short
