"""Every permission there is: its scopes, what resources they take, and where ``*`` may stand.

    >>> issue("network.conect.example.com")
    "network has no scope 'conect'; did you mean 'connect'?"
    >>> issue("network.connect.*.example.com") is None
    True

One table for the build of a plugin, its installation, the decision at run time and the reference: a
permission that nobody enforces would promise something.

Source: the specification, Permission Categories; ``docs/reference/permissions.md``, compared by a test.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from viloapp_sdk.manifest.format import PERMISSION_CATEGORIES

PLACES = ("home_directory", "workspace", "temp_files", "plugin_data")
#: Folders of the kernel: what lies there is no file of the person's.
NOT_FILES = ("/proc", "/sys", "/dev")

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::([1-9][0-9]{0,4}))?")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLUGIN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Scope:
    """One row of the table.

    Args:
        category: the permission's first part.
        name: its second part.
        resource: what its third part is, for the reference.
        star: what ``*`` stands for there, for the reference; empty where it may not stand.
        allows: what holding it allows.
        check: returns what is wrong with a resource, None when nothing is.
        words: the resources, where they are a fixed few.
    """

    category: str
    name: str
    resource: str
    star: str
    allows: str
    check: Callable[[str], str | None]
    words: tuple[str, ...] = ()


def issue(text: str) -> str | None:
    """Return what is wrong with ``text`` as a permission and what was meant; None when nothing is."""
    if not text.isprintable():  # a person reads it, on a terminal too
        return "it has characters that cannot be shown"
    category, _, rest = text.partition(".")
    name, _, resource = rest.partition(".")
    if not (category and name and resource):
        return "it has fewer than three parts; write category.scope.resource"
    if category not in PERMISSION_CATEGORIES:
        return f"there is no category {category!r}" + _meant(category, PERMISSION_CATEGORIES)
    if name == "*":
        if category != "filesystem":
            return f"'*' cannot stand for a scope of {category}" + _list(scopes_of(category))
        name = "write"
    scope = SCOPES.get((category, name))
    if scope is None:
        known = scopes_of(category)
        return f"{category} has no scope {name!r}" + (_meant(name, known))
    return scope.check(resource)


def scopes_of(category: str) -> tuple[str, ...]:
    """Return the names of a category's scopes."""
    return tuple(name for of, name in SCOPES if of == category)


def split_host(resource: str) -> tuple[str, int | None]:
    """Return host and port of a network resource that `issue` found nothing wrong with."""
    host, _, port = resource.rpartition(":") if re.search(r":\d+$", resource) else (resource, "", "")
    if host.startswith("[") and not host.endswith("]"):  # the last group of an address, not a port
        return resource, None
    return host, int(port) if port else None


# -- resources ------------------------------------------------------------------------------------------


def _one_of(words: tuple[str, ...]) -> Callable[[str], str | None]:
    def check(resource: str) -> str | None:
        return None if resource in words else f"there is no {resource!r} here" + _meant(resource, words)

    return check


def _file(resource: str) -> str | None:
    if resource in (*PLACES, "*"):
        return None
    if not resource.startswith(("/", "~/")):
        return f"{resource!r} is no place" + _meant(resource, PLACES, "or a path that begins with / or ~/")
    parts = resource.split("/")[1:]
    if parts == [""]:
        return "name a folder below /, or home_directory"
    if any(part in ("", ".", "..") for part in parts):
        return "a path has no '.', '..' or empty parts, and no '/' at its end"
    if "*" in resource:
        return "a path has no '*': it stands for all that lies below it"
    if f"/{parts[0]}" in NOT_FILES and resource.startswith("/"):
        return f"/{parts[0]} is the kernel's, not files"
    return None


def _network(resource: str) -> str | None:
    if resource != resource.lower():
        return "write a host in lower case"
    if "://" in resource or "/" in resource:
        return "write a host, or host:port, not a URL"
    match = _HOST.fullmatch(resource)
    if match is None:
        return f"{resource!r} is no host or host:port; an IPv6 address stands in brackets, as in [::1]:80"
    host, port = match[1], match[2]
    if port and int(port) > 65535:
        return f"there is no port {port}"
    if host == "*":
        return None
    if host.startswith("[") or re.fullmatch(r"[0-9.]+", host):
        return _address(host)
    name = host[2:] if host.startswith("*.") else host
    if "*" in name:
        return "'*' stands alone, or for what comes before a domain, as in *.example.com"
    if not name.isascii():
        return "write an international name in its ASCII form (xn--…)"
    if len(name) > 253 or not _NAME.fullmatch(name):
        return f"{host!r} is no host name"
    last = name.rpartition(".")[2]
    if host.startswith("*.") and (last.isdigit() or last == "localhost"):
        return f"'*' cannot stand before {name}"
    return None


