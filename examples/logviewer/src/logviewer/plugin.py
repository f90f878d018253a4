"""The commands: open a log in a tab, and read one where there is no page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from viloapp_sdk import Plugin, command
from viloapp_sdk.errors import InvalidArgumentsError

from logviewer.levels import LEVELS
from logviewer.log import Log, Wanted
from logviewer.opening import locate, open_log
from logviewer.widget import LogWidget

__all__ = ["LogviewerPlugin"]

MAX_LINES = 10_000
_WORK_S = 20.0
"""How long `logviewer.read` works on a file; a command has 30 seconds."""


class LogviewerPlugin(Plugin):
    """Shows log files."""

    widgets = (LogWidget,)

    @command("logviewer.open", title="Log: Open file")
    def open(self, path: str) -> str:
        """Open a log in a tab and follow it; `path` is relative to the workspace's folder."""
        return self.context.services.workspace.add_widget("logviewer.log", {"path": self._allowed(path)})

    @command("logviewer.read", title="Log: Read the end of a file")
    def read(self, path: str, level: str = "", text: str = "", lines: int = 20) -> dict[str, Any]:
        """Return the last lines with a level (`error`, `warning`, `info` or `debug`) and a text in them."""
        if level and level not in LEVELS:
            raise InvalidArgumentsError(f"there is no level {level!r}", f"there are {', '.join(LEVELS)}")
        if not 1 <= lines <= MAX_LINES:
            raise InvalidArgumentsError(f"lines is {lines}", f"it may be 1 to {MAX_LINES}")
        with open_log(self.context, self._allowed(path)) as file:
            log = Log(file)
            log.want(Wanted(frozenset([level] if level else []), text))
            log.work(_WORK_S)
            last = log.rows(log.shown - lines, lines)
            shown = [{"line": line + 1, "level": log.level(line), "text": log.text(line)} for line in last]
            return {
                "lines": log.lines,
                "matching": log.shown,
                "complete": log.done,
                "counts": _counts(log.counts),
                "last": shown,
            }

    def _allowed(self, path: str) -> str:
        """Ask the person for this one file, which is all that is read."""
        found = locate(self.context, path)
        self.context.request_permission(f"filesystem.read.{found}", "show this log")
        return found


def _counts(counts: Sequence[int]) -> dict[str, int]:
    return dict(zip((*LEVELS, "none"), counts, strict=True))
