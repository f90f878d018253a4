"""Which system calls the host is told of, and what one of them says; no process is looked at here."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from viloapp_core.sandbox import Profile, bpf
from viloapp_core.sandbox.observing.calls import CALLS
from viloapp_core.sandbox.observing.filters import notifying_filter
from viloapp_core.sandbox.observing.observation import Observation
from viloapp_core.sandbox.observing.sightings import address_of, kind_of_open, reachable
from viloapp_core.sandbox.profile import Mount, MountKind
from viloapp_core.sandbox.syscalls import MACHINES

from .test_seccomp import evaluate


def told(machine: str, name: str, *arguments: int) -> bool:
    """Whether the host hears of a call."""
    processor = MACHINES[machine]
    result = evaluate(notifying_filter(machine), processor.numbers[name], arguments, processor.audit)
    return result == bpf.NOTIFY


@pytest.mark.parametrize("machine", MACHINES)
def test_the_host_is_told_of_wants_alone(machine: str) -> None:
    """Each call of the table that the processor has, and no other; of `sendto` those to somebody."""
    numbers = MACHINES[machine].numbers
    wanted = {name for name in CALLS if name in numbers} - {"sendto"}
    assert {name for name in numbers if told(machine, name)} == wanted
    assert told(machine, "sendto", 3, 0x1000, 1, 0, 0x7F00_0000_1000, 16)
    assert not told(machine, "sendto", 3, 0x1000, 1, 0, 0, 0)
    assert {name for name in CALLS if name not in numbers} <= {
        *("open", "creat", "mkdir", "rmdir", "unlink", "rename", "link", "symlink")
    }


@pytest.mark.parametrize("machine", MACHINES)
def test_telling_the_host_decides_nothing(machine: str) -> None:
    """Every end of the filter is "go on" or "tell", which the sandbox's own filter outranks."""
    ends = {
        operand
        for code, _, _, operand in struct.iter_unpack("<HBBI", notifying_filter(machine))
        if code == 0x06
    }
    assert ends == {bpf.ALLOW, bpf.NOTIFY}
    # Source: seccomp(2): of several filters the first of these that one returns counts.
    assert bpf.KILL_PROCESS > 0x7FFFFFFF > bpf.ALLOW > bpf.NOTIFY > bpf.errno_result(0xFFF)


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        (os.O_RDONLY | os.O_CLOEXEC, "read"),
        (os.O_RDONLY | os.O_DIRECTORY, "read"),
        (os.O_WRONLY, "write"),
        (os.O_RDWR, "write"),
        (os.O_RDONLY | os.O_CREAT, "write"),
        (os.O_PATH, None),
    ],
)
def test_what_a_file_is_opened_for(flags: int, kind: str | None) -> None:
    """Making it is writing; only holding its place is neither."""
    assert kind_of_open(flags) == kind


SIX = bytes.fromhex("20010db8000000000000000000000001")
MAPPED = bytes.fromhex("00000000000000000000ffffc0000207")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\2\0\1\xbb\xc0\0\2\7" + bytes(8), ("192.0.2.7", 443)),
        (b"\x0a\0\0\x50\0\0\0\0" + SIX + bytes(4), ("[2001:db8::1]", 80)),
        (b"\x0a\0\0\x50\0\0\0\0" + MAPPED + bytes(4), ("192.0.2.7", 80)),
        (b"\2\0\0\0\xc0\0\2\7" + bytes(8), None),  # no port
        (b"\1\0/run/socket\0", None),
        (b"\2\0\1\xbb", None),
        (b"\x0a\0\0\x50\0\0", None),
        (b"", None),
    ],
)
def test_an_address_in_a_permissions_words(data: bytes, expected: tuple[str, int] | None) -> None:
    """Of the internet's two families; whatever else, or half of one, is none."""
    assert address_of(data) == expected


