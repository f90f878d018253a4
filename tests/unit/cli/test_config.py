"""Settings from the command line, with and without a running host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from viloapp_core.host import SyncHost
from viloapp_core.store import InstalledPlugin, Store

from .conftest import Ran

CONFIGURATION = {
    "size": {"type": "integer", "default": 14, "minimum": 6, "description": "Pixels."},
    "title": {"type": "string", "default": "none"},
    "flags": {"type": "array", "default": []},
}


@pytest.fixture
def config(installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran]) -> Callable[..., Ran]:
    """Return a function that runs `viloapp config ARGS` where a plugin has settings."""
    installed(configuration=CONFIGURATION)

    def run(*args: str) -> Ran:
        return viloapp("config", *args)

    return run


@pytest.mark.parametrize(
    ("key", "typed", "value", "printed"),
    [
        ("hello.size", "20", 20, "20"),
        ("hello.title", "20", "20", "20"),
        ("hello.title", "-x", "-x", "-x"),
        ("hello.flags", '["a"]', ["a"], '["a"]'),
    ],
)
def test_set_get_unset(config: Callable[..., Ran], key: str, typed: str, value: Any, printed: str) -> None:
    """The setting's own type says what was typed; text is printed bare."""
    default = config("get", key, "--json").json["value"]
    assert config("set", key, typed) == Ran(0, "", "")
    assert config("get", key).out == printed + "\n"
    assert config("get", key, "--json").json == {"schema": 1, "key": key, "value": value}
    assert config("unset", key).code == 0
    assert config("get", key, "--json").json["value"] == default


@pytest.mark.parametrize(
    "args",
    [("get", "hello.sise"), ("set", "hello.size", "5"), ("set", "hello.size", "big"), ("unset", "nope")],
)
def test_refusals_are_one_line_and_change_nothing(config: Callable[..., Ran], args: tuple[str, ...]) -> None:
    """Unknown keys and values that do not fit are exit code 1."""
    before = config("list", "--json").json
    ran = config(*args)
    assert (ran.code, ran.out, ran.err.count("error: ")) == (1, "", 1)
    assert config("list", "--json").json == before


def test_list_shows_value_and_default(config: Callable[..., Ran]) -> None:
    """The table has every setting, the workspace's too."""
    config("set", "hello.size", "20")
    rows = {line.split()[0]: line.split()[1:3] for line in config("list").out.splitlines()}
    assert rows["hello.size"] == ["20", "14"]
    assert "core.theme" in rows


def test_a_running_host_tells_its_subscribers(config: Callable[..., Ran], store: Store) -> None:
    """`config set` and `unset` go through the host, whose page and plugins hear of them."""
    heard: list[Any] = []
    with SyncHost(store.root) as host:
        host.subscribe(lambda name, data: heard.append(data) if name == "settings.changed" else None)
        config("set", "hello.size", "30")
        config("unset", "hello.size")
        assert config("set", "hello.size", "1").code == 1
    assert [(event["key"], event["value"]) for event in heard] == [("hello.size", 30), ("hello.size", 14)]
