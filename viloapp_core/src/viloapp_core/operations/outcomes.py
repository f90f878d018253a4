"""What goes into a use case and what comes out: options, progress, consent, outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from viloapp_core.manifest import PluginDescription
    from viloapp_core.trust import Examination

Stage = Literal["resolve", "lock", "fetch", "verify", "consent", "lay down", "settings", "activate", "done"]


@dataclass(frozen=True)
class ProgressEvent:
    """One step of a use case, for a bar or a line.

    Args:
        plugin: the plugin's id, or what the user named while the id is not known.
        stage: where in the installation.
        message: one line for a person.
        done: how much of `total`: bytes while fetching, files or wheels otherwise.
        total: 0 when it is not known.
    """

    plugin: str
    stage: Stage
    message: str
    done: int = 0
    total: int = 0


class Progress(Protocol):
    """Told how a use case goes on; called from the thread that runs it."""

    def __call__(self, event: ProgressEvent, /) -> None:
        """Take one step; must not raise."""


class Consent(Protocol):
    """Asks the person whom to trust, and whether a plugin may have what its manifest declares."""

    def ask_publisher(self, plugin: PluginDescription, examination: Examination, /) -> bool | None:
        """Return whether the publisher that `examination` shows is the right one; it is pinned then.

        Nobody answers this for the person: where there is none, the answer is None.
        """

    def ask_unsigned(self, plugin: PluginDescription, why: str, /) -> bool | None:
        """Return whether the person accepts a plugin that the core carries and nobody signed.

        None where nobody is to be asked.
        """

    def ask(self, plugin: PluginDescription, permissions: Sequence[str], /) -> bool:
        """Return whether the person accepts `permissions`; their reasons are in the plugin's manifest."""


class RefuseAll:
    """The consent of nobody: for callers that have no person to ask."""

    def ask(self, plugin: PluginDescription, permissions: Sequence[str], /) -> bool:
        """Return False."""
        return False

    def ask_publisher(self, plugin: PluginDescription, examination: Examination, /) -> None:
        """Return None: there is nobody."""

    def ask_unsigned(self, plugin: PluginDescription, why: str, /) -> None:
        """Return None: there is nobody."""


def silent(event: ProgressEvent, /) -> None:
    """Take a step and say nothing."""


@dataclass(frozen=True)
class InstallOptions:
    """What the user chose for an installation.

    Args:
        index_url: the one index that is asked; pip's default when None.
        find_links: further folders or pages with wheels, as pip takes them.
        offline: use only what was fetched before and what is on this machine.
        dev: the specs are folders, installed so that a change of their source takes effect at the next start.
        yes: accept the permissions without asking.
        dry_run: resolve, say what would happen, and change nothing.
        python: a version such as ``3.12`` or a path; None lets the core choose.
        force_reinstall: make a new generation even where nothing changed.
        trust_publishers: publishers, as text, that are the right ones where one is used for the first time.
        trust_lock: take the publishers that a workspace lock names for the right ones at their first use.
        allow_unsigned: ids of plugins that may be unsigned; it is recorded.
        allow_downgrade: ids of plugins that may go below the highest version seen; it is logged.
        trust_config: an organisation's own Sigstore, for this operation; what the store says when None.
        beside: further arguments to pip, which is to install more beside each plugin.
        runs_instead: the entry point that its process runs in the place of the plugin's own: of a store for
            tests alone.
    """

    index_url: str | None = None
    find_links: tuple[str, ...] = ()
    offline: bool = False
    dev: bool = False
    yes: bool = False
    dry_run: bool = False
    python: str | None = None
    force_reinstall: bool = False
    trust_publishers: tuple[str, ...] = ()
    trust_lock: bool = False
    allow_unsigned: tuple[str, ...] = ()
    allow_downgrade: tuple[str, ...] = ()
    trust_config: Path | None = None
    beside: tuple[str, ...] = ()
    runs_instead: str | None = None


@dataclass(frozen=True)
class InstallOutcome:
    """What became of one spec."""

    plugin_id: str
    version: str
    status: Literal["installed", "unchanged", "would install"]
    previous_version: str | None
    """The version it replaces; it stays in the store for a rollback."""
    source: str
    signature: str
    """``signed by …``, ``UNSIGNED`` or ``dev``; before it is known: ``verified at installation``."""
    python_version: str
    packages: tuple[str, ...]
    """``name==version`` of each distribution, the plugin's own first."""
    permissions: tuple[str, ...]
    notes: tuple[str, ...]
    """What a person should know, one line each."""
    generation: Path | None
    publisher: str = ""
    """Who is pinned for it, in full; empty for what nobody signed."""
    settings: Mapping[str, Any] | None = None
    """``{"before", "after", "steps", "restored"}``: the version of settings and data; None when not known."""


@dataclass(frozen=True)
class RemovalOutcome:
    """What became of one uninstallation."""

    plugin_id: str
    version: str
    status: Literal["removed", "would remove"]
    data_kept: Path | None
    """The plugin's data, when it has any and it was not purged."""
    notes: tuple[str, ...]
    goes: tuple[str, ...] = ()
    """What is removed, for people. Shared wheels stay until `gc`."""


@dataclass(frozen=True)
class UpdateOutcome:
    """What became of one plugin that was to be updated, or rolled back."""

    plugin_id: str
    version: str
    status: Literal["updated", "would update", "unchanged", "rolled back"]
    previous_version: str | None
    """The version before; None when it was not installed."""
    changes: tuple[str, ...]
    """``name old -> new`` of each distribution that changes."""
    permissions: tuple[str, ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Any] | None = None
    """As `InstallOutcome` has it."""


@dataclass(frozen=True)
class RepairOutcome:
    """What was wrong with a plugin, and what became of it."""

    plugin_id: str
    """Empty for what belongs to all plugins: the journal, the index, shared wheels."""
    status: Literal["broken", "repaired"]
    problems: tuple[str, ...]
