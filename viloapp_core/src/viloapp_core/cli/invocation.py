"""What every command is given: its output, its environment, and the store once it asks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from viloapp_core.cli.output import Output

if TYPE_CHECKING:
    from viloapp_core.host.control import ControlClient
    from viloapp_core.store import Store


@dataclass
class Invocation:
    """One run of the command line."""

    output: Output = field(default_factory=Output.of_process)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def store(self) -> Store:
        """Open the store, after what a killed command left half done is cleaned up.

        Where that cannot be done (a full disk), it is said: what only reads goes on, what changes tries again
        and fails.
        """
        from viloapp_core.foundation.paths import store_root
        from viloapp_core.store import Store
        from viloapp_sdk.errors import ViloError

        store = Store(store_root(self.environ))
        try:
            for done in store.recover():
                self.output.note(done)
        except (ViloError, OSError) as error:
            self.output.note(f"what an earlier command left half done stays so: {error}")
        return store

    def running_host(self, store: Store) -> ControlClient | None:
        """Return a connection to the host that has this store, or None."""
        from viloapp_core.host.control import ControlClient

        return ControlClient.connect(store.root)


pass_invocation = click.make_pass_decorator(Invocation)
