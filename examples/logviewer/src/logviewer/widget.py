"""The widget: one open log, and what its page asks."""

from __future__ import annotations

from typing import Any

from viloapp_sdk import Widget
from viloapp_sdk.errors import InvalidArgumentsError, ViloError

from logviewer.drawing import draw
from logviewer.log import Log, Wanted
from logviewer.opening import open_log

__all__ = ["LogWidget"]

TURN_S = 0.25
"""How long one question of the page may take."""
MAX_ROWS = 500


class LogWidget(Widget):
    """Shows a log file in `web/index.html`."""

    id = "logviewer.log"
    title = "Log"
    kind = "webview"
    icon = "text"

    def __init__(self) -> None:
        self.path = ""
        self.log: Log | None = None
        self.problem: dict[str, str] | None = None
        self.generation = 0

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        """Open the log, if it may be read; else the page says why, and asks."""
        self.path = self.path or str(params.get("path", ""))
        self._open()
        return {
            "page": "web/index.html",
            "data": {"path": self.path, "follow": self.context.settings.get("follow")},
        }

    def get_title(self) -> str:
        """Return the name of the file."""
        return self.path.rpartition("/")[2] or self.title

    def get_state(self) -> dict[str, Any]:
        """Return which file it is: a log is read anew."""
        return {"path": self.path}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take the file back."""
        self.path = str(state.get("path", ""))

    def destroy(self) -> None:
        """Close the file."""
        self._close()

    def handle_command(self, command: str, args: dict[str, Any]) -> Any:
        """Answer the page."""
        if command == "allow":
            self._ask()
        answers = {
            "allow": self._status,
            "status": self._status,
            "rows": self._rows,
            "find": self._find,
            "line": self._line,
        }
        if command not in answers:
            return super().handle_command(command, args)
        return answers[command](args)

    def _ask(self) -> None:
        """Ask the person once more; a denial holds as long as the workspace runs."""
        wanted = f"filesystem.read.{self.path}"
        allowed = self.context.request_permission(wanted, "show this log")
        self._open()
        if not allowed and self.problem is not None:
            command = f"viloapp permissions grant {self.context.plugin_id} {wanted}"
            self.problem["text"] = f"It was not allowed. If you change your mind: {command}"

    def _open(self) -> None:
        self._close()
        try:
            self.log = Log(open_log(self.context, self.path))
            self.problem = None
        except (OSError, ViloError) as error:  # a permission's is both
            self.problem = problem(error)
        self.generation += 1

    def _close(self) -> None:
        if self.log is not None:
            self.log.file.close()
            self.log = None

    def _status(self, args: dict[str, Any]) -> dict[str, Any]:
        """Choose the lines, read on, and return how far it is.

        ``generation`` changes with every list of rows that begins anew.
        """
        if self.log is None:
            return {"problem": self.problem, "generation": self.generation}
        wanted = Wanted(frozenset(args.get("levels", ())), str(args.get("text", "")))
        if wanted != self.log.wanted:
            self.log.want(wanted)
            self.generation += 1
        if self.log.work(TURN_S):
            self.generation += 1
        log = self.log
        if log.done and self._replaced():
            self._open()
            return self._status(args)
        return {
            "problem": None,
            "generation": self.generation,
            "lines": log.lines,
            "shown": log.shown,
            "counts": log.counts,
            "size": log.size,
            "read": log.read,
            "done": log.done,
        }

    def _replaced(self) -> bool:
        """Tell whether another file has the name: logs are moved away and begun anew."""
        import os

        assert self.log is not None
        mine = os.fstat(self.log.file.fileno())
        try:
            named = self.context.services.files.stat(self.path)
        except (OSError, ViloError):
            return False  # allowed once, or gone: what is open stays
        return bool(
            named["size"] < mine.st_size or named["modified"] < mine.st_mtime - 1 or mine.st_nlink == 0
        )

    def _rows(self, args: dict[str, Any]) -> list[dict[str, Any]]:
        log = self._there()
        lines = log.rows(int(args["start"]), min(int(args["count"]), MAX_ROWS))
        find = str(args.get("find", ""))
        return [
            {"n": line + 1, "level": log.level(line), "pieces": draw(log.text(line), find)} for line in lines
        ]

    def _find(self, args: dict[str, Any]) -> dict[str, Any]:
        step = -1 if args.get("backwards") else 1
        row, go_on = self._there().find(str(args["text"]), int(args["start"]), step, TURN_S)
        return {"row": row, "next": go_on}

    def _line(self, args: dict[str, Any]) -> str:
        """Return a whole line, by its number."""
        log, number = self._there(), int(args["n"])
        if not 1 <= number <= log.lines:
            raise InvalidArgumentsError(f"there is no line {number}", f"there are {log.lines}")
        return log.text(number - 1)

    def _there(self) -> Log:
        if self.log is None:
            raise InvalidArgumentsError("the log is not open")
        return self.log


def problem(error: Exception) -> dict[str, str]:
    """Return why a file cannot be read: ``denied`` is what the page can ask for."""
    if isinstance(error, PermissionError) and isinstance(error, ViloError):
        return {"kind": "denied", "text": "You have not allowed Log viewer to read this file yet."}
    return {"kind": "failed", "text": getattr(error, "strerror", None) or str(error)}
