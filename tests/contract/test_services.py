"""One suite for what a plugin can ask: of a real host, through a real worker, and of the test kit's fakes.

The same plugin asks both. What holds here is what an author may rely on when a test passes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.unit.host.conftest import planter
from viloapp_core import SyncHost
from viloapp_core.permissions import Permission
from viloapp_core.store import Store
from viloapp_sdk.errors import PermissionDeniedError, ViloError
from viloapp_sdk.plugin import Plugin
from viloapp_sdk.testing import FakeHost

PROBE = """
from viloapp_sdk import Plugin, Widget, command

class Panel(Widget):
    id = "probe.panel"
    title = "Panel"
    def create(self, params):
        self.text = getattr(self, "text", params.get("text", "empty"))
        return {"text": self.text}
    def handle_command(self, command, args):
        self.text = args["text"]
        self.update({"text": self.text}, title=self.text)
        return [self.text]
    def get_state(self):
        return {"text": self.text}
    def restore_state(self, state):
        self.text = state["text"]

class P(Plugin):
    widgets = [Panel]
    @command("probe.ask")
    def ask(self, call: str, args: list):
        service, _, method = call.partition(".")
        return getattr(getattr(self.context.services, service), method)(*args)
    @command("probe.later")
    async def later(self, call: str, args: list):
        service, _, method = call.partition(".")
        return await getattr(getattr(self.context.services.aio, service), method)(*args)
    @command("probe.raw")
    def raw(self, method: str, args: list):
        return self.context.services.theme._request(method, args)
    @command("probe.listen")
    def listen(self, type: str):
        self.heard = getattr(self, "heard", [])
        self.context.event_bus.subscribe(type, lambda e: self.heard.append([e.type, e.source, e.data]))
    @command("probe.emit_and_look")
    def emit_and_look(self, type: str):
        self.context.event_bus.emit(type, {})
        return len(self.heard)
    @command("probe.heard")
    def get_heard(self):
        return getattr(self, "heard", [])
    @command("probe.own_setting")
    def own_setting(self, name: str):
        return self.context.settings.get(name)
    @command("probe.read")
    def read(self, path: str):
        with self.context.services.files.open(path) as file:
            return file.read()
    @command("probe.append")
    def append(self, path: str, text: str):
        with self.context.services.files.open(path, "a") as file:
            file.write(text)
    @command("probe.missing")
    def missing(self, path: str):
        try:
            self.context.services.files.open(path)
        except FileNotFoundError as error:
            return error.errno
    @command("probe.storage")
    def storage(self):
        (self.context.storage / "kept").write_text("x")
        return (self.context.storage / "kept").read_text()
    @command("probe.deep")
    def deep(self, levels: int):
        if levels == 0:
            return 0
        return 1 + self.context.services.commands.execute("probe.deep", {"levels": levels - 1})
    @command("probe.unsendable")
    def unsendable(self):
        return object()
    @command("probe.fails")
    def fails(self):
        raise ValueError("on purpose")
"""
OTHER = """
from viloapp_sdk import Plugin, Widget, command

class Panel(Widget):
    id = "other.panel"

class P(Plugin):
    widgets = [Panel]
    @command("other.add")
    def add(self, a: int, b: int):
        return a + b
