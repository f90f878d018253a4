"""Telling the host that runs on this store what changed in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from viloapp_core.cli.errors import failure
from viloapp_core.cli.invocation import Invocation
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.store import Store


@contextmanager
def changing(invocation: Invocation, store: Store) -> Iterator[None]:
    """Make a running host take what changes in the store meanwhile, also when only half of it succeeded."""
    before = store.index_stamp()
    try:
        yield
    finally:
        if store.index_stamp() != before:
            _refresh_host(invocation, store)


def _refresh_host(invocation: Invocation, store: Store) -> None:
    """Ask the host to look at its store; what was committed stays so when that fails."""
    try:
        if client := invocation.running_host(store):
            with client:
                client.request("refresh", {})
    except (ViloError, OSError) as error:
        invocation.output.warning(f"the running ViloApp did not take the change: {failure(error).detail}")
