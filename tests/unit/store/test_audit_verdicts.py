"""What an audit remembers: acceptances of dependencies, for the same bytes under the same name and rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.wheels import forge
from viloapp_core.store import Store
from viloapp_core.store.archives import sha256_of
from viloapp_core.store.audit import Finding, Verdicts, audit, audit_all, verdicts


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A dependency that runs code at start, which is told."""
    return forge(tmp_path, "dep", "1", {"dep/__init__.py": "", "start.pth": ""})


@pytest.fixture
def kept(store: Store, wheel: Path) -> Finding:
    """What was found of it, remembered."""
    store.layout.archives.mkdir(parents=True)
    finding = audit(wheel, own=False)
    Verdicts(store.layout).keep(sha256_of(wheel), finding)
    return finding


def test_what_was_found_comes_back_whole(store: Store, wheel: Path, kept: Finding) -> None:
    """Names, places and notes are those of the audit itself."""
    assert "start.pth" in kept.notes[0]
    assert Verdicts(store.layout).recall(sha256_of(wheel), wheel.name) == kept


def test_other_bytes_or_another_name_are_judged_anew(store: Store, wheel: Path, kept: Finding) -> None:
    """The name is part of what is judged: the wheel has to be what it is called."""
    assert Verdicts(store.layout).recall("0" * 64, wheel.name) is None
    assert Verdicts(store.layout).recall(sha256_of(wheel), "dep-2-py3-none-any.whl") is None


def test_another_audit_remembers_nothing(
    store: Store, wheel: Path, kept: Finding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that came later is applied to what an older one let through."""
    monkeypatch.setattr(verdicts, "_fingerprint", lambda: "of a later release")
    assert Verdicts(store.layout).recall(sha256_of(wheel), wheel.name) is None


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"names": 1}', "names", "sha256"])
def test_a_damaged_memory_is_none(store: Store, wheel: Path, kept: Finding, damage: str) -> None:
    """What is not what was kept is as if it were not there."""
    (path,) = store.layout.archives.glob("*.audit")
    whole = json.loads(path.read_text())
    path.write_text(json.dumps({**whole, damage: [1]}) if damage in whole else damage)
    assert Verdicts(store.layout).recall(sha256_of(wheel), wheel.name) is None


def test_a_plugin_of_its_own_is_never_recalled(wheel: Path, kept: Finding) -> None:
    """As a plugin's own wheel the same file is refused, whatever is remembered of it as a dependency."""
    findings, problems = audit_all([wheel], known={wheel: kept})
    assert findings == []
    assert "may not run code at start" in str(problems[0])


def test_a_recalled_wheel_still_meets_the_others(tmp_path: Path, wheel: Path, kept: Finding) -> None:
    """What wheels do to each other is looked at each time."""
    own = forge(tmp_path, "hello", "1", {"dep/__init__.py": ""})
    findings, problems = audit_all([own, wheel], known={wheel: kept})
    assert [finding.wheel for finding in findings] == [own.name, wheel.name]
    assert "dep/__init__.py" in str(problems[0])
