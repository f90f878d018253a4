"""A new generation on probation: it stays when it keeps well, and goes back with all that came with it.

What it needs to go back is in its own folder, ``probation.json``, written before it becomes current: the
plugin's settings as they were. Its receipt names the generation that it replaced. So the moment of the switch
is the moment at which the probation begins, whatever kills whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viloapp_core.foundation.clock import Clock, timestamp
from viloapp_core.foundation.errors import FileError, FoundationError
from viloapp_core.foundation.files import read_json, write_json
from viloapp_core.store import belongings, truth, withdrawals
from viloapp_core.store.errors import StoreError
from viloapp_core.store.layout import Layout
from viloapp_sdk.errors import ViloError

NAME = "probation.json"
_SCHEMA = 1
_MAX_REASON = 300


class NotOnProbationError(StoreError):
    """There is nothing to take back: the generation in use has proved itself, or nothing was before it."""

    def __init__(self, plugin_id: str) -> None:
        super().__init__(
            "not_on_probation", f"{plugin_id} is not on probation", f"viloapp rollback {plugin_id}"
        )


@dataclass(frozen=True)
class Probation:
    """What a generation on probation would go back to.

    Args:
        settings: the plugin's, as they were when it was installed; None when it had none.
        known: whether they could be read then; else they are left alone.
        version: of them, as was recorded.
    """

    settings: Mapping[str, Any] | None
    known: bool
    version: str = ""


def begin(layout: Layout, plugin_id: str, generation: Path, receipt: Mapping[str, Any]) -> bool:
    """Put a generation on probation that is about to become current; return whether it is one.

    It is when other wheels of the same plugin were in use before. What runs from its source is not, for its
    author changes it while it runs. The caller holds the store's lock.
    """
    from viloapp_core.services.sections import read_section  # readers of the index do without

    replaces = receipt.get("replaces")
    if not isinstance(replaces, str) or receipt.get("source") == "dev":
        return False
    try:
        former = truth.read_receipt(layout.generations(plugin_id) / replaces)
    except StoreError:
        return False  # there is no way back to that
    if former.get("lock_digest") == receipt.get("lock_digest") or former.get("source") == "dev":
        return False
    try:
        section = read_section(layout.settings, plugin_id)
        known, settings, version = True, section.values, section.version
    except (FoundationError, ViloError):
        known, settings, version = False, None, ""
    facts = {"schema": _SCHEMA, "known": known, "settings": settings, "version": version}
    write_json(generation / NAME, facts)
    return True


def of(generation: Path) -> Probation | None:
    """Return what is kept of a generation on probation, None for one that is not."""
    try:
        value = read_json(generation / NAME)
    except FileError:
        return None
    if not isinstance(value, dict) or value.get("schema") != _SCHEMA:
        return None
    settings, version = value.get("settings"), str(value.get("version", ""))
    return Probation(settings if isinstance(settings, dict) else None, value.get("known") is True, version)


def end(generation: Path) -> None:
    """Take a generation off probation."""
    (generation / NAME).unlink(missing_ok=True)


def withdrawal(
    layout: Layout, plugin_id: str, name: str, reason: str, state: Mapping[str, Any], clock: Clock
) -> dict[str, Any]:
    """Return the facts of the journal for taking a generation back.

    They are complete: whoever finds them after a crash can carry them out.

    Args:
        layout: the store's.
        plugin_id: the plugin.
        name: of the generation in use.
        reason: why, for people.
        state: the plugin's part of ``state.json``.
        clock: for when it was.

    Raises:
        NotOnProbationError: there is nothing to go back to.
        StoreError: what it replaced is damaged.
    """
    folder = layout.generations(plugin_id) / name
    receipt, probation = truth.read_receipt(folder), of(folder)
    target = receipt.get("replaces")
    if probation is None or not isinstance(target, str):
        raise NotOnProbationError(plugin_id)
    truth.read_receipt(layout.generations(plugin_id) / target)
    row = {
        "version": str(receipt.get("version")),
        "generation": name,
        "lock_digest": str(receipt.get("lock_digest")),
        "reason": " ".join(reason.split())[:_MAX_REASON],
        "at": timestamp(clock),
        "back_to": target,
    }
    return {
        "kind": "withdraw",
        "plugin_id": plugin_id,
        "generation": target,
        "was": name,
        "known": probation.known,
        "settings": probation.settings,
        "version": probation.version,
        # Where steps had made others of them, data included, what was before the steps comes back.
        "restores": belongings.is_kept(layout, plugin_id, target),
        "state": {"enabled": True, "reason": "", withdrawals.KEY: withdrawals.with_row(state, row)},
    }


def put_settings_back(layout: Layout, facts: Mapping[str, Any]) -> None:
    """Make a plugin's settings what the facts of a withdrawal say; again makes no difference.

    What they were until then is kept beside the generation that is taken back.
    """
    from viloapp_core.services.sections import Section, write_section

    plugin_id, target = str(facts["plugin_id"]), str(facts["generation"])
    if facts.get("restores"):
        belongings.exchange(layout, plugin_id, str(facts["was"]), layout.left(plugin_id) / target)
    elif facts.get("known"):
        belongings.keep_settings(layout, plugin_id, str(facts["was"]))
        section = Section(facts.get("settings"), str(facts.get("version", "")))
        write_section(layout.settings, plugin_id, section)
