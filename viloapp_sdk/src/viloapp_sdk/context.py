"""The plugin's side of its host: who it is, where its things lie, what it may ask for."""

from viloapp_sdk.errors import UnknownServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from logging import Logger
    from pathlib import Path
    from typing import Any

    from viloapp_sdk.communication import PluginEvent
    from viloapp_sdk.i18n import PluginI18n
    from viloapp_sdk.services import EventService, PluginService, Services

__all__ = ["HostProxy", "PluginContext", "Settings"]


class Settings:
    """The plugin's settings: read from a local copy, written through the host.

    The host sends every change, whoever made it, so reading never waits.
    """

    def __init__(self, values: "dict[str, Any]", services: "Services") -> None:
        self._values = values
        self._services = services

    def get(self, name: str, default: "Any" = None) -> "Any":
        """Return the value of ``name``, its declared default, or ``default``."""
        return self._values.get(name, default)

    def set(self, name: str, value: "Any") -> None:
        """Change ``name``; the host checks it against the plugin's ``configuration``."""
        self._services.settings.set(name, value)
        self._values[name] = value

    def subscribe(self, callback: "Callable[[PluginEvent], Any]") -> "Callable[[], None]":
        """Call ``callback`` with ``{"name", "value"}`` after every change; return what ends that."""
        return self._services.settings._subscribe("settings.changed", callback)

    def as_dict(self) -> "dict[str, Any]":
        """Return all settings with their current values."""
        return dict(self._values)


class HostProxy:
    """The host as the specification's plugins know it."""

    def __init__(self, services: "Services") -> None:
        self._services = services

    def get_service(self, name: str) -> "Any":
        """Return the service ``name``, such as ``theme``.

        Raises:
            UnknownServiceError: the host has no such service.
        """
        service = None if name.startswith("_") else getattr(self._services, name, None)
        if service is None or name == "aio":
            known = ", ".join(sorted(key for key in vars(self._services) if not key.startswith("_")))
            raise UnknownServiceError(f"the host has no service {name!r}", f"there are: {known}")
        return service

    def emit_event(self, event: "PluginEvent") -> None:
        """Tell every subscriber of the event's type; its source becomes this plugin."""
        self._services.events.emit(event.type, event.data)

    def subscribe_event(self, type: str, callback: "Callable[[PluginEvent], Any]") -> "Callable[[], None]":
        """Call ``callback`` for every event of ``type``; return what ends that."""
        return self._services.events.subscribe(type, callback)


class PluginContext:
    """What a plugin knows of itself and its host. The worker makes it and hands it to ``initialize``.

    Attributes:
        plugin_id: the plugin's normalized distribution name.
        version: its version.
        host: services and events, as the specification names them.
        services: the host's services, typed; ``services.aio`` for ``async`` handlers.
        event_bus: `services.events`.
        settings: the plugin's settings.
        plugins: other plugins and their commands.

    Args:
        start: what the host says of the plugin, and the folder of its resources.
        services: the host's; or else
        connect: makes them when they are first asked for.
    """

    services: "Services"
    host: HostProxy
    event_bus: "EventService"
    plugins: "PluginService"
    settings: Settings

    def __init__(
        self,
        start: "Mapping[str, Any]",
        services: "Services | None" = None,
        connect: "Callable[[], Services] | None" = None,
    ) -> None:
        self.plugin_id: str = start["plugin_id"]
        self.version: str = start["version"]
        self._data_dir: str = start["data_dir"]
        self._resource_dir: str = start["resource_dir"]
        self._values = dict(start["settings"])
        self._connect = connect if services is None else lambda: services
        self._logger: Logger | None = None
        self._host_api: str = start.get("api_version") or "1.0"  # a core of the first release does not say
        self._locale: str = start.get("locale") or "en"
        self._i18n: PluginI18n | None = None

    @property
    def api_version(self) -> str:
        """What SDK and host both know of the interface, such as ``1.0``.

        A plugin asks for the least that it needs (``api_version`` in its manifest), and looks here before it
        uses what came later.
        """
        from viloapp_sdk.manifest.api_version import lower
        from viloapp_sdk.manifest.format import API_VERSION

        return lower(API_VERSION, self._host_api)

    def __getattr__(self, name: str) -> "Any":
        """Connect to the host when a plugin first asks for what does that: many only answer."""
        if name not in ("services", "host", "event_bus", "plugins", "settings"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        assert self._connect is not None, "a context is made with services, or with what makes them"
        self.services = services = self._connect()
        self.host = HostProxy(services)
        self.event_bus = services.events
        self.plugins = services.plugins
        self.settings = Settings(self._values, services)
        return self.__dict__[name]

    @property
    def i18n(self) -> "PluginI18n":
        """The plugin's texts, in the language of the workspace (``core.locale``), also after it was changed.

        They are ``locales/*.json`` in the plugin's package.
        """
        if self._i18n is None:
            from viloapp_sdk.i18n import PluginI18n

            self._i18n = PluginI18n(self._resource_dir)
            self._i18n.follow(self._locale)
        return self._i18n

    def _follow_locale(self, locale: str) -> None:
        """Called by the worker when the person chose another language."""
        self._locale = locale
        if self._i18n is not None:
            self._i18n.follow(locale)

    @property
    def storage(self) -> "Path":
        """The plugin's own folder, the one place that it may always write to."""
        from pathlib import Path

        return Path(self._data_dir)

    @property
    def resource_path(self) -> "Path":
        """The folder of the plugin's package, where its data files are."""
        from pathlib import Path

        return Path(self._resource_dir)

    @property
    def logger(self) -> "Logger":
        """A logger that writes to the plugin's log (``viloapp logs ID``)."""
        if self._logger is None:
            import logging

            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
            logger = logging.getLogger(self.plugin_id)
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
            logger.propagate = False
            self._logger = logger
        return self._logger

    def request_permission(self, permission: str, reason: str = "") -> bool:
        """Ask the person for a permission now, such as ``network.connect.api.example.com``.

        Every single permission may be asked for, declared in the manifest or not. It waits for the person,
        who may allow it once, until the host ends, or for good; without one the answer is no. An ``async``
        handler calls ``await context.services.aio.permissions.request(...)``.

        Args:
            permission: ``category.scope.resource`` without a ``*``.
            reason: what it is for, in the person's words.

        Returns:
            Whether it is granted.

        Raises:
            InvalidArgumentsError: a ``*`` stands in it.
            ViloError: there is no such permission.
        """
        return self.services.permissions.request(permission, reason)

    def get_service(self, name: str) -> "Any":
        """Return the host's service ``name``, such as ``theme``.

        Raises:
            UnknownServiceError: the host has no such service.
        """
        return self.host.get_service(name)
