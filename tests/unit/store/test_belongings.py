"""Settings and data change with the generation that reads them: together, and back, whatever kills whom."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.artifacts import begin
from tests.unit.store.conftest import put, receipt
from tests.unit.store.test_crashes import _die_at, _refuse_at
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.services.sections import Section, read_section, write_section
from viloapp_core.store import Store, belongings, copying
from viloapp_core.store.belongings import BelongingsError
from viloapp_core.store.garbage import collect

CLOCK = SystemClock()
STEPS = [
    {"from": "1", "to": "2", "run": "hello.steps:to_2"},
    {"from": "2", "to": "3", "run": "hello.steps:to_3"},
]
OLD = ("0.1.0", {"color": "red", "limits.memory_mb": 99}, "", {"note": "old", "deep/file": "x"})
NEW = ("0.2.0", {"colour": "red", "limits.memory_mb": 99}, "2", {"note": "new", "deep/file": "x"})


def table(version: str) -> dict[str, Any]:
    """Return the ``settings`` of a manifest."""
    return {"version": version, "steps": [row for row in STEPS if row["to"] <= version]}


def _set(store: Store, values: dict[str, Any] | None, version: str = "") -> None:
    store.root.mkdir(exist_ok=True)
    write_section(store.layout.settings, "hello", Section(values, version))


def _store(root: Path) -> Store:
    """Return a store with a plugin that was used."""
    store = Store(root)
    put(store, "hello", "0.1.0")
    _set(store, {"color": "red", "limits.memory_mb": 99})
    data = store.layout.data("hello")
    (data / "deep").mkdir()
    (data / "note").write_text("old")
    (data / "deep" / "file").write_text("x")
    return store


def _update(store: Store) -> None:
    """Install the next version, whose one step has run."""
    entry, generation, artifact = begin(store, "hello", "0.2.0")
    (generation / "venv").mkdir()
    (generation / "venv" / "module.py").write_text("0.2.0")
    manifest = receipt("hello", "0.2.0", settings=table("2"))
    move = belongings.judge(store.layout, "hello", manifest["manifest"])
    assert move.kind == "steps"
    coming, base = belongings.coming_folder(entry), belongings.base_of(store.layout, "hello")
    coming.mkdir(parents=True)
    copying.copy_folder(store.layout.data("hello"), coming / "data")
    (coming / "data" / "note").write_text("new")
    section = belongings.section_in(base)
    own = {"colour": section.own["color"]}
    belongings.write_coming(coming, section.with_own(own).with_version("2"), base)
    store.commit_install(entry, artifact, manifest, CLOCK)


def _seen(store: Store) -> tuple[str, dict[str, Any], str, dict[str, str]]:
    section, data = read_section(store.layout.settings, "hello"), store.layout.data("hello")
    files = {
        path.relative_to(data).as_posix(): path.read_text() for path in data.rglob("*") if path.is_file()
    }
    plugin = store.plugin("hello")
    assert (plugin.generation / "venv" / "module.py").read_text() == plugin.version
    return plugin.version, dict(section.values or {}), section.version, files


def _rollback(store: Store) -> None:
    """Go back by hand."""
    store.switch("hello", next(store.layout.generations("hello").glob("0.1.0-*")).name)


def _forward(store: Store) -> None:
    """Go forward again by hand."""
    store.switch("hello", next(store.layout.generations("hello").glob("0.2.0-*")).name)


def _withdraw(store: Store) -> None:
    """Go back since it does not keep well."""
    store.withdraw("hello", "it did not start", CLOCK)


@pytest.mark.parametrize(
    ("change", "interrupt"),
    [(_update, _die_at), (_rollback, _die_at), (_withdraw, _die_at), (_update, _refuse_at)],
)
def test_interrupted_at_every_step(
    tmp_path: Path, change: Callable[[Store], None], interrupt: Callable[..., bool]
) -> None:
    """Killed or refused: version, settings, their version and data are all old or all new."""
    pristine = _store(tmp_path / "pristine")
    if change is not _update:
        _update(pristine)
    step, seen, went_on = 0, set(), True
    while went_on:
        step += 1
        root = tmp_path / f"store-{step}"
        shutil.copytree(pristine.root, root, symlinks=True)
        went_on = interrupt(step, change, root)
        survivor = Store(root)
        survivor.recover()
        found = _seen(survivor)
        assert found in (OLD, NEW), f"step {step}"
        assert list((root / "journal").iterdir()) == [], f"step {step}"
        seen.add(found[0])
        if step % 4:  # each was looked at; a quarter goes on from there
            shutil.rmtree(root)
            continue
        if found == NEW and change is not _update:  # what it had not yet begun can be done now
            change(survivor)
            found = _seen(survivor)
            assert found == OLD, f"step {step}"
        if found == NEW:
            _withdraw(survivor)
            assert _seen(survivor) == OLD, f"step {step}: there is a way back"
        elif change is not _update:
            _forward(survivor)
            assert _seen(survivor) == NEW, f"step {step}: what was left is there"
        shutil.rmtree(root)
    assert step > 25
    assert seen == {"0.1.0", "0.2.0"}


@pytest.mark.parametrize("change", [_update, _rollback])
def test_data_that_was_made_between_the_two_moves_is_put_aside(
    tmp_path: Path, change: Callable[[Store], None]
) -> None:
    """Killed when the data was gone, and the plugin started: the change is finished, and nothing is lost."""
    pristine = _store(tmp_path / "pristine")
    if change is not _update:
        _update(pristine)
    survivor, step = pristine, 0
    while survivor.layout.data("hello").exists():
        step += 1
        root = tmp_path / f"store-{step}"
        shutil.copytree(pristine.root, root, symlinks=True)
        assert _die_at(step, change, root), "there is no such moment"
        survivor = Store(root)
    data, left = survivor.layout.data("hello"), survivor.layout.left("hello")
    data.mkdir()
    (data / "meanwhile").write_text("x")
    survivor.recover()
    assert _seen(survivor) == (NEW if change is _update else OLD)
    (kept,) = left.glob("0.1.0-*" if change is _update else "0.2.0-*")
    assert (kept / "data" / "note").read_text() == ("old" if change is _update else "new")
    assert [path.read_text() for path in kept.glob("*/meanwhile")] == ["x"]
    (_withdraw if change is _update else _forward)(survivor)
    assert _seen(survivor) == (OLD if change is _update else NEW)


def test_what_a_first_installation_put_aside_is_forgotten_by_the_next(tmp_path: Path) -> None:
    """What was there before any generation is kept as any other: the latest counts."""
    store = _store(tmp_path)
    store.layout.current("hello").unlink()  # nothing is in use, and what was used is there
    stale = store.layout.left("hello") / "none" / "data"
    stale.mkdir(parents=True)
    (stale / "note").write_text("stale")
    _update(store)
    assert _seen(store) == NEW
    assert (stale / "note").read_text() == "old"


def test_a_repair_leaves_what_is_kept_for_a_rollback(tmp_path: Path) -> None:
    """The same version again, in the place of a broken one: what was before it can come back."""
    store = _store(tmp_path)
    _update(store)
    former = store.receipt("hello")["replaces"]
    entry, generation, artifact = begin(store, "hello", "0.2.0")
    (generation / "venv").mkdir()
    (generation / "venv" / "module.py").write_text("0.2.0")
    manifest = receipt("hello", "0.2.0", settings=table("2"))
    store.commit_install(entry, artifact, {**manifest, "replaces": former}, CLOCK)
    assert _seen(store) == NEW
    _rollback(store)
    assert _seen(store) == OLD


def test_what_is_made_of_them_meanwhile_is_kept_too(tmp_path: Path) -> None:
    """Back and forth, each version finds what it left; `gc` and an uninstallation leave nothing of it."""
    store = _store(tmp_path)
    _update(store)
    _set(store, {"colour": "blue"}, "2")
    (store.layout.data("hello") / "note").write_text("newer")
    _rollback(store)
    assert _seen(store) == OLD
    _set(store, {"color": "green"})
    _forward(store)
    assert _seen(store)[1:3] == ({"colour": "blue"}, "2")
    assert _seen(store)[3]["note"] == "newer"
    _rollback(store)
    assert _seen(store)[1] == {"color": "green"}
    put(store, "hello", "0.1.1")
    put(store, "hello", "0.1.2")
    collect(store)
    assert not list(store.layout.left("hello").glob("0.2.0-*"))
    store.remove("hello", purge=False)
    assert not store.layout.left("hello").exists()


def test_a_generation_that_lacks_what_it_needs_is_not_made_current(tmp_path: Path) -> None:
    """Neither without its steps, nor back to a version of which nothing is kept; nothing is changed."""
    store = _store(tmp_path)
    entry, _, artifact = begin(store, "hello", "0.2.0")
    manifest = receipt("hello", "0.2.0", settings=table("2"))
    with pytest.raises(BelongingsError, match="settings changed while it was installed"):
        store.commit_install(entry, artifact, manifest, CLOCK)
    store.abandon_install(entry)
    assert _seen(store) == OLD
    _update(store)
    shutil.rmtree(store.layout.left("hello"))
    with pytest.raises(BelongingsError, match="of version 2, and this one needs 1, of which nothing is kept"):
        _rollback(store)
    assert _seen(store) == NEW


def test_what_changed_since_the_copy_was_made_is_seen(tmp_path: Path) -> None:
    """A file, a name, a setting, a limit; what did not change is no reason."""
    store = _store(tmp_path)
    coming = tmp_path / "coming"
    layout, note = store.layout, store.layout.data("hello") / "note"

    def prepared() -> Path:
        belongings.write_coming(coming, Section({}), belongings.base_of(layout, "hello"))
        return coming

    belongings.check_base(layout, "hello", prepared())
    for change in (
        lambda: note.write_text("other"),
        lambda: note.rename(note.with_name("note2")),
        lambda: _set(store, {"color": "blue"}),
        lambda: _set(store, {"color": "blue", "limits.memory_mb": 1}),
    ):
        folder = prepared()
        change()
        with pytest.raises(BelongingsError, match="changed while its steps ran"):
            belongings.check_base(layout, "hello", folder)


def test_settings_of_before_any_version_count_as_1(tmp_path: Path) -> None:
    """Also those of a plugin that is not installed; where there is nothing at all, nothing has to be done."""
    store = Store(tmp_path)
    assert belongings.version_of(store.layout, "hello") == ""
    assert belongings.judge(store.layout, "hello", {"settings": table("2")}).kind == "record"
    _set(store, {"color": "red"})
    assert belongings.version_of(store.layout, "hello") == "1"
    assert [
        str(step) for step in belongings.judge(store.layout, "hello", {"settings": table("3")}).steps
    ] == [
        "1 to 2 (hello.steps:to_2)",
        "2 to 3 (hello.steps:to_3)",
    ]
    _set(store, {"color": "red"}, "nonsense")  # written by hand
    assert belongings.version_of(store.layout, "hello") == "1"


def test_a_lost_record_is_taken_from_what_is_in_use(tmp_path: Path) -> None:
    """Whoever deletes the file of settings does not have the steps run twice on the data."""
    store = _store(tmp_path)
    _update(store)
    store.layout.settings.unlink()
    assert belongings.version_of(store.layout, "hello") == "2"


def test_a_copy_follows_no_link_and_takes_no_pipe(tmp_path: Path) -> None:
    """Links stay links, also to folders; pipes are left out; times and modes stay."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("key")
    data = tmp_path / "data"
    (data / "deep" / "er").mkdir(parents=True)
    (data / "deep" / "er" / "file").write_text("x")
    (data / "deep" / "er" / "file").chmod(0o640)
    (data / "to-folder").symlink_to(secret)
    (data / "to-file").symlink_to(secret / "key")
    os.mkfifo(data / "pipe")
    copying.copy_folder(data, tmp_path / "copy")
    copy = tmp_path / "copy"
    assert sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*")) == [
        "deep",
        "deep/er",
        "deep/er/file",
        "to-file",
        "to-folder",
    ]
    assert os.readlink(copy / "to-folder") == str(secret)
    assert (copy / "deep" / "er" / "file").stat().st_mode & 0o777 == 0o640
    (data / "to-file").unlink()
    shutil.rmtree(data / "deep")
    (data / "deep").symlink_to(secret)
    copying.copy_folder(data / "deep", tmp_path / "other")
    assert list((tmp_path / "other").iterdir()) == []
