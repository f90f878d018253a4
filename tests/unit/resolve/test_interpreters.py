"""The interpreters of this machine."""

from __future__ import annotations

import os
import platform
import stat
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from viloapp_core.resolve import InterpreterError, candidates

ANY = SpecifierSet()
SERIES = f"{sys.version_info.major}.{sys.version_info.minor}"


def _environ(tmp_path: Path, **names: str) -> dict[str, str]:
    return {"PATH": "", "HOME": str(tmp_path), **names}


def test_the_hosts_base_comes_first(tmp_path: Path) -> None:
    """Of a virtualenv its base is meant: a virtualenv of a virtualenv would break with the first."""
    first = next(candidates(None, ANY, cache=tmp_path, environ=_environ(tmp_path)))
    assert first.version == platform.python_version()
    assert first.prefix == Path(sys.base_prefix)
    assert not (first.executable.parent.parent / "pyvenv.cfg").exists()


def test_what_the_plugin_does_not_allow_is_passed_over(tmp_path: Path) -> None:
    """Requires-Python decides before pip is asked."""
    found = list(candidates(None, SpecifierSet("<3.5"), cache=tmp_path, environ=_environ(tmp_path)))
    assert found == []


def _script(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_broken_ones_and_shims_are_passed_over(tmp_path: Path) -> None:
    """An interpreter that does not run is none, and a shim is never even started."""
    trace = tmp_path / "shim-was-run"
    _script(tmp_path / "shims" / "python3", f"touch {trace}; exit 127")
    _script(tmp_path / "bin" / "python3.12", "exit 1")
    _script(tmp_path / ".pyenv/versions/3.13.0/bin/python", "echo not json")
    environ = _environ(tmp_path, PATH=f"{tmp_path}/shims:{tmp_path}/bin")
    found = list(candidates(None, ANY, cache=tmp_path / "cache", environ=environ))
    assert [item.version for item in found] == [platform.python_version()]
    assert not trace.exists()


def test_one_of_each_series_newest_first(tmp_path: Path) -> None:
    """After the host's, the others of this machine, each series once."""
    found = list(candidates(None, ANY, cache=tmp_path, environ=os.environ))
    series = [item.series for item in found]
    assert series[0] == SERIES
    assert len(set(series)) == len(series)
    rest = [tuple(map(int, item.version.split("."))) for item in found[1:]]
    assert rest == sorted(rest, reverse=True)
    assert all(version >= (3, 10) for version in rest)


@pytest.mark.parametrize("wanted", [SERIES, f"python{SERIES}", platform.python_version(), sys.executable])
def test_named_by_version_or_path(tmp_path: Path, wanted: str) -> None:
    """Each way to name the host's own finds it, and nothing else is offered."""
    (found,) = candidates(wanted, ANY, cache=tmp_path, environ=_environ(tmp_path))
    assert found.version == platform.python_version()


@pytest.mark.parametrize("wanted", ["3.99", "/no/such/python", "nonsense", "2.7"])
def test_named_but_not_there(tmp_path: Path, wanted: str) -> None:
    """The error says which there are."""
    with pytest.raises(InterpreterError, match=wanted) as caught:
        list(candidates(wanted, ANY, cache=tmp_path, environ=_environ(tmp_path)))
    assert platform.python_version() in caught.value.hint


def test_named_but_not_allowed(tmp_path: Path) -> None:
    """What the user names is not overridden in silence, nor the plugin's word."""
    with pytest.raises(InterpreterError, match=r"<3\.5"):
        list(candidates(SERIES, SpecifierSet("<3.5"), cache=tmp_path, environ=_environ(tmp_path)))
