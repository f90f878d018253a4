"""What attempts mean, and that a trial really tries."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from viloapp_core.sandbox import Probe
from viloapp_core.sandbox.trial import judge, trial
from viloapp_core.store.identities import trial_user

NAMES = (
    *("read", "write", "touch", "look", "tcp", "mptcp", "fastopen", "udp", "unix", "abstract"),
    *("signal", "memory", "attach", "limit", "execute", "namespace", "ring"),
)
NOTHING = Probe("none", "none", "bubblewrap is not installed", "install it")


@pytest.mark.parametrize(
    ("achieved", "expected"),
    [
        ((), ("enforced", "enforced", "enforced", "enforced")),
        (("look",), ("partial", "enforced", "enforced", "partial")),
        (("read", "look"), ("none", "enforced", "enforced", "none")),
        (("unix",), ("enforced", "partial", "enforced", "enforced")),
        (("udp",), ("enforced", "none", "enforced", "enforced")),
        (("ring",), ("enforced", "enforced", "partial", "partial")),
    ],
)
def test_a_category_is_as_good_as_its_worst_attempt(
    achieved: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """What the host checks holds as far as the host cannot be reached otherwise."""
    rows = judge({name: "did it" * (name in achieved) for name in NAMES}, NOTHING)
    assert tuple(row.level for row in rows[:4]) == expected
    assert all(row.remedy for row in rows if row.level != "enforced")


def test_an_attempt_without_a_result_is_no_success_of_ours() -> None:
    """A process that was ended in the middle proves nothing."""
    assert {row.level for row in judge({}, NOTHING)} == {"none"}


def test_everything_succeeds_without_a_sandbox_and_nothing_inside(confinement: Probe, tmp_path: Path) -> None:
    """Really tried, both ways."""
    uid = trial_user() if os.geteuid() == 0 else None
    inside = trial(confinement, folder=tmp_path, uid=uid)
    assert {row.category: row.level for row in inside if row.level != "enforced"} == {}
    bare = trial(NOTHING, folder=tmp_path, uid=None)
    assert {row.level for row in bare} == {"none"}
