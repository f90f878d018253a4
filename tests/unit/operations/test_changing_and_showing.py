"""Uninstall, enable, disable, list and describe."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.operations.conftest import Plugin
from viloapp_core.operations import (
    InstallOutcome,
    SeveralProblemsError,
    describe,
    disable,
    enable,
    listing,
    uninstall,
)
from viloapp_core.store import NotInstalledError, Store

Run = Callable[..., list[InstallOutcome]]


@pytest.fixture
def two(plugin: Plugin, run: Run) -> None:
    """`hello`, and `caller` that requires it."""
    run(plugin(), plugin("caller", requires_plugins=["Hello>=0.1"]))


@pytest.mark.usefixtures("two")
def test_uninstalling_is_dry_or_done(store: Store) -> None:
    """A dry run removes nothing; each is removed once, however it is written."""
    (outcome,) = uninstall(store, ["CALLER"], dry_run=True)
    assert outcome.status == "would remove"
    assert len(store.plugins()) == 2
    both = uninstall(store, ["hello", "caller", "Hello"])
    assert [item.status for item in both] == ["removed", "removed"]
    assert dict(store.plugins()) == {}


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("change", [uninstall, enable, disable])
def test_unknown_ids_change_nothing(store: Store, change: Callable[..., object]) -> None:
    """All unknown ones are told, and the known one stays as it is."""
    with pytest.raises(SeveralProblemsError, match="nobody is not installed\nnoone is not installed"):
        change(store, ["hello", "nobody", "noone"])
    with pytest.raises(NotInstalledError):
        change(store, ["nobody"])
    assert store.plugin("hello").enabled


@pytest.mark.usefixtures("two")
def test_disable_and_enable(store: Store) -> None:
    """The reason is what listings show."""
    (plugin,) = disable(store, ["Caller"], "too loud")
    assert (plugin.enabled, plugin.reason) == (False, "too loud")
    rows = {row["id"]: row for row in listing(store)}
    assert (rows["caller"]["enabled"], rows["caller"]["reason"]) == (False, "too loud")
    assert rows["caller"]["signature"] == "UNSIGNED"
    assert rows["hello"]["enabled"]
    assert enable(store, ["caller"])[0].enabled


def test_pip_installed_plugins_are_listed_as_not_managed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row says how to install it properly; the plugin is not loaded."""
    info = tmp_path / "site" / "beside-3.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: beside\nVersion: 3\n")
    (info / "entry_points.txt").write_text("[viloapp.plugins]\nbeside = beside:Evil\n")
    (tmp_path / "site" / "beside.py").write_text("raise SystemExit('loaded')")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (row,) = (row for row in listing(store) if row["id"] == "beside")
    assert (row["managed"], row["enabled"], row["version"]) == (False, False, "3")
    assert "viloapp install beside" in row["reason"]


@pytest.mark.usefixtures("two")
def test_describing_what_is_installed_and_a_wheel(store: Store, plugin: Plugin) -> None:
    """Both have the same manifest; the installed one has its environment too."""
    installed = describe(store, "Hello")
    wheel = describe(store, str(plugin()))
    assert installed["manifest"] == wheel["manifest"]
    assert (installed["installed"], wheel["installed"]) == (True, False)
    assert Path(installed["environment"]).is_dir()
    assert installed["python"]["version"] == store.plugin("hello").python_version
    assert installed["packages"][0]["name"] == "hello"
    with pytest.raises(NotInstalledError):
        describe(store, "nobody")


@pytest.mark.usefixtures("two")
def test_damaged_plugins_are_told_and_can_be_mended(store: Store, plugin: Plugin, run: Run) -> None:
    """A lost receipt, a lost generation, a lost Python: each is listed with its remedy, and goes away."""
    run(plugin("third"))
    (store.plugin("hello").generation / "receipt.json").unlink()
    shutil.rmtree(store.plugin("caller").generation)
    store.plugin("third").python.unlink()
    rows = {row["id"]: row["reason"] for row in listing(store)}
    assert set(rows) == {"hello", "caller", "third"}
    assert all(f"viloapp repair {name}" in rows[name] for name in ("caller", "third"))
    enable(store, ["third"])  # any change rewrites the index, which then lacks what cannot be read
    rows = {row["id"]: row["reason"] for row in listing(store)}
    assert set(rows) == {"hello", "caller", "third"}
    assert all(rows.values())
    assert [item.status for item in uninstall(store, ["caller"])] == ["removed"]
    run("hello", "third", force_reinstall=True)
    assert {row["id"]: row["reason"] for row in listing(store)} == {"hello": "", "third": ""}


@pytest.mark.usefixtures("two")
def test_data_that_was_left_can_be_purged(store: Store) -> None:
    """Uninstalled first, purged later; without `purge` it is not installed."""
    (store.plugin("hello").data_dir / "notes").write_text("mine")
    uninstall(store, ["hello", "caller"])
    with pytest.raises(NotInstalledError):
        uninstall(store, ["hello"])
    assert uninstall(store, ["hello"], purge=True)[0].data_kept is None
    assert not (store.root / "plugins/hello").exists()
