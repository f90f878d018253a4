"""Telling the host that runs on this store what changed in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


def release(invocation: Invocation, store: Store, plugin_ids: Sequence[str]) -> None:
    """Have a host that holds some of these back run them."""
    if held_back(invocation, store) and (client := invocation.running_host(store)):
        with client:
            client.request("release", {"plugins": list(plugin_ids)})


def held_back(invocation: Invocation, store: Store) -> dict[str, str]:
    """Return why enabled plugins do not run, by id: a host has the store that holds them back.

    Without such a host it costs one small read.
    """
    from viloapp_core.foundation.errors import FoundationError
    from viloapp_core.foundation.files import read_json

    try:
        note = read_json(store.root / "host.json")
    except FoundationError:
        return {}
    if not isinstance(note, dict) or not note.get("holds"):
        return {}
    client = invocation.running_host(store)
    if client is None:  # it was killed
        return {}
    with client:
        held: dict[str, str] = client.request("held")
    return held


def _refresh_host(invocation: Invocation, store: Store) -> None:
    """Ask the host to look at its store; what was committed stays so when that fails."""
    try:
        if client := invocation.running_host(store):
            with client:
                client.request("refresh", {})
    except (ViloError, OSError) as error:
        invocation.output.warning(f"the running ViloApp did not take the change: {failure(error).detail}")
