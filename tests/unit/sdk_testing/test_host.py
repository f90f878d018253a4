"""The kit's host: what the contract suite does not ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

import pytest

from viloapp_sdk import Plugin, Widget, command
from viloapp_sdk.errors import (
    HandlerError,
    NotStreamingError,
    PermissionDeniedError,
    StreamingCommandError,
)
from viloapp_sdk.testing import Denial, FakeHost


class Panel(Widget):
    """A widget that says when it is closed."""

    id = "hello.panel"
    closed: ClassVar[list[str]] = []

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        """Show what it was opened with."""
        return {"text": params.get("text", "")}

    def destroy(self) -> None:
        """Note it."""
        self.closed.append(self.instance_id)


class Hello(Plugin):
    """A plugin with one of each."""

    widgets = (Panel,)
    ended = False
    ended_streams = 0

    @command("hello.greet")
    def greet(self, name: str = "world") -> str:
        """Greet."""
        self.context.event_bus.emit("hello.greeted", {"name": name})
        return f"Hello, {name}!"

    @command("hello.later")
    async def later(self, seconds: float = 0) -> str:
        """Greet after a while."""
        await asyncio.sleep(seconds)
        return str(await self.context.services.aio.theme.get_current_theme())

    @command("hello.fails")
    def fails(self) -> None:
        """Fail."""
        raise ValueError("on purpose")

    @command("hello.listen")
    def listen(self) -> None:
        """Subscribe with a callback that fails."""
        self.context.event_bus.subscribe("theme.changed", self._broken)

    @command("hello.count")
    def count(self, upto: int) -> Iterator[bytes]:
        """Stream."""
        try:
            for number in range(upto):
                yield b"%d" % number
            if upto > 3:
                raise ValueError("on purpose")
        finally:
            self.ended_streams += 1

    @command("hello.count_later")
    async def count_later(self, upto: int) -> AsyncIterator[bytearray]:
        """Stream."""
        try:
            for number in range(upto):
                await asyncio.sleep(0)
                yield bytearray(b"%d" % number)
            if upto > 3:
                raise ValueError("on purpose")
        finally:
            self.ended_streams += 1

    @command("hello.text")
    def text(self) -> Iterator[str]:
        """Stream what is no bytes."""
        yield "text"

    @command("hello.ask")
    def ask(self) -> bool:
        """Ask for a permission."""
        return self.context.request_permission("system.environment.LANG", "to greet you")

    @command("hello.connect")
    def connect(self) -> list[Any]:
        """Open a door."""
        return list(self.context.services.network.forward("db.example.com", 5432))

    def _broken(self, event: object) -> None:
        raise RuntimeError("in a callback")

    def shutdown(self) -> None:
        """Note it."""
        type(self).ended = True


@pytest.fixture
def kit() -> Iterator[FakeHost]:
    """A host with the plugin."""
    host = FakeHost("hello", version="2.0")
    host.load(Hello)
    yield host
    host.close()


def test_a_plain_and_an_async_command(kit: FakeHost) -> None:
    """Both are called alike, with arguments by name."""
    assert kit.call("hello.greet", name="you") == "Hello, you!"
    assert kit.call("hello:hello.greet", {"name": "me"}) == "Hello, me!"
    assert kit.call("hello.later") == "dark"
    assert kit.events.expect("hello.greeted", {"name": "you"}).source == "hello"


def test_an_async_command_in_a_loop_that_runs(kit: FakeHost) -> None:
    """A test that is a coroutine itself awaits it."""
    assert asyncio.run(kit.call_async("hello.later")) == "dark"


@pytest.mark.parametrize("name", ["hello.count", "hello.count_later"])
def test_a_streaming_command(kit: FakeHost, name: str) -> None:
    """It yields bytes, is closed by who leaves, and is no command to call; as in a worker."""
    assert list(kit.stream(name, upto=3)) == [b"0", b"1", b"2"]
    left = kit.stream(name, upto=3)
    assert next(left) == b"0"
    left.close()  # type: ignore[attr-defined]  # it is a generator
    assert kit.plugin.ended_streams == 2  # type: ignore[attr-defined]  # of the class above
    with pytest.raises(HandlerError, match="ValueError: on purpose") as failed:
        list(kit.stream(name, upto=4))
    assert isinstance(failed.value.__cause__, ValueError)
    with pytest.raises(StreamingCommandError, match="streams what it yields"):
        kit.call(name, upto=3)
    with pytest.raises(NotStreamingError, match=r"hello.greet is no generator: it returned str"):
        list(kit.stream("hello.greet"))
    with pytest.raises(HandlerError, match="TypeError: a bytes-like object is required"):
        list(kit.stream("hello.text"))


@pytest.mark.parametrize("name", ["hello.count", "hello.count_later"])
def test_a_streaming_command_in_a_loop_that_runs(kit: FakeHost, name: str) -> None:
    """`stream_async` is for tests that are coroutines themselves."""

    async def test() -> None:
        assert [piece async for piece in kit.stream_async(name, upto=3)] == [b"0", b"1", b"2"]
        with pytest.raises(HandlerError, match="on purpose"):
            assert [piece async for piece in kit.stream_async(name, {"upto": 4})]

    asyncio.run(test())


def test_what_the_code_raised_is_shown(kit: FakeHost) -> None:
    """The caller gets the error that callers get; pytest shows where it comes from."""
    with pytest.raises(HandlerError, match="ValueError: on purpose") as caught:
        kit.call("hello.fails")
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_failing_subscriber_is_told(kit: FakeHost) -> None:
    """What a worker would only write to its log ends the test."""
    kit.call("hello.listen")
    kit.theme.set_theme("light")
    with pytest.raises(RuntimeError, match="in a callback"):
        kit.unload()


def test_the_person_answers(kit: FakeHost) -> None:
    """Nobody is there until the test says what is answered; what was refused is noted."""
    assert kit.call("hello.ask") is False
    assert kit.permissions.denials == [Denial("system.environment.LANG", "permissions.request")]
    assert kit.permissions.asked == [("system.environment.LANG", "to greet you")]
    kit.permissions.answer("system.environment.LANG", True)
    assert kit.call("hello.ask") is True


def test_native_clients_reach_what_the_test_started(kit: FakeHost) -> None:
    """A door needs the permission, and a server that the test names."""
    with pytest.raises(PermissionDeniedError):
        kit.call("hello.connect")
    kit.grant("network.connect.db.example.com:5432")
    with pytest.raises(HandlerError, match="routes"):
        kit.call("hello.connect")
    kit.network.routes["db.example.com", 5432] = ("127.0.0.1", 15432)
    assert kit.call("hello.connect") == ["127.0.0.1", 15432]


def test_the_end_of_a_plugin() -> None:
    """Widgets are closed first, as a worker does, and then the plugin."""
    Panel.closed, Hello.ended = [], False
    host = FakeHost("hello")
    plugin = host.load(Hello)
    widget = host.open_widget("hello.panel", {"text": "x"})
    assert (plugin.get_plugin_id(), widget.data) == ("hello", {"text": "x"})
    folder = host.folder
    assert host.storage.is_dir()
    host.close()
    assert (Panel.closed, Hello.ended, folder.exists()) == ([widget.id], True, False)


def test_the_language_of_the_workspace(kit: FakeHost) -> None:
    """It is the plugin's from the start, and changes as the person changes it."""
    assert kit.context._locale == "en"
    kit.set_locale("cs")
    assert kit.context._locale == "cs"
    assert kit.events.expect("locale.changed").data == {"locale": "cs"}
