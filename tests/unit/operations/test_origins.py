"""An update looks where a plugin came from, and nowhere else unless it is told to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.index import Index
from tests.fixtures.wheels import forge
from tests.unit.operations.conftest import UNSIGNED, Person, Plugin
from viloapp_core.operations import InstallOptions, install, update
from viloapp_core.operations.origins import Origin, chosen, recorded
from viloapp_core.store import Store
from viloapp_sdk.errors import ViloError

Act = Callable[..., list[Any]]


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Index]:
    """The index of an organisation."""
    (tmp_path / "ours").mkdir()
    with Index(tmp_path / "ours", elsewhere=None) as index:
        yield index


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Index]:
    """Another, where somebody else may have plugins of the same names."""
    (tmp_path / "theirs").mkdir()
    with Index(tmp_path / "theirs", elsewhere=None) as index:
        yield index


@pytest.fixture
def act(tmp_path: Path, store: Store, person: Person) -> Act:
    """Return what installs what is named, or updates where nothing is; options by name."""
    sdk = forge(tmp_path / "wheelhouse", "viloapp-sdk", "1.0.0", {"viloapp_sdk/__init__.py": ""})

    def call(*names: str, ids: tuple[str, ...] = (), **options: Any) -> list[Any]:
        chosen = InstallOptions(allow_unsigned=UNSIGNED, **options)
        more: dict[str, Any] = {"options": chosen, "consent": person, "wheels": {"viloapp-sdk": sdk}}
        return install(store, names, **more) if names else update(store, ids, **more)

    return call


@pytest.fixture
def of_two_places(plugin: Plugin, ours: Index, theirs: Index, act: Act) -> None:
    """Have hello of one place and other of another."""
    plugin("hello", "0.1", to=ours.folder)
    plugin("other", "1.0", to=theirs.folder)
    act("hello", index_url=ours.url)
    act("other", index_url=theirs.url)


@pytest.mark.usefixtures("of_two_places")
def test_an_update_looks_where_each_plugin_came_from(
    store: Store, plugin: Plugin, ours: Index, theirs: Index, act: Act
) -> None:
    """Two plugins of two places are updated at once; neither place is asked for the other's."""
    for index, other in ((ours, "other"), (theirs, "hello")):
        plugin("hello", "0.2", to=index.folder)
        plugin("other", "1.1", to=index.folder)
        assert other not in index.asked
    outcomes = {outcome.plugin_id: outcome for outcome in act()}
    assert (outcomes["hello"].version, outcomes["other"].version) == ("0.2", "1.1")
    assert "other" not in ours.asked
    assert "hello" not in theirs.asked
    assert f"looked at {ours.url}" in outcomes["hello"].notes
    assert f"looked at {theirs.url}" in outcomes["other"].notes
    assert {outcome.status for outcome in act()} == {"unchanged"}
    assert store.receipt("hello")["index_url"] == ours.url


def test_what_is_named_now_counts_and_is_kept(
    store: Store, plugin: Plugin, ours: Index, theirs: Index, act: Act
) -> None:
    """`--index-url` of an update is the one that is asked, then and from then on."""
    plugin("hello", "0.1", to=ours.folder)
    act("hello", index_url=ours.url)
    plugin("hello", "0.2", to=theirs.folder)
    before = list(ours.asked)
    (outcome,) = act(index_url=theirs.url)
    assert (outcome.version, outcome.notes) == ("0.2", (f"looked at {theirs.url}",))
    plugin("hello", "0.3", to=theirs.folder)
    (outcome,) = act()
    assert outcome.version == "0.3"
    assert ours.asked == before


def test_a_place_that_is_gone_is_said_and_not_replaced(
    store: Store, plugin: Plugin, ours: Index, theirs: Index, act: Act
) -> None:
    """Refused with the place and the option; nothing is asked elsewhere, nothing is changed."""
    plugin("hello", "0.1", to=ours.folder)
    act("hello", index_url=ours.url)
    plugin("hello", "9.9", to=theirs.folder)
    (ours.folder / "hello-0.1-py3-none-any.whl").unlink()
    with pytest.raises(ViloError) as refused:
        act()
    assert f"looked at {ours.url}, where hello came from" in refused.value.hint
    assert "--index-url" in refused.value.hint
    assert store.plugin("hello").version == "0.1"
    assert theirs.asked == []


