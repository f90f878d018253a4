"""What use cases work with, and what they plan."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from viloapp_core.operations.fitting import NobodyRuns, Steps
from viloapp_core.operations.origins import Origin, chosen, recorded
from viloapp_core.operations.outcomes import InstallOptions, Progress, ProgressEvent, Stage
from viloapp_core.operations.specs import Spec
from viloapp_core.resolve import ByteCounter, Pip, Resolution, Sources, wheelhouse
from viloapp_core.store import Store
from viloapp_core.store import archives as archive
from viloapp_core.store.errors import StoreError

if TYPE_CHECKING:
    from viloapp_core.manifest import PluginDescription
    from viloapp_core.trust import Signature


@dataclass(frozen=True)
class Plan:
    """One plugin, resolved."""

    spec: Spec
    plugin_id: str
    source: str
    """``index``, ``bundled``, ``wheel``, ``bundle`` or ``dev``."""
    resolution: Resolution
    description: PluginDescription | None = None
    """What it says about itself, when the user named a file or a folder."""
    signature: Signature | None = None
    """What came with it, where it was a bundle."""
    publisher: str = ""
    """Who has to have signed it, where a workspace lock says so."""


@dataclass(frozen=True)
class Workshop:
    """Everything a use case works with."""

    store: Store
    options: InstallOptions
    progress: Progress
    environ: Mapping[str, str]
    scratch: Path
    cancel: threading.Event | None = None
    wheels: Mapping[str, Path] = field(default_factory=wheelhouse)
    steps: Steps = field(default_factory=NobodyRuns)
    adopted: dict[str, str] = field(default_factory=dict)
    """New plugin → the one that requires it, from whose place it comes."""

    @property
    def sources(self) -> Sources:
        """Where distributions come from that belong to no plugin yet: offline, the archives too."""
        return self._sources(chosen(self.options, None))

    def sources_of(self, plugin_id: str) -> Sources:
        """Return where a plugin and its libraries come from."""
        return self._sources(self.origin_of(plugin_id))

    def origin_of(self, plugin_id: str) -> Origin:
        """Return the same in words that a receipt keeps."""
        like = self.adopted.get(plugin_id, plugin_id)
        known = None
        if like in self.store.plugins():
            with suppress(StoreError):  # it is damaged, and installed again: the person says where from
                known = recorded(self.store.receipt(like))
        return chosen(self.options, known)

    def _sources(self, origin: Origin) -> Sources:
        if not self.options.offline and origin.index_url != "":
            return Sources(origin.index_url, origin.find_links)
        farm = self.scratch / "archives"
        farm.mkdir(exist_ok=True)
        archive.link_farm(self.store.layout, archive.known(self.store.layout), farm)
        return Sources(origin.index_url or None, (*origin.find_links, str(farm)), offline=True)

    def pip(self, plugin: str, stage: Stage) -> Pip:
        """Return pip, reporting to this use case's progress."""

        def on_bytes(name: str, done: int, total: int) -> None:
            if total:  # an index without metadata files makes pip fetch whole wheels already
                self.say(plugin, "fetch", name, done, total)

        counter = ByteCounter(on_bytes)

        def on_line(line: str) -> None:
            counter.line(line)
            # What pip calls processing are files of this machine, under names that only pip and we know.
            if line.startswith(("Collecting ", "  Downloading ")):
                self.say(plugin, stage, line.strip())

        return Pip(self.environ, self.scratch, on_line, self.cancel)

    def say(self, plugin: str, stage: Stage, message: str, done: int = 0, total: int = 0) -> None:
        """Report one step."""
        self.progress(ProgressEvent(plugin, stage, message, done, total))
