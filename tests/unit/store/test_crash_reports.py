"""The crash reports that are kept, and in which order."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from viloapp_core.store.crash_reports import KEPT, CrashReports

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta()], ids=["set back", "stands still"])
def test_the_latest_is_the_latest_whatever_the_clock_says(tmp_path: Path, step: timedelta) -> None:
    """A full folder and a clock that was set back: what has just failed is kept, and comes first."""
    reports = CrashReports(tmp_path)
    for number in range(KEPT + 5):
        reports.add({"number": number}, NOON + number * step)
    assert [each["number"] for each in reports.all()] == list(range(KEPT + 4, 4, -1))


def test_a_name_that_is_no_time_stands_in_nobodys_way(tmp_path: Path) -> None:
    """Somebody's own file in the folder is neither shown nor in the way."""
    reports = CrashReports(tmp_path)
    reports.folder.mkdir()
    (reports.folder / "99999999T999999.999999Z.json").write_text("{}")
    (reports.folder / "9 notes Z.json").write_text("{}")
    reports.add({"number": 1}, NOON)
    assert [each["number"] for each in reports.all()] == [1]
