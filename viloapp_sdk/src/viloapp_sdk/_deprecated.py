"""What is deprecated: what takes its place, and which version has it no more. docs/reference/versions.md.

One table for who runs a plugin, for `viloapp validate` and for the documentation. Each thing warns once in a
process, at the line that uses it:

    >>> def old():
    ...     warn("viloapp_sdk.compat.LegacyWidgetAdapter.widget_id")

Nothing of this is loaded before something deprecated is used.
"""

import sys

__all__ = ["NAMES", "Deprecation", "tell", "warn"]


class Deprecation:
    """That something is going.

    Args:
        use: what takes its place.
        gone_in: the version of viloapp-sdk, or of the API for a field or a call, that has it no more.
    """

    __slots__ = ("gone_in", "use")

    def __init__(self, use: str, gone_in: str) -> None:
        self.use = use
        self.gone_in = gone_in

    def say(self, what: str, where: str = "viloapp-sdk") -> str:
        """Return it in words."""
        return f"{what} is deprecated, use {self.use}; {where} {self.gone_in} has it no more"


OLD_INTERFACE_GONE_IN = "2.0"

#: Dotted Python name of the SDK → what takes its place. A method stands under its class.
NAMES = {
    "viloapp_sdk.compat.LegacyWidgetAdapter.setup_widget": Deprecation("initialize()", OLD_INTERFACE_GONE_IN),
    "viloapp_sdk.compat.LegacyWidgetAdapter.widget_id": Deprecation("get_widget_id()", OLD_INTERFACE_GONE_IN),
}

_told: "set[str]" = set()


def warn(name: str, depth: int = 1) -> None:
    """Warn of the use of one of `NAMES`.

    Args:
        name: which.
        depth: callers between this function and the line that is meant; 1 is who called our caller.
    """
    tell(name, NAMES[name].say(name.rpartition(".")[2]), depth + 1)


def tell(what: str, message: str, depth: int = 1) -> None:
    """Warn with a `DeprecationWarning`, unless this process was told of the same thing already.

    Python hides these warnings but for the main module's and under pytest. In a worker they go to the
    plugin's log, where `viloapp dev` shows them.

    Args:
        what: tells one thing from another.
        message: for the author.
        depth: see `warn`.
    """
    if what in _told:
        return
    _told.add(what)
    import warnings  # most plugins never need it

    if getattr(sys.modules.get("viloapp_sdk.worker"), "serving", False):
        import re

        warnings.filterwarnings("default", message=re.escape(message), category=DeprecationWarning)
    warnings.warn(message, DeprecationWarning, stacklevel=depth + 2)
