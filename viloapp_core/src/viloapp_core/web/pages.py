"""The pages that are connected, and what they are all told."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from viloapp_core.web.outbox import Outbox, encode

__all__ = ["Page", "Pages"]

_log = logging.getLogger(__name__)


class Page:
    """One connected page."""

    def __init__(self) -> None:
        self.outbox = Outbox()


class Pages:
    """Every connected page."""

    def __init__(self) -> None:
        self._pages: set[Page] = set()

    @contextmanager
    def joined(self, page: Page) -> Iterator[None]:
        """Count ``page`` among those that hear of events, for as long as the block runs."""
        self._pages.add(page)
        try:
            yield
        finally:
            self._pages.discard(page)

    @property
    def any(self) -> bool:
        """Whether somebody has the workspace open."""
        return bool(self._pages)

    def tell(self, event: str, data: Mapping[str, Any]) -> None:
        """Pass one event of the host on to every page; encoded once for all of them.

        Suits ``Host.subscribe``: it neither waits nor raises.
        """
        try:
            text = encode({"event": event, "data": data})
        except (TypeError, ValueError) as error:
            _log.warning("the event %s cannot be shown: %r", event, error)
            return
        for page in self._pages:
            page.outbox.put(text)
