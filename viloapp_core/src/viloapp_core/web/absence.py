"""Why a tab that was saved cannot be shown: what its plugin was, and how to have it again."""

from viloapp_core.store import Store
from viloapp_core.store.errors import StoreError
from viloapp_core.store.layout import check_plugin_id
from viloapp_sdk.errors import UnknownWidgetError

__all__ = ["absent"]


def absent(store: Store, widget: str, plugin: str) -> UnknownWidgetError | None:
    """Return that the plugin of a widget is not there, or does not run; None where that is not why.

    Args:
        store: what is installed.
        widget: its id.
        plugin: the plugin whose it was, as the page kept it; empty when it is not known.
    """
    try:
        check_plugin_id(plugin)
    except StoreError:
        return None
    found, shown = store.plugins().get(plugin), widget[:80]
    if found is None:
        return UnknownWidgetError(
            f"{shown} is a widget of {plugin}, which is not installed",
            f"what it showed is kept; to have it again: viloapp install {plugin}",
        )
    if not found.enabled:
        why = f" ({found.reason})" if found.reason else ""
        return UnknownWidgetError(
            f"{shown} is a widget of {plugin}, which is disabled{why}",
            f"what it showed is kept; to have it again: viloapp enable {plugin}",
        )
    return None  # one that it offers only at run time may come yet
