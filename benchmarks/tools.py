"""The installers that are compared: ours and its peers, all offline, each with a home of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.commands import Finished, base_python, measure, script
from benchmarks.report import Size, disk


class Tool(Protocol):
    """A way to install applications, each into an environment of its own below one home."""

    @property
    def name(self) -> str:
        """Return what the user types."""

    def install(self, wheel: Path, home: Path) -> Finished:
        """Install one more, offline."""

    def check(self, wheel: Path, home: Path) -> None:
        """Run what was installed; raises BenchmarkError when it does not work."""

    def sizes(self, home: Path, count: int) -> list[Size]:
        """Return what the `count` environments take on disk."""


@dataclass(frozen=True)
class ViloApp:
    """`viloapp install`."""

    links: Path
    name: str = "viloapp install"

    def install(self, wheel: Path, home: Path, *options: str) -> Finished:
        """Install one more plugin into the store."""
        words = ["install", "-v", "--offline", "--find-links", str(self.links), "--yes"]
        words += ["--allow-unsigned", wheel.name.partition("-")[0]]
        return measure([script("viloapp"), *words, *options, wheel], self._environ(home))

    def check(self, wheel: Path, home: Path) -> None:
        """Call the plugin's command."""
        command = wheel.name.split("-")[0].replace("_", "") + ".versions"
        measure([script("viloapp"), "call", "--allow-unsandboxed", command], self._environ(home))

    def sizes(self, home: Path, count: int) -> list[Size]:
        """Return the store's size without and with the fetched wheels, and that of one environment in it."""
        parts = [path for path in home.iterdir() if path.name != "archives"]
        one = next(home.glob("plugins/bench-01/generations/*/venv"))
        return [
            disk(f"viloapp: store of {count}, without archives", parts),
            disk(f"viloapp: store of {count}, with archives", [home]),
            disk("viloapp: one environment of them by itself", [one]),
        ]

    def _environ(self, home: Path) -> dict[str, str]:
        return {"VILOAPP_HOME": str(home)}


@dataclass(frozen=True)
class Pipx:
    """`pipx install`, with its default backend, pip."""

    links: Path
    name: str = "pipx install"

    def install(self, wheel: Path, home: Path) -> Finished:
        """Install one more application."""
        offline = f"--no-index --find-links={self.links}"
        words = [script("pipx"), "install", "--backend", "pip", "--skip-maintenance"]
        words += ["--python", base_python(), f"--pip-args={offline}"]
        return measure([*words, wheel], self._environ(home))

    def check(self, wheel: Path, home: Path) -> None:
        """Run the application."""
        measure([home / "bin" / wheel.name.split("-")[0].replace("_", "-")], {})

    def sizes(self, home: Path, count: int) -> list[Size]:
        """Return the size of all environments and of the pip that they share."""
        return [disk(f"pipx: {count} environments", [home])]

    def _environ(self, home: Path) -> dict[str, str]:
        return {
            "PIPX_HOME": str(home),
            "PIPX_BIN_DIR": str(home / "bin"),
            "PIPX_MAN_DIR": str(home / "man"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }


@dataclass(frozen=True)
class Uv:
    """`uv tool install`, which links files from its cache."""

    links: Path
    compiles: bool = False

    @property
    def name(self) -> str:
        """Return what the user types."""
        return "uv tool install" + (" --compile-bytecode" if self.compiles else "")

    def install(self, wheel: Path, home: Path) -> Finished:
        """Install one more application."""
        words = [script("uv"), "tool", "install", "--offline", "--no-config", "--no-index", "--link-mode"]
        words += ["hardlink", "--find-links", str(self.links), "--python", base_python()]
        words += ["--compile-bytecode"] if self.compiles else []
        return measure([*words, wheel], self._environ(home))

    def check(self, wheel: Path, home: Path) -> None:
        """Run the application, and keep it from compiling what the run imports."""
        words = [home / "bin" / wheel.name.split("-")[0].replace("_", "-")]
        measure(words, {"PYTHONDONTWRITEBYTECODE": "1"})

    def sizes(self, home: Path, count: int) -> list[Size]:
        """Return the size of all environments without and with the cache that they link to."""
        what = "uv, compiled" if self.compiles else "uv, not compiled"
        return [
            disk(f"{what}: {count} environments", [home / "tools"]),
            disk(f"{what}: {count} environments and cache", [home / "tools", home / "cache"]),
        ]

    def _environ(self, home: Path) -> dict[str, str]:
        return {
            "UV_TOOL_DIR": str(home / "tools"),
            "UV_TOOL_BIN_DIR": str(home / "bin"),
            "UV_CACHE_DIR": str(home / "cache"),
        }
