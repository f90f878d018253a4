"""What an index says of where a file of it came from: PEP 740 provenance, fetched and not yet believed.

Source: PEP 691 and PEP 740, the key ``provenance`` of a file; an index that knows none leaves it out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from viloapp_core.foundation.errors import HttpError
from viloapp_core.resolve.errors import ProvenanceError
from viloapp_core.resolve.lock import Package
from viloapp_core.resolve.pip import Sources

MAX_PAGE_BYTES = 64 << 20
"""A project's page; the largest of PyPI have about 20 MB."""
MAX_PROVENANCE_BYTES = 2 << 20
_TIMEOUT_S = 60.0
_SIMPLE = "application/vnd.pypi.simple.v1+json"
_INTEGRITY = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5"


def fetch_provenance(
    package: Package,
    *,
    sources: Sources,
    environ: Mapping[str, str],
    cancel: threading.Event | None = None,
) -> bytes | None:
    """Return the provenance that the index has of a file; None where it has none.

    Only the index itself is asked: an address elsewhere that it names is refused, and one that it sends us on
    to as well.

    Args:
        package: the file, by name and hash.
        sources: the index.
        environ: the user's environment, for proxies and certificates.
        cancel: gives up when set.

    Raises:
        ProvenanceError: the index says that there is one, and it cannot be had.
    """
    from viloapp_core.foundation.http import get, origin  # it loads TLS, which a listing does not want

    if sources.offline:
        return None
    page = f"{(sources.index_url or default_index()).rstrip('/')}/{package.name}/"
    try:
        answer = get(
            page,
            accept=_SIMPLE,
            max_bytes=MAX_PAGE_BYTES,
            timeout_s=_TIMEOUT_S,
            environ=environ,
            cancel=cancel,
        )
    except HttpError:
        return None  # what is not found has no signature, and is refused for that
    where = named(answer.body, package)
    if where is None:
        return None
    try:
        address = urljoin(answer.url, where)
        here = origin(address) == origin(answer.url)
    except ValueError as error:
        raise ProvenanceError(
            package.filename, f"the index says that it is at {where!r:.200}, which is no address: {error}"
        ) from error
    if not here:
        raise ProvenanceError(
            package.filename, f"the index says that it is at {address}, which is another server"
        )
    try:
        # Joined to the index's own address, so that it is asked as we log in there.
        return get(
            urljoin(page, where),
            accept=_INTEGRITY,
            max_bytes=MAX_PROVENANCE_BYTES,
            timeout_s=_TIMEOUT_S,
            environ=environ,
            cancel=cancel,
        ).body
    except HttpError as error:
        raise ProvenanceError(package.filename, error.detail) from error


def named(page: bytes, package: Package) -> str | None:
    """Return where a project's page says that a file's provenance is; None when it does not say.

    Args:
        page: JSON, from a server that may answer anything.
        package: the file: its entry has this name and this hash.
    """
    try:
        value: Any = json.loads(page)
        for entry in value["files"]:
            if entry["filename"] == package.filename and entry["hashes"]["sha256"] == package.sha256:
                where = entry.get("provenance")
                return where if isinstance(where, str) and where else None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return None


def default_index() -> str:
    """Return the index that pip asks where none was named."""
    from pip._internal.models.index import PyPI  # pip says it nowhere else

    return PyPI.simple_url
