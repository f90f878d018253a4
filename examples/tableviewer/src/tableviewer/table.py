"""An open table: which of its rows are seen, in which order, and what there is to say of its columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tableviewer.conditions import conditions, select
from tableviewer.reading import TableError

__all__ = ["MAX_CELL", "MAX_COLUMNS", "Table"]

MAX_COLUMNS = 200
"""Columns that are shown."""
MAX_CELL = 200
"""Characters of a value that are shown in its cell."""
_KINDS = {"b": "yes/no", "i": "integer", "u": "integer", "f": "number", "M": "time", "m": "duration"}


class Table:
    """A table and how it is seen.

    Args:
        frame: all of it.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._positions = np.arange(len(frame))
        self._summary: dict[str, dict[str, Any]] = {}
        self.sort = ""
        self.descending = False
        self.filter = ""

    @property
    def rows(self) -> int:
        """All rows."""
        return len(self._frame)

    @property
    def shown(self) -> int:
        """Rows that fulfil the conditions."""
        return len(self._positions)

    @property
    def column_count(self) -> int:
        """All columns, also those that are not shown."""
        return len(self._frame.columns)

    def columns(self) -> list[dict[str, Any]]:
        """Return ``{"name", "kind", "right", "width"}`` of the columns; the width in characters."""
        found = []
        for place, name in enumerate(self._frame.columns[:MAX_COLUMNS]):
            values = self._frame.iloc[:200, place]
            widths = [len(_text(value) or "") for value in values]
            width = min(40, max([len(str(name)) + 3, 6, *widths]))
            right = values.dtype.kind in "iuf"
            found.append({"name": str(name), "kind": _kind(values), "right": right, "width": width})
        return found

    def arrange(self, *, filter: str = "", sort: str = "", descending: bool = False) -> None:
        """See other rows, or in another order; rows that are equal stay as they are in the file.

        Raises:
            TableError: there is no such column, or a condition cannot be.
        """
        names = [str(name) for name in self._frame.columns]
        if sort and sort not in names:
            raise TableError(f"there is no column {sort!r}", f"there are {', '.join(names[:20])}")
        positions = np.arange(len(self._frame))
        if filter.strip():
            positions = positions[select(self._frame, conditions(filter, names)).to_numpy(dtype=bool)]
        if sort:
            # Numbered, so that two columns of one name do not matter, and missing values come last.
            values = self._frame.iloc[positions, names.index(sort)].reset_index(drop=True)
            if values.dtype == object:
                values = values.where(values.isna(), values.astype(str))
            order = values.sort_values(ascending=not descending, kind="stable", na_position="last").index
            positions = positions[order.to_numpy()]
        self._positions = positions
        self.filter, self.sort, self.descending = filter, sort, descending

    def page(self, start: int, count: int) -> list[dict[str, Any]]:
        """Return ``{"n", "cells"}`` of rows: the number in the file; texts, None for what is missing."""
        chosen = self._positions[max(0, start) : max(0, start + count)]
        part = self._frame.iloc[chosen, :MAX_COLUMNS]
        columns = [[_text(value) for value in part.iloc[:, place]] for place in range(part.shape[1])]
        return [
            {"n": int(number) + 1, "cells": [cells[row] for cells in columns]}
            for row, number in enumerate(chosen)
        ]

    def cell(self, n: int, column: int) -> str:
        """Return a whole value, by the number of its row in the file and the place of its column.

        Raises:
            TableError: there is no such cell.
        """
        if not (1 <= n <= self.rows and 0 <= column < self.column_count):
            raise TableError(f"there is no row {n} with a column {column}")
        return _text(self._frame.iloc[n - 1, column], limit=100_000) or ""

    def summary(self, name: str) -> dict[str, Any]:
        """Return what there is to say of a column: counts, and quartiles or the most frequent values.

        Raises:
            TableError: there is no such column.
        """
        names = [str(column) for column in self._frame.columns]
        if name not in names:
            raise TableError(f"there is no column {name!r}", f"there are {', '.join(names[:20])}")
        if name not in self._summary:
            self._summary[name] = _describe(self._frame.iloc[:, names.index(name)], name)
        return self._summary[name]


def _kind(values: pd.Series[Any]) -> str:
    return _KINDS.get(values.dtype.kind, "text")


def _text(value: Any, limit: int = MAX_CELL) -> str | None:
    """Return a value as people read it; None for a missing one.

    >>> _text(1234567.891), _text(float("nan")), _text(True)
    ('1234567.891', None, 'True')
    """
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _describe(values: pd.Series[Any], name: str) -> dict[str, Any]:
    present = values.dropna()
    facts: dict[str, str | int] = {
        "values": len(present),
        "missing": len(values) - len(present),
        "distinct": int(present.astype(str).nunique() if values.dtype == object else present.nunique()),
    }
    top: list[tuple[str, int]] = []
    if values.dtype.kind in "iuf" and len(present):
        numbers = present.describe()
        for word, key in (("mean", "mean"), ("deviation", "std"), ("least", "min"), ("25 %", "25%")):
            facts[word] = _text(float(numbers[key])) or ""
        for word, key in (("median", "50%"), ("75 %", "75%"), ("greatest", "max")):
            facts[word] = _text(float(numbers[key])) or ""
    else:
        counted = present.astype(str).value_counts().head(10)
        top = [(_text(value) or "", int(count)) for value, count in counted.items()]
    return {"name": name, "kind": _kind(values), "facts": facts, "top": top}
