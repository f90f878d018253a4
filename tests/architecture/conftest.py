"""The source files of the four distributions, parsed once, for rules that no tool checks."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from viloapp_sdk._wire import AWAKE, REQUEST, greeting, pack

CLONE = Path(__file__).resolve().parents[2]
SOURCES = {
    "viloapp_sdk": CLONE / "viloapp_sdk/src",
    "viloapp_core": CLONE / "viloapp_core/src",
    "viloxterm": CLONE / "plugins/viloxterm/src",
    "viloedit": CLONE / "plugins/viloedit/src",
}


_START = {
    "plugin_id": "p",
    "version": "1",
    "entry_point": "viloapp_sdk:Plugin",
    "data_dir": "/",
    "settings": {"p.size": 1, "p.speed": 0.5},
    "locale": "en",
}


@pytest.fixture(scope="session")
def first_frames() -> bytes:
    """What a host says to a plugin that needs no more than the SDK, before the first call."""
    return pack(greeting(**{AWAKE: 0.0003})) + pack([REQUEST, 0, "initialize", _START])


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def layer(self) -> str:
        """The package below the root: `store` for `viloapp_core.store.index`; empty for the root."""
        return ".".join(self.name.split(".")[1:2])

    def imports(self) -> Iterator[tuple[int, str]]:
        """Yield line and absolute name of every import, those inside functions too."""
        package = self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join(parents) if node.level else ""
                yield node.lineno, ".".join(filter(None, [base, node.module or ""]))

    def calls(self) -> Iterator[tuple[int, str, ast.Call]]:
        """Yield line, dotted name and node of every call to a plain or dotted name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
                yield node.lineno, ast.unparse(node.func), node


@functools.cache
def _modules(package: str) -> tuple[Module, ...]:
    source = SOURCES[package]
    found = []
    for path in sorted((source / package).rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, path, ast.parse(path.read_text("utf-8"), str(path))))
    return tuple(found)


@pytest.fixture
def modules() -> Callable[..., list[Module]]:
    """Return the parsed modules of the named import packages; of all four when none is named."""

    def of(*packages: str) -> list[Module]:
        return [module for package in packages or tuple(SOURCES) for module in _modules(package)]

    return of


@pytest.fixture
def loaded_by() -> Callable[..., set[str]]:
    """Return the names in `sys.modules` after a new interpreter ran the code."""

    def run(code: str, *, options: Sequence[str] = (), path: Sequence[str] = ()) -> set[str]:
        script = f"import sys; sys.path[:0] = {list(path)!r}\n{code}\n" + (
            "sys.stdout.flush(); sys.stderr.write('\\nMODULES ' + ' '.join(sorted(sys.modules)))"
        )
        result = subprocess.run(
            [sys.executable, *options, "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
        assert result.returncode == 0, result.stderr
        return set(result.stderr.rpartition("\nMODULES ")[2].split())

    return run
