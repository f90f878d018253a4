"""Old widgets in today's workspace: the adapter and the shim."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from viloapp_sdk import PluginContext, Widget, _deprecated
from viloapp_sdk.compat import LegacyWidgetAdapter, create_compatibility_shim
from viloapp_sdk.errors import UnknownCommandError
from viloapp_sdk.services import Services


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of its own: nothing was warned of."""
    monkeypatch.setattr(_deprecated, "_told", set())


def _context() -> PluginContext:
    start = {"plugin_id": "p", "version": "1", "data_dir": ".", "resource_dir": ".", "settings": {}}
    return PluginContext(start, Services(lambda *a: a, lambda *a: a, lambda *a: lambda: None))


class ByMethod:
    """As the specification shows it."""

    title = "Panel"

    def __init__(self) -> None:
        self.given: Any = None

    def widget_id(self) -> str:
        """Return the id."""
        return "old.panel"

    def setup_widget(self, context: Any) -> str:
        """Set up."""
        self.given = context
        return "shown"


class ByAttribute:
    """An id that is no method, and neither title nor set-up."""

    widget_id = "old.attribute"


class ByProperty:
    """Everything computed."""

    @property
    def widget_id(self) -> str:
        """The id."""
        return "old.property"

    def title(self) -> str:
        """Return the title."""
        return "Told"

    def initialize(self, context: Any) -> dict[str, Any]:
        """Take today's context."""
        self.context = context
        return {"text": "of initialize"}

    def setup_widget(self, context: Any) -> None:
        """Not called where there is an `initialize`."""
        raise AssertionError


@pytest.mark.parametrize(
    ("legacy", "id", "title"),
    [
        (ByMethod, "old.panel", "Panel"),
        (ByAttribute, "old.attribute", "ByAttribute"),
        (ByProperty, "old.property", "Told"),
    ],
)
def test_id_and_title_however_they_are_said(legacy: type, id: str, title: str) -> None:
    """A method, an attribute or a property; without a title the class's name."""
    adapter = LegacyWidgetAdapter(legacy())
    assert (adapter.get_widget_id(), adapter.get_title()) == (id, title)
    assert isinstance(adapter, Widget)


def test_the_old_context_holds_exactly_three_services() -> None:
    """They are the context's own."""
    context = _context()
    adapter = LegacyWidgetAdapter(ByMethod())
    assert adapter.initialize(context, "i1") == "shown"
    services = context.services
    assert adapter.legacy_widget.given == {
        "workspace": services.workspace,
        "theme": services.theme,
        "commands": services.commands,
    }
    assert adapter.instance_id == "i1"
    assert adapter.create({}) == {"text": "shown"}


def test_an_initialize_gets_todays_context() -> None:
    """It comes before a `setup_widget`."""
    context = _context()
    adapter = LegacyWidgetAdapter(ByProperty())
    adapter.initialize(context, "i")
    assert adapter.legacy_widget.context is context
    assert adapter.create({}) == {"text": "of initialize"}
    nothing = LegacyWidgetAdapter(ByAttribute())
    assert nothing.initialize(context) is None
    assert nothing.create({}) == {"text": "ByAttribute"}


def test_the_rest_is_passed_on_where_it_is_there() -> None:
    """State, messages and the end."""

    class Full(ByMethod):
        closed = False
        state: Any = None

        def handle_command(self, command: str, args: dict[str, Any]) -> Any:
            return [command, args]

        def get_state(self) -> dict[str, Any]:
            return {"a": 1}

        def restore_state(self, state: dict[str, Any]) -> None:
            self.state = state

        def cleanup(self) -> None:
            self.closed = True

    adapter = LegacyWidgetAdapter(Full())
    adapter.restore_state({"b": 2})
    assert adapter.legacy_widget.state == {"b": 2}
    assert adapter.handle_command("x", {"y": 1}) == ["x", {"y": 1}]
    assert adapter.get_state() == {"a": 1}
    adapter.destroy()
    assert adapter.legacy_widget.closed
    bare = LegacyWidgetAdapter(ByMethod())
    bare.restore_state({})
    bare.destroy()
    assert bare.get_state() == {}
    with pytest.raises(UnknownCommandError):
        bare.handle_command("x", {})


