"""Why a save does not run, as the author is shown it: what, in which file, in which line."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from viloapp_core.devtools.validation import finding_of
from viloapp_core.manifest import ManifestError
from viloapp_core.supervise import PluginStartError
from viloapp_sdk.errors import ViloError
from viloapp_sdk.manifest import ManifestError as SdkManifestError

__all__ = ["Problem", "problem_of"]

# A line of a stack as Python writes it, of an exception or of a process that hung.
_FRAME = re.compile(r'^ *File "(?P<file>[^"]+)", line (?P<line>\d+)', re.M)
_WORKER = "/viloapp_sdk/worker/"
_NEWEST_FIRST = "most recent call first"
_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Problem:
    """One save that does not run.

    Args:
        message: what is wrong, in one line or a few.
        file: below the project where that is known, else empty.
        line: in that file, 0 where it is not known.
        stack: Python's own words, as far as there are any.
        goes_on: whether what ran before does.
    """

    message: str
    file: str = ""
    line: int = 0
    stack: str = ""
    goes_on: bool = False

    @property
    def place(self) -> str:
        """``file:line``, as far as it is known."""
        return f"{self.file}:{self.line}" if self.file and self.line else self.file

    def to_json(self) -> dict[str, Any]:
        """Return every field, of plain values."""
        return asdict(self)


def problem_of(error: ViloError, project: Path, *, goes_on: bool) -> Problem:
    """Say what an error has to do with a project's files."""
    if isinstance(error, (ManifestError, SdkManifestError)):
        return _in_manifest(error, project, goes_on)
    stack = _authors(error.stack) if isinstance(error, PluginStartError) else ""
    message = error.why if isinstance(error, PluginStartError) else error.detail
    file, line = _last_frame(stack, project)
    return Problem(message, file, line, stack[-_LONGEST:], goes_on)


def _in_manifest(error: ManifestError | SdkManifestError, project: Path, goes_on: bool) -> Problem:
    """Name the place of the first issue; the message has them all."""
    message = "; ".join(map(str, error.issues))
    try:
        text = (project / "pyproject.toml").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    first = finding_of(error.issues[0], text) if error.issues else None
    return Problem(message, first.path if first else "", first.line if first else 0, "", goes_on)


def _authors(stack: str) -> str:
    """Leave out how the worker came to call the plugin: that is no code of the author's."""
    lines = stack.splitlines()
    frames = [number for number, line in enumerate(lines) if _FRAME.match(line)]
    ours = next((number for number in frames if _WORKER not in lines[number]), None)
    if ours is None or _NEWEST_FIRST in stack:
        return stack
    return "\n".join([*lines[: frames[0]], *lines[ours:]])


def _last_frame(stack: str, project: Path) -> tuple[str, int]:
    """Return the place in the project that is nearest to where it went wrong."""
    frames = list(_FRAME.finditer(stack))
    if _NEWEST_FIRST in stack:
        frames.reverse()
    for frame in reversed(frames):
        path = Path(frame["file"])
        if path.is_relative_to(project):
            return str(path.relative_to(project)), int(frame["line"])
    return "", 0
