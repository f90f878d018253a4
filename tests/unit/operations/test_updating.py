"""Updates, rollbacks and what `gc` leaves, on real virtualenvs and with no network."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.wheels import forge
from tests.unit.operations.conftest import UNSIGNED, Person, Plugin
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.ledger import read_audit
from viloapp_core.operations import InstallOptions, UpdateOutcome, rollback, uninstall, update
from viloapp_core.store import Store
from viloapp_core.store.checking import check
from viloapp_core.store.garbage import collect
from viloapp_sdk.errors import ViloError

Run = Callable[..., Any]


@pytest.fixture
def renew(tmp_path: Path, store: Store, folder: Path, person: Person) -> Callable[..., list[UpdateOutcome]]:
    """Return `update` with the folder as the only source, and the person."""
    sdk = forge(tmp_path / "wheelhouse", "viloapp-sdk", "1.0.0", {"viloapp_sdk/__init__.py": ""})

    def call(*ids: str, check: bool = False) -> list[UpdateOutcome]:
        options = InstallOptions(offline=True, find_links=(str(folder),), allow_unsigned=UNSIGNED)
        wheels = {"viloapp-sdk": sdk}
        return update(store, ids, check=check, options=options, consent=person, wheels=wheels)

    return call


def test_update_takes_what_is_newer_and_says_so(
    store: Store, plugin: Plugin, run: Run, renew: Callable[..., list[UpdateOutcome]]
) -> None:
    """`--check` tells and changes nothing; then it is done; then nothing is newer."""
    plugin("hello", "0.1")
    plugin("other", "1.0")
    run("hello", "other")
    plugin("hello", "0.2")
    (would, rest) = renew(check=True)
    assert (would.plugin_id, would.status, would.changes) == ("hello", "would update", ("hello 0.1 -> 0.2",))
    assert (rest.plugin_id, rest.status) == ("other", "unchanged")
    assert store.plugin("hello").version == "0.1"
    assert [outcome.status for outcome in renew()] == ["updated", "unchanged"]
    assert store.plugin("hello").version == "0.2"
    assert {outcome.status for outcome in renew()} == {"unchanged"}
    assert check_all(store) == []


def test_update_stays_within_what_was_asked_for(
    store: Store, plugin: Plugin, run: Run, renew: Callable[..., list[UpdateOutcome]]
) -> None:
    """A plugin installed as `<0.2` is not moved beyond that, and never back."""
    plugin("hello", "0.1.5")
    run("hello<0.2")
    plugin("hello", "0.2")
    plugin("hello", "0.1.4")
    assert [outcome.status for outcome in renew("hello")] == ["unchanged"]
    assert store.plugin("hello").version == "0.1.5"


def test_update_stays_within_what_dependents_accept(
    store: Store, plugin: Plugin, run: Run, renew: Callable[..., list[UpdateOutcome]]
) -> None:
    """The newest version that all dependents accept, not the newest."""
    plugin("hello", "0.1")
    plugin("other", "1.0", requires_plugins=["hello<0.3"])
    run("other")
    plugin("hello", "0.2")
    plugin("hello", "0.3")
    renew("hello")
    assert store.plugin("hello").version == "0.2"


def test_newer_libraries_alone_are_an_update(
    store: Store, plugin: Plugin, run: Run, folder: Path, renew: Callable[..., list[UpdateOutcome]]
) -> None:
    """A plugin of the same version gets the newer library."""
    forge(folder, "lib", "1.0", {"lib.py": ""})
    plugin("hello", "0.1", requires=("lib",))
    run("hello")
    forge(folder, "lib", "1.1", {"lib.py": ""})
    (outcome,) = renew()
    assert (outcome.status, outcome.changes) == ("updated", ("lib 1.0 -> 1.1",))


def test_more_permissions_are_asked_for(
    store: Store, plugin: Plugin, run: Run, person: Person, renew: Callable[..., list[UpdateOutcome]]
) -> None:
    """An update that wants more asks; refused, it leaves the old version."""
    plugin("hello", "0.1")
    run("hello")
    permission = {"id": "filesystem.read.workspace", "reason": "to look"}
    plugin("hello", "0.2", permissions=[permission])
    person.answer = False
    with pytest.raises(ViloError, match="not accepted"):
        renew()
    assert store.plugin("hello").version == "0.1"
    person.answer = True
    renew()
    assert store.plugin("hello").permissions == ("filesystem.read.workspace",)


def test_what_came_from_a_file_stays(
    store: Store, plugin: Plugin, run: Run, renew: Callable[..., list[UpdateOutcome]]
) -> None:
    """A wheel named by its path is not replaced by an index's, and the outcome says why."""
    run(plugin("hello", "0.1"))
    plugin("hello", "0.2")
    (outcome,) = renew()
    assert outcome.status == "unchanged"
    assert "wheel" in outcome.notes[0]


def test_rollback_and_forward_again(store: Store, plugin: Plugin, run: Run) -> None:
    """Back to what was replaced, then forward by version; each is logged."""
    run(plugin("hello", "0.1"))
    run(plugin("hello", "0.2"))
    outcome = rollback(store, "Hello")
    assert (outcome.version, outcome.previous_version, outcome.status) == ("0.1", "0.2", "rolled back")
    assert store.plugin("hello").version == "0.1"
    assert rollback(store, "hello", to="0.2").version == "0.2"
    rollbacks = [line["plugin"] for line in read_audit(store.root) if line["event"] == "rollback"]
    assert rollbacks == ["hello"] * 2
    assert check_all(store) == []