@pytest.mark.parametrize(
    ("use", "replacement"),
    [
        (lambda adapter: adapter.widget_id, "use get_widget_id()"),
        (lambda adapter: adapter.setup_widget(_context()), "use initialize()"),
    ],
)
def test_warnings_point_at_who_called(use: Callable[[Any], Any], replacement: str) -> None:
    """At this file and that line, with the name of what takes its place."""
    adapter = LegacyWidgetAdapter(ByMethod())
    with pytest.warns(DeprecationWarning, match="is deprecated") as caught:
        assert use(adapter) in ("old.panel", "shown")
    (warning,) = caught
    assert replacement in str(warning.message)
    assert (warning.filename, warning.lineno) == (__file__, inspect.getsourcelines(use)[1])


def test_a_class_that_wraps_a_class() -> None:
    """That is what a plugin lists among its widgets; one that wraps nothing says so."""

    class Panel(LegacyWidgetAdapter):
        id = "p.panel"
        legacy = ByMethod

    class Made(LegacyWidgetAdapter):
        id = "p.made"

        def legacy() -> ByMethod:  # type: ignore[misc]
            return ByMethod()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Panel().get_widget_id() == Made().get_widget_id() == "old.panel"
    with pytest.raises(TypeError, match=r"set LegacyWidgetAdapter\.legacy to its class"):
        LegacyWidgetAdapter()


def _made(cls: type, *args: Any, **kwargs: Any) -> tuple[Any, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = create_compatibility_shim(cls)(*args, **kwargs)
    for warning in caught:
        assert warning.category is DeprecationWarning
        assert warning.filename == __file__
    return made, [str(warning.message) for warning in caught]


class Keywords:
    """Sets an attribute before anything else, as many did."""

    def __init__(self, parent: Any = None, *, size: int = 1) -> None:
        self.parent, self.size = parent, size


def test_new_arguments_are_left_out_before_the_old_init() -> None:
    """With one warning that names them and what takes their place."""
    made, told = _made(Keywords, "p", size=3, theme="dark", context=1)
    assert (made.parent, made.size) == ("p", 3)
    assert isinstance(made, Keywords)
    assert type(made).__name__ == "Keywords"
    (message,) = told
    assert "Keywords() does not take theme, context" in message
    assert "viloapp_sdk.Widget" in message
    assert _made(Keywords, parent=2)[1] == []


def test_one_that_takes_anything_gets_everything() -> None:
    """`**kwargs` and `*args` are taken at their word, and `self` is no argument's name."""

    class Anything:
        def __init__(this, *args: Any, **kwargs: Any) -> None:
            this.got = (args, kwargs)

    made, told = _made(Anything, 1, 2, theme="dark", self="me")
    assert made.got == ((1, 2), {"theme": "dark", "self": "me"})
    assert told == []


def test_positional_arguments() -> None:
    """Too many are left out; a positional-only one is not passed by name."""

    class Few:
        def __init__(self, parent: Any, /, name: str = "n") -> None:
            self.got = (parent, name)

    made, told = _made(Few, 1, "a", "b", "c", parent=9)
    assert made.got == (1, "a")
    assert "does not take argument 3, argument 4, parent" in told[0]
    with pytest.raises(TypeError, match="multiple values"):
        create_compatibility_shim(Keywords)(1, parent=2)
    with pytest.raises(TypeError, match="missing"):
        create_compatibility_shim(Few)()


def test_one_without_an_init_takes_nothing() -> None:
    """`object` says of itself that it takes anything, and does not."""
    made, told = _made(ByAttribute, 1, theme="dark")
    assert made.widget_id == "old.attribute"
    assert "argument 1, theme" in told[0]


def test_an_inherited_init_counts() -> None:
    """And a shim of a shim is one as well."""

    class Child(Keywords):
        pass

    made, told = _made(Child, size=2, theme="x")
    assert (made.size, len(told)) == (2, 1)
    again, told = _made(create_compatibility_shim(Child), size=4)
    assert (again.size, told) == (4, [])


def test_a_class_written_in_c_that_does_not_say() -> None:
    """Everything is passed on: nothing is known to be wrong."""
    made, told = _made(dict, a=1)
    assert made == {"a": 1}
    assert told == []
