"""What is kept of each failure of a plugin: one JSON file each, the newest twenty.

    reports = CrashReports(plugin.log_dir)
    name = reports.add({"error": "killed by SIGSEGV", ...})
    reports.all()[0]["error"]

They lie in ``plugins/<id>/log/crashes/``, readable by the user alone. Who adds decides what is in one.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from viloapp_core.foundation.errors import FoundationError
from viloapp_core.foundation.files import read_json, write_json

__all__ = ["KEPT", "CrashReports"]

KEPT = 20
_NAME = "%Y%m%dT%H%M%S.%fZ"


class CrashReports:
    """The crash reports of one plugin.

    Args:
        log_dir: the folder of its logs.
    """

    def __init__(self, log_dir: Path) -> None:
        self.folder = log_dir / "crashes"

    def add(self, report: dict[str, Any], at: datetime) -> str:
        """Keep a report and drop the oldest beyond the bound; return its name.

        Raises:
            FoundationError: it cannot be written.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (names := self._names()) and at <= (newest := _time_of(names[0])):
            at = newest + timedelta(microseconds=1)  # the clock was set back; names keep the order
        name = at.strftime(_NAME)
        write_json(self.folder / f"{name}.json", report)
        for old in self._names()[KEPT:]:
            with contextlib.suppress(OSError):
                (self.folder / f"{old}.json").unlink()
        return name

    def all(self) -> list[dict[str, Any]]:
        """Return every report that can be read, each with its ``name`` and ``file``, newest first."""
        found = []
        for name in self._names():
            path = self.folder / f"{name}.json"
            with contextlib.suppress(FoundationError):
                report = read_json(path)
                if isinstance(report, dict):
                    found.append({**report, "name": name, "file": str(path)})
        return found

    def latest(self) -> dict[str, Any] | None:
        """Return the newest report; None when there is none."""
        found = self.all()
        return found[0] if found else None

    def _names(self) -> list[str]:
        """Return the names of all reports, newest first: names sort as times do."""
        stems = (path.stem for path in self.folder.glob("[0-9]*Z.json"))
        return sorted(filter(_is_name, stems), reverse=True)


def _time_of(name: str) -> datetime:
    return datetime.strptime(name, _NAME).replace(tzinfo=UTC)


def _is_name(stem: str) -> bool:
    try:
        return _time_of(stem).strftime(_NAME) == stem
    except ValueError:
        return False
