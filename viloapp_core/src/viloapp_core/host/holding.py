"""Which enabled plugins a host leaves out this time, and why. Nothing of it is kept in the store.

holding = Holding(safe=True)
holding.why("hello")      # "held back: safe mode; use: viloapp enable hello"
holding.release(["hello"], plugins)
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

__all__ = ["ONLY", "Holding", "only_in"]

ONLY = "VILOAPP_ONLY"
"""Names the enabled plugins that a host may run, with commas between; the empty text for none of them."""


class _Requiring(Protocol):
    @property
    def requires_plugins(self) -> tuple[str, ...]: ...


def only_in(environ: Mapping[str, str]) -> frozenset[str] | None:
    """Return the plugins that the environment leaves, None where it says nothing.

    A word that is no plugin's id holds back more, never less.
    """
    text = environ.get(ONLY)
    return None if text is None else frozenset(word.strip() for word in text.split(",") if word.strip())


class Holding:
    """What is held back.

    Args:
        safe: hold back all that ViloApp does not bring along itself.
        only: hold back all but these; None for no such choice.
    """

    def __init__(self, *, safe: bool = False, only: Collection[str] | None = None) -> None:
        self.safe = safe
        self._only = None if only is None else frozenset(only)
        self._released: set[str] = set()
        self._own = frozenset[str]()
        if safe:
            from viloapp_core.resolve import OWN_NAMES  # most hosts do without all that this loads

            self._own = OWN_NAMES

    def __bool__(self) -> bool:
        return self.safe or self._only is not None

    @property
    def limited(self) -> bool:
        """Whether somebody chose the plugins one by one, to try what happens with these."""
        return self._only is not None

    def why(self, plugin_id: str) -> str:
        """Return why a plugin is held back; empty when it is not."""
        if plugin_id in self._released:
            return ""
        if self._only is not None and plugin_id not in self._only:
            return f"held back: it is not among {ONLY}"
        if self.safe and plugin_id not in self._own:
            return f"held back: safe mode; use: viloapp enable {plugin_id}"
        return ""

    def release(self, plugin_ids: Iterable[str], plugins: Mapping[str, _Requiring]) -> list[str]:
        """Hold plugins back no more, nor those that they require; return which, sorted."""
        from packaging.requirements import Requirement

        found, waiting = set[str](), list(plugin_ids)
        while waiting:
            plugin_id = waiting.pop()
            if plugin_id not in plugins or plugin_id in found:
                continue
            found.add(plugin_id)
            waiting += [Requirement(text).name for text in plugins[plugin_id].requires_plugins]
        freed = sorted(plugin_id for plugin_id in found if self.why(plugin_id))
        self._released |= found
        return freed
