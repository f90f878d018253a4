"""The wheelhouse: wheels of the SDK and the first-party plugins, built from the core's own clone.

The core resolves our own names from here only, so that nobody's `viloapp-sdk 99` on an index is ever used;
see `viloapp_core.resolve`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import fingerprint

__all__ = ["SIBLINGS", "ensure"]

SIBLINGS = ("viloapp_sdk", "plugins/viloxterm", "plugins/viloedit")
"""Folders in the clone, the SDK first: the others' builds need its hook."""

EPOCH = "1577836800"
"""Default of SOURCE_DATE_EPOCH, 2020-01-01: equal sources give equal wheels, whenever they are built."""

_BUILD = """
import sys
from setuptools import build_meta
sys.stdout = sys.stderr
name = build_meta.build_wheel(sys.argv[1])
"""


def ensure(project: Path) -> None:
    """Build the wheels if they are stale.

    Raises:
        SystemExit: If a wheel cannot be built, or neither wheels nor their sources are there.
    """
    made = project / "src" / "viloapp_core" / "wheelhouse"
    sources = [project.parent / sibling for sibling in SIBLINGS]
    if not all((source / "pyproject.toml").is_file() for source in sources):
        # Not a clone: a source distribution, which carries the wheels.
        if len(list(made.glob("*.whl"))) < len(SIBLINGS):
            raise SystemExit(f"error: {made} lacks wheels, and their sources are not beside {project}")
        return
    expected = fingerprint.of(*sources)
    if fingerprint.fresh(made, expected):
        return
    with tempfile.TemporaryDirectory(prefix="viloapp-wheelhouse-") as scratch:
        wheels = Path(scratch, "wheels")
        wheels.mkdir()
        for source in sources:
            _build(source, Path(scratch, source.name), wheels)
        _replace(made, wheels)
    fingerprint.stamp(made, expected)


def _build(source: Path, copy: Path, wheels: Path) -> None:
    """Build one wheel from a clean copy: a `build/` left in the sources would bring deleted modules back."""
    shutil.copytree(
        source, copy, ignore=shutil.ignore_patterns(*fingerprint.IGNORED, "*.egg-info", "*.pyc", ".*")
    )
    for path in copy.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)  # the umask of a clone must not change the wheel
    # Wheels are importable: with the SDK's on the path setuptools finds its `egg_info.writers` entry point.
    search = [*map(str, sorted(wheels.glob("viloapp_sdk-*.whl"))), os.environ.get("PYTHONPATH", "")]
    environ = {
        "SOURCE_DATE_EPOCH": EPOCH,
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, search)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    result = subprocess.run(
        [sys.executable, "-c", _BUILD, str(wheels)],
        cwd=copy,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode != 0:
        tail = "\n".join(result.stdout.splitlines()[-30:])
        raise SystemExit(f"error: the wheel of {source} could not be built:\n{tail}")


def _replace(made: Path, wheels: Path) -> None:
    """Put the new wheels in place of the old; the stamp goes first: a stopped build is seen as stale."""
    made.mkdir(parents=True, exist_ok=True)
    (made / fingerprint.STAMP).unlink(missing_ok=True)
    new = {wheel.name for wheel in wheels.glob("*.whl")}
    for wheel in wheels.glob("*.whl"):
        shutil.copyfile(wheel, made / (wheel.name + ".part"))
        os.replace(made / (wheel.name + ".part"), made / wheel.name)
    for old in made.iterdir():
        if old.name not in new:
            old.unlink()
