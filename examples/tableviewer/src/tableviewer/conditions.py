"""What a person writes to see some of the rows: ``city=Praha price>100 beach``. Pure, but for pandas."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from tableviewer.reading import TableError

__all__ = ["Condition", "conditions", "select"]

_TERM = re.compile(r"(?P<column>[^=<>!~]+?)(?P<operator>!=|<=|>=|=|<|>|~)(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True)
class Condition:
    """One of the words.

    Args:
        column: which values it is about; empty: any column contains the value.
        operator: ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=`` or ``~`` (contains).
        value: as it was written.
    """

    column: str
    operator: str
    value: str


def conditions(text: str, columns: Sequence[str]) -> list[Condition]:
    """Read what was written; a word that begins with no column's name is sought everywhere.

    >>> conditions("Price>=10", ["price"])
    [Condition(column='price', operator='>=', value='10')]

    Raises:
        TableError: quotes are not closed.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise TableError(f"{text!r}: {error}", "close the quotes") from None
    return list(_read(words, columns))


def _read(words: Sequence[str], columns: Sequence[str]) -> Iterator[Condition]:
    names = {column.casefold(): column for column in columns}
    for word in words:
        found = _TERM.fullmatch(word)
        column = names.get(found["column"].casefold()) if found else None
        if found and column is not None:
            yield Condition(column, found["operator"], found["value"])
        else:
            yield Condition("", "~", word)


def select(frame: pd.DataFrame, wanted: Sequence[Condition]) -> pd.Series[bool]:
    """Return which rows fulfil all conditions.

    Raises:
        TableError: a value cannot be compared with its column's.
    """
    mask = pd.Series(data=True, index=frame.index)
    for condition in wanted:
        if condition.column:
            mask &= _compare(frame[condition.column], condition)
        else:
            mask &= _anywhere(frame, condition.value)
    return mask


def _anywhere(frame: pd.DataFrame, text: str) -> pd.Series[bool]:
    mask = pd.Series(data=False, index=frame.index)
    for column in frame.columns:
        mask |= _contains(frame[column], text)
    return mask


def _contains(values: pd.Series[str], text: str) -> pd.Series[bool]:
    return values.astype(str).str.contains(text, case=False, regex=False, na=False) & values.notna()


def _compare(values: pd.Series[str], condition: Condition) -> pd.Series[bool]:
    if condition.operator == "~":
        return _contains(values, condition.value)
    value: object = condition.value
    if pd.api.types.is_bool_dtype(values):
        values, value = values.astype(str).str.lower(), condition.value.lower()
    elif pd.api.types.is_numeric_dtype(values):
        try:
            value = float(condition.value.replace("_", ""))
        except ValueError:
            raise TableError(
                f"{condition.column} has numbers, and {condition.value!r} is none", "such as price>100"
            ) from None
    compare = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}[condition.operator]
    if values.dtype == object:  # a missing value among texts cannot be compared
        mask: pd.Series[bool] = getattr(values.fillna("").astype(str), compare)(value)
        return mask & (values.notna() | (condition.operator == "!="))
    mask = getattr(values, compare)(value)
    return mask.fillna(value=False)
