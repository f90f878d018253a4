"""Where a plugin came from, so that whatever follows it comes from there too.

Somebody else may have a plugin of the same name at another index. So what was installed from one is never
looked for at another unless the person names that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from viloapp_core.operations.outcomes import InstallOptions

__all__ = ["RESOLVED", "Origin", "chosen", "recorded"]

_PYPI = "PyPI"
RESOLVED = ("index", "bundled")
"""Sources of plugins that are resolved, and looked for again at an update."""


@dataclass(frozen=True)
class Origin:
    """The places that are asked for a plugin and its libraries.

    Args:
        index_url: the one index; None for PyPI, empty for none.
        find_links: folders, absolute, and pages with wheels.
    """

    index_url: str | None
    find_links: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what a receipt keeps of it: nothing that one logs in with."""
        index = _PYPI if self.index_url is None else _without_login(self.index_url)
        return {"index_url": index, "find_links": [_without_login(link) for link in self.find_links]}

    def __str__(self) -> str:
        """Name the places, for people."""
        kept = self.to_json()
        return " and ".join([kept["index_url"] or "no index", *kept["find_links"]])


def recorded(receipt: Mapping[str, Any]) -> Origin | None:
    """Return where a plugin came from, None where its receipt does not say: a file, or an older core's."""
    index = receipt.get("index_url")
    if receipt.get("source") not in RESOLVED or not isinstance(index, str):
        return None
    links = receipt.get("find_links")
    kept = tuple(map(str, links)) if isinstance(links, list) else ()
    return Origin(None if index == _PYPI else index, kept)


def chosen(options: InstallOptions, known: Origin | None) -> Origin:
    """Return where a plugin is looked for: where the person says, else where it came from, else at PyPI.

    Args:
        options: the person's choices.
        known: where it came from.
    """
    links = tuple(map(_absolute, options.find_links))
    if options.index_url is not None:
        return Origin(options.index_url, links)
    if known is None:
        return Origin("" if options.offline else None, links)
    return Origin(known.index_url, links or known.find_links)


def _absolute(link: str) -> str:
    return link if "://" in link else os.path.abspath(os.path.expanduser(link))


def _without_login(place: str) -> str:
    if "://" not in place:
        return place
    parts = urlsplit(place)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
