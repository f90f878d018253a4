"""State: what was open in the monolithic application, as what viloxterm and viloedit take.

Source: the specification, State Migration, for names and defaults of the entries. 1.0 is what has no version;
2.0 has the tabs and their trees under ``workspace``; 3.0 has what belongs to a plugin under its id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from viloapp_core.migration.chain import KEPT, Chain, Finding, Moved, Step

__all__ = ["STATE", "half_character", "migrate_editor_buffers", "migrate_terminal_sessions"]

_TREES = ("workspace", "workspace_state")


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of an entry: its name before and after, its default, and what it may hold."""

    old: str
    new: str
    default: Any
    fits: Callable[[Any], bool]
    says: str


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _variables(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _place(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(key), int) and not isinstance(value[key], bool) and value[key] >= 0
        for key in ("line", "column")
    )


def _selection(value: Any) -> bool:
    return value is None or isinstance(value, dict)


_TEXT = "it has to be text"
_SESSION = (
    _Key("title", "title", "Terminal", _text, _TEXT),
    _Key("working_directory", "cwd", None, _text_or_none, _TEXT),
    _Key("shell", "shell", None, _text_or_none, _TEXT),
    _Key("env_vars", "environment", {}, _variables, "it has to hold text under each name"),
    _Key("command_history", "history", [], _texts, "it has to be a list of text"),
)
_BUFFER = (
    _Key("path", "file_path", None, _text_or_none, _TEXT),
    _Key("content", "content", "", _text, _TEXT),
    _Key(
        "cursor",
        "cursor_position",
        {"line": 0, "column": 0},
        _place,
        "it has to have line and column, whole numbers from 0 on",
    ),
    _Key("selection", "selection", None, _selection, "it has to be an object or null"),
    _Key(
        "is_modified", "modified", False, lambda value: isinstance(value, bool), "it has to be true or false"
    ),
    _Key("syntax_mode", "syntax", "plain", _text, _TEXT),
)


def migrate_terminal_sessions(old_state: dict[str, Any]) -> tuple[Moved, list[Any]]:
    """Return ``{"plugin", "version", "sessions"}`` of ``terminals``, and what is kept of the old entries."""
    sessions, findings, kept = _entries(old_state.get("terminals", []), "terminals", _SESSION)
    return Moved({"plugin": "viloxterm", "version": "1.0", "sessions": sessions}, findings), kept


def migrate_editor_buffers(old_state: dict[str, Any]) -> tuple[Moved, list[Any]]:
    """Return ``{"plugin", "version", "buffers"}`` of ``editors``, and what is kept of the old entries."""
    buffers, findings, kept = _entries(old_state.get("editors", []), "editors", _BUFFER)
    return Moved({"plugin": "viloedit", "version": "1.0", "buffers": buffers}, findings), kept


def half_character(value: Any) -> str:
    """Return, escaped, the first half of a surrogate pair in a JSON value; empty when there is none.

    Source: RFC 8259, 8.2: what such text means is not defined. Python writes it for a byte that is no text.
    """
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        return f"\\u{ord(error.object[error.start]):04x}"
    except RecursionError:
        pass  # the depth is judged by the chain
    return ""


def _name(name: str) -> str:
    """Return a key as people can be shown it."""
    return name.encode("utf-8", "backslashreplace").decode()


def _entries(
    old: Any, name: str, keys: Iterable[_Key]
) -> tuple[list[dict[str, Any]], tuple[Finding, ...], list[Any]]:
    if not isinstance(old, list):
        return [], (Finding("left", name, "it has to be a list; none is opened"),), [old]
    entries: list[dict[str, Any]] = []
    findings: list[Finding] = []
    kept: list[Any] = []
    seen: set[str] = set()
    for at, entry in enumerate(old):
        path = f"{name}[{at}]"
        if why := _no_entry(entry, seen):
            findings.append(Finding("left", path, f"{why}; it is not opened"))
            kept.append(entry)
            continue
        seen.add(str(entry["id"]))
        new, problems, rest = _entry(entry, path, keys)
        entries.append(new)
        findings += problems
        if rest:
            kept.append({"id": entry["id"], **rest})
    return entries, tuple(findings), kept


def _no_entry(entry: Any, seen: set[str]) -> str:
    """Return why something is no entry; empty when it is one."""
    if not isinstance(entry, dict):
        return "it is no object"
    if half := half_character(entry):
        return f"it has half a character ({half}), which no file can hold"
    id = entry.get("id")
    if isinstance(id, bool) or not isinstance(id, (str, int)) or id == "":
        return "it has no id" if id in (None, "") else "its id is neither text nor a number"
    return f"the id {id} is there twice" if str(id) in seen else ""


def _entry(
    entry: dict[str, Any], path: str, keys: Iterable[_Key]
) -> tuple[dict[str, Any], list[Finding], dict[str, Any]]:
    """Return the new entry, what could not be taken, and those parts of the old one."""
    new: dict[str, Any] = {"id": str(entry["id"])}
    findings: list[Finding] = []
    rest = {name: value for name, value in entry.items() if name != "id"}
    for key in keys:
        value = rest.get(key.old, deepcopy(key.default))
        if key.fits(value):
            new[key.new] = value
            rest.pop(key.old, None)
        else:
            new[key.new] = deepcopy(key.default)
            used = json.dumps(key.default)
            findings.append(Finding("replaced", f"{path}.{key.old}", f"{key.says}; {used} is used"))
    known = {key.old for key in keys}
    findings += [
        Finding("kept", f"{path}.{_name(name)}", "it has no place any more")
        for name in rest
        if name not in known
    ]
    return new, findings, rest


def _to_2(document: dict[str, Any]) -> Moved:
    """Put the tabs under ``workspace``, wherever the file had them; Qt's settings have them as text."""
    findings: list[Finding] = []
    new = {**document, "version": "2.0"}
    for name in _TREES:
        value = new.get(name)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                continue
        if isinstance(value, dict) and "tabs" in value:
            new.pop(name)
            return Moved({**new, "workspace": value}, tuple(findings))
    if isinstance(new.get("tabs"), list):
        tree: dict[str, Any] = {name: new.pop(name) for name in ("tabs", "current_tab") if name in new}
        if "workspace" in new:
            tree["workspace"] = new["workspace"]
        new["workspace"] = tree
    return Moved(new, tuple(findings))


def _to_3(document: dict[str, Any]) -> Moved:
    """Hand the entries to the plugins; the tree stays for the workspace."""
    sessions, kept_sessions = migrate_terminal_sessions(document)
    buffers, kept_buffers = migrate_editor_buffers(document)
    findings = [*sessions.findings, *buffers.findings]
    rest: dict[str, Any] = {}
    if kept_sessions:
        rest["terminals"] = kept_sessions
    if kept_buffers:
        rest["editors"] = kept_buffers
    for name, value in document.items():
        if name not in ("version", "terminals", "editors", "workspace", KEPT):
            rest[name] = value
            findings.append(Finding("kept", _name(name), "it has no place any more"))
    new: dict[str, Any] = {
        "version": "3.0",
        "plugins": {"viloxterm": sessions.document, "viloedit": buffers.document},
    }
    if "workspace" in document:
        new["workspace"] = document["workspace"]
    if KEPT in document:
        rest[KEPT] = document[KEPT]
    return Moved({**new, KEPT: {"2.0": rest}} if rest else new, tuple(findings))


STATE = Chain((Step("1.0", "2.0", _to_2), Step("2.0", "3.0", _to_3)))
"""From the monolithic application's state to today's."""
