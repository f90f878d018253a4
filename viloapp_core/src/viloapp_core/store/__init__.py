"""The store: generations of plugins, each a virtualenv of its own, changed only in journalled steps.

>>> store = Store(Path("/home/me/.local/share/viloapp"))
>>> [plugin.version for plugin in store.plugins().values()]
['0.1.0']
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from viloapp_core.store.errors import (
        CollisionError,
        LayDownError,
        NotInstalledError,
        OverlappingWheelsError,
        StoreError,
        StoreFolderError,
        UnsafeWheelError,
    )
    from viloapp_core.store.index import InstalledPlugin
    from viloapp_core.store.layout import Layout
    from viloapp_core.store.revocation import Revocation
    from viloapp_core.store.store import Store

__all__ = [
    "CollisionError",
    "InstalledPlugin",
    "Layout",
    "LayDownError",
    "NotInstalledError",
    "OverlappingWheelsError",
    "Revocation",
    "Store",
    "StoreError",
    "StoreFolderError",
    "UnsafeWheelError",
]

_HOMES = {"InstalledPlugin": "index", "Layout": "layout", "Revocation": "revocation", "Store": "store"}


def __getattr__(name: str) -> "Any":
    # Lazily: what a listing shows is read without any of these classes.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = _HOMES.get(name, "errors")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
