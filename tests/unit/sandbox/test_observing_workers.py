"""Workers whose system calls are watched, as in learn mode: what is seen, and that it changes nothing."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from viloapp_core.process import Spawner
from viloapp_core.sandbox import Probe, launch_plan
from viloapp_core.sandbox.observing.observation import Observation
from viloapp_core.sandbox.observing.observer import Observer

from .conftest import Installed

# What C code does by itself, so that neither `open` nor an audit hook hears of it.
NATIVE = """
import ctypes, os, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
answer = {}
def told(name, result):
    answer[name] = ctypes.get_errno() if result < 0 else 0
def address(host, port):
    return b"\\x02\\0" + port.to_bytes(2, "big") + socket.inet_aton(host) + bytes(8)
def run(program):
    child = os.fork()
    if child == 0:
        libc.execv(program, (ctypes.c_char_p * 2)(program, None))
        os._exit(ctypes.get_errno())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""
REACH = (
    NATIVE
    + """
there, folder = THERE, FOLDER
told("read", libc.open(there, os.O_RDONLY))
told("create", libc.open(folder + b"/new", os.O_WRONLY | os.O_CREAT, 0o644))
told("remove", libc.unlink(there))
told("nowhere", libc.open(there + b".missing", os.O_RDONLY))
told("relative", libc.openat(libc.open(b"/usr", os.O_RDONLY), b".." + there, os.O_RDONLY))
told("library", libc.open(b"/usr/share", os.O_RDONLY))
told("own", libc.open(os.environ["HOME"].encode() + b"/notes", os.O_RDWR | os.O_CREAT, 0o600))
told("scratch", libc.open(b"/tmp/own", os.O_RDWR | os.O_CREAT, 0o600))
told("wrong", libc.open(ctypes.c_void_p(1), os.O_RDONLY))
told("far", libc.open(ctypes.c_void_p(2**64 - 1), os.O_RDONLY))
stream = libc.socket(2, 1, 0)
told("connect", libc.connect(stream, address("192.0.2.7", 443), 16))
told("send", libc.sendto(libc.socket(2, 2, 0), b"x", 1, 0, address("192.0.2.8", 9), 16))
server = socket.create_server(("127.0.0.1", 0))
told("itself", libc.connect(stream, address("127.0.0.1", server.getsockname()[1]), 16))
answer["execute"] = run(b"/bin/ls")
answer["again"] = subprocess.run([sys.executable, "-c", ""]).returncode
"""
)


def reach(outside: Path) -> str:
    """Return that code, for a folder."""
    return f"THERE, FOLDER = {os.fsencode(outside / 'file')!r}, {os.fsencode(outside)!r}\n{REACH}"


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder of the person's that no worker sees, with a file; not in /tmp, where a worker has its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder, "file").write_text("the person's")
        yield Path(folder)


def test_what_native_code_reaches_for_is_seen_and_stays_refused(worker: Installed, outside: Path) -> None:
    """Files, addresses and programs that no Python function was asked for; each answer is the kernel's own.

    What is the worker's own is no want: its code, its data, its servers, its interpreter run again.
    """
    there = str(outside / "file")
    code = reach(outside)
    observation = Observation()
    answers = worker.run(code, observation=observation)
    assert observation.problems == []
    assert observation.watched
    wanted = {(kind, what) for kind, what, reached in observation.rows() if not reached or kind == "connect"}
    assert wanted == {
        ("read", there),
        ("read", f"{there}.missing"),  # whether it exists is asked outside
        ("write", there),
        ("write", str(outside / "new")),
        ("connect", "192.0.2.7:443"),
        ("connect", "192.0.2.8:9"),
        ("execute", "/bin/ls"),
    }
    assert answers == worker.run(code)
    assert answers == {
        **dict.fromkeys(("read", "create", "remove", "nowhere", "relative", "execute"), errno.ENOENT),
        **dict.fromkeys(("library", "own", "scratch", "itself", "again"), 0),
        **dict.fromkeys(("wrong", "far"), errno.EFAULT),
        **dict.fromkeys(("connect", "send"), errno.ENETUNREACH),
    }
    assert (outside / "file").exists()


def test_a_use_of_what_is_granted_is_seen(worker: Installed, outside: Path) -> None:
    """So that it is not taken for excess; what is shared to be read is wanted to be written."""
    there = str(outside / "file")
    code = reach(outside)
    observation = Observation()
    granted = (f"filesystem.read.{outside}",)
    answers = worker.run(code, observation=observation, permissions=granted)
    assert (answers["read"], answers["create"]) == (0, errno.EROFS)
    rows = {(kind, what): reached for kind, what, reached in observation.rows()}
    assert rows["read", there] is True
    assert rows["write", str(outside / "new")] is False
    # A link of the person's leads to where it leads outside.
    (outside / "link").symlink_to("/var/lib")
    observation = Observation()
    code = f"{NATIVE}libc.open({str(outside / 'link')!r}.encode(), 0)"
    worker.run(code, observation=observation, permissions=granted)
    assert ["read", "/var/lib", False] in observation.rows()


