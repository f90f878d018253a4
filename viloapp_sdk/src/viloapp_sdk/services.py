"""The host's services as a plugin calls them.

Every method is one request to the host, which checks it against what the plugin was granted. The
classes serve plain and ``async`` handlers alike: on ``context.services`` a method returns its result, on
``context.services.aio`` it returns an awaitable of it.

    folder = self.context.services.workspace.get_folder()
    folder = await self.context.services.aio.workspace.get_folder()
"""

# The host answers for the types of what it sends; an awaitable of them comes back on `aio`.
# mypy: disable-error-code="no-any-return"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from viloapp_sdk.communication import PluginEvent

    Request = Callable[[str, list[Any]], Any]
    Subscribe = Callable[[str, Callable[[PluginEvent], Any]], Callable[[], None]]

__all__ = [
    "CommandService",
    "EventService",
    "FileService",
    "NetworkService",
    "NotificationService",
    "PermissionService",
    "PluginService",
    "Services",
    "SettingsService",
    "SystemService",
    "TerminalService",
    "ThemeService",
    "WorkspaceService",
]


class _Service:
    __slots__ = ("_request", "_subscribe")

    def __init__(self, request: "Request", subscribe: "Subscribe") -> None:
        self._request = request
        self._subscribe = subscribe


class ThemeService(_Service):
    """How the workspace looks."""

    __slots__ = ()

    def get_current_theme(self) -> str:
        """Return the theme's id, such as ``dark``."""
        return self._request("theme.get_current_theme", [])

    def get_color(self, key: str) -> str:
        """Return a colour of the theme as ``#rrggbb``; ``#000000`` for an unknown key."""
        return self._request("theme.get_color", [key])

    def subscribe_theme_change(self, callback: "Callable[[PluginEvent], Any]") -> "Callable[[], None]":
        """Call ``callback`` whenever the theme changes; return what ends that."""
        return self._subscribe("theme.changed", callback)


class WorkspaceService(_Service):
    """Tabs and panes. Objects do not cross processes, so widgets are named by instance ids."""

    __slots__ = ()

    def add_widget(self, widget_id: str, params: "Mapping[str, Any] | None" = None) -> str:
        """Open a widget of this plugin in the workspace and return the id of its instance."""
        return self._request("workspace.add_widget", [widget_id, dict(params or {})])

    def get_active_widget(self) -> "dict[str, str] | None":
        """Return ``{"instance", "widget", "plugin"}`` of what has the focus, or None."""
        return self._request("workspace.get_active_widget", [])

    def remove_widget(self, instance_id: str) -> None:
        """Close an instance of this plugin's widgets."""
        return self._request("workspace.remove_widget", [instance_id])

    def update_widget(
        self, instance_id: str, data: "Mapping[str, Any] | None" = None, title: "str | None" = None
    ) -> None:
        """Show new data, a new title, or both in an instance of this plugin's widgets."""
        return self._request(
            "workspace.update_widget", [instance_id, None if data is None else dict(data), title]
        )

    def get_folder(self) -> str:
        """Return the absolute path of the folder that the workspace shows."""
        return self._request("workspace.get_folder", [])


class CommandService(_Service):
    """The commands of all plugins."""

    __slots__ = ()

    def execute(self, command_id: str, args: "Mapping[str, Any] | None" = None) -> "Any":
        """Run any plugin's command and return its result."""
        return self._request("commands.execute", [command_id, dict(args or {})])

    def list(self) -> "list[dict[str, Any]]":
        """Return ``{"id", "title", "plugin", …}`` of every command."""
        return self._request("commands.list", [])


class EventService(_Service):
    """Events between plugins."""

    __slots__ = ()

    def emit(self, type: str, data: "Mapping[str, Any] | None" = None) -> None:
        """Tell every subscriber of ``type``; the host adds this plugin's id as the source."""
        return self._request("events.emit", [type, dict(data or {})])

    def subscribe(self, type: str, callback: "Callable[[PluginEvent], Any]") -> "Callable[[], None]":
        """Call ``callback`` for every event of ``type``; return what ends that."""
        return self._subscribe(type, callback)