def _address(host: str) -> str | None:
    import ipaddress

    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return f"{host!r} is no address"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return f"write the IPv4 address that it is: {address.ipv4_mapped}"
    written = f"[{address}]" if address.version == 6 else str(address)
    if address.version == 4 and host.startswith("["):
        return f"an IPv4 address stands without brackets: {address}"
    return None if written == host else f"write the address as {written}"


def _program(resource: str) -> str | None:
    if resource == "*":
        return None
    if resource.startswith("/"):
        return (
            None
            if "*" not in resource and _file(resource) is None
            else f"{resource!r} is no path of a program"
        )
    if "/" in resource or "*" in resource or " " in resource or resource in (".", ".."):
        return f"{resource!r} is no program: write its name, or its absolute path"
    return None


def _variable(resource: str) -> str | None:
    if resource == "*":
        return "'*' cannot stand for all variables: name each"
    return None if _VARIABLE.fullmatch(resource) else f"{resource!r} is no name of an environment variable"


def _dotted(resource: str) -> str | None:
    if resource == "*":
        return None
    name = resource[:-2] if resource.endswith(".*") else resource
    if all(_WORD.fullmatch(part) for part in name.split(".")):
        return None
    return f"{resource!r} is no id; '*' stands alone or at the end, as in hello.*"


def _plugin(resource: str) -> str | None:
    if resource == "*" or _PLUGIN.fullmatch(resource):
        return None
    return f"{resource!r} is no plugin id: lower-case letters, digits and '-'"


def _meant(word: str, known: tuple[str, ...], otherwise: str = "") -> str:
    from difflib import get_close_matches  # only who made a mistake pays for it

    close = get_close_matches(word[:64], known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return _list(known) + (f", {otherwise}" if otherwise else "")


def _list(known: tuple[str, ...]) -> str:
    return f"; there {'are' if len(known) > 1 else 'is'} {', '.join(known)}"


def _fixed(category: str, name: str, word: str, allows: str) -> Scope:
    return Scope(category, name, f"`{word}`", "", allows, _one_of((word,)), (word,))


_PATHS = "`home_directory`, `workspace`, `temp_files`, `plugin_data`, `/PATH`, `~/PATH`"
_ROWS = (
    Scope(
        "system",
        "environment",
        "`NAME`",
        "",
        "read one environment variable of the host, by `services.system.get_environment`",
        _variable,
    ),
    _fixed(
        "system",
        "read",
        "information",
        "learn the machine's name, system, processors and memory, by `services.system.get_information`",
    ),
    Scope(
        "filesystem",
        "read",
        _PATHS,
        "the four named places; also for the scope: reading and writing",
        "list and read what lies there",
        _file,
        PLACES,
    ),
    Scope(
        "filesystem",
        "write",
        _PATHS,
        "the four named places",
        "change, make and remove what lies there, and read it",
        _file,
        PLACES,
    ),
    Scope(
        "network",
        "connect",
        "`HOST`, `HOST:PORT`, `*.DOMAIN`, `ADDRESS`, `[ADDRESS]`, `localhost`",
        "every name and every public address; as `*.DOMAIN` every name below it; never `localhost` or a"
        " private address",
        "open connections to it; without a port, to every port",
        _network,
    ),
    Scope("process", "execute", "`PROGRAM`, `/PATH`", "every program", "run the program", _program),
    _fixed(
        "process", "spawn", "terminal", "open terminals in which your own shell runs: all that you can do"
    ),
    _fixed("ui", "read", "active_widget", "learn which widget of another plugin has the focus"),
    Scope(
        "ui",
        "open",
        "`WIDGET`",
        "every widget; at the end, all below a name: `hello.*`",
        "open a widget of another plugin",
        _dotted,
    ),
    _fixed("services", "read", "commands", "list the commands of all plugins"),
    Scope(
        "services",
        "emit",
        "`EVENT`",
        "every event; at the end, all below a name",
        "emit an event that is not named after the plugin",
        _dotted,
    ),
    Scope(
        "services",
        "subscribe",
        "`EVENT`",
        "every event; at the end, all below a name",
        "hear an event of other plugins",
        _dotted,
    ),
    Scope("plugins", "call", "`ID`", "every plugin", "run the commands of another plugin", _plugin),
    _fixed("plugins", "read", "installed", "list the plugins that are enabled"),
)
SCOPES = {(row.category, row.name): row for row in _ROWS}
