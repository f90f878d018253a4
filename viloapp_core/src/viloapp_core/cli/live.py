"""Telling the host that runs on this store what changed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viloapp_core.cli.errors import failure
from viloapp_core.cli.invocation import Invocation
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.store import Store


def refresh_host(invocation: Invocation, store: Store) -> None:
    """Make a running host take the store as it is now; what was committed stays so when that fails."""
    try:
        if client := invocation.running_host(store):
            client.request("refresh", {})
    except (ViloError, OSError) as error:
        invocation.output.warning(f"the running ViloApp did not take the change: {failure(error).detail}")