"""
CONFIGURATION = {"size": {"type": "integer", "default": 12, "minimum": 6}}


class Backend(Protocol):
    """What answers the plugin, and what plays the person."""

    folder: Path

    def call(self, command: str, **arguments: Any) -> Any:
        """Run a command of the probe."""

    def grant(self, permission: str) -> None:
        """Allow the probe something."""

    def revoke(self, permission: str) -> None:
        """Deny the probe something."""

    def emit(self, type: str, data: dict[str, Any]) -> None:
        """Emit an event as another plugin."""

    def set_setting(self, name: str, value: Any) -> None:
        """Change a setting of the probe."""

    def open(self, widget: str, params: dict[str, Any]) -> str:
        """Open a widget as the person does."""

    def shown(self, instance: str) -> tuple[str, dict[str, Any]]:
        """Return title and data of an open widget."""

    def message(self, instance: str, text: str) -> Any:
        """Send a widget a message as its page does."""

    def restart(self) -> None:
        """Run the probe in a new process, or as a new object."""


class Real:
    """A real host, a real worker, the real sandbox."""

    def __init__(self, host: SyncHost, folder: Path) -> None:
        self._host, self.folder = host, folder
        self._real = host._host

    def call(self, command: str, **arguments: Any) -> Any:
        """See `Backend`."""
        return self._host.call(command, arguments)

    def _changed(self, change: Callable[[], None]) -> None:
        self._host._here(change)
        self._host._wait(self._real.permissions_applied("probe"))

    def grant(self, permission: str) -> None:
        """See `Backend`."""
        # As an answer to a question does: the process goes on.
        self._changed(
            lambda: self._real.permissions.grant_permission(
                "probe", Permission.parse(permission), by="prompt"
            )
        )

    def revoke(self, permission: str) -> None:
        """See `Backend`."""
        self._changed(lambda: self._real.permissions.revoke_permission("probe", Permission.parse(permission)))

    def emit(self, type: str, data: dict[str, Any]) -> None:
        """See `Backend`."""
        self._host._here(lambda: self._real.emit(type, "other", data))

    def set_setting(self, name: str, value: Any) -> None:
        """See `Backend`."""
        self._host._here(lambda: self._real.settings.set(f"probe.{name}", value))

    def open(self, widget: str, params: dict[str, Any]) -> str:
        """See `Backend`."""
        return str(self._host._wait(self._real.open_widget(widget, params))["instance"])

    def shown(self, instance: str) -> tuple[str, dict[str, Any]]:
        """See `Backend`."""
        widget = self._host._here(lambda: self._real.workspace.get(instance))
        return widget.title, dict(widget.data)

    def message(self, instance: str, text: str) -> Any:
        """See `Backend`."""
        return self._host._wait(self._real.widget_command(instance, "set", {"text": text}))

    def restart(self) -> None:
        """See `Backend`."""
        self._host._wait(self._real.restart_plugin("probe"))

    def reset(self) -> None:
        """Begin anew, but for the process."""
        for row in self._host._here(self._real.instances):
            self._host._wait(self._real.close_widget(row["instance"]))
        self._changed(lambda: self._real.permissions.reset("probe"))
        self._host._here(lambda: self._real.settings.unset("probe.size"))
        self._host._wait(self._real.restart_plugin("probe"))


class Kit:
    """The kit's host, in this process."""

    def __init__(self, folder: Path) -> None:
        self._host = FakeHost("probe", configuration=CONFIGURATION, folder=folder)
        self._host.add_plugin("other", {"other.add": lambda a, b: a + b}, widgets=["other.panel"])
        self.folder = folder / "workspace"
        names: dict[str, Any] = {"__name__": __name__}
        exec(PROBE, names)
        probe = names["P"]
        assert issubclass(probe, Plugin)
        globals()["P"] = probe
        self._host.load(probe)

    def call(self, command: str, **arguments: Any) -> Any:
        """See `Backend`."""
        return self._host.call(command, arguments)

    def grant(self, permission: str) -> None:
        """See `Backend`."""
        self._host.grant(permission)

    def revoke(self, permission: str) -> None:
        """See `Backend`."""
        self._host.revoke(permission)

    def emit(self, type: str, data: dict[str, Any]) -> None:
        """See `Backend`."""
        self._host.emit(type, data, source="other")

    def set_setting(self, name: str, value: Any) -> None:
        """See `Backend`."""
        self._host.settings.set(name, value)

    def open(self, widget: str, params: dict[str, Any]) -> str:
        """See `Backend`."""
        return self._host.open_widget(widget, params).id

    def shown(self, instance: str) -> tuple[str, dict[str, Any]]:
        """See `Backend`."""
        widget = self._host.workspace.get(instance)
        return widget.title, widget.data

    def message(self, instance: str, text: str) -> Any:
        """See `Backend`."""
        return self._host.widget_command(instance, "set", {"text": text})

    def restart(self) -> None:
        """See `Backend`."""
        self._host.restart()

    def close(self) -> None:
        """End it."""
        self._host.close()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """A host with the probe and another plugin, for all tests of the module."""
    root = tmp_path_factory.mktemp("services").resolve()
    for name in ("home", "workspace"):
        (root / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(root / "home"))
        store = Store(root / "store")
        plant = planter(store, root / "cache")
        plant("probe", textwrap.dedent(PROBE), configuration=CONFIGURATION)
        plant("other", textwrap.dedent(OTHER))
        with SyncHost(store.root, workspace=root / "workspace", control=False) as host:
            yield Real(host, root / "workspace")