DESK = Path("/home/me/desk")
VIEW = Profile(
    mounts=(
        Mount(MountKind.READ_IF_THERE, Path("/usr/lib"), "/usr/lib"),
        Mount(MountKind.SCRATCH, Path("/tmp")),
        Mount(MountKind.FOLDER, Path("/home")),
        Mount(MountKind.FOLDER, Path("/home/me")),
        Mount(MountKind.READ, DESK, str(DESK)),
        Mount(MountKind.HIDE_FOLDER, DESK / ".ssh"),
        Mount(MountKind.WRITE, Path("/home/me/.store/data"), "/home/me/.store/data"),
        Mount(MountKind.WRITE, Path("/srv/out"), "/srv/out"),
    ),
    environment={},
    folder=Path("/home/me/.store/data"),
    user_namespace=True,
    shared=(DESK, Path("/srv/out")),
)


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        ("read", "/usr/lib/os-release", True),
        ("write", "/usr/lib/python3/x.pyc", True),  # no permission would let it
        ("execute", "/usr/lib/ld.so", True),
        ("read", "/usr/libexec", False),
        ("read", str(DESK / "notes"), True),
        ("write", str(DESK / "notes"), False),
        ("execute", str(DESK / "run.sh"), False),
        ("read", str(DESK / ".ssh/id"), False),
        ("read", "/home/me", True),
        ("read", "/home/me/other", False),
        ("write", "/home/me/.store/data/x", True),
        ("execute", "/home/me/.store/data/x", True),
        ("write", "/srv/out/x", True),
        ("execute", "/srv/out/x", False),
        ("write", "/tmp/x", True),
        ("read", "/etc/shadow", False),
    ],
)
def test_what_a_worker_reaches(kind: str, path: str, expected: bool) -> None:
    """As its view of the disk says; the later mount counts."""
    assert reachable(kind, path, VIEW) is expected


def test_a_private_folder_is_another_one() -> None:
    """What was made there is the worker's own; what it only reads may be meant to be the person's."""
    observation = Observation()
    for kind, path in (
        ("read", "/tmp/data.csv"),
        ("write", "/tmp/own"),
        ("read", "/tmp/own/file"),
        ("read", "/tmp"),
    ):
        observation.add_path(kind, path, VIEW, resolve=str)
    reached = {what: reached for kind, what, reached in observation.rows() if kind == "read"}
    assert reached == {"/tmp/data.csv": False, "/tmp/own/file": True, "/tmp": True}


def test_links_lead_where_they_do_outside() -> None:
    """In a folder of the person's; those of the system's own are not followed."""
    links = {str(DESK / "link"): "/srv/secret", str(DESK / "near"): str(DESK / "notes")}
    observation = Observation()
    for path in (*links, "/usr/lib/alias"):
        observation.add_path("read", path, VIEW, resolve=lambda path: links.get(path, "/etc/alias"))
    assert observation.rows() == [
        ["read", "/srv/secret", False],
        ["read", str(DESK / "near"), True],
        ["read", "/usr/lib/alias", True],
    ]


def test_a_name_that_is_looked_up_is_no_connection() -> None:
    """The name server is the machine's; that it was asked is told, once, as what is not known."""
    observation = Observation()
    observation.add_connection("10.0.0.1", 53, ("10.0.0.1",))
    observation.add_connection("10.0.0.2", 53, ("10.0.0.1",))
    assert observation.rows() == [["resolve", "10.0.0.1", True], ["connect", "10.0.0.2:53", True]]
    (text,) = observation.shortcomings()
    assert "looked up at 10.0.0.1;" in text


def test_what_was_refused_once_counts() -> None:
    """In a later process, to which it is allowed, the same path is reached."""
    observation = Observation()
    observation.add_path("read", "/srv/x", VIEW, resolve=str)
    more = Profile((Mount(MountKind.READ, Path("/srv/x"), "/srv/x"),), {}, Path("/"), True)
    observation.add_path("read", "/srv/x", more, resolve=str)
    assert observation.rows() == [["read", "/srv/x", False]]