class SettingsService(_Service):
    """This plugin's settings, as its ``configuration`` declares them."""

    __slots__ = ()

    def get(self, name: str) -> "Any":
        """Return the value of a setting, or its default."""
        return self._request("settings.get", [name])

    def set(self, name: str, value: "Any") -> None:
        """Change a setting; it is checked against the plugin's ``configuration``."""
        return self._request("settings.set", [name, value])


class NotificationService(_Service):
    """Short messages to the person."""

    __slots__ = ()

    def show(self, message: str, level: str = "info") -> None:
        """Show ``message``; ``level`` is ``info``, ``warning`` or ``error``."""
        return self._request("notifications.show", [message, level])


class TerminalService(_Service):
    """Terminals. The host opens them and keeps them; needs ``process.spawn.terminal``."""

    __slots__ = ()

    def open(
        self,
        argv: "Sequence[str] | None" = None,
        *,
        cwd: "str | None" = None,
        env: "Mapping[str, str] | None" = None,
        rows: int = 24,
        cols: int = 80,
        title: str = "",
    ) -> "dict[str, Any]":
        """Run a program in a terminal, by default the person's shell.

        Returns:
            ``{"id", "title", "pid", "cwd"}``.
        """
        options = {"cwd": cwd, "env": dict(env or {}), "rows": rows, "cols": cols, "title": title}
        return self._request("terminals.open", [None if argv is None else list(argv), options])

    def write(self, terminal_id: str, text: str) -> None:
        """Type ``text`` into a terminal of this plugin."""
        return self._request("terminals.write", [terminal_id, text])

    def resize(self, terminal_id: str, rows: int, cols: int) -> None:
        """Change the size of a terminal of this plugin, in characters."""
        return self._request("terminals.resize", [terminal_id, rows, cols])

    def close(self, terminal_id: str) -> None:
        """End a terminal of this plugin and what runs in it."""
        return self._request("terminals.close", [terminal_id])

    def list(self) -> "list[dict[str, Any]]":
        """Return ``{"id", "title", "pid", "cwd"}`` of this plugin's living terminals."""
        return self._request("terminals.list", [])


class NetworkService:
    """Connections to what was granted by ``network.connect.HOST``.

    Python code needs none of this: `socket`, `ssl`, `urllib`, `asyncio` and what rests on them just work.
    """

    __slots__ = ()

    def forward(self, host: str, port: int) -> "tuple[str, int]":
        """Return an address inside, whose connections lead to a host outside, for native clients.

        Example:
            address, number = context.services.network.forward("db.example.com", 5432)
            psycopg.connect(host="db.example.com", hostaddr=address, port=number)

        Raises:
            OSError: the host does not answer; a `PermissionDeniedError` when it was not granted.
        """
        from viloapp_sdk.worker._proxy import forward

        return "127.0.0.1", forward(host, port)


class FileService(_Service):
    """Files outside of what is always there, each opened by the host; needs ``filesystem.read|write.PATH``.

    What was granted before the plugin started is simply there, for `open`; this is for what was granted
    since. On ``services.aio`` a file is awaited once, and then Python's own: reading it is not.

        with await self.context.services.aio.files.open("~/notes/today.txt") as file:
            text = file.read()
    """

    __slots__ = ("_fetch", "_later")

    def __init__(
        self,
        request: "Request",
        subscribe: "Subscribe",
        fetch: "Callable[[int], int] | None",
        *,
        later: bool = False,
    ) -> None:
        super().__init__(request, subscribe)
        self._fetch = fetch
        self._later = later

    def open(self, path: str, mode: str = "r", encoding: "str | None" = None) -> "Any":
        """Open a file as Python's own `open` does.

        Args:
            path: absolute, or ``~/…``; where links lead is judged.
            mode: ``r``, ``w``, ``a``, ``x``, ``r+`` or ``w+``, with ``b`` for bytes.
            encoding: of text; UTF-8 by default.

        Raises:
            PermissionDeniedError: it was not granted, or is nobody's (keys, the store).
            OSError: the system refused.
        """
        if self._fetch is None:
            raise TypeError("the host hands over no files here")
        from viloapp_sdk.worker._files import fetched, fetched_later

        return (fetched_later if self._later else fetched)(self._request, self._fetch, path, mode, encoding)

    def read_bytes(self, path: str) -> bytes:
        """Return a file's content."""
        if self._later:
            from viloapp_sdk.worker._files import read_later

            return read_later(self.open(path, "rb"))
        with self.open(path, "rb") as file:
            return file.read()

    def write_bytes(self, path: str, data: bytes) -> None:
        """Replace a file's content at once, or make the file; at most 16 MB."""
        return self._request("files.write", [path, bytes(data)])

    def list(self, path: str) -> "list[dict[str, Any]]":
        """Return ``{"name", "kind", "size", "modified"}`` of what is in a folder."""
        return self._request("files.list", [path])

    def stat(self, path: str) -> "dict[str, Any]":
        """Return ``{"name", "kind", "size", "modified"}`` of a file or a folder."""
        return self._request("files.stat", [path])


