"""The distributions that the nox session `package` built; without it these tests have nothing to look at."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def built() -> Path:
    """Return the folder of wheels and source distributions."""
    folder = os.environ.get("VILOAPP_DIST")
    if folder is None:
        pytest.skip("nox -s package builds what these tests look at")
    return Path(folder)


@pytest.fixture(scope="session")
def wheel(built: Path) -> Callable[[str], Path]:
    """Return the one wheel of a distribution."""

    def find(name: str) -> Path:
        (found,) = built.glob(f"{name}-*.whl")
        return found

    return find


@pytest.fixture(scope="session")
def contents(wheel: Callable[[str], Path]) -> Callable[[str], dict[str, bytes]]:
    """Return the files of a distribution's wheel, by name."""

    def read(name: str) -> dict[str, bytes]:
        with zipfile.ZipFile(wheel(name)) as archive:
            return {each: archive.read(each) for each in archive.namelist()}

    return read
