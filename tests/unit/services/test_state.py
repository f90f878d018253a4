"""Commands, events, themes and open widgets: the host's plain state."""

import time
from typing import Any

import pytest

from viloapp_core.services import Command, Commands, EventBus, Instance, Theme, Workspace
from viloapp_core.services.errors import ThemeError
from viloapp_core.services.theme import THEMES
from viloapp_sdk.errors import InvalidArgumentsError, UnknownCommandError, UnknownWidgetError


def test_the_first_plugin_keeps_a_command_id() -> None:
    """A plugin that offers another's command at run time does not take it over."""
    commands = Commands()
    commands.register([Command("a.run", "a", "Run")])
    commands.register([Command("a.run", "b", "Steal"), Command("b.run", "b", "Run")])
    assert commands.find("a.run") == ("a", "a.run", False)
    assert commands.find("b:a.run") == ("b", "a.run", False)
    commands.forget("a")
    with pytest.raises(UnknownCommandError, match=r"a\.run"):
        commands.find("a.run")


def test_events_go_to_their_subscribers_in_order_and_to_nobody_else() -> None:
    """A plugin whose worker ended is not told any more."""
    told: list[tuple[str, str, Any]] = []
    bus = EventBus(lambda plugins, type, body: told.extend((plugin, type, body) for plugin in plugins))
    bus.subscribe("b", "x")
    bus.subscribe("a", "x")
    bus.subscribe("a", "y")
    bus.emit("x", "host", {"n": 1})
    assert told == [(plugin, "x", {"source": "host", "data": {"n": 1}}) for plugin in "ba"]
    bus.forget("b")
    told.clear()
    bus.emit("x", "host", {})
    assert [plugin for plugin, *_ in told] == ["a"]


def test_what_a_plugin_listens_to_is_bounded_and_forgotten_with_it() -> None:
    """A plugin cannot fill the host with names of events, and its next worker starts from nothing."""
    bus = EventBus(lambda plugins, type, body: None)
    with pytest.raises(InvalidArgumentsError, match="200 characters"):
        bus.subscribe("a", "x" * 201)
    for _ in range(2):
        for number in range(1000):
            bus.subscribe("a", str(number))
        bus.subscribe("a", "0")
        with pytest.raises(InvalidArgumentsError, match="1000 types"):
            bus.subscribe("a", "one more")
        bus.subscribe("b", "one more")
        bus.forget("a")


def test_a_giant_name_is_refused_at_once_and_not_repeated() -> None:
    """To look for what is close to it would hold up the host for seconds."""
    commands = Commands()
    commands.register([Command("ab" * 64, "a", "Run")])
    before = time.monotonic()
    with pytest.raises(UnknownCommandError) as caught:
        commands.find("ab" * 4_000_000)
    assert len(str(caught.value)) < 1000
    assert time.monotonic() - before < 0.5


def test_every_theme_has_the_same_colours() -> None:
    """A key that one theme has and another lacks would be black there."""
    keys = {tuple(sorted(colors)) for colors in THEMES.values()}
    assert len(keys) == 1


def test_a_theme_is_changed_once_and_an_unknown_colour_is_black() -> None:
    """Setting the current theme again tells nobody."""
    changes: list[str] = []
    theme = Theme("no such theme", changes.append)
    assert theme.get_current_theme() == "dark"
    theme.set("light")
    theme.set("light")
    assert changes == ["light"]
    assert theme.get_color("background") == THEMES["light"]["background"]
    assert theme.get_color("nothing") == "#000000"
    with pytest.raises(ThemeError, match="pink"):
        theme.set("pink")


def test_instances_come_get_the_focus_and_go() -> None:
    """The active instance is one that is open, or none."""
    workspace = Workspace()
    one, two = (Instance(workspace.new_id(), "w", plugin, "text", "T") for plugin in "ab")
    workspace.add(one)
    workspace.add(two)
    assert workspace.active() is two
    workspace.activate(one.id)
    assert workspace.remove(one.id) is one
    assert workspace.active() is None
    assert workspace.remove(one.id) is None
    assert workspace.of_plugin("b") == [two]
    with pytest.raises(UnknownWidgetError):
        workspace.activate(one.id)