def test_what_is_installed_again_comes_from_the_same_place(
    store: Store, plugin: Plugin, ours: Index, theirs: Index, folder: Path, act: Act
) -> None:
    """`--force-reinstall`, and another version; where the receipt is damaged, the person says where."""
    plugin("hello", "0.1", to=ours.folder)
    act("hello", index_url=ours.url)
    plugin("hello", "0.2", to=ours.folder)
    act("hello==0.1", force_reinstall=True)
    act("hello==0.2")
    assert store.receipt("hello")["index_url"] == ours.url
    receipt = store.plugin("hello").generation / "receipt.json"
    receipt.chmod(0o600)
    receipt.write_text("{")
    plugin("hello", "0.3")
    act("hello", force_reinstall=True, offline=True, find_links=(str(folder),))
    assert store.plugin("hello").version == "0.3"


def test_a_folder_is_looked_at_again(store: Store, plugin: Plugin, folder: Path, act: Act) -> None:
    """What came from a folder with no index asked is looked for there, and at no index."""
    plugin("hello", "0.1")
    act("hello", offline=True, find_links=(os.path.relpath(folder),))
    assert (store.receipt("hello")["index_url"], store.receipt("hello")["find_links"]) == ("", [str(folder)])
    plugin("hello", "0.2")
    (outcome,) = act()
    assert (outcome.version, outcome.notes) == ("0.2", (f"looked at no index and {folder}",))


def test_what_becomes_required_comes_from_the_same_place(
    store: Store, plugin: Plugin, ours: Index, act: Act
) -> None:
    """A new version requires another plugin: that is looked for where the first came from, and so on."""
    plugin("hello", "0.1", to=ours.folder)
    act("hello", index_url=ours.url)
    plugin("hello", "0.2", requires_plugins=["other"], to=ours.folder)
    plugin("other", "1.0", requires_plugins=["third"], to=ours.folder)
    plugin("third", "1.0", to=ours.folder)
    act()
    assert {id: plugin.version for id, plugin in store.plugins().items()} == {
        "hello": "0.2",
        "other": "1.0",
        "third": "1.0",
    }
    assert store.receipt("third")["index_url"] == ours.url


@pytest.mark.usefixtures("of_two_places")
def test_what_several_places_require_is_asked_for(
    store: Store, plugin: Plugin, ours: Index, theirs: Index, act: Act
) -> None:
    """It may be another plugin at each: the person says which, and then it stays so."""
    plugin("hello", "0.2", requires_plugins=["third"], to=ours.folder)
    plugin("other", "1.1", requires_plugins=["third"], to=theirs.folder)
    plugin("third", "1.0", to=ours.folder)
    plugin("third", "6.6", to=theirs.folder)
    with pytest.raises(ViloError, match="third is required by plugins of several places") as refused:
        act()
    assert refused.value.hint == "install it first: viloapp install third --index-url URL"
    assert store.plugin("hello").version == "0.1"
    act("third", index_url=ours.url)
    act()
    assert (store.plugin("other").version, store.plugin("third").version) == ("1.1", "1.0")


def test_an_installation_leaves_others_where_they_came_from(
    store: Store, plugin: Plugin, ours: Index, folder: Path, act: Act
) -> None:
    """What it requires in a newer version is looked for at that plugin's own place."""
    plugin("hello", "0.1", to=ours.folder)
    act("hello", index_url=ours.url)
    plugin("hello", "0.2", to=ours.folder)
    plugin("hello", "0.3")
    plugin("other", "1.0", requires_plugins=["hello>=0.2"])
    act("other", find_links=(str(folder),), offline=True)
    assert store.plugin("hello").version == "0.3"  # who says where it is from, says it of all


def test_receipts_of_before_and_passwords() -> None:
    """An older receipt names its index, or nothing; none keeps what one logs in with."""
    assert recorded({"source": "index", "index_url": "PyPI"}) == Origin(None)
    assert recorded({"source": "index", "index_url": "https://a.example/simple"}) == Origin(
        "https://a.example/simple"
    )
    assert recorded({"source": "bundled", "index_url": None}) is None
    assert recorded({"source": "wheel", "index_url": "PyPI"}) is None
    kept = Origin("https://me:secret@a.example/simple", ("https://me:secret@b.example/", "/wheels"))
    assert kept.to_json() == {
        "index_url": "https://a.example/simple",
        "find_links": ["https://b.example/", "/wheels"],
    }
    assert "secret" not in str(kept)
    assert chosen(InstallOptions(), None) == Origin(None)
    assert chosen(InstallOptions(offline=True), None) == Origin("")
    assert chosen(InstallOptions(index_url="https://b.example"), kept) == Origin("https://b.example")
    assert chosen(InstallOptions(find_links=("/more",)), kept) == Origin(kept.index_url, ("/more",))
