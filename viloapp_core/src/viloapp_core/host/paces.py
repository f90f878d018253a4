"""How much of a person's attention, of the disk and of the pages each plugin gets, however much it asks for.

What a plugin in order does is never near a bound. Beyond it a message is left out, since nobody could read
it, and what changes something waits for its turn: the plugin is as slow then as it is noisy.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from viloapp_core.broker.rate import Rate

__all__ = ["PACED", "Notices", "Paces"]

PACED: Final[Mapping[str, tuple[float, int]]] = {
    "settings.set": (5.0, 30),  # each is a file that is written and waited for
    "workspace.add_widget": (2.0, 20),
    "workspace.update_widget": (100.0, 200),  # goes to every page; a page that falls behind has to begin anew
}
"""Methods that wait for their turn: so many a second, after so many at once."""
_MESSAGES: Final = (0.5, 20)
_QUIET_S: Final = 60.0
"""For how long a plugin says no more than it may until it is told of again that it says too much."""


class Paces:
    """The turns of all plugins. Used on the host's loop."""

    def __init__(self) -> None:
        self._rates: dict[tuple[str, str], Rate] = {}

    async def turn(self, plugin_id: str, method: str) -> None:
        """Return when a plugin may have this done."""
        if (key := (plugin_id, method)) not in self._rates:
            self._rates[key] = Rate(*PACED[method])
        await self._rates[key].turn()


class Notices:
    """What plugins, and the host because of them, tell the person: messages and denials.

    Args:
        publish: ``Host.publish``.
    """

    def __init__(self, publish: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._publish = publish
        self._rates: dict[str, Rate] = {}
        self._silenced: dict[str, float] = {}

    def affords(self, plugin_id: str) -> bool:
        """Whether the person is told one thing more about a plugin; says once when they are not."""
        if self._rates.setdefault(plugin_id, Rate(*_MESSAGES)).affords():
            return True
        now = asyncio.get_running_loop().time()
        if now - self._silenced.get(plugin_id, -_QUIET_S) >= _QUIET_S:
            text = f"{plugin_id} says more than can be read: what follows is left out"
            self._show(plugin_id, "warning", f"{text}; viloapp audit {plugin_id} has what it was denied")
        self._silenced[plugin_id] = now
        return False

    def show(self, plugin_id: str, level: str, message: str) -> None:
        """Show a message of or about a plugin, unless there were too many."""
        if self.affords(plugin_id):
            self._show(plugin_id, level, message)

    def _show(self, plugin_id: str, level: str, message: str) -> None:
        self._publish("notification", {"level": level, "message": message, "plugin": plugin_id})
