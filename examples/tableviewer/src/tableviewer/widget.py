"""The widget: one open table, and what its page asks."""

from __future__ import annotations

from typing import Any

from viloapp_sdk import Widget
from viloapp_sdk.errors import ViloError

from tableviewer.opening import allow, open_table
from tableviewer.reading import TableError
from tableviewer.table import Table

__all__ = ["TableWidget"]

MAX_ROWS = 500


class TableWidget(Widget):
    """Shows a table in `web/index.html`."""

    id = "tableviewer.table"
    title = "Table"
    kind = "webview"
    icon = "text"

    def __init__(self) -> None:
        self.path = ""
        self.table: Table | None = None
        self._kept: dict[str, Any] = {}

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        """Show the page, which asks for the table: reading a large one takes a while."""
        self.path = self.path or str(params.get("path", ""))
        return {"page": "web/index.html", "data": {"path": self.path}}

    def get_title(self) -> str:
        """Return the name of the file."""
        return self.path.rpartition("/")[2] or self.title

    def get_state(self) -> dict[str, Any]:
        """Return which file it is and how it is seen."""
        if self.table is None:
            return {"path": self.path, **self._kept}
        table = self.table
        return {
            "path": self.path,
            "filter": table.filter,
            "sort": table.sort,
            "descending": table.descending,
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take that back."""
        self.path = str(state.get("path", ""))
        self._kept = {key: state[key] for key in ("filter", "sort", "descending") if key in state}

    def handle_command(self, command: str, args: dict[str, Any]) -> Any:
        """Answer the page."""
        if command == "open":
            return self._open(ask=bool(args.get("ask")))
        answers = {"arrange": self._arrange, "rows": self._rows, "cell": self._cell, "summary": self._summary}
        if command not in answers:
            return super().handle_command(command, args)
        return answers[command](self._there(), args)

    def _open(self, *, ask: bool) -> dict[str, Any]:
        """Read the file; return what the page shows around the rows, or what is in the way."""
        allowed = allow(self.context, self.path) if ask else True
        try:
            self.table = open_table(self.context, self.path)
            if self._kept:
                self.table.arrange(**self._kept)
        except (OSError, ViloError) as error:  # a permission's is both
            return {"problem": self._problem(error, denied=not allowed)}
        return {"problem": None, "columns": self.table.columns(), **self._seen(self.table)}

    def _problem(self, error: Exception, *, denied: bool) -> dict[str, str]:
        if not (isinstance(error, PermissionError) and isinstance(error, ViloError)):
            text = getattr(error, "detail", None) or getattr(error, "strerror", None) or str(error)
            return {"kind": "failed", "text": text}
        if not denied:
            return {"kind": "denied", "text": "You have not allowed Table viewer to read this file yet."}
        command = f"viloapp permissions grant {self.context.plugin_id} filesystem.read.{self.path}"
        return {"kind": "denied", "text": f"It was not allowed. If you change your mind: {command}"}

    def _arrange(self, table: Table, args: dict[str, Any]) -> dict[str, Any]:
        table.arrange(
            filter=str(args.get("filter", "")),
            sort=str(args.get("sort", "")),
            descending=bool(args.get("descending")),
        )
        return self._seen(table)

    def _rows(self, table: Table, args: dict[str, Any]) -> list[dict[str, Any]]:
        return table.page(int(args["start"]), min(int(args["count"]), MAX_ROWS))

    def _cell(self, table: Table, args: dict[str, Any]) -> str:
        return table.cell(int(args["n"]), int(args["column"]))

    def _summary(self, table: Table, args: dict[str, Any]) -> dict[str, Any]:
        return table.summary(str(args["column"]))

    def _seen(self, table: Table) -> dict[str, Any]:
        return {
            "rows": table.rows,
            "shown": table.shown,
            "allColumns": table.column_count,
            "filter": table.filter,
            "sort": table.sort,
            "descending": table.descending,
        }

    def _there(self) -> Table:
        if self.table is None:
            raise TableError("the table is not open")
        return self.table