@pytest.fixture(params=["host", "kit"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Each of the two, as new."""
    if request.param == "kit":
        kit = Kit(tmp_path.resolve())
        yield kit
        kit.close()
        return
    real = request.getfixturevalue("real")
    assert isinstance(real, Real)
    real.reset()
    yield real


def ask(backend: Backend, call: str, *args: Any) -> Any:
    """Have the plugin call a service."""
    return backend.call("probe.ask", call=call, args=list(args))


def refusal(run: Callable[[], Any]) -> str:
    """Return the code of the error that something ends in."""
    with pytest.raises(ViloError) as caught:
        run()
    return caught.value.code


def denied(backend: Backend, permission: str, call: str, *args: Any) -> Any:
    """See that a call is refused without a permission; return its result with it."""
    with pytest.raises(PermissionDeniedError) as caught:
        ask(backend, call, *args)
    assert permission in f"{caught.value.detail} {caught.value.hint}"
    backend.grant(permission)
    return ask(backend, call, *args)


def test_theme(backend: Backend) -> None:
    """A theme has a name and colours; what is none is black."""
    assert ask(backend, "theme.get_current_theme") == "dark"
    assert ask(backend, "theme.get_color", "background").startswith("#")
    assert ask(backend, "theme.get_color", "no such key") == "#000000"
    assert backend.call("probe.later", call="theme.get_current_theme", args=[]) == "dark"


def test_widgets_of_its_own(backend: Backend) -> None:
    """A plugin opens, changes and closes its own widgets, and may know that one has the focus."""
    assert ask(backend, "workspace.get_active_widget") is None
    instance = ask(backend, "workspace.add_widget", "probe.panel", {"text": "first"})
    assert backend.shown(instance) == ("Panel", {"text": "first"})
    active = {"instance": instance, "widget": "probe.panel", "plugin": "probe"}
    assert ask(backend, "workspace.get_active_widget") == active
    assert backend.message(instance, "second") == ["second"]
    assert backend.shown(instance) == ("second", {"text": "second"})
    ask(backend, "workspace.update_widget", instance, {"more": 1})
    assert backend.shown(instance) == ("second", {"text": "second", "more": 1})
    ask(backend, "workspace.remove_widget", instance)
    assert ask(backend, "workspace.get_active_widget") is None
    assert refusal(lambda: ask(backend, "workspace.remove_widget", instance)) == "unknown_widget"
    assert refusal(lambda: ask(backend, "workspace.add_widget", "probe.none")) == "unknown_widget"
    assert ask(backend, "workspace.get_folder") == str(backend.folder)


def test_widgets_of_others(backend: Backend) -> None:
    """Which tab of another plugin has the focus, and changing it, is not for this one."""
    instance = backend.open("other.panel", {})
    assert ask(backend, "workspace.get_active_widget") is None
    assert refusal(lambda: ask(backend, "workspace.update_widget", instance, {})) == "unknown_widget"
    backend.grant("ui.read.active_widget")
    assert ask(backend, "workspace.get_active_widget")["plugin"] == "other"
    denied(backend, "ui.open.other.panel", "workspace.add_widget", "other.panel")


def test_widgets_outlive_a_restart(backend: Backend) -> None:
    """What a widget says it needs to go on comes back with the next process."""
    instance = backend.open("probe.panel", {"text": "first"})
    backend.message(instance, "kept")
    backend.restart()
    assert backend.call("probe.heard") == []
    assert backend.message(instance, "on") == ["on"]
    assert backend.shown(instance)[1]["text"] == "on"


def test_commands(backend: Backend) -> None:
    """A plugin runs its own commands, others' and a list of them with permission alone."""
    assert ask(backend, "commands.execute", "probe.deep", {"levels": 2}) == 2
    assert refusal(lambda: backend.call("probe.deep", levels=12)) == "reentrancy"
    assert refusal(lambda: ask(backend, "commands.execute", "no.such")) == "unknown_command"
    assert denied(backend, "plugins.call.other", "commands.execute", "other.add", {"a": 1, "b": 2}) == 3
    assert ask(backend, "plugins.call", "other", "other.add", {"a": 2, "b": 2}) == 4
    assert {"probe.ask", "other.add"} <= {
        row["id"] for row in denied(backend, "services.read.commands", "commands.list")
    }
    rows = denied(backend, "plugins.read.installed", "plugins.list")
    assert sorted(row["id"] for row in rows) == ["other", "probe"]


def test_events(backend: Backend) -> None:
    """Its own events are free, others' need a permission; who emitted it is the host's word."""
    backend.call("probe.listen", type="probe.done")
    assert backend.call("probe.emit_and_look", type="probe.done") == 0  # once the handler has returned
    assert backend.call("probe.heard") == [["probe.done", "probe", {}]]
    denied(backend, "services.emit.weather.changed", "events.emit", "weather.changed", {})
    with pytest.raises(PermissionDeniedError):
        backend.call("probe.listen", type="weather.changed")
    backend.grant("services.subscribe.weather.*")
    backend.call("probe.listen", type="weather.changed")
    backend.emit("weather.changed", {"rain": True})
    backend.emit("weather.other", {})
    assert backend.call("probe.heard")[1:] == [["weather.changed", "other", {"rain": True}]]
    backend.revoke("services.subscribe.weather.*")
    backend.emit("weather.changed", {"rain": False})
    assert len(backend.call("probe.heard")) == 2


def test_settings(backend: Backend) -> None:
    """Declared ones with their defaults; a change is checked, and seen at once in the local copy."""
    assert ask(backend, "settings.get", "size") == backend.call("probe.own_setting", name="size") == 12
    ask(backend, "settings.set", "size", 14)
    assert ask(backend, "settings.get", "size") == backend.call("probe.own_setting", name="size") == 14
    backend.set_setting("size", 20)
    assert backend.call("probe.own_setting", name="size") == 20
    assert refusal(lambda: ask(backend, "settings.set", "size", 5)) == "bad_setting"
    assert refusal(lambda: ask(backend, "settings.set", "size", "big")) == "bad_setting"
    assert refusal(lambda: ask(backend, "settings.get", "colour")) == "bad_setting"
    assert refusal(lambda: ask(backend, "settings.set", "limits.memory_mb", 1)) == "permission_denied"


def test_notifications(backend: Backend) -> None:
    """A message has one of three levels."""
    ask(backend, "notifications.show", "done", "warning")
    assert refusal(lambda: ask(backend, "notifications.show", "done", "loud")) == "invalid_arguments"


def test_terminals(backend: Backend) -> None:
    """Without the permission there is none; with it, those of its own alone."""
    opened = denied(backend, "process.spawn.terminal", "terminals.open", ["/bin/cat"])
    assert sorted(opened) == ["cwd", "id", "pid", "title"]
    assert opened["cwd"] == str(backend.folder)
    ask(backend, "terminals.write", opened["id"], "text\n")
    ask(backend, "terminals.resize", opened["id"], 30, 100)
    assert refusal(lambda: ask(backend, "terminals.resize", opened["id"], 0, 100)) == "invalid_arguments"
    assert [row["id"] for row in ask(backend, "terminals.list")] == [opened["id"]]
    ask(backend, "terminals.close", opened["id"])
    assert ask(backend, "terminals.list") == []
    assert refusal(lambda: ask(backend, "terminals.write", opened["id"], "x")) == "invalid_arguments"


def test_files(backend: Backend, tmp_path: Path) -> None:
    """Each file is judged by the place that it lies in and the place that a link leads to."""
    place = backend.folder / "notes"
    place.mkdir(exist_ok=True)
    (place / "a.txt").write_text("Ahoj, světe\n")
    path = str(place / "a.txt")
    for command in ("probe.read", "probe.missing"):
        with pytest.raises(PermissionDeniedError):
            backend.call(command, path=path)
    backend.grant("filesystem.read.workspace")
    assert backend.call("probe.read", path=path) == "Ahoj, světe\n"
    assert backend.call("probe.missing", path=str(place / "none")) == 2
    with pytest.raises(PermissionDeniedError):
        backend.call("probe.append", path=path, text="more")
    outside = tmp_path / "elsewhere.txt"
    outside.write_text("not yours")
    (place / "link").unlink(missing_ok=True)
    (place / "link").symlink_to(outside)
    with pytest.raises(PermissionDeniedError):
        backend.call("probe.read", path=str(place / "link"))
    backend.grant("filesystem.write.workspace")
    backend.call("probe.append", path=path, text="more\n")
    ask(backend, "files.write_bytes", str(place / "b.bin"), b"\0\1")
    assert (place / "a.txt").read_text() == "Ahoj, světe\nmore\n"
    assert (place / "b.bin").read_bytes() == b"\0\1"
    rows = {row["name"]: row for row in ask(backend, "files.list", str(place))}
    assert (rows["b.bin"]["kind"], rows["b.bin"]["size"], rows["link"]["kind"]) == ("file", 2, "link")
    assert ask(backend, "files.stat", str(place))["kind"] == "folder"
    for odd in ("notes/a.txt", f"{place}/../x"):
        assert refusal(lambda odd=odd: ask(backend, "files.stat", odd)) == "invalid_arguments"  # type: ignore[misc]
    assert backend.call("probe.storage") == "x"


def test_permissions(backend: Backend) -> None:
    """A plugin can look and ask; with nobody there the answer is no, and what was granted is at once."""
    wanted = "network.connect.api.example.com"
    assert ask(backend, "permissions.check", wanted) is False
    assert ask(backend, "permissions.request", wanted, "the weather") is False
    backend.grant("network.connect.*.example.com")
    assert ask(backend, "permissions.check", wanted) is True
    assert ask(backend, "permissions.request", wanted, "the weather") is True
    backend.revoke(wanted)
    assert ask(backend, "permissions.check", wanted) is False
    assert (
        refusal(lambda: ask(backend, "permissions.request", "network.connect.*", "")) == "invalid_arguments"
    )
    assert refusal(lambda: ask(backend, "permissions.check", "nonsense")) == "permission_syntax"


def test_system(backend: Backend) -> None:
    """What the machine is, and each variable, needs a permission."""
    found = denied(backend, "system.read.information", "system.get_information")
    assert sorted(found) == ["machine", "memory_mb", "name", "processors", "release", "system"]
    variable = "system.environment.NO_SUCH_VARIABLE"
    assert denied(backend, variable, "system.get_environment", "NO_SUCH_VARIABLE") is None


def test_what_does_not_exist_or_fit(backend: Backend) -> None:
    """Unknown calls, wrong parameters and values that cannot be sent have the same codes."""

    def raw(method: str, *args: Any) -> Any:
        return backend.call("probe.raw", method=method, args=list(args))

    assert refusal(lambda: raw("theme.paint")) == "unknown_service"
    assert refusal(lambda: raw("theme.get_color")) == "invalid_arguments"
    assert refusal(lambda: raw("theme.get_color", 1)) == "invalid_arguments"
    assert refusal(lambda: backend.call("probe.unsendable")) == "bad_frame"
    assert refusal(lambda: backend.call("probe.fails")) == "handler_failed"
    assert refusal(lambda: backend.call("probe.deep")) == "invalid_arguments"
