"""An index that somebody has edited: made anew, or one line with the next step, whatever it says."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.store.conftest import put
from viloapp_core.operations import repair
from viloapp_core.store import Store, index
from viloapp_core.store.errors import StoreError
from viloapp_core.store.layout import Layout
from viloapp_core.store.listed import CHECKSUM
from viloapp_sdk.errors import ViloError

Damage = Callable[[bytes], bytes]
PLUGIN = b'"plugin-0003"'


def _line(part: int, edit: Damage) -> Damage:
    """Return what edits a plugin's line in the rows (0) or the details (1)."""

    def damage(data: bytes) -> bytes:
        lines = data.split(b"\n")
        at = [number for number, line in enumerate(lines) if line.startswith(PLUGIN + b":")][part]
        return b"\n".join([*lines[:at], *edit(lines[at]).split(b"\n"), *lines[at + 1 :]])

    return damage


def _without(part: int) -> Damage:
    return lambda data: _line(part, lambda line: b"GONE")(data).replace(b"GONE\n", b"")


def _replaced(old: bytes, new: bytes, count: int = -1) -> Damage:
    def damage(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, count)

    return damage


def _row(key: bytes, value: bytes) -> Damage:
    return lambda line: re.sub(b'"%s":("[^"]*"|\\[.*?\\]|[a-z]+)' % key, b'"%s":%s' % (key, value), line)


EDITED: dict[str, Damage] = {
    "another schema": _replaced(b'"schema":7', b'"schema":8'),
    "an earlier schema": _replaced(b'"schema":7', b'"schema":6'),
    "no row": _without(0),
    "no details": _without(1),
    "a row twice": _line(0, lambda line: line + b"\n" + line),
    "details twice": _line(1, lambda line: line + b"\n" + line),
    "a row that is none": _line(0, lambda line: PLUGIN + b":nonsense,"),
    "details that are none": _line(1, lambda line: PLUGIN + b":nonsense,"),
    "a row of another kind": _line(0, lambda line: PLUGIN + b":[],"),
    "details of another kind": _line(1, lambda line: PLUGIN + b":7,"),
    "nothing in a row": _line(0, lambda line: PLUGIN + b":{},"),
    "nothing in details": _line(1, lambda line: PLUGIN + b":{},"),
    "deep details": _line(1, lambda line: PLUGIN + b":" + b"[" * 100_000 + b","),
    "an id that is a way": _replaced(PLUGIN, b'"../../../etc"'),
    "an id that is a way in a row": _line(0, _replaced(PLUGIN, b'"../../../etc"')),
    "an id that is a way in details": _line(1, _replaced(PLUGIN, b'"../../../etc"')),
    "a command before all lines": _replaced(b'"details":{', b'"details":{"id":"plugin-0003.run",'),
    "a command after all lines": lambda data: data.replace(CHECKSUM, b'"id":"plugin-0003.run"' + CHECKSUM),
    "an id that is a way before the rows": _replaced(PLUGIN, b'"../../../etc"', 1),
    "an id twice": _replaced(PLUGIN + b",", PLUGIN + b"," + PLUGIN + b",", 1),
    "an id too many": _replaced(PLUGIN + b",", PLUGIN + b',"plugin-0003x",', 1),
    "an id too few": _replaced(PLUGIN + b",", b"", 1),
    "ids of another kind": lambda data: re.sub(rb'"ids":\[[^]]*\]', b'"ids":{"a":1}', data, count=1),
    "a generation elsewhere": _line(0, _row(b"generation", b'"../../../../elsewhere"')),
    "a generation above": _line(0, _row(b"generation", b'".."')),
    "a generation that is a number": _line(0, _row(b"generation", b"5")),
    "commands that are a number": _line(1, _row(b"commands", b"5")),
    "a revision that is text": _replaced(b'"revision":', b'"revision":"x","r":', 1),
    "activation of another kind": _replaced(b'"activation":{}', b'"activation":[]'),
    "activation of nobody": _replaced(b'"activation":{}', b'"activation":{"onStartup":["nobody"]}'),
    "disabled is text": _replaced(b'"disabled":[]', b'"disabled":"plugin-0003"'),
    "former names of another kind": _replaced(b'"former":{}', b'"former":[]'),
    "a former name of nobody": _replaced(b'"former":{}', b'"former":{"a":"../../b"}'),
    "related is a number": _replaced(b'"related":[]', b'"related":5'),
    "no second half": _replaced(b',\n"details":', b',\n"other":'),
    "deep head": _replaced(b'"former":{}', b'"former":' + b"[" * 100_000),
}


