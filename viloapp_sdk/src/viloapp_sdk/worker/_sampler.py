"""Where a plugin spends its time: the stacks of its threads, looked at many times a second.

Imported when a host asks for a profile, never before. A thread of ours looks; the plugin goes on meanwhile.
The result is one event, bounded whatever the plugin's code is called.
"""

import sys
from _thread import get_ident, start_new_thread
from time import monotonic, sleep

from viloapp_sdk._wire import EVENT, PROFILE, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

LONGEST_S = 600.0
FASTEST = 1000.0
DEEPEST = 200
MOST_STACKS = 5000
MOST_FUNCTIONS = 10000
LONGEST_NAME = 200
MORE = "(more)"
"""Stands for what is beyond these bounds."""

IDLE = (
    ("viloapp_sdk/_wire.py", "read_from"),
    ("viloapp_sdk/_wire.py", "receive"),
    ("viloapp_sdk/worker/_channel.py", "_step"),
    ("viloapp_sdk/worker/_loop.py", "run"),
    ("/selectors.py", "select"),
    ("/threading.py", "wait"),
    ("/threading.py", "join"),
    ("/queue.py", "get"),
    ("/concurrent/futures/thread.py", "_worker"),
)
"""The innermost function of a thread that waits for something to do: (end of the file's name, function)."""


def start(write: "Callable[[bytes], None]", request: "dict[str, Any]") -> None:
    """Look for as long as the host asks, and send it what was seen.

    Args:
        write: sends a packed frame.
        request: ``{"id", "seconds", "rate"}``; the rate is looks a second.
    """
    start_new_thread(_run, (write, request))


def _run(write: "Callable[[bytes], None]", request: "dict[str, Any]") -> None:
    samples = Samples()
    interval_s = 1 / min(max(float(request["rate"]), 1.0), FASTEST)
    end = monotonic() + min(float(request["seconds"]), LONGEST_S)
    due = monotonic()
    while due < end:
        samples.look(get_ident())
        due = max(due + interval_s, monotonic())
        sleep(max(0.0, due - monotonic()))
    write(pack([EVENT, PROFILE, {"id": request["id"], **samples.result()}]))


class Samples:
    """Stacks, counted: each a row of numbers of functions, outermost first."""

    def __init__(self) -> None:
        self._functions: dict[str, int] = {}
        self._known: dict[CodeType, int] = {}
        self._stacks: dict[tuple[int, ...], int] = {}
        self._idle = 0

    def look(self, leave_out: int) -> None:
        """Count the stack of each thread but one."""
        for thread, frame in sys._current_frames().items():
            if thread == leave_out:
                continue
            if _is_idle(frame):
                self._idle += 1
                continue
            stack = self._stack(frame)
            if stack not in self._stacks and len(self._stacks) >= MOST_STACKS:
                stack = (self._function(MORE),)
            self._stacks[stack] = self._stacks.get(stack, 0) + 1

    def result(self) -> "dict[str, Any]":
        """Return ``{"functions": [name], "stacks": [[number…, count]], "idle": count}``."""
        stacks = [[*stack, count] for stack, count in self._stacks.items()]
        return {"functions": list(self._functions), "stacks": stacks, "idle": self._idle}

    def _stack(self, frame: "FrameType | None") -> "tuple[int, ...]":
        found: list[int] = []
        while frame is not None:
            found.append(self._of(frame.f_code))
            frame = frame.f_back
        found.reverse()
        if len(found) > DEEPEST:  # a recursion: where it came from says more than where it is
            found[DEEPEST - 1 :] = [self._function(MORE)]
        return tuple(found)

    def _of(self, code: "CodeType") -> int:
        number = self._known.get(code)
        if number is None:
            name = getattr(code, "co_qualname", code.co_name)
            number = self._function(f"{name} ({_short(code.co_filename)}:{code.co_firstlineno})")
            if len(self._known) < MOST_FUNCTIONS:
                self._known[code] = number
        return number

    def _function(self, name: str) -> int:
        name = name[:LONGEST_NAME]
        if name not in self._functions and len(self._functions) >= MOST_FUNCTIONS:
            name = MORE
        return self._functions.setdefault(name, len(self._functions))


def _is_idle(frame: "FrameType") -> bool:
    code = frame.f_code
    return any(code.co_name == name and code.co_filename.endswith(end) for end, name in IDLE)


def _short(path: str) -> str:
    """Return a file's name from where it is imported."""
    for mark in ("/site-packages/", "/lib/python"):
        _, found, after = path.rpartition(mark)
        if found:
            return after if mark == "/site-packages/" else after.partition("/")[2] or after
    return path
