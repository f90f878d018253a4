"""All that a plugin of ViloApp imports.

    from viloapp_sdk import Plugin, command

    class Hello(Plugin):
        @command("hello.greet", title="Say hello")
        def greet(self, name: str = "world") -> str:
            return f"Hello, {name}!"

The names are imported when they are first used, so that a worker pays only for what its plugin needs.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from viloapp_sdk.communication import PluginEvent
    from viloapp_sdk.context import HostProxy, PluginContext
    from viloapp_sdk.errors import ViloError
    from viloapp_sdk.plugin import ICommand, IPlugin, Plugin, command
    from viloapp_sdk.widget import IWidget, Widget

__all__ = [
    "HostProxy",
    "ICommand",
    "IPlugin",
    "IWidget",
    "Plugin",
    "PluginContext",
    "PluginEvent",
    "ViloError",
    "Widget",
    "__version__",
    "command",
]

__version__ = "1.0.0"

_HOMES = {
    "HostProxy": "context",
    "ICommand": "plugin",
    "IPlugin": "plugin",
    "IWidget": "widget",
    "Plugin": "plugin",
    "PluginContext": "context",
    "PluginEvent": "communication",
    "ViloError": "errors",
    "Widget": "widget",
    "command": "plugin",
}


def __getattr__(name: str) -> "Any":
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'viloapp_sdk' has no attribute {name!r}")
    import sys

    module = f"viloapp_sdk.{home}"
    __import__(module)  # `importlib` would import warnings
    value = getattr(sys.modules[module], name)
    globals()[name] = value
    return value