INSIDE = """
import os, stat
answer = [[], [line.split()[1] for line in open("/proc/self/status") if line.startswith("Seccomp_filters")]]
for fd in range(3, 256):
    try: answer[0].append([fd, stat.S_IFMT(os.fstat(fd).st_mode)])
    except OSError: pass
"""


def test_an_ordinary_worker_is_not_watched(worker: Installed) -> None:
    """It has one filter and not a descriptor more; a watched one has two filters, and no descriptor more."""
    their = os.pipe()
    try:
        plan = worker.plan(their)
        plan.close()
        assert plan.observed is None
        assert plan.pass_fds[:-1] == their
    finally:
        for fd in their:
            os.close(fd)
    observation = Observation()
    ordinary, learning = worker.run(INSIDE), worker.run(INSIDE, observation=observation)
    assert observation.watched
    kinds = [sorted(kind for _, kind in each[0]) for each in (ordinary, learning)]
    assert kinds == [[stat.S_IFIFO] * 2] * 2
    assert (ordinary[1], learning[1]) == (["1"], ["2"])


def test_no_more_is_kept_than_is_bounded(worker: Installed) -> None:
    """A flood of different paths from several threads goes on, and the host keeps so many of them."""
    flood = """
import threading
def work(number):
    for each in range(300):
        libc.open(b"/nowhere/%d/%d" % (number, each), 0)
threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
answer = "done"
"""
    observation = Observation(most=500)
    assert worker.run(NATIVE + flood, observation=observation) == "done"
    assert len(observation.rows()) == 500
    assert observation.left_out >= 1200 - 500
    assert any(str(observation.left_out) in text for text in observation.shortcomings())


class _Breaks(Observation):
    """Fails when it is told of a certain path, as a fault of ours would."""

    def add_path(self, kind: str, path: str, *rest: Any, **more: Any) -> None:
        if path == "/break":
            raise RuntimeError("a fault")
        super().add_path(kind, path, *rest, **more)


BUSY = """
import os, sys
os.write({fd}, b"ready")
while True:
    try: os.close(os.open({path!r}, os.O_RDONLY))
    except OSError: pass
"""


@pytest.mark.parametrize("ending", ["killed", "broken", "closed"])
def test_a_watch_that_ends_leaves_nothing(
    worker: Installed, confinement: Probe, spawner: Spawner, ending: str
) -> None:
    """A worker killed while its calls are looked at ends the thread; a fault of the watch ends the worker."""
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    observation = _Breaks()
    observer = Observer(observation)
    plan = launch_plan(
        worker.request,
        confinement,
        allow_unsandboxed=False,
        fds=(their_in, their_out),
        watch=observer.theirs,
    )
    child = spawner.spawn(plan.argv, env=plan.env, cwd=plan.cwd, pass_fds=plan.pass_fds, stdout=2, stderr=2)
    plan.close()
    reasons: list[str] = []

    def broke(reason: str) -> None:
        reasons.append(reason)
        child.kill()

    before = set(threading.enumerate())
    observer.begin(plan.observed, broke)
    (thread,) = set(threading.enumerate()) - before
    path = "/break" if ending == "broken" else "/usr"
    code = BUSY.format(fd=their_out, path=path)
    os.write(our_out, json.dumps(code).encode() + b"\n")
    assert os.read(our_in, 5) == b"ready"
    if ending == "killed":
        child.kill()
    elif ending == "closed":
        observer.close()
    thread.join(10)
    assert not thread.is_alive()
    if ending == "closed":
        child.kill()  # the host does so before
    assert child.wait_blocking(10) is not None
    observer.close()
    assert [("a fault" in each) for each in reasons] == ([True] if ending == "broken" else [])
    for fd in (their_in, our_out, our_in, their_out):
        os.close(fd)


def test_without_a_sandbox_it_says_so(worker: Installed, confinement: Probe) -> None:
    """Where nothing confines there is no filter, and nothing is said to have been watched."""
    bare = Installed(worker.request, replace(confinement, backend="none"), worker._spawner)
    observation = Observation()
    assert bare.run("answer = 1", allow_unsandboxed=True, observation=observation) == 1
    assert not observation.watched
    assert "not confined" in observation.problems[0]


def test_landlock_alone_is_watched_too(worker: Installed, confinement: Probe, outside: Path) -> None:
    """There a file is refused rather than missing; connections the filter refuses, and tells nobody."""
    if not confinement.landlock_abi:
        pytest.skip("no Landlock")
    bare = Installed(worker.request, replace(confinement, backend="landlock"), worker._spawner)
    code = reach(outside).partition('told("far"')[0] + "stream = libc.socket(2, 1, 0)\n"
    code += 'told("connect", libc.connect(stream, address("192.0.2.7", 443), 16))\n'
    observation = Observation()
    answers = bare.run(code, allow_unsandboxed=True, observation=observation)
    assert observation.problems == []
    assert answers == bare.run(code, allow_unsandboxed=True)
    assert (answers["read"], answers["connect"]) == (errno.EACCES, errno.EPERM)
    assert ["read", str(outside / "file"), False] in observation.rows()
    assert not any(kind == "connect" for kind, *_ in observation.rows())
