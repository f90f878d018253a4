"""Use cases: move settings and state of the monolithic application in.

What would be done is found first (`plan_settings`) and shown; doing it (`carry_out`) makes a copy of the
file, hands its content to whom it is for, and rewrites the file last: killed at any moment, the old file is
whole, here or in its copy, and the command can be run again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from viloapp_core.foundation.backups import back_up
from viloapp_core.foundation.errors import FileError
from viloapp_core.foundation.files import read_bytes, write_atomic
from viloapp_core.migration import (
    SETTINGS,
    STATE,
    Arrangement,
    Migration,
    MigrationError,
    NotSettingsError,
    arrange,
    migrate,
    read_ini,
)
from viloapp_core.operations.errors import MigrationFileError

T = TypeVar("T")
_STATE_KEYS = {"terminals", "editors", "workspace", "workspace_state", "tabs", "plugins"}

__all__ = ["Plan", "carry_out", "deliverable", "plan_settings", "plan_state", "read_document"]


@dataclass(frozen=True)
class Plan:
    """What a migration of one file comes to.

    Attributes:
        file: the file itself, links followed.
        before: its document as it was read; of an INI file the sections as dicts.
        raw: its bytes, by which `carry_out` knows that nobody changed it since.
        migration: what the steps made of it.
    """

    file: Path
    before: dict[str, Any]
    raw: bytes
    migration: Migration

    @property
    def needed(self) -> bool:
        """Whether there is anything to migrate."""
        return bool(self.migration.log)


def plan_settings(file: Path) -> Plan:
    """Read a file of settings and find what today's form of it is; nothing is changed.

    Raises:
        MigrationFileError: it cannot be read, is of no known form, or of a version after this ViloApp.
    """
    resolved, raw, document = read_document(file)
    return Plan(resolved, document, raw, _named(file, lambda: migrate(document, SETTINGS)))


def plan_state(file: Path) -> Plan:
    """Read a file of state and find what today's form of it is; nothing is changed.

    Raises:
        MigrationFileError: it cannot be read, is of no known form, or of a version after this ViloApp.
    """
    resolved, raw, document = read_document(file, halves=True)
    if not document.keys() & _STATE_KEYS:
        raise MigrationFileError(f"{file} has no terminals, no editors and no tabs", "is it a file of state?")
    return Plan(resolved, document, raw, _named(file, lambda: migrate(document, STATE)))


def deliverable(document: dict[str, Any], folder: Path) -> Arrangement:
    """Return what the workspace of a folder is to show of a migrated state.

    The text of a file that was saved stays out where the file is still there: that is what is shown.
    """
    arrangement = arrange(document)
    for state in arrangement.states.values():
        if (buffer := state.get("buffer")) is None or buffer["modified"] or not buffer["file_path"]:
            continue
        if "\0" not in buffer["file_path"] and (folder / buffer["file_path"]).is_file():
            state["buffer"] = {**buffer, "content": ""}
    return arrangement


def carry_out(plan: Plan, hand_over: Callable[[dict[str, Any]], None], rewritten: dict[str, Any]) -> Path:
    """Copy the file, hand over what it holds, and rewrite it; return the copy.

    Args:
        plan: what was shown.
        hand_over: gives the migrated document to whom it is for; what it raises leaves the file as it was.
        rewritten: what the file holds afterwards.

    Raises:
        MigrationFileError: somebody changed the file since it was read, or it cannot be rewritten.
        FoundationError: the copy cannot be written.
    """
    if plan.file.read_bytes() != plan.raw:
        raise MigrationFileError(f"{plan.file} was changed meanwhile", "run the command again")
    copy = back_up(plan.file)
    hand_over(plan.migration.document)
    data = _encoded(rewritten)
    try:
        write_atomic(plan.file, data, mode=plan.file.stat().st_mode & 0o777)
    except FileError as error:
        raise MigrationFileError(
            f"{error.detail}; what it holds is in the workspace already, the file is as it was",
            "see to it that it can be written and run the command again: nothing is taken twice",
        ) from error
    return copy


def _encoded(document: dict[str, Any]) -> bytes:
    """Return a file's content; half a character in what is kept as it was is written as it was, escaped."""
    try:
        return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:
        return (json.dumps(document, indent=1) + "\n").encode()


def read_document(file: Path, *, halves: bool = False) -> tuple[Path, bytes, dict[str, Any]]:
    """Return the real path of a file, its bytes, and the document in it: JSON, or INI.

    Args:
        file: which.
        halves: half a character is no reason to refuse the whole; who reads on leaves out what has one.

    Raises:
        MigrationFileError: it cannot be read, or is neither.
    """
    path = file.resolve()
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist"
        raise MigrationFileError(f"{file} {what}", "name the file that the old application wrote")
    raw = read_bytes(path) or b""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MigrationFileError(
            f"{file} is not UTF-8 text: byte {error.start} is 0x{raw[error.start]:02x}",
            "convert it first, for example: iconv -f latin1 -t utf-8",
        ) from error
    return path, raw, _named(file, lambda: _decode(text, halves))


def _decode(text: str, halves: bool) -> dict[str, Any]:
    if text.lstrip()[:1] not in ("{", "[", '"', ""):
        return read_ini(text)
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        if text.lstrip()[:1] == "[" and "=" in text:  # a section's header looks like a list's beginning
            return read_ini(text)
        raise NotSettingsError(f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise NotSettingsError("it has to hold one JSON object")
    if not halves:
        _whole_characters(document)
    return document


def _whole_characters(document: dict[str, Any]) -> None:
    """Refuse what JSON can say and no file can hold: seen when the file is written, half would be done."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        before = error.object[: error.start][-30:]
        raise NotSettingsError(
            f"it has half a character, \\u{ord(error.object[error.start]):04x}, after {before}",
            "write what was meant in its place, or take it out; nothing was changed",
        ) from None
    except RecursionError:
        return  # the depth is judged by the chain


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is there twice: whichever were taken, the other would be lost."""
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"it has twice: {', '.join(twice)}")
    return document


def _named(file: Path, work: Callable[[], T]) -> T:
    """Run something, and name the file in what it refuses."""
    try:
        return work()
    except MigrationError as error:
        raise MigrationFileError(f"{file}: {error.detail}", error.hint, code=error.code) from error
