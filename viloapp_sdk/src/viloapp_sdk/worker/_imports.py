"""Completes modules when the plugin imports them, so that what nobody imports costs nothing.

A sandboxed worker has no network and no programs; its host lends them. The standard library's own modules
are taught that the moment they are loaded, and every library on top of them works as it is.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from viloapp_sdk.worker._broker import Broker

HOOKS = {
    "grpc": "_proxy",
    "multiprocessing.connection": "_processes",
    "multiprocessing.managers": "_processes",
    "pycurl": "_proxy",
    "shutil": "_programs",
    "socket": "_network",
    "subprocess": "_programs",
    "uvloop": "_uvloop",
}
"""Module: the module of ours whose ``install(module, broker)`` completes it."""


class _Finder:
    """Stands first in `sys.meta_path` and only watches: the real finders find."""

    def __init__(self, broker: "Broker") -> None:
        self._broker = broker

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if name not in HOOKS:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                self._complete_later(name, spec)
                return spec
        return None

    def _complete_later(self, name: str, spec: "ModuleSpec") -> None:
        loader = spec.loader
        execute = getattr(loader, "exec_module", None)
        if execute is None:
            return

        def exec_module(module: "ModuleType") -> None:
            execute(module)
            complete(name, module, self._broker)

        loader.exec_module = exec_module  # type: ignore[union-attr, method-assign]  # this one instance's


def complete(name: str, module: "ModuleType", broker: "Broker") -> None:
    """Complete a module that was just loaded."""
    ours = f"viloapp_sdk.worker.{HOOKS[name]}"
    __import__(ours)
    sys.modules[ours].install(module, broker)


def watch(broker: "Broker") -> None:
    """Complete every module of `HOOKS` when it is imported, now if it has been."""
    sys.meta_path.insert(0, _Finder(broker))
    for name in HOOKS:
        if name in sys.modules:
            complete(name, sys.modules[name], broker)
