"""Fetch block lists, from a file or an address, and let the verified ones count."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from viloapp_core.foundation import http
from viloapp_core.foundation.clock import Clock
from viloapp_core.foundation.errors import HttpError
from viloapp_core.trust import Publisher, RefreshError, TrustStore, take_list
from viloapp_core.trust.block_lists import MAX_LIST_BYTES
from viloapp_core.trust.blocks import BlockList
from viloapp_core.trust.signatures import MAX_SIGNATURE_BYTES

_SUFFIX = ".sigstore.json"
_TIMEOUT_S = 60.0


def add_block_list(
    keeper: TrustStore,
    source: str,
    publisher: Publisher,
    *,
    config: Path | None,
    environ: Mapping[str, str],
    clock: Clock,
    name: str = "",
) -> BlockList:
    """Fetch a list and its signature, ``<source>.sigstore.json``, and let it count.

    Args:
        keeper: where it is kept.
        source: a URL of http or https, or a file.
        publisher: who has to have signed it.
        config: an organisation's own Sigstore, for this time.
        environ: the user's environment: proxies and certificates.
        clock: for the time.
        name: of the list that is taken anew; empty for a new one.

    Raises:
        RefreshError: it cannot be fetched or is refused; what is in force stays so.
        TrustFileError: what is trusted cannot be read.
    """
    if "://" not in source:
        source = str(Path(source).absolute())
    return take_list(
        keeper,
        source,
        _get(source, MAX_LIST_BYTES, environ),
        _get(_beside(source), MAX_SIGNATURE_BYTES, environ),
        publisher=publisher,
        authority=keeper.authority(clock.now(), config),
        clock=clock,
        name=name,
    )


def refresh_block_lists(
    keeper: TrustStore, *, config: Path | None, environ: Mapping[str, str], clock: Clock
) -> tuple[list[BlockList], list[RefreshError]]:
    """Fetch every list again; one that cannot be had stays as it is, and is told.

    Args:
        keeper: where they are kept.
        config: as `add_block_list` has it.
        environ: as `add_block_list` has it.
        clock: for the time.

    Returns:
        The lists that were taken, and why others were not.
    """
    taken, problems = [], []
    for name, row in keeper.read().block_lists.items():
        try:
            taken.append(
                add_block_list(
                    keeper, row.source, row.publisher, config=config, environ=environ, clock=clock, name=name
                )
            )
        except RefreshError as error:
            problems.append(error)
    return taken, problems


def _beside(source: str) -> str:
    parts = urlsplit(source)
    return parts._replace(path=parts.path + _SUFFIX).geturl() if "://" in source else source + _SUFFIX


def _get(source: str, limit: int, environ: Mapping[str, str]) -> bytes:
    if "://" not in source:
        try:
            with open(source, "rb") as stream:
                data = stream.read(limit + 1)
        except OSError as error:
            raise RefreshError(f"{source} cannot be read: {error.strerror}") from error
        if len(data) > limit:
            raise RefreshError(f"{source} is larger than {limit} bytes")
        return data
    try:
        return http.get(
            source, accept="application/json", max_bytes=limit, timeout_s=_TIMEOUT_S, environ=environ
        ).body
    except HttpError as error:
        raise RefreshError(error.detail, "what is in force stays so") from error
