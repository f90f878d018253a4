"""The format of workspace locks, and what has to be done to make one true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import tomli_w
import tomllib
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.operations import workspace_lock
from viloapp_core.operations.workspace_lock import (
    LockedPlugin,
    LockedWheel,
    LockFormatError,
    WorkspaceLock,
    decode,
    differences,
    encode,
)

names = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?", fullmatch=True)
versions = st.from_regex(r"(0|[1-9][0-9]?)\.(0|[1-9][0-9]?)", fullmatch=True)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)


def _wheel(name: str, version: str, sha256: str) -> LockedWheel:
    return LockedWheel(f"{name.replace('-', '_')}-{version}-py3-none-any.whl", sha256)


@st.composite
def plugins(draw: st.DrawFn, name: str | None = None) -> LockedPlugin:
    """Draw a plugin with what it imports."""
    plugin_id = name or draw(names)
    version, enabled = draw(versions), draw(st.booleans())
    others = draw(st.lists(names.filter(lambda other: other != plugin_id), max_size=3, unique=True))
    wheels = [
        _wheel(plugin_id, version, draw(hashes)),
        *(_wheel(other, "1.0", draw(hashes)) for other in others),
    ]
    return LockedPlugin(
        plugin_id,
        version,
        draw(st.sampled_from(workspace_lock.SOURCES)),
        draw(st.text()),
        draw(st.sampled_from(["3.10", "3.11", "3.13"])),
        enabled,
        "" if enabled else draw(st.text()),
        tuple(sorted(draw(st.lists(st.text(), max_size=3, unique=True)))),
        tuple(sorted(wheels)),
        draw(st.text()),
        draw(st.text()),
    )


stores = st.lists(plugins(), max_size=4, unique_by=lambda plugin: plugin.plugin_id)


@given(stores, st.randoms())
def test_a_lock_comes_back_whatever_the_order(found: list[LockedPlugin], random: Any) -> None:
    """What is written is what is read; the bytes depend on what is installed alone."""
    data = encode(WorkspaceLock(tuple(found), ('sys_platform == "linux"',)))
    random.shuffle(found)
    assert encode(WorkspaceLock(tuple(found), ('sys_platform == "linux"',))) == data
    lock = decode(data)
    assert lock.plugins == tuple(sorted(found, key=lambda plugin: plugin.plugin_id))
    assert encode(lock) == data


@given(st.binary() | st.text().map(str.encode))
def test_what_is_no_lock_is_refused_with_a_reason(data: bytes) -> None:
    """Whatever the bytes are, the answer is a `LockFormatError`."""
    with pytest.raises(LockFormatError) as caught:
        decode(data)
    assert caught.value.issues


HELLO = LockedPlugin(
    "hello", "1.0", "index", "hello>=1", "3.11", True, "", ("ui.open.x",), (_wheel("hello", "1.0", "0" * 64),)
)


def _written(change: Callable[[dict[str, Any]], Any]) -> bytes:
    value = tomllib.loads(encode(WorkspaceLock((HELLO,))).decode())
    change(value["plugins"][0])
    return tomli_w.dumps(value).encode()


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        (lambda item: item.update(id="../up"), "plugins[0].id: '../up' is not a plugin id"),
        (lambda item: item.update(source="dev"), "plugins[0].source: 'dev' is none of"),
        (lambda item: item.update(python="3"), "plugins[0].python: '3' is not like '3.11'"),
        (lambda item: item.update(enabled="yes"), "plugins[0].enabled: is not true or false"),
        (lambda item: item.update(enabld=True), "plugins[0].'enabld' is not known; is enabled meant?"),
        (lambda item: item.update(permissions=[1]), "plugins[0].permissions: is not a list of texts"),
        (lambda item: item.pop("version"), "plugins[0].version: is missing"),
        (lambda item: item.update(version="2.0"), "plugins[0].wheels: has no wheel of hello '2.0'"),
        (lambda item: item.update(wheels=[]), "plugins[0].wheels: has no wheel of hello '1.0'"),
        (lambda item: item.update(wheels=["x"]), "plugins[0].wheels[0]: is no table"),
        (lambda item: item["wheels"][0].update(sha256="A" * 64), "plugins[0].wheels[0].sha256: is not 64"),
        (lambda item: item["wheels"][0].update(filename="../hello-1.0-py3-none-any.whl"), "is no file name"),
        (lambda item: item["wheels"][0].update(filename="hello.tar.gz"), "is no file name of a wheel"),
        (lambda item: item["wheels"].append(item["wheels"][0]), "is a second wheel of hello"),
    ],
)
def test_each_fault_is_told_with_its_place(change: Callable[[dict[str, Any]], Any], issue: str) -> None:
    """A lock that a person edited says where it is wrong."""
    with pytest.raises(LockFormatError) as caught:
        decode(_written(change))
    assert any(issue in line for line in caught.value.issues), caught.value.issues


def test_all_faults_are_told_at_once() -> None:
    """Not one after the other."""
    with pytest.raises(LockFormatError) as caught:
        decode(_written(lambda item: item.update(id="?", source="?", python="?")))
    assert len(caught.value.issues) == 3
    twice = encode(WorkspaceLock((HELLO, HELLO)))
    with pytest.raises(LockFormatError, match="hello is there twice"):
        decode(twice)
    with pytest.raises(LockFormatError, match=r"environments\[0\]: is no marker"):
        decode(encode(WorkspaceLock((HELLO,), ("linux",))))


@given(stores)
def test_equal_is_equal(found: list[LockedPlugin]) -> None:
    """Nothing is to be done for what the lock says, whoever was thought to have signed it."""
    here = {plugin.plugin_id: replace(plugin, signature="x", publisher="y") for plugin in found}
    assert differences(here, WorkspaceLock(tuple(found))) == ()


@given(stores, stores)
def test_every_difference_is_found_and_no_other(here: list[LockedPlugin], there: list[LockedPlugin]) -> None:
    """Doing what is said, and only that, makes the one equal to the other."""
    made = {plugin.plugin_id: plugin for plugin in here}
    wanted = {plugin.plugin_id: plugin for plugin in there}
    for item in differences(dict(made), WorkspaceLock(tuple(there))):
        if item.change == "remove":
            del made[item.plugin_id]
        elif item.installs:
            made[item.plugin_id] = wanted[item.plugin_id]
        else:
            state = wanted[item.plugin_id]
            made[item.plugin_id] = replace(made[item.plugin_id], enabled=state.enabled, reason=state.reason)
    bare = {key: replace(plugin, signature="", publisher="") for key, plugin in made.items()}
    assert bare == {key: replace(plugin, signature="", publisher="") for key, plugin in wanted.items()}


@pytest.mark.parametrize(
    ("changes", "change", "detail"),
    [
        ({"version": "1.1"}, "update", ""),
        ({"version": "0.9"}, "downgrade", ""),
        ({"version": "0.10"}, "downgrade", ""),
        ({"enabled": False, "reason": "broken"}, "disable", "disabled: broken"),
        ({"requested": "hello"}, "rebuild", "requested: hello>=1 → hello"),
        ({"python": "3.12"}, "rebuild", "python: 3.11 → 3.12"),
        ({"permissions": ()}, "rebuild", "permissions: ui.open.x → none"),
        ({"wheels": (_wheel("hello", "1.0", "1" * 64),)}, "rebuild", "with hello-1.0-py3-none-any.whl"),
    ],
)
def test_what_is_to_be_done_has_a_name(changes: dict[str, Any], change: str, detail: str) -> None:
    """Versions are compared as versions; what else differs is a line."""
    (found,) = differences({"hello": HELLO}, WorkspaceLock((replace(HELLO, **changes),)))
    assert found.change == change
    assert not detail or detail in found.details


def test_what_is_damaged_is_made_anew_or_removed() -> None:
    """Its receipt may not even be readable."""
    (found,) = differences({}, WorkspaceLock((HELLO,)), ["hello"])
    assert (found.change, found.installed, found.wanted) == ("rebuild", "damaged", "1.0")
    (found,) = differences({}, WorkspaceLock(()), ["hello"])
    assert found.change == "remove"


def test_a_file_is_locked_by_its_name_alone() -> None:
    """The folder that it was in says nothing on another machine."""
    receipt = {
        "plugin_id": "hello",
        "version": "1.0",
        "source": "wheel",
        "requested": "/home/me/hello-1.0-py3-none-any.whl",
        "python_version": "3.11.7",
        "permissions": ["b", "a"],
        "packages": [{"filename": "hello-1.0-py3-none-any.whl", "sha256": "0" * 64}],
    }
    locked = workspace_lock.locked(receipt, True, "")
    assert (locked.requested, locked.python) == ("hello-1.0-py3-none-any.whl", "3.11")
    assert locked.permissions == ("a", "b")
