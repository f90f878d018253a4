"""Why a host ends a plugin's process, as those are told who wait for an answer of it."""

from collections.abc import Set
from typing import NamedTuple

from viloapp_core.store import InstalledPlugin
from viloapp_core.store.index import Plugins

__all__ = ["HOST_ENDED", "PAUSED", "RELOADED", "RESTARTED", "Parting", "blocked", "left"]


class Parting(NamedTuple):
    """What happened to a plugin, and what to do next."""

    why: str
    hint: str


HOST_ENDED = Parting("the host that runs it has ended", "try again: the next call starts another")
PAUSED = Parting("it is being updated", "try again when it has been")
RELOADED = Parting("its source was saved, and runs anew", "try again")
RESTARTED = Parting("it was restarted, since what it may do has changed", "try again")


def blocked(why: str) -> Parting:
    """Say that a block list names it; ``why`` as `Revocation.why` has it."""
    what, _, hint = why.partition("; use: ")
    return Parting(f"it was stopped: {what}", f"use: {hint}" if hint else "")


def left(before: InstalledPlugin, plugins: Plugins, wanted: Set[str]) -> Parting:
    """Say why a plugin runs no more as it did.

    Args:
        before: as it ran.
        plugins: what is installed now.
        wanted: ids of those that may run.
    """
    id = before.plugin_id
    now = plugins.get(id)
    if now is None:
        return Parting("it was uninstalled", f"to have it again: viloapp install {id}")
    if not now.enabled:
        by = now.reason.removeprefix("disabled ")  # what the command says where the person gave no reason
        why = f" {by}" if by != now.reason else f": {now.reason}" if now.reason else ""
        return Parting(f"it was disabled{why}", f"viloapp enable {id}")
    if id not in wanted:
        return Parting("it is held back", f"viloapp enable {id}")
    if now.version == before.version:
        return Parting(f"{now.version} was installed anew", "try again: what was installed answers")
    return Parting(f"{now.version} took the place of {before.version}", f"try again: {now.version} answers")
