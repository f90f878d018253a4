"""What wheels of one virtualenv may not do to each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.wheels import forge
from viloapp_core.store import OverlappingWheelsError, UnsafeWheelError
from viloapp_core.store.audit import Finding, audit_all, overlaps


def _finding(wheel: str, *landings: str) -> Finding:
    return Finding(wheel, landings, landings, ())


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("site-packages/a.py", "site-packages/a.py", "site-packages/a.py: is in both one.whl and other.whl"),
        ("bin/tool", "bin/tool", "bin/tool: is in both one.whl and other.whl"),
        ("site-packages/a.py", "site-packages/A.py", "differs only by case or Unicode form"),
        ("share/a", "share/a/b", "share/a/b of other.whl: needs a folder of the name of share/a of one.whl"),
        ("site-packages/six.py", "site-packages/six/__init__.py", "is the same module as"),
        (
            "site-packages/a/b.py",
            "site-packages/a/b.cpython-311-x86_64-linux-gnu.so",
            "is the same module as",
        ),
    ],
)
def test_two_wheels_that_claim_one_thing(one: str, other: str, told: str) -> None:
    """Each issue names both wheels."""
    (issue,) = overlaps([_finding("one.whl", one), _finding("other.whl", other)])
    assert told in issue
    assert "one.whl" in issue
    assert "other.whl" in issue


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("site-packages/a.py", "site-packages/b.py"),
        ("site-packages/ns/a/__init__.py", "site-packages/ns/b/__init__.py"),
        ("site-packages/a.py", "bin/a.py"),
        ("site-packages/six.py", "site-packages/six.txt"),
    ],
)
def test_wheels_that_live_together(one: str, other: str) -> None:
    """Namespaces, and names that meet in different folders, are no clash."""
    assert overlaps([_finding("one.whl", one), _finding("other.whl", other)]) == []


def test_one_wheel_may_have_a_module_in_two_forms() -> None:
    """Compilers such as mypyc ship the source beside the extension."""
    assert overlaps([_finding("one.whl", "site-packages/a.py", "site-packages/a.abi3.so")]) == []


@given(
    paths=st.lists(st.sampled_from([f"lib/{a}/{b}" for a in "ab" for b in "cdE"]), unique=True, max_size=6)
)
def test_a_wheel_beside_itself_clashes_in_each_of_its_files(paths: list[str]) -> None:
    """As many issues as files, and none for one wheel alone."""
    one, other = _finding("one.whl", *paths), _finding("other.whl", *paths)
    assert len(overlaps([one, other])) == len(paths)
    assert overlaps([one]) == []


def test_all_wheels_are_judged_at_once(tmp_path: Path) -> None:
    """Each bad one is an error of its own, and what the good ones do to each other is another."""
    own = forge(tmp_path, "hello", "1", {"hello.py": "", "start.pth": ""})
    bad = forge(tmp_path, "bad", "1", {"sitecustomize.py": ""})
    one = forge(tmp_path, "one", "1", {"shared.py": ""})
    other = forge(tmp_path, "other", "1", {"shared.py": "", "start.pth": ""})
    findings, problems = audit_all([own, bad, one, other])
    assert [finding.wheel for finding in findings] == [one.name, other.name]
    assert [type(problem) for problem in problems] == [
        *(UnsafeWheelError, UnsafeWheelError, OverlappingWheelsError)
    ]
    assert "start.pth" in findings[1].notes[0]
    assert len(audit_all([own], dev=True)[0]) == 1
