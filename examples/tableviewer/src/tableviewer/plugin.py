"""The commands: open a table in a tab, and look at one where there is no page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from viloapp_sdk import Plugin, command
from viloapp_sdk.errors import InvalidArgumentsError

from tableviewer.opening import allow, locate, open_table
from tableviewer.table import Table
from tableviewer.widget import TableWidget

__all__ = ["TableviewerPlugin"]

MAX_ROWS = 1000


class TableviewerPlugin(Plugin):
    """Shows tables."""

    widgets = (TableWidget,)

    @command("tableviewer.open", title="Table: Open file")
    def open(self, path: str) -> str:
        """Open a table in a tab; `path` is relative to the workspace's folder."""
        found = locate(self.context, path)
        allow(self.context, found)
        return self.context.services.workspace.add_widget("tableviewer.table", {"path": found})

    @command("tableviewer.rows", title="Table: Read rows")
    def rows(
        self, path: str, filter: str = "", sort: str = "", descending: bool = False, count: int = 10
    ) -> dict[str, Any]:
        """Return the first rows of a file that fulfil conditions such as `city=Praha price>100`."""
        if not 1 <= count <= MAX_ROWS:
            raise InvalidArgumentsError(f"count is {count}", f"it may be 1 to {MAX_ROWS}")
        table = self._table(path)
        table.arrange(filter=filter, sort=sort, descending=descending)
        names = [column["name"] for column in table.columns()]
        rows = [dict(zip(names, row["cells"], strict=True)) for row in table.page(0, count)]
        return {"rows": table.rows, "matching": table.shown, "first": rows}

    @command("tableviewer.describe", title="Table: Describe file")
    def describe(self, path: str) -> dict[str, Any]:
        """Return the columns of a file with their kinds, counts, quartiles and most frequent values."""
        table = self._table(path)
        columns = [table.summary(column["name"]) for column in table.columns()]
        return {"rows": table.rows, "columns": columns}

    @command("tableviewer.versions", title="Table: Versions")
    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries that this plugin has to itself."""
        return {"pandas": pd.__version__, "numpy": np.__version__}

    def _table(self, path: str) -> Table:
        found = locate(self.context, path)
        allow(self.context, found)
        return open_table(self.context, found)
