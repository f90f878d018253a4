"""Permissions in words for the person who is asked."""

from viloapp_sdk.manifest.permission import Permission
from viloapp_sdk.manifest.vocabulary import split_host

__all__ = ["in_words", "warning"]

_PLACES = {
    "home_directory": "your home folder, but for keys, logins and browser profiles",
    "workspace": "the folder that you work in",
    "temp_files": "its own temporary folder",
    "plugin_data": "its own data folder",
    "*": "your home folder, the folder that you work in and its own folders",
}
_FIXED = {
    "system.read.information": "learn this machine's name, system, processors and memory",
    "process.spawn.terminal": "open terminals in which your own shell runs",
    "ui.read.active_widget": "learn which tab of another plugin you are in",
    "services.read.commands": "list the commands of all plugins",
    "plugins.read.installed": "list your plugins",
}
_PATTERNS = {
    ("process", "execute"): "run the program {}",
    ("system", "environment"): "read the environment variable {}",
    ("ui", "open"): "open the widget {} of another plugin",
    ("services", "emit"): "send the event {} to other plugins",
    ("services", "subscribe"): "hear the event {} of other plugins",
    ("plugins", "call"): "run the commands of the plugin {}",
}
_ANY = {
    ("process", "execute"): "run any program",
    ("ui", "open"): "open any widget of other plugins",
    ("services", "emit"): "send any event to other plugins",
    ("services", "subscribe"): "hear every event of other plugins",
    ("plugins", "call"): "run the commands of any plugin",
}


def in_words(permission: Permission) -> str:
    """Return what a permission allows: ``"connect to api.example.com"``."""
    kind = (permission.category, permission.scope)
    if str(permission) in _FIXED:
        return _FIXED[str(permission)]
    if permission.category == "filesystem":
        verb = "read the files in" if permission.scope == "read" else "read and change the files in"
        return f"{verb} {_PLACES.get(permission.resource, permission.resource)}"
    if kind == ("network", "connect"):
        return f"connect to {_host(permission.resource)}"
    if permission.resource == "*" and kind in _ANY:
        return _ANY[kind]
    return _PATTERNS.get(kind, "{}").format(permission.resource)


def warning(permission: Permission) -> str:
    """Return what a permission confers beyond its words; empty when they say it all."""
    if str(permission) == "process.spawn.terminal":
        return "a terminal runs with your full authority: this permission allows everything that you can do"
    if (
        permission.category == "filesystem"
        and permission.scope != "read"
        and permission.resource in ("home_directory", "*")
    ):
        return "what starts when you log in lies there: who may change that can do all that you can do"
    if permission.category == "process":
        return "what the program itself can be made to do, the plugin can do"
    if str(permission) in ("network.connect.*", "network.connect.*:443", "network.connect.*:80"):
        return "with this, whatever it can read can be sent to anybody"
    return ""


def _host(resource: str) -> str:
    host, port = split_host(resource)
    name = {"*": "any host on the internet", "localhost": "programs on this machine (localhost)"}.get(
        host, host
    )
    if host.startswith("*."):
        name = f"every host of {host[2:]}"
    return f"{name}, port {port}" if port is not None else name
