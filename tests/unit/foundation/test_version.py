"""The version that the core says it has."""

from pathlib import Path

import tomllib

import viloapp_core

CLONE = Path(__file__).parents[3]


def test_it_is_the_version_of_the_distribution() -> None:
    """What two sides tell each other is what an index shows."""
    project = tomllib.loads((CLONE / "viloapp_core" / "pyproject.toml").read_text("utf-8"))["project"]
    assert viloapp_core.__version__ == project["version"]
