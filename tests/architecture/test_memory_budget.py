"""What a worker takes of memory beside an interpreter that only waits: no figure of a machine's."""

from __future__ import annotations

import compileall
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import viloapp_sdk
from viloapp_core.sandbox.first_code import BOOTSTRAP_FILE, start
from viloapp_core.sandbox.stage2 import Stage2, open_plan
from viloapp_sdk._wire import REQUEST, RESPONSE, FrameBuffer, pack

MOST_KIB = 580
"""Beside an interpreter; 508 with Python 3.11, 528 with 3.12, 512 with 3.13. It was 660 once, with 3.11."""
_WAITS = "import sys; sys.stdout.write('.'); sys.stdout.flush(); sys.stdin.read()"

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/PID/smaps_rollup"),
    pytest.mark.skipif(resource.getpagesize() != 4096, reason="counts pages of 4 KiB"),
]


@pytest.fixture
def interpreter() -> Iterator[int]:
    """Return the process of an interpreter that has started, and waits."""
    argv = [sys.executable, "-I", "-c", _WAITS]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"."
        yield process.pid
        process.kill()


@pytest.fixture
def worker(first_frames: bytes) -> Iterator[int]:
    """Return the process of a worker without a sandbox that has answered."""
    compileall.compile_dir(Path(viloapp_sdk.__file__).parent, quiet=1)  # as an installed one is
    with ExitStack() as stack:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        plan = open_plan(Stage2((theirs_in, theirs_out, nothing), confine=False))
        for fd in (theirs_in, theirs_out, ours_in, ours_out, nothing, plan):
            stack.callback(os.close, fd)
        argv = start(Path(sys.executable), BOOTSTRAP_FILE, plan)
        process = subprocess.Popen(argv, pass_fds=(theirs_in, theirs_out, nothing, plan))
        stack.enter_context(process)
        stack.callback(process.kill)
        os.write(ours_out, first_frames + pack([REQUEST, 2, "ping", None]))
        buffer, answer = FrameBuffer(), None
        while answer != [RESPONSE, 2, "pong"]:
            assert buffer.read_from(ours_in)
            while (frame := buffer.take()) is not None:
                answer = frame
        yield process.pid


def test_a_worker_is_little_more_than_an_interpreter(worker: int, interpreter: int) -> None:
    """Counted are pages that nobody shares and that were written, whoever else runs the same interpreter."""
    assert _own_kib(worker) - _own_kib(interpreter) <= MOST_KIB


def _own_kib(pid: int) -> int:
    """Return what a process alone has, and has written. Source: proc(5)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1])
    raise AssertionError("the kernel does not say")
