"""Which permissions a source looks as if it used, read with `ast`; none of it is run.

A hint is no proof: names are followed no further than the line they stand on. So the lack of one says that
nothing *visible* uses a permission, and only what a literal names is held against a plugin that did not
declare it.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from viloapp_core.permissions import Permission, PermissionSyntaxError

__all__ = ["Hint", "hints"]

_NETWORK = frozenset(
    (
        *("aiohttp", "ftplib", "http.client", "httpx", "imaplib", "poplib", "requests", "smtplib", "socket"),
        *("ssl", "urllib.request", "urllib3", "websocket", "websockets", "xmlrpc"),
    )
)
_PROGRAMS = frozenset(("os.system", "os.popen", "os.execv", "os.execvp", "os.posix_spawn", "os.spawnv"))
_RUNS = frozenset(("run", "Popen", "call", "check_call", "check_output"))
_FILES = frozenset(
    ("read_text", "read_bytes", "iterdir", "glob", "rglob", "write_text", "write_bytes", "mkdir")
)
_HOSTS_EVENTS = ("theme.changed", "settings.changed", "plugin.limit")
# The last two names of a called attribute → the permission whose resource is the first argument.
_BY_ARGUMENT = {
    "plugins.call": "plugins.call.{}",
    "events.emit": "services.emit.{}",
    "events.subscribe": "services.subscribe.{}",
    "event_bus.emit": "services.emit.{}",
    "event_bus.subscribe": "services.subscribe.{}",
    "host.subscribe_event": "services.subscribe.{}",
    "system.get_environment": "system.environment.{}",
    "workspace.add_widget": "ui.open.{}",
}
_FIXED = {
    "plugins.list": "plugins.read.installed",
    "commands.list": "services.read.commands",
    "system.get_information": "system.read.information",
}


@dataclass(frozen=True, slots=True)
class Hint:
    """One place that looks like a use.

    Args:
        category: of the permission.
        scope: of it; empty for any.
        permission: the very one that is needed, where a literal says so.
        path: of the file.
        line: in it.
        what: what stands there.
        asked: the plugin asks for it at run time, so that it need not be declared.
    """

    category: str
    scope: str
    permission: Permission | None
    path: str
    line: int
    what: str
    asked: bool = False

    def uses(self, declared: Permission) -> bool:
        """Return whether this could be a use of a declared permission."""
        if self.permission is not None and (
            declared.covers(self.permission) or self.permission.covers(declared)
        ):
            return True
        if self.category != declared.category or self.scope not in ("", declared.scope):
            return False
        return self.permission is None


def hints(source: str, path: str, plugin_id: str = "", own: frozenset[str] = frozenset()) -> list[Hint]:
    """Return what a module looks as if it used.

    Args:
        source: the module's text.
        path: for the hints.
        plugin_id: what its own events begin with.
        own: ids of its widgets and commands.

    Raises:
        SyntaxError: it is no Python.
    """
    found: list[Hint] = []
    for node in ast.walk(ast.parse(source)):
        found += _of_node(node, path, plugin_id, own)
    return sorted(found, key=lambda hint: hint.line)


def _of_node(node: ast.AST, path: str, plugin_id: str, own: frozenset[str]) -> Iterator[Hint]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        module = node.module if isinstance(node, ast.ImportFrom) else None
        names = [f"{module}.{each.name}" if module else each.name for each in node.names]
        for name in (*names, *([module] if module else [])):
            yield from _of_import(name, path, node.lineno)
    elif isinstance(node, ast.Attribute) and node.attr == "terminals":
        yield _hint("process.spawn.terminal", path, node.lineno, "services.terminals")
    elif isinstance(node, ast.Call):
        yield from _of_call(node, path, plugin_id, own)


def _of_import(name: str, path: str, line: int) -> Iterator[Hint]:
    if name in _NETWORK or name.partition(".")[0] in _NETWORK:
        yield Hint("network", "connect", None, path, line, f"import {name}")
    elif name == "subprocess":
        yield Hint("process", "execute", None, path, line, f"import {name}")


def _of_call(node: ast.Call, path: str, plugin_id: str, own: frozenset[str]) -> Iterator[Hint]:
    dotted = _dotted(node.func)
    last = ".".join(dotted[-2:])
    first = _literal(node.args[0]) if node.args else None
    line, what = node.lineno, ".".join(dotted) + "()"
    if last in _FIXED:
        yield _hint(_FIXED[last], path, line, what)
    elif last in _BY_ARGUMENT:
        yield from _named(_BY_ARGUMENT[last], first, path, line, what, plugin_id, own)
    elif last == "commands.execute" and first not in own:
        yield Hint("plugins", "call", None, path, line, what)
    elif dotted[-1:] == ["get_active_widget"]:
        yield Hint("ui", "read", None, path, line, what)
    elif dotted[-1:] == ["get_folder"] or dotted == ["open"] or (dotted[-1:] and dotted[-1] in _FILES):
        yield Hint("filesystem", "", None, path, line, what)
    elif last in _PROGRAMS or (dotted[:1] == ["subprocess"] and dotted[-1] in _RUNS):
        program = _literal(node.args[0], first_item=True) if node.args else None
        needed = _parsed(f"process.execute.{program}") if program and "subprocess" in dotted else None
        yield Hint("process", "execute", needed, path, line, what)
    elif dotted[-1:] == ["request_permission"] or last == "permissions.request":
        asked = _parsed(first) if first else None
        if asked is not None:
            yield Hint(asked.category, asked.scope, asked, path, line, what, asked=True)


def _named(
    template: str, name: str | None, path: str, line: int, what: str, plugin_id: str, own: frozenset[str]
) -> Iterator[Hint]:
    category, scope, _ = template.split(".", 2)
    if name is None:
        yield Hint(category, scope, None, path, line, what)
        return
    mine = name in own or name == plugin_id or name.startswith(f"{plugin_id}.")
    if not mine and (scope != "subscribe" or name not in _HOSTS_EVENTS):
        yield Hint(category, scope, _parsed(template.format(name)), path, line, f"{what[:-1]}{name!r})")


def _hint(text: str, path: str, line: int, what: str) -> Hint:
    permission = Permission.parse(text)
    return Hint(permission.category, permission.scope, permission, path, line, what)


def _parsed(text: str) -> Permission | None:
    try:
        return Permission.parse(text)
    except PermissionSyntaxError:
        return None


def _dotted(node: ast.expr) -> list[str]:
    """Return the names of ``a.b.c``; those at the end, where it begins with something else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        names.append(node.id)
    return names[::-1]


def _literal(node: ast.expr, *, first_item: bool = False) -> str | None:
    if first_item and isinstance(node, (ast.List, ast.Tuple)) and node.elts:
        node = node.elts[0]
    elif first_item and not isinstance(node, ast.Constant):
        return None
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