def test_rollback_without_a_way_back_names_what_there_is(store: Store, plugin: Plugin, run: Run) -> None:
    """With one generation, or an unknown version, nothing changes and the versions are named."""
    run(plugin("hello", "0.1"))
    with pytest.raises(ViloError, match=r"there is 0\.1 \(in use\)"):
        rollback(store, "hello")
    run(plugin("hello", "0.2"))
    with pytest.raises(ViloError, match=r"9\.9.*0\.2 \(in use\), 0\.1"):
        rollback(store, "hello", to="9.9")
    assert store.plugin("hello").version == "0.2"


def test_rollback_refuses_what_dependents_do_not_accept(store: Store, plugin: Plugin, run: Run) -> None:
    """A version that another plugin needs newer than is not gone back to."""
    run(plugin("hello", "0.1"))
    run(plugin("hello", "0.2"))
    run(plugin("other", "1.0", requires_plugins=["hello>=0.2"]))
    with pytest.raises(ViloError, match="other"):
        rollback(store, "hello")
    assert store.plugin("hello").version == "0.2"


def test_gc_keeps_one_way_back_and_what_is_running(store: Store, plugin: Plugin, run: Run) -> None:
    """Of four generations the current, the one before it and a held one stay; the rest and its wheels go."""
    for version in ("0.1", "0.2", "0.3", "0.4"):
        run(plugin("hello", version))
        if version == "0.1":
            lock = store.hold(store.plugin("hello"))
    dry = collect(store, dry_run=True)
    done = collect(store)
    assert (dry.generations, dry.freed_bytes) == (done.generations, done.freed_bytes)
    assert [name.split("-")[0] for name in done.generations] == ["hello/0.2"]
    assert [name.split("-")[0] for name in done.held] == ["hello/0.1"]
    assert (done.wheels, done.archives, done.busy) == (1, 1, False)
    assert done.freed_bytes > 4096
    lock.release()
    assert [name.split("-")[0] for name in collect(store).generations] == ["hello/0.1"]
    assert len(list(store.layout.wheels.iterdir())) == 3  # two versions and the SDK
    assert collect(store).generations == ()
    assert rollback(store, "hello").version == "0.3"
    assert check_all(store) == []


def test_gc_leaves_wheels_alone_while_another_change_is_under_way(
    store: Store, plugin: Plugin, run: Run
) -> None:
    """Somebody who is installing may be about to link a wheel that no generation has yet."""
    run(plugin("hello", "0.1"))
    uninstall(store, ["hello"])
    other = store.begin("session")
    assert (collect(store).busy, len(list(store.layout.wheels.iterdir()))) == (True, 2)
    other.close()
    assert collect(store).wheels == 2
    assert list(store.layout.archives.iterdir()) == []


def test_purge_takes_the_settings_too(store: Store, plugin: Plugin, run: Run) -> None:
    """`--purge` forgets how a plugin is set, and leaves the settings of others."""
    run(plugin("hello", "0.1"))
    document = {"version": "2.0", "core": {}, "plugins": {"hello": {"a": 1}, "other": {"b": 2}}}
    store.layout.settings.write_text(json.dumps(document))
    (outcome,) = uninstall(store, ["hello"], purge=True)
    assert "its settings" in outcome.goes
    assert json.loads(store.layout.settings.read_text())["plugins"] == {"other": {"b": 2}}
    assert not os.path.lexists(store.layout.plugin("hello"))


def check_all(store: Store) -> list[str]:
    """Return what is wrong with a store."""
    return [f"{problem.plugin_id}: {problem.what}" for problem in check(store)]


def test_what_was_rolled_back_is_not_offered_again_unless_asked_for(
    store: Store, plugin: Plugin, run: Run, renew: Callable[..., list[UpdateOutcome]]
) -> None:
    """Neither is what lies between; a later version is; who names the version gets it."""
    plugin("hello", "0.1")
    run("hello")
    plugin("hello", "0.3")
    renew()
    store.withdraw("hello", "it did not start", SystemClock())
    plugin("hello", "0.2")  # the highest that was seen is 0.3
    (outcome,) = renew(check=True)
    assert (outcome.status, outcome.version) == ("unchanged", "0.1")
    assert outcome.notes[0] == (
        "0.3 is left out, it was rolled back: it did not start; "
        "to have it all the same: viloapp install 'hello==0.3'"
    )
    plugin("hello", "0.4")
    renew()
    assert store.plugin("hello").version == "0.4"
    run("hello==0.3", allow_downgrade=("hello",))
    assert store.plugin("hello").version == "0.3"


def test_libraries_that_were_rolled_back_are_not_offered_again(
    store: Store, plugin: Plugin, run: Run, folder: Path, renew: Callable[..., list[UpdateOutcome]]
) -> None:
    """The version of the plugin is that of before, and still it is not the same."""
    forge(folder, "lib", "1.0", {"lib.py": ""})
    plugin("hello", "0.1", requires=("lib",))
    run("hello")
    forge(folder, "lib", "1.1", {"lib.py": ""})
    renew()
    store.withdraw("hello", "unhealthy", SystemClock())
    (outcome,) = renew()
    assert outcome.status == "unchanged"
    assert "viloapp rollback hello --to 0.1" in outcome.notes[0]
    forge(folder, "lib", "1.2", {"lib.py": ""})
    (outcome,) = renew()
    assert outcome.changes == ("lib 1.0 -> 1.2",)
