"""The audit log: everything once, in order, bounded, without holding anybody up."""

import json
import threading
from pathlib import Path

import pytest

from viloapp_core.ledger import AuditLog, audit, read_audit


def test_a_line_has_all_fields(tmp_path: Path) -> None:
    """One JSON object on a line, readable by the user alone."""
    log = AuditLog(tmp_path)
    log.record("deny", "hello", "process.spawn.terminal", "terminals.open", "denied", "it was not granted")
    log.close()
    (line,) = log.path.read_text().splitlines()
    entry = json.loads(line)
    assert list(entry) == ["time", "event", "plugin", "permission", "call", "outcome", "detail", "count"]
    assert (entry["event"], entry["call"], entry["count"]) == ("deny", "terminals.open", 1)
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_a_flood_is_one_line_with_a_count(tmp_path: Path) -> None:
    """Equal lines that come together are counted; ever different ones are bounded, and that is said."""
    log = AuditLog(tmp_path)
    for _ in range(5000):
        log.record("deny", "hello", call="x")
    for number in range(5000):
        log.record("deny", "floods", call=str(number), detail="y" * 10_000)
    log.close()
    entries = list(read_audit(tmp_path))
    assert sum(entry["count"] for entry in entries) == 10_000
    assert sum(entry["count"] for entry in entries if entry["plugin"] == "hello") == 5000
    assert all(len(entry["detail"]) <= 500 for entry in entries)
    assert any(entry["event"] == "dropped" for entry in entries)


def test_files_move_along_and_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log stays bounded on disk, whoever writes; it is read oldest first, without half a line."""
    monkeypatch.setattr(audit, "MAX_BYTES", 2000)
    log, other = AuditLog(tmp_path), AuditLog(tmp_path)
    for number in range(200):
        (log if number % 2 else other).record("broker", "hello", call=f"{number:03}")
        log.flush()
        other.flush()
    log.close()
    other.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["audit.jsonl", *(f"audit.jsonl.{number}" for number in range(1, audit.KEPT + 1))]
    assert all(path.stat().st_size < 2500 for path in tmp_path.iterdir())
    with (tmp_path / "audit.jsonl").open("a") as file:
        file.write('{"time": "cut o')
    calls = [entry["call"] for entry in read_audit(tmp_path)]
    assert calls == sorted(calls)
    assert calls[-1] == "199"


def test_every_thread_may_record(tmp_path: Path) -> None:
    """Nothing is lost between threads; what waits is written without anybody asking."""
    log = AuditLog(tmp_path)

    def write() -> None:
        for _ in range(500):
            log.record("broker", "hello", call="x")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert sum(entry["count"] for entry in read_audit(tmp_path)) == 2000


def test_a_log_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    """A host serves on where the disk is full or the file is not ours."""
    (tmp_path / "audit.jsonl").mkdir()
    log = AuditLog(tmp_path)
    log.record("deny", "hello")
    log.close()
    assert (tmp_path / "audit.jsonl").is_dir()


def test_nobody_floods_away_what_was_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that does a thousand other things neither removes older lines nor hides newer ones."""
    monkeypatch.setattr(audit, "MAX_BYTES", 20_000)
    log = AuditLog(tmp_path)
    log.record("grant", "floods", "process.execute.git", "prompt", "always")
    for number in range(3000):
        log.record("deny", "floods", f"filesystem.read./x/{number}", "files.stat", "denied")
        if number % 100 == 0:
            log.flush()
    log.record("broker", "floods", "process.execute.git", "process.run", "started", "/usr/bin/git")
    log.record("revoke", "floods", "process.execute.git", "command", "always")
    log.close()
    entries = list(read_audit(tmp_path))
    events = [entry["event"] for entry in entries]
    assert events[0] == "grant"
    assert events.count("broker") == events.count("revoke") == 1
    assert {entry["plugin"] for entry in entries if entry["event"] == "dropped"} == {"floods"}
    assert sum(entry["count"] for entry in entries) == 3003
