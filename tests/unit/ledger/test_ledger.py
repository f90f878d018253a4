"""The consent ledger: what was decided stays decided, and a damaged file is no consent."""

import multiprocessing
from pathlib import Path

import pytest

from viloapp_core.ledger import Ledger, LedgerError, consented_by
from viloapp_core.permissions import Permission

TERMINAL = Permission.parse("process.spawn.terminal")
READ = Permission.parse("filesystem.read.workspace")
WRITE = Permission.parse("filesystem.write.workspace")


def effective(ledger: Ledger, *consented: str) -> list[str]:
    """Return what ``hello`` may."""
    return [str(each) for each in ledger.standing("hello", consented).effective]


def test_what_a_receipt_has_counts_without_a_ledger(tmp_path: Path) -> None:
    """What was accepted before there was a ledger still is; nonsense grants nothing."""
    assert effective(Ledger(tmp_path), str(TERMINAL), "everything.at.once") == [str(TERMINAL)]
    assert not (tmp_path / "ledger.json").exists()


def test_a_denial_beats_the_receipt_until_it_is_granted_again(tmp_path: Path) -> None:
    """Each decision replaces the one before, and another reader of the store sees it at once."""
    ledger, other = Ledger(tmp_path), Ledger(tmp_path)
    ledger.decide("hello", [TERMINAL], "denied", by="command")
    assert effective(other, str(TERMINAL)) == []
    ledger.decide("hello", [TERMINAL, READ], "granted", by="prompt", reason="to look")
    assert effective(other, str(TERMINAL)) == [str(TERMINAL), str(READ)]
    assert [(each.state, each.by, each.reason) for each in other.entries("hello")] == [
        ("granted", "prompt", "to look"),
        ("granted", "prompt", "to look"),
    ]
    assert (tmp_path / "ledger.json").stat().st_mode & 0o777 == 0o600


def test_a_wider_grant_takes_back_what_was_denied_of_it(tmp_path: Path) -> None:
    """Whoever grants writing after refusing reading means both."""
    ledger = Ledger(tmp_path)
    ledger.decide("hello", [READ], "denied", by="prompt")
    assert effective(ledger, str(WRITE)) == []
    ledger.decide("hello", [WRITE], "granted", by="command")
    assert effective(ledger) == [str(WRITE)]


def test_a_name_is_no_consent(tmp_path: Path) -> None:
    """A fresh installation has what it asks for now, not what its namesake was given; denials stay."""
    ledger = Ledger(tmp_path)
    ledger.installed("hello", {str(READ): "to look"}, fresh=True)
    ledger.decide("hello", [TERMINAL], "granted", by="command")
    ledger.decide("hello", [WRITE], "denied", by="command")
    ledger.installed("hello", {str(READ): "to look"}, fresh=False)
    assert effective(ledger, str(READ)) == [str(READ), str(TERMINAL)]
    ledger.installed("hello", {str(WRITE): "to save"}, fresh=True)
    assert effective(ledger, str(WRITE)) == []
    assert [each.by for each in ledger.entries("hello")] == ["install", "command"]


def test_reset_and_forget(tmp_path: Path) -> None:
    """Resetting goes back to the installation, forgetting leaves nothing; other plugins keep theirs."""
    ledger = Ledger(tmp_path)
    ledger.installed("hello", {str(READ): ""}, fresh=True)
    ledger.decide("hello", [READ], "denied", by="command")
    ledger.decide("other", [READ], "denied", by="command")
    assert [str(each.permission) for each in ledger.reset("hello")] == [str(READ)]
    assert effective(ledger, str(READ)) == [str(READ)]
    ledger.forget("hello")
    assert (ledger.entries("hello"), len(ledger.entries("other"))) == ((), 1)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"schema": 2, "plugins": {}}',
        '{"schema": 1, "plugins": {"hello": {}}}',
        '{"schema": 1, "plugins": {"hello": [{"permission": "process.spawn.terminal"}]}}',
        '{"schema": 1, "plugins": {"hello": [{"permission": "a.b.c", "state": "granted", "by": "command",'
        ' "at": "", "reason": ""}]}}',
        '{"schema": 1, "plugins": {"hello": [{"permission": "process.spawn.terminal", "state": "maybe",'
        ' "by": "command", "at": "", "reason": ""}]}}',
    ],
)
def test_a_damaged_ledger_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    """What it denied must not come back because nobody can read it; nothing overwrites it."""
    (tmp_path / "ledger.json").write_text(content)
    ledger = Ledger(tmp_path)
    with pytest.raises(LedgerError, match=r"ledger\.json"):
        effective(ledger, str(TERMINAL))
    with pytest.raises(LedgerError):
        ledger.decide("hello", [READ], "granted", by="command")
    assert (tmp_path / "ledger.json").read_text() == content


def _decide(root: Path, number: int) -> None:
    ledger = Ledger(root)
    for step in range(10):
        wanted = Permission.parse(f"network.connect.h{number}-{step}.example")
        for state in ("granted", "denied") if step % 2 else ("denied", "granted"):
            ledger.decide("hello", [wanted], state, by="command")
        ledger.decide(f"p{number}", [wanted], "granted", by="command")


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    """Commands and a host may grant and revoke at the same moment, each a process; the last word holds."""
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_decide, args=(tmp_path, number)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    ledger = Ledger(tmp_path)
    states = {str(each.permission): each.state for each in ledger.entries("hello")}
    assert states == {
        f"network.connect.h{number}-{step}.example": "denied" if step % 2 else "granted"
        for number in range(4)
        for step in range(10)
    }
    assert all(len(ledger.entries(f"p{number}")) == 10 for number in range(4))


def test_what_is_required_may_be_called(tmp_path: Path) -> None:
    """A plugin that needs another one would be useless without; it can still be refused."""
    consented = consented_by([], ["Hello_World >=1,<2; python_version > '3'", "other"])
    assert consented == ["plugins.call.hello-world", "plugins.call.other"]
    ledger = Ledger(tmp_path)
    ledger.decide("hello", [Permission.parse("plugins.call.other")], "denied", by="command")
    assert effective(ledger, *consented) == ["plugins.call.hello-world"]
