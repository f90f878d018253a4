"""Permissions in words for the person who is asked.

Each has a message with a key and values, so that the page can say it in the person's language from its own
catalogue; these words are never a plugin's.
"""

from collections.abc import Mapping
from typing import Any

from viloapp_sdk.manifest.permission import Permission
from viloapp_sdk.manifest.vocabulary import split_host

__all__ = ["MESSAGES", "WARNINGS", "in_words", "said", "told", "warned", "warning"]

_PLACES = {
    "home_directory": "your home folder, but for keys, logins and browser profiles",
    "workspace": "the folder that you work in",
    "temp_files": "its own temporary folder",
    "plugin_data": "its own data folder",
    "*": "your home folder, the folder that you work in and its own folders",
}
_VERBS = {"read": "read the files in", "write": "read and change the files in"}


def _of_files() -> dict[str, str]:
    named = {
        f"may.filesystem.{scope}.{'all' if place == '*' else place}": f"{verb} {words}"
        for scope, verb in _VERBS.items()
        for place, words in _PLACES.items()
    }
    return named | {f"may.filesystem.{scope}": f"{verb} {{path}}" for scope, verb in _VERBS.items()}


def _of_hosts() -> dict[str, str]:
    hosts = {
        "": "{host}",
        ".all": "any host on the internet",
        ".local": "programs on this machine (localhost)",
        ".under": "every host of {host}",
    }
    found = {}
    for key, words in hosts.items():
        found[f"may.network.connect{key}"] = f"connect to {words}"
        with_port = f"{key}_port" if key else ".port"
        found[f"may.network.connect{with_port}"] = f"connect to {words}, port {{port}}"
    return found


MESSAGES: Mapping[str, str] = {
    **_of_files(),
    **_of_hosts(),
    "may.system.read.information": "learn this machine's name, system, processors and memory",
    "may.process.spawn.terminal": "open terminals in which your own shell runs",
    "may.ui.read.active_widget": "learn which tab of another plugin you are in",
    "may.services.read.commands": "list the commands of all plugins",
    "may.plugins.read.installed": "list your plugins",
    "may.process.execute": "run the program {name}",
    "may.process.execute.all": "run any program",
    "may.system.environment": "read the environment variable {name}",
    "may.ui.open": "open the widget {name} of another plugin",
    "may.ui.open.all": "open any widget of other plugins",
    "may.services.emit": "send the event {name} to other plugins",
    "may.services.emit.all": "send any event to other plugins",
    "may.services.subscribe": "hear the event {name} of other plugins",
    "may.services.subscribe.all": "hear every event of other plugins",
    "may.plugins.call": "run the commands of the plugin {name}",
    "may.plugins.call.all": "run the commands of any plugin",
}
"""What permissions allow: key → English, with the values in braces."""

WARNINGS: Mapping[str, str] = {
    "warning.terminal": (
        "a terminal runs with your full authority: this permission allows everything that you can do"
    ),
    "warning.filesystem": (
        "what starts when you log in lies there: who may change that can do all that you can do"
    ),
    "warning.process": "what the program itself can be made to do, the plugin can do",
    "warning.network": "with this, whatever it can read can be sent to anybody",
}
"""What some confer beyond their words."""


def said(permission: Permission) -> tuple[str, dict[str, str]]:
    """Return key and values of the message that says what a permission allows; no key where none does."""
    if f"may.{permission}" in MESSAGES:
        return f"may.{permission}", {}
    if permission.category == "filesystem":
        scope = "read" if permission.scope == "read" else "write"
        key = f"may.filesystem.{scope}"
        place = "all" if permission.resource == "*" else permission.resource
        if permission.resource in _PLACES:
            return f"{key}.{place}", {}
        return key, {"path": permission.resource}
    key = f"may.{permission.category}.{permission.scope}"
    if key == "may.network.connect":
        return _connect(permission.resource)
    if permission.resource == "*" and f"{key}.all" in MESSAGES:
        return f"{key}.all", {}
    return (key, {"name": permission.resource}) if key in MESSAGES else ("", {})


def told(permission: Permission) -> dict[str, Any]:
    """Return ``words`` and ``warning`` in English, and as ``said`` and ``warned`` their messages."""
    key, values = said(permission)
    return {
        "words": in_words(permission),
        "said": {"key": key, "values": values},
        "warning": warning(permission),
        "warned": warned(permission),
    }


def in_words(permission: Permission) -> str:
    """Return what a permission allows, in English: ``"connect to api.example.com"``."""
    key, values = said(permission)
    return MESSAGES[key].format(**values) if key else permission.resource


def warned(permission: Permission) -> str:
    """Return the key of what a permission confers beyond its words; empty when they say it all."""
    if str(permission) == "process.spawn.terminal":
        return "warning.terminal"
    if (
        permission.category == "filesystem"
        and permission.scope != "read"
        and permission.resource in ("home_directory", "*")
    ):
        return "warning.filesystem"
    if permission.category == "process":
        return "warning.process"
    if str(permission) in ("network.connect.*", "network.connect.*:443", "network.connect.*:80"):
        return "warning.network"
    return ""


def warning(permission: Permission) -> str:
    """Return what a permission confers beyond its words, in English; empty when they say it all."""
    return WARNINGS.get(warned(permission), "")


def _connect(resource: str) -> tuple[str, dict[str, str]]:
    host, port = split_host(resource)
    values = {} if port is None else {"port": str(port)}
    key = {"*": ".all", "localhost": ".local"}.get(host, "")
    if host.startswith("*."):
        key, host = ".under", host[2:]
    if key in ("", ".under"):
        values["host"] = host
    suffix = "" if port is None else "_port" if key else ".port"
    return f"may.network.connect{key}{suffix}", values
