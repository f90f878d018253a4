"""The widgets that are open now, as the host's events tell it; what a page shows that joins later."""

from collections.abc import Mapping
from typing import Any

__all__ = ["Instances"]


class Instances:
    """A record of open widgets, kept by feeding it every event of the host.

    >>> instances = Instances()
    >>> instances.observe("widget.opened", {"instance": "1", "kind": "text", "data": {"text": "a"}})
    >>> instances.observe("widget.updated", {"instance": "1", "data": {"text": "b"}})
    >>> instances.all()
    [{'instance': '1', 'kind': 'text', 'data': {'text': 'b'}}]
    """

    def __init__(self) -> None:
        self._open: dict[str, dict[str, Any]] = {}

    def observe(self, event: str, data: Mapping[str, Any]) -> None:
        """Take note of one event of the host; events of other kinds are of no concern."""
        if event == "widget.opened":
            self._open[data["instance"]] = dict(data)
        elif event == "widget.removed":
            self._open.pop(data["instance"], None)
        elif event == "widget.updated" and data["instance"] in self._open:
            self._update(self._open[data["instance"]], data)

    def __contains__(self, instance: object) -> bool:
        return instance in self._open

    def all(self) -> list[dict[str, Any]]:
        """Return a copy of each open widget, oldest first."""
        return [dict(widget) for widget in self._open.values()]

    @staticmethod
    def _update(widget: dict[str, Any], change: Mapping[str, Any]) -> None:
        """Apply an update: named keys of the data replace the old ones, the others stay."""
        if change.get("title") is not None:
            widget["title"] = change["title"]
        data = change.get("data")
        if data is not None:
            old = widget.get("data")
            if isinstance(old, Mapping) and isinstance(data, Mapping):
                widget["data"] = {**old, **data}
            else:
                widget["data"] = data
