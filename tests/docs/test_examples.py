"""The plugins in examples/ are good projects, whose own tests pass in environments of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
VILOAPP = Path(sys.executable).with_name("viloapp")
PROJECTS = ("logviewer", "tableviewer")


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A home with a cache that both share."""
    cache = tmp_path_factory.mktemp("cache")
    return {**os.environ, "XDG_CACHE_HOME": str(cache)}


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("name", PROJECTS)
def test_an_example_passes_its_own_tests(name: str, environ: dict[str, str]) -> None:
    """With the libraries of its pyproject.toml from the index, as its author runs them; and it is sound."""
    folder = CLONE / "examples" / name
    for command in ("validate", "test"):
        done = subprocess.run(
            [VILOAPP, command, folder],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("name", PROJECTS)
def test_an_example_uses_the_sdk_alone(name: str) -> None:
    """Nothing of it is of the core, nor of what the SDK keeps to itself."""
    for source in (CLONE / "examples" / name / "src").rglob("*.py"):
        text = source.read_text("utf-8")
        assert "viloapp_core" not in text
        assert "viloapp_sdk._" not in text
        assert "viloapp_sdk.worker" not in text
