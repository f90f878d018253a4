"""Ten plugins that each need numpy, requests and rich: real wheels, and the folder with all that they need.

One wheel is plugin and application at once, so that every tool installs the very same file.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.building import build
from viloapp_core.resolve import wheelhouse

_NEEDS = ("numpy", "requests", "rich")

_PROJECT = """\
[build-system]
requires = ["setuptools>=77", "viloapp-sdk>=1,<2"]
build-backend = "setuptools.build_meta"

[project]
name = "bench-{number:02}"
version = "1.0"
description = "Plugin and application number {number} of a benchmark."
requires-python = ">=3.10"
dependencies = ["viloapp-sdk>=1,<2", "numpy", "requests", "rich"]

[project.entry-points."viloapp.plugins"]
bench-{number:02} = "bench_{number:02}:Bench"

[project.scripts]
bench-{number:02} = "bench_{number:02}:main"

[tool.setuptools]
py-modules = ["bench_{number:02}"]

[tool.viloapp]
api_version = "1.0"
"""

_MODULE = '''\
"""What a benchmark installs."""

from viloapp_sdk import Plugin, command


def versions() -> list[str]:
    """Import what this needs and say which versions came."""
    import numpy
    import requests
    import rich.console

    assert rich.console.Console
    return [numpy.__version__, requests.__version__]


class Bench(Plugin):
    """The plugin."""

    @command("bench{number:02}.versions", title="Say the versions")
    def versions(self) -> list[str]:
        """Return the versions of what this needs."""
        return versions()


def main() -> None:
    """The application."""
    print(*versions())
'''


@dataclass(frozen=True)
class Prepared:
    """What all tools install, and from where."""

    wheels: Sequence[Path]
    links: Path
    """A folder with every wheel that those need: all runs are offline."""
    packages: Mapping[str, str]
    """Versions by name."""


def write_project(folder: Path, number: int) -> Path:
    """Write the project of one plugin into a new folder below `folder` and return that."""
    project = folder / f"bench_{number:02}"
    project.mkdir(parents=True)
    (project / "pyproject.toml").write_text(_PROJECT.format(number=number), "utf-8")
    (project / f"bench_{number:02}.py").write_text(_MODULE.format(number=number), "utf-8")
    return project


def prepare(folder: Path, count: int) -> Prepared:
    """Build the plugins and fetch what they need, once; the only step that uses the network."""
    carried = wheelhouse()
    links = folder / "links"
    links.mkdir()
    shutil.copy(carried["viloapp-sdk"], links)
    projects = [write_project(folder / "projects", number) for number in range(1, count + 1)]
    built = build(projects, folder / "plugins")
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    words += ["--only-binary", ":all:", "--dest", str(links), "--find-links", str(links)]
    words += ["viloapp-sdk", *_NEEDS]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    packages = {wheel.name.split("-")[0]: wheel.name.split("-")[1] for wheel in sorted(links.glob("*.whl"))}
    return Prepared([built[project.name] for project in projects], links, packages)
