"""Crash reports for a person: a list, and one in full."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from viloapp_core.cli.errors import CliError
from viloapp_core.cli.output import Output
from viloapp_core.cli.resources import seconds
from viloapp_core.store.crash_reports import CrashReports

__all__ = ["brief", "lines", "show"]

_LONGEST_S = 1e10  # three hundred years


def show(output: Output, plugin_id: str, log_dir: Path, name: str | None) -> None:
    """Print the list of a plugin's crash reports, or the one of a name.

    Raises:
        CliError: there is none of that name.
    """
    found = CrashReports(log_dir).all()
    if name is None:
        if output.as_json:
            output.json({"plugin": plugin_id, "crashes": found})
        elif found:
            output.table(("name", "at", "kind", "version", "error"), [_row(report) for report in found])
        else:
            output.note(f"{plugin_id} has no crash reports")
        return
    report = next((each for each in found if name in ("latest", each["name"])), None)
    if report is None:
        has = "it has none" if not found else f"viloapp logs {plugin_id} --crashes lists them"
        raise CliError("no_such_crash", f"{plugin_id} has no crash report {name}", has)
    if output.as_json:
        output.json({"crash": report})
        return
    for line in lines(report):
        output.line(line)


def brief(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a description of a plugin says of its latest crash."""
    return {
        "at": report.get("at"),
        "kind": report.get("kind"),
        "error": _first(report),
        "file": report["file"],
    }


def lines(report: Mapping[str, Any]) -> list[str]:
    """Lay a report out; every part of it may be missing, since its file is no more than a file."""
    ending = _part(report, "exit")
    how = ending.get("signal") or (f"code {ending['code']}" if ending.get("code") is not None else "")
    versions = ", ".join(f"{name} {value}" for name, value in _part(report, "versions").items() if value)
    shown = [
        f"{report.get('plugin_id')} {report.get('kind')} at {report.get('at')}: {report.get('error')}",
        f"ended: {how or 'not known'}, {_lived(report)}",
        *(f"running: {each.get('call')}, {_for(each)}" for each in _rows(report, "running")),
        f"versions: {versions}",
        f"file: {report.get('file')}",
    ]
    if report.get("traceback"):
        shown += ["", *str(report["traceback"]).splitlines()]
    if log := report.get("log"):
        shown += ["", "the last lines of its log:", *(f"  {line}" for line in log if isinstance(line, str))]
    return shown


def _lived(report: Mapping[str, Any]) -> str:
    ready = "had been ready" if report.get("was_ready") else "was never ready"
    return f"after {_seconds(report.get('lived_s'))}; it {ready}"


def _for(running: Mapping[str, Any]) -> str:
    return f"for {_seconds(running.get('for_s'))}"


def _seconds(value: Any) -> str:
    # A damaged file may say anything, also what is no number or no float can hold.
    known = isinstance(value, (int, float)) and 0 <= value < _LONGEST_S
    return seconds(float(value)) if known else "an unknown time"


def _row(report: Mapping[str, Any]) -> list[str]:
    version = _part(report, "versions").get("plugin", "")
    return [
        report["name"],
        *(str(each) for each in (report.get("at"), report.get("kind"), version, _first(report))),
    ]


def _first(report: Mapping[str, Any]) -> str:
    return (str(report.get("error", "")).splitlines() or [""])[0][:200]


def _part(report: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = report.get(name)
    return value if isinstance(value, Mapping) else {}


def _rows(report: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = report.get(name)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