def _summed(data: bytes) -> bytes:
    """Return an edited index with the sum that belongs to it."""
    kept = data[: data.rfind(CHECKSUM)]
    return kept + CHECKSUM + b"%d}\n" % zlib.crc32(kept)


def _read_whole(plugins: index.Plugins) -> None:
    """Ask for everything of everybody, first one by one."""
    for plugin_id in plugins:
        plugin = plugins[plugin_id]
        assert plugin.generation.parent.name == "generations"
    assert plugins.rows.keys() == set(plugins)
    assert {*plugins.naming("plugin-0003.run")} <= {*plugins}
    plugins.unusual()


def _refusal(act: Callable[[], object]) -> str:
    """Return the hint of the error of ours that something ends in, empty where it does not."""
    try:
        act()
    except ViloError as error:
        return error.hint
    return ""


@pytest.mark.parametrize("damage", EDITED.values(), ids=EDITED)
def test_an_edited_index_of_a_thousand_plugins_is_an_error_of_ours(
    rows: Callable[[int], dict[str, dict[str, Any]]], tmp_path: Path, damage: Damage
) -> None:
    """With the right sum too, which nobody comes by through an accident; what is read is a store's."""
    whole = index.encode(7, rows(1000))
    edited = damage(whole)
    assert edited != whole
    layout = Layout(tmp_path)
    with pytest.raises(StoreError):
        index.decode(edited, layout)
    hint = _refusal(lambda: _read_whole(index.decode(_summed(edited), layout)[1]))
    harmless = (EDITED["a row twice"], EDITED["details twice"])
    assert hint in ("viloapp repair", "any viloapp command rebuilds it", *[""] * (damage in harmless))


@pytest.mark.parametrize("damage", EDITED.values(), ids=EDITED)
def test_an_edited_index_is_mended(store: Store, damage: Damage) -> None:
    """By the reader where it shows at once, else by what the error names: afterwards it is as it was."""
    for number in range(5):
        put(store, f"plugin-{number:04}")
    whole = store.layout.index.read_bytes()
    store.layout.index.write_bytes(_summed(damage(whole)))
    assert _refusal(lambda: _read_whole(Store(store.root).plugins())) in ("", "viloapp repair")
    _refusal(lambda: repair(store))  # there are no wheels here from which it would make plugins anew
    plugins = Store(store.root).plugins()
    _read_whole(plugins)
    assert sorted(plugins) == [f"plugin-{number:04}" for number in range(5)]


def test_cut_and_scrambled_indexes_are_never_taken(
    rows: Callable[[int], dict[str, dict[str, Any]]], tmp_path: Path
) -> None:
    """A thousand lines, cut anywhere, with bytes changed, lines missing, twice or in another order."""
    whole, layout, chance = index.encode(7, rows(1000)), Layout(tmp_path), random.Random(7)
    lines = whole.split(b"\n")
    for _ in range(50):
        at, to = sorted(chance.sample(range(len(whole)), 2))
        first, second = chance.sample(range(2, len(lines) - 4), 2)
        swapped = [*lines]
        swapped[first], swapped[second] = swapped[second], swapped[first]
        for damaged in (
            whole[:at],
            whole[:at] + whole[to:],
            whole[:at] + chance.randbytes(16) + whole[at + 16 :],
            b"\n".join([*lines[:first], *lines[first + 1 :]]),
            b"\n".join([*lines[:first], lines[second], *lines[first:]]),
            b"\n".join(swapped),
        ):
            with pytest.raises(StoreError):
                index.decode(damaged, layout)


@pytest.fixture
def rows(store: Store) -> Callable[[int], dict[str, dict[str, Any]]]:
    """Return a maker of the rows of many plugins."""
    put(store, "plugin-0000")
    plugins = store.plugins()
    one = plugins._row("plugin-0000")

    def make(count: int) -> dict[str, dict[str, Any]]:
        ids = [f"plugin-{number:04}" for number in range(count)]
        return {id: {**one, "commands": [{"id": f"{id}.run"}]} for id in ids}

    return make


def test_a_folder_in_its_place_is_told_of(store: Store) -> None:
    """Readers do without; whoever writes it says what to do, and what counts is there once it is gone."""
    put(store, "hello")
    store.layout.index.unlink()
    store.layout.index.mkdir()
    assert list(Store(store.root).plugins()) == ["hello"]
    with pytest.raises(ViloError, match=r"index\.json cannot be written: Is a directory") as refused:
        Store(store.root).set_enabled(["hello"], False)
    assert refused.value.hint == "move that folder away"
    store.layout.index.rmdir()
    assert not Store(store.root).plugin("hello").enabled
