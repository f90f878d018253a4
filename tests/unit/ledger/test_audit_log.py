"""The audit log: everything once, in order, bounded, without holding anybody up."""

import json
import os
import resource
import signal
import threading
from pathlib import Path

import pytest

from viloapp_core.foundation.errors import UnreadableError
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
    assert "Is a directory" in log.problem
    with pytest.raises(UnreadableError, match=r"audit\.jsonl cannot be read: Is a directory"):
        list(read_audit(tmp_path))


def test_a_fifo_in_the_place_of_the_log_holds_nobody(tmp_path: Path) -> None:
    """Neither whoever writes, with or without a reader at its other end, nor whoever reads."""
    os.mkfifo(tmp_path / "audit.jsonl")
    for _ in range(2):
        log = AuditLog(tmp_path)
        log.record("grant", "hello")
        log.close()
        assert log.problem
        with pytest.raises(UnreadableError, match="no ordinary file"):
            list(read_audit(tmp_path))
        reader = os.open(tmp_path / "audit.jsonl", os.O_RDONLY | os.O_NONBLOCK)
    os.close(reader)


def test_a_full_disk_is_told_until_there_is_room(tmp_path: Path) -> None:
    """A write that fails half-way leaves no line that looks whole, and the next one is in the log."""
    (tmp_path / "audit.jsonl").write_text("")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    log = AuditLog(tmp_path)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
        log.record("grant", "hello")
        log.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert "File too large" in log.problem
    assert list(read_audit(tmp_path)) == []
    log.record("revoke", "hello")
    log.close()
    assert log.problem == ""
    assert [entry["event"] for entry in read_audit(tmp_path)] == ["revoke"]


@pytest.mark.parametrize("damage", [b"{\n", b"\xff\xfe\n", b"[1]\n", b"[" * 100_000 + b"\n", b'{"a": 1'])
def test_damage_costs_the_lines_that_it_is_in(tmp_path: Path, damage: bytes) -> None:
    """What was written before and after it is read."""
    log = AuditLog(tmp_path)
    log.record("grant", "hello")
    log.flush()
    with log.path.open("ab") as file:
        file.write(damage)
    log.record("revoke", "hello")
    log.close()
    assert [entry["event"] for entry in read_audit(tmp_path)] == ["grant", "revoke"]


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
