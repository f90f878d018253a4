"""The store: generations of plugins, each a virtualenv of its own, changed only in journalled steps.

>>> store = Store(Path("/home/me/.local/share/viloapp"))
>>> [plugin.version for plugin in store.plugins().values()]
['0.1.0']
"""

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
