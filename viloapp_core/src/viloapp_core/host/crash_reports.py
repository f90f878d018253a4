"""Writes a crash report for each failure of a plugin's process.

What is in one is listed here, field by field, so that nothing slips in: never an environment, a command line,
an argument of a call or a setting. A traceback and the last lines of the log are the plugin's own words.
"""

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from signal import Signals
from typing import Any

from viloapp_core.store.crash_reports import CrashReports
from viloapp_core.supervise import Failure

__all__ = ["report_of", "write_report"]

SCHEMA = 1
_ERROR_CHARS = 2000
_LINE_CHARS = 2000


def report_of(failure: Failure, failures: int) -> dict[str, Any]:
    """Return the report of a failure.

    Args:
        failure: what happened.
        failures: how many count at present, this one included.
    """
    return {
        "schema": SCHEMA,
        "plugin_id": failure.plugin_id,
        "at": datetime.fromtimestamp(failure.timestamp, UTC).isoformat(timespec="milliseconds"),
        "kind": failure.kind,
        "error": failure.error[:_ERROR_CHARS],
        "exit": {"code": failure.code, "signal": _signal_name(failure.signal)},
        "running": [{"call": call, "for_s": for_s} for call, for_s in failure.running],
        "was_ready": failure.was_ready,
        "lived_s": failure.lived_s,
        "pid": failure.pid,
        "failures": failures,
        "versions": {
            "plugin": failure.version,
            "sdk": failure.sdk,
            "python": failure.python,
            "core": version("viloapp-core"),
            "host_python": platform.python_version(),
        },
        # A process that is ended for a limit writes none about that: the last in its log is another.
        "traceback": "" if failure.kind == "limit" else failure.traceback,
        "log": [line[:_LINE_CHARS] for line in failure.log],
    }


def write_report(failure: Failure, failures: int, reports: CrashReports) -> None:
    """Keep the report of a failure; in a thread, since it waits for the disk.

    Raises:
        FoundationError: it cannot be written.
    """
    reports.add(report_of(failure, failures), datetime.fromtimestamp(failure.timestamp, UTC))


def _signal_name(number: int | None) -> str | None:
    if number is None:
        return None
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"
