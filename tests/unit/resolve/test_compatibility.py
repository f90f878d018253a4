"""Which wheels fit where."""

from __future__ import annotations

import sys

import pytest
from packaging.tags import sys_tags

from viloapp_core.resolve.compatibility import environment, holds_here, misfits


def test_this_machine_is_where_its_locks_hold() -> None:
    """And no other; a lock that says nothing holds everywhere."""
    assert holds_here([environment()])
    assert holds_here([])
    assert not holds_here(['sys_platform == "plan9"'])
    assert holds_here(['sys_platform == "plan9"', environment()])
    assert not holds_here([environment().replace('"cpython"', '"pypy"')])


def test_pure_wheels_fit_every_python_that_they_name() -> None:
    """`py3` fits all, `py311` what is not older."""
    assert misfits("3.10", ["a-1-py3-none-any.whl", "b-1-py2.py3-none-any.whl"]) == []
    assert misfits("3.10", ["a-1-py311-none-any.whl"]) == ["a-1-py311-none-any.whl"]
    assert misfits("3.12", ["a-1-py311-none-any.whl"]) == []


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="plugins run on CPython")
def test_every_wheel_of_the_hosts_own_tags_fits() -> None:
    """What `packaging` says of this interpreter, and what it says of another series."""
    series = f"{sys.version_info.major}.{sys.version_info.minor}"
    names = [f"a-1-{tag}.whl" for tag in sys_tags() if tag.interpreter.startswith(("cp", "py"))]
    assert misfits(series, names) == []
    binary = f"a-1-cp39-cp39-{next(sys_tags()).platform}.whl"
    assert misfits(series, [binary]) == [binary]
    abi3 = f"a-1-cp39-abi3-{next(sys_tags()).platform}.whl"
    assert misfits("3.13", [abi3]) == []
    assert misfits(series, ["a-1-py3-none-win_amd64.whl"])