class PluginService(_Service):
    """Other plugins."""

    __slots__ = ()

    def call(self, plugin_id: str, command: str, args: "Mapping[str, Any] | None" = None) -> "Any":
        """Run a command of the plugin ``plugin_id`` and return its result."""
        return self._request("plugins.call", [plugin_id, command, dict(args or {})])

    def list(self) -> "list[dict[str, Any]]":
        """Return ``{"id", "version"}`` of every enabled plugin."""
        return self._request("plugins.list", [])


class PermissionService(_Service):
    """What this plugin may do."""

    __slots__ = ()

    def request(self, permission: str, reason: str = "") -> bool:
        """Ask the person for ``permission``; True when it is granted, at once when it was before.

        Raises:
            InvalidArgumentsError: a ``*`` stands in it.
            ViloError: there is no such permission.
        """
        return self._request("permissions.request", [permission, reason])

    def check(self, permission: str) -> bool:
        """Return whether ``permission`` is granted; nobody is asked."""
        return self._request("permissions.check", [permission])


class SystemService(_Service):
    """The machine."""

    __slots__ = ()

    def get_environment(self, name: str) -> "str | None":
        """Return an environment variable of the host; needs ``system.environment.NAME``."""
        return self._request("system.get_environment", [name])

    def get_information(self) -> "dict[str, Any]":
        """Return ``{"name", "system", "release", "machine", "processors", "memory_mb"}``.

        It needs ``system.read.information``.
        """
        return self._request("system.get_information", [])


class Services:
    """All services of the host.

    Args:
        request: sends a method and its positional arguments, returns the result.
        request_async: the same, returns an awaitable.
        subscribe: registers a callback for an event type, returns what removes it.
        fetch: returns the descriptor of a ticket; None where files cannot be opened.
        later: whether `request` returns an awaitable, as on `aio`.
    """

    def __init__(
        self,
        request: "Request",
        request_async: "Request",
        subscribe: "Subscribe",
        fetch: "Callable[[int], int] | None" = None,
        *,
        later: bool = False,
    ) -> None:
        self._request_async = request_async
        self._subscribe = subscribe
        self._fetch = fetch
        self.theme = ThemeService(request, subscribe)
        self.workspace = WorkspaceService(request, subscribe)
        self.commands = CommandService(request, subscribe)
        self.events = EventService(request, subscribe)
        self.settings = SettingsService(request, subscribe)
        self.notifications = NotificationService(request, subscribe)
        self.terminals = TerminalService(request, subscribe)
        self.plugins = PluginService(request, subscribe)
        self.permissions = PermissionService(request, subscribe)
        self.system = SystemService(request, subscribe)
        self.network = NetworkService()
        self.files = FileService(request, subscribe, fetch, later=later)

    @property
    def aio(self) -> "Any":
        """The same services for ``async`` handlers: every method returns an awaitable."""
        later = self._request_async
        return Services(later, later, self._subscribe, self._fetch, later=True)
