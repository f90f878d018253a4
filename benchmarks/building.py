"""Wheels of the benchmarks' own plugins: one build environment for all programs of a run."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import viloapp_sdk
from tests.fixtures.wheels import Builder
from viloapp_core.resolve import wheelhouse

__all__ = ["build", "other_sdk"]


def build(projects: Iterable[Path], out: Path) -> dict[str, Path]:
    """Build projects into a folder; return the wheels by the name of their project's folder."""
    return _builder().build(projects, out)


def other_sdk(wheel: Path | None = None) -> bool:
    """Return whether plugins get other modules of the SDK than those here, which would measure what was.

    Args:
        wheel: what plugins get; that of the wheelhouse by default.
    """
    here = Path(viloapp_sdk.__file__).parent
    wheel = wheel or wheelhouse().get("viloapp-sdk")
    if wheel is None:
        return True
    with zipfile.ZipFile(wheel) as theirs:
        modules = {name: theirs.read(name) for name in theirs.namelist() if name.endswith(".py")}
    return modules != {
        each.relative_to(here.parent).as_posix(): each.read_bytes() for each in here.rglob("*.py")
    }


@cache
def _builder() -> Builder:
    folder = Path(tempfile.mkdtemp(prefix="viloapp-bench-building-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Builder(folder, wheelhouse()["viloapp-sdk"])
