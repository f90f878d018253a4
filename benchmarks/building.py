"""Wheels of the benchmarks' own plugins: one build environment for all programs of a run."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tests.fixtures.wheels import Builder
from viloapp_core.resolve import wheelhouse

__all__ = ["build"]


def build(projects: Iterable[Path], out: Path) -> dict[str, Path]:
    """Build projects into a folder; return the wheels by the name of their project's folder."""
    return _builder().build(projects, out)


@cache
def _builder() -> Builder:
    folder = Path(tempfile.mkdtemp(prefix="viloapp-bench-building-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Builder(folder, wheelhouse()["viloapp-sdk"])
