"""From a file to a table: what it is separated by, how it is compressed, what is wrong with it."""

from __future__ import annotations

import csv
import gzip
import io
from typing import BinaryIO, cast

import pandas as pd
from viloapp_sdk.errors import ViloError

__all__ = ["TableError", "read_table"]

_SAMPLE = 64 * 1024
_SEPARATORS = ",;\t|"


class TableError(ViloError):
    """A file is no table."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("no_table", detail, hint)


def read_table(file: BinaryIO, name: str) -> pd.DataFrame:
    """Read a file of comma-, semicolon- or tab-separated values, or of JSON objects in lines.

    Args:
        file: its content.
        name: of the file: ``.jsonl`` and ``.ndjson`` are objects; ``.gz`` behind that is compressed.

    Raises:
        TableError: it is none of these, or has nothing in it.
    """
    lower = name.lower()
    try:
        if lower.endswith(".gz"):
            lower = lower.removesuffix(".gz")
            file = cast("BinaryIO", gzip.GzipFile(fileobj=file))
        text = io.TextIOWrapper(
            io.BufferedReader(cast("io.RawIOBase", file)), "utf-8-sig", "replace", newline=""
        )
        if lower.endswith((".jsonl", ".ndjson")):
            return pd.read_json(text, lines=True)
        return _separated(text, lower)
    except pd.errors.EmptyDataError:
        raise TableError("The file is empty.") from None
    except (pd.errors.ParserError, csv.Error, ValueError, EOFError, gzip.BadGzipFile) as error:
        raise TableError(f"This is no table: {' '.join(str(error).split())[:300]}") from error


def _separated(text: io.TextIOWrapper, name: str) -> pd.DataFrame:
    sample = text.buffer.peek(_SAMPLE)[:_SAMPLE] if isinstance(text.buffer, io.BufferedReader) else b""
    if b"\0" in sample:
        raise TableError("This is no text, and so no table.")
    frame = pd.read_csv(text, sep=_separator(sample.decode("utf-8", "replace"), name), low_memory=False)
    frame.columns = [str(column) for column in frame.columns]
    return frame


def _separator(sample: str, name: str) -> str:
    """Return what separates the values; the first line decides where the name does not.

    >>> _separator("a;b;c", "x.csv")
    ';'
    """
    if name.endswith((".tsv", ".tab")):
        return "\t"
    first = sample.partition("\n")[0]
    return max(_SEPARATORS, key=lambda each: (first.count(each), -_SEPARATORS.index(each)))
