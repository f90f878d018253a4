"""Terminals in which nothing runs: what was opened, and what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from viloapp_sdk.errors import InvalidArgumentsError

__all__ = ["FakeTerminal", "FakeTerminals"]

_KNOWN = ("cols", "cwd", "env", "rows", "title")
_MOST_CELLS = 1000


@dataclass
class FakeTerminal:
    """One terminal.

    Args:
        id: as the plugin knows it.
        argv: the program; None for the person's shell.
        cwd: the folder that it starts in.
        env: variables that were added.
        rows: characters.
        cols: characters.
        title: what its tab shows.
        typed: what the plugin wrote into it.
    """

    id: str
    argv: list[str] | None
    cwd: str
    env: dict[str, str]
    rows: int
    cols: int
    title: str
    typed: str = field(default="")

    def to_json(self) -> dict[str, Any]:
        """Return what the service says of it."""
        return {"id": self.id, "title": self.title, "pid": 1, "cwd": self.cwd}


class FakeTerminals:
    """The terminals of the plugin under test.

    Args:
        folder: where one starts that names no folder.

    Attributes:
        opened: every terminal, those that are closed too.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._living: dict[str, FakeTerminal] = {}
        self.opened: list[FakeTerminal] = []

    def open(self, argv: list[Any] | None, options: Mapping[str, Any]) -> dict[str, Any]:
        """Answer ``terminals.open``.

        Raises:
            InvalidArgumentsError: the options are none.
        """
        if unknown := sorted(options.keys() - set(_KNOWN)):
            raise InvalidArgumentsError(f"terminals.open: unknown {', '.join(map(repr, unknown))}")
        env = options.get("env") or {}
        cwd, title = options.get("cwd") or self._folder, options.get("title") or ""
        if not all(isinstance(text, str) for text in (*(argv or ()), *env, *env.values(), cwd, title)):
            raise InvalidArgumentsError("terminals.open takes argv, cwd, env and title as text")
        rows, cols = options.get("rows", 24), options.get("cols", 80)
        _check_size("terminals.open", rows, cols)
        id = f"terminal-{len(self.opened) + 1}"
        shown = title or (argv[0].rpartition("/")[2] if argv else "sh")
        terminal = FakeTerminal(id, argv, cwd, dict(env), rows, cols, shown)
        self._living[id] = terminal
        self.opened.append(terminal)
        return terminal.to_json()

    def write(self, id: str, text: str) -> None:
        """Answer ``terminals.write``."""
        self._get(id).typed += text

    def resize(self, id: str, rows: int, cols: int) -> None:
        """Answer ``terminals.resize``."""
        terminal = self._get(id)
        _check_size("terminals.resize", rows, cols)
        terminal.rows, terminal.cols = rows, cols

    def close(self, id: str) -> None:
        """Answer ``terminals.close``."""
        del self._living[self._get(id).id]

    def list(self) -> list[dict[str, Any]]:
        """Answer ``terminals.list``."""
        return [terminal.to_json() for terminal in self._living.values()]

    def _get(self, id: str) -> FakeTerminal:
        if id not in self._living:
            raise InvalidArgumentsError(f"there is no living terminal {id[:40]!r}")
        return self._living[id]


def _check_size(method: str, rows: Any, cols: Any) -> None:
    for value in (rows, cols):
        if not isinstance(value, int) or not 1 <= value <= _MOST_CELLS:
            raise InvalidArgumentsError(f"{method}: rows and cols have to be from 1 to {_MOST_CELLS}")
