"""`multiprocessing` where a plugin has no Unix sockets: its managers and listeners meet on the loopback.

Beside a folder of the person's the sandbox makes none, since whoever can make one can connect to any that
lies there. The loopback is the sandbox's own, and each side proves to the other that it knows the key.
"""

import _socket
import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from viloapp_sdk.worker._broker import Broker

_ANY_PORT = ("127.0.0.1", 0)


def install(module: "ModuleType", broker: "Broker") -> None:
    """Change what a process says that gives no address; nothing where there are Unix sockets."""
    if _has_unix_sockets():
        return
    if module.__name__ == "multiprocessing.connection":
        module.default_family = "AF_INET"  # type: ignore[attr-defined]  # of that module
    else:
        _tell_managers(module)


def _tell_managers(module: "Any") -> None:
    """A manager's process may be a new interpreter, which was not completed: it is told the address."""
    original = module.BaseManager.__init__

    def __init__(self: "Any", address: "Any" = None, *args: "Any", **more: "Any") -> None:
        original(self, _ANY_PORT if address is None else address, *args, **more)

    module.BaseManager.__init__ = __init__


def _has_unix_sockets() -> bool:
    try:
        _socket.socket(_socket.AF_UNIX).close()
    except OSError as error:
        return error.errno != errno.EAFNOSUPPORT
    return True
