"""What `viloapp validate` finds: one thing that is not as it should be, with file and line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["KINDS", "UNREADABLE", "Finding", "ordered", "unreadable"]

UNREADABLE = (SyntaxError, ValueError, OSError, RecursionError, MemoryError)
"""What reading and parsing a source raises; the last two where it is nested too deeply."""

KINDS = {
    "manifest": "pyproject.toml, source and manifest do not make a plugin",
    "entry-point": "The entry point names no class of the project",
    "reference": "What is named is declared nowhere",
    "metadata": "What an index, an installer or a person is told is missing or wrong",
    "build": "The build would leave the manifest out of the wheel",
    "catalogue": "A catalogue of texts does not fit the others or the code",
    "missing": "A permission is used and not declared",
    "excess": "A permission is declared and not used",
    "deprecated": "A later version of viloapp-sdk, or of the manifest, does not have it any more",
    "unreadable": "A source cannot be read",
}
"""Kind → what it is about; the rules of the SARIF report."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Args:
        kind: one of `KINDS`.
        permission: which; empty when none is meant.
        path: of the file, relative to the project.
        line: in it; 0 where there is none.
        message: for people.
        level: ``error``, which fails, or ``warning``.
    """

    kind: str
    permission: str
    path: str
    line: int
    message: str
    level: str = "error"

    @property
    def place(self) -> str:
        """Where it is, for people: file and line, where there is one."""
        return f"{self.path}:{self.line}" if self.line else self.path


def unreadable(path: str, error: BaseException) -> Finding:
    """Return what is said of a source.

    Args:
        path: of it, relative to the project.
        error: one of `UNREADABLE`.
    """
    deep = isinstance(error, (RecursionError, MemoryError))
    message = "it is nested too deeply to be read" if deep else str(error)
    return Finding("unreadable", "", path, getattr(error, "lineno", 0) or 0, message)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by file and line, each once."""
    return sorted(dict.fromkeys(findings), key=lambda each: (each.path, each.line, each.kind, each.message))
