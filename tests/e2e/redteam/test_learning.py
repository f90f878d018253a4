"""Learn mode looks at what native code asks the kernel for; it lets through nothing that was refused."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import PATIENCE_S, Viloapp
from tests.e2e.redteam.conftest import Person
from tests.e2e.redteam.test_attacks import COMMANDS, aims
from viloapp_core.sandbox.syscalls import MACHINES

pytestmark = pytest.mark.timeout(900)

NEST = Path(__file__).with_name("nest.py")
REFUSED = {"read": "ENOENT", "write": "ENOENT", "connect": "ENETUNREACH", "execute": "ENOENT"}


@contextlib.contextmanager
def learner(person: Person) -> Iterator[int]:
    """A host that learns, and serves calls meanwhile; its process."""
    process = person.app.start("permissions", "learn", "hello", "--for", "900", cwd=person.work())
    assert process.stderr is not None
    try:
        assert "learning for 900 s" in process.stderr.readline()
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)


def reach(person: Person) -> str:
    """The arguments of the plugin's command, with a file of the person's."""
    file = person.root / "home/natively.txt"
    file.write_text("the person's")
    os.chown(file, person.uid, person.uid)
    return json.dumps({"file": str(file), "host": "192.0.2.7", "port": 443, "program": "/usr/bin/env"})


def learn(app: Viloapp, arguments: str, *options: str) -> dict[str, Any]:
    """Learn; return what was found."""
    command = ("permissions", "learn", "reaches-natively", "--json", *options)
    found: dict[str, Any] = app(*command, "--", "natively.reach", arguments).ok().json()
    return found


def test_what_native_code_wants_is_learned(person: Person) -> None:
    """Neither the host nor Python's audit hook hears of it; with --allow a file is there, and no more."""
    arguments = reach(person)
    assert person.app.call("natively.reach", **json.loads(arguments)) == REFUSED
    found = learn(person.app, arguments)
    assert found["system_calls"] == "watched"
    assert found["permissions"] == [
        "filesystem.write.~/natively.txt",
        "network.connect.192.0.2.7:443",
        "process.execute.env",
    ]
    assert found["seen_by"] == {each: ["kernel"] for each in found["permissions"]}
    assert learn(person.app, arguments, "--allow")["permissions"] == found["permissions"]
    assert person.app.call("natively.reach", **json.loads(arguments)) == REFUSED


def test_learning_lets_no_attack_through(person: Person) -> None:
    """The attackers, watched: they get no further than without, and the host serves others meanwhile."""
    with learner(person) as host, aims(person, person.app, host) as aimed:
        results = {sin: person.app.call(command, targets=aimed) for sin, command in COMMANDS.items()}
        assert person.app.call("hello.greet") == "Hello, world!"
    through = {
        f"{sin}: {name}": what
        for sin, attacks in results.items()
        for name, what in attacks.items()
        if not what.startswith("stopped: ")
    }
    assert through == {}
    assert all(results.values())


def test_where_the_kernel_tells_nothing_it_says_so(person: Person) -> None:
    """Below a filter with a listener, and as root without a debugger's capability, it goes on without."""
    arguments = reach(person)
    call = str(MACHINES[os.uname().machine].numbers["seccomp"])
    below = {
        "nest": ([str(person.bin / "python"), str(person.root / NEST.name), call], "another program watches")
    }
    if person.uid == 0:
        without = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", "--"]
        below["setpriv"] = (without, "does not let this process look")
    shutil.copy(NEST, person.root)
    for name, (prefix, reason) in below.items():
        with contextlib.closing(person.below(name, *prefix)) as app:
            found = learn(app, arguments)
        assert found["system_calls"] == "not watched"
        assert found["permissions"] == []
        assert reason in found["cannot_see"][0]
