"""Where each thing is in a store; nothing here touches the disk.

plugins/<id>/generations/<version>-<lockdigest>/{venv/, pylock.toml, receipt.json}
plugins/<id>/current -> generations/<…>   plugins/<id>/{data/, log/, log/crashes/, locks/}
plugins/<id>/left/<generation>/{settings.json, data/}
wheels/<sha256>/ (unpacked)   archives/<sha256>.whl   journal/   cache/
state.json   index.json   settings.json   users.json   ledger.json   audit.jsonl   store.lock   host.lock
trust.toml   trust/ (roots and block lists that were taken)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from viloapp_core.foundation.names import is_normalized
from viloapp_core.store.errors import StoreError


def check_plugin_id(plugin_id: str) -> str:
    """Return `plugin_id` when it can name a folder of the store.

    Raises:
        StoreError: it is not a normalized distribution name.
    """
    if not is_normalized(plugin_id):
        raise StoreError(
            "bad_plugin_id", f"{plugin_id!r} is not a plugin id", "an id is like viloxterm or my-plugin"
        )
    return plugin_id


@dataclass(frozen=True)
class Layout:
    """The paths of one store."""

    root: Path

    @property
    def plugins(self) -> Path:
        """The folder with a folder for each plugin."""
        return self.root / "plugins"

    @property
    def archives(self) -> Path:
        """The wheels as they were fetched, named by their hash."""
        return self.root / "archives"

    @property
    def wheels(self) -> Path:
        """The wheels unpacked, each once; virtualenvs link to their files."""
        return self.root / "wheels"

    def wheel(self, sha256: str) -> Path:
        """Return the folder of one unpacked wheel."""
        return self.wheels / sha256

    @property
    def journal(self) -> Path:
        """What is being changed right now."""
        return self.root / "journal"

    @property
    def cache(self) -> Path:
        """What tools keep to be quicker next time; may be deleted at any time."""
        return self.root / "cache"

    @property
    def index(self) -> Path:
        """The cache that readers read."""
        return self.root / "index.json"

    @property
    def state(self) -> Path:
        """Which plugins are enabled, and why not."""
        return self.root / "state.json"

    @property
    def settings(self) -> Path:
        """What the person set, of the core and of plugins."""
        return self.root / "settings.json"

    @property
    def identities(self) -> Path:
        """Which user each plugin runs as, where the host is root's."""
        return self.root / "users.json"

    @property
    def lock(self) -> Path:
        """Held while a change is made visible."""
        return self.root / "store.lock"

    def plugin(self, plugin_id: str) -> Path:
        """Return the folder of one plugin; raises StoreError for what cannot be an id."""
        return self.plugins / check_plugin_id(plugin_id)

    def generations(self, plugin_id: str) -> Path:
        """Return the folder of a plugin's generations."""
        return self.plugin(plugin_id) / "generations"

    def current(self, plugin_id: str) -> Path:
        """Return the link to the generation in use."""
        return self.plugin(plugin_id) / "current"

    def data(self, plugin_id: str) -> Path:
        """Return the folder that the plugin itself may write to."""
        return self.plugin(plugin_id) / "data"

    def left(self, plugin_id: str) -> Path:
        """Return the folder of what is kept of settings and data beside generations that were left."""
        return self.plugin(plugin_id) / "left"

    def locks(self, plugin_id: str) -> Path:
        """Return the folder of the locks on a plugin's generations."""
        return self.plugin(plugin_id) / "locks"

    def generation_lock(self, plugin_id: str, name: str) -> Path:
        """Return the file that whoever runs a generation has locked, shared."""
        return self.locks(plugin_id) / f"{name}.lock"

    def log(self, plugin_id: str) -> Path:
        """Return the folder of the plugin's logs."""
        return self.plugin(plugin_id) / "log"
