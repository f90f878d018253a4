"""Elsewhere `viloapp doctor` tells the truth: layers are hidden, and attacks achieve what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.harness import PATIENCE_S
from tests.e2e.redteam.conftest import Person
from tests.e2e.redteam.test_attacks import COMMANDS, aims, hosted

# The first test of each person makes a virtualenv and a store for them.
pytestmark = pytest.mark.timeout(900)

# By what is hidden: the backend that is left, and the levels of filesystem, network and process.
MACHINES: dict[tuple[tuple[str, ...], bool], tuple[str, str, str, str]] = {
    ((), False): ("bubblewrap", "enforced", "enforced", "enforced"),
    (("landlock",), False): ("bubblewrap", "enforced", "enforced", "enforced"),
    (("seccomp",), False): ("bubblewrap", "enforced", "enforced", "partial"),
    ((), True): ("landlock", "partial", "enforced", "enforced"),
    (("namespaces",), False): ("landlock", "partial", "enforced", "enforced"),
    (("landlock",), True): ("none", "none", "none", "none"),
    (("seccomp",), True): ("none", "none", "none", "none"),
}
_ACHIEVED = {
    "filesystem": {"home_key", "shadow", "plugin_data", "file_of_the_person", "new_file", "removed"},
    "network": {"tcp", "udp"},
    "process": {"environment", "memory"},
}


@pytest.mark.parametrize(("hidden", "levels"), MACHINES.items(), ids=lambda each: str(each))
def test_doctor_says_what_an_attack_achieves(
    person: Person, hidden: tuple[tuple[str, ...], bool], levels: tuple[str, ...]
) -> None:
    """`none` where attacks of that kind succeed, and only there; where it is too little, nothing starts."""
    layers, broken = hidden
    app = person.with_less(*layers, broken_bwrap=broken)
    ran = app("doctor", "--json")
    told = {row["name"]: row["level"] for row in _document(ran.out)["capabilities"]}
    assert (told["filesystem"], told["network"], told["process"]) == levels[1:]
    if "none" in told.values() or "partial" in levels:
        assert ran.code == 1
        assert "--allow-unsandboxed" in app("call", "hello.greet").refused(1)
    achieved: set[str] = set()
    with hosted(person, app, "--allow-unsandboxed") as workspace:
        assert app.plugins()["hello"]["sandbox"] == levels[0]
        with aims(person, app, workspace.pid, control=True) as aimed:
            # At once: each has a process, and things of its own to aim at.
            sins = [COMMANDS[sin] for sin in ("reads_secrets", "writes_elsewhere", "connects_out")]
            attacks = [app.start("call", command, json.dumps({"targets": aimed})) for command in sins]
            for attack in attacks:
                out, err = attack.communicate(timeout=PATIENCE_S)
                assert attack.returncode == 0, err
                results = _document(out)
                achieved |= {name for name, what in results.items() if not what.startswith("stopped: ")}
    app.close()
    for category, kinds in _ACHIEVED.items():
        assert bool(achieved & kinds) == (told[category] == "none"), (category, achieved)


def _document(text: str) -> Any:
    return json.loads(text)
