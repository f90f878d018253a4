"""How well permissions and limits are enforced on this machine, for `viloapp doctor`."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from viloapp_core.cli.output import Output
    from viloapp_core.sandbox import Level
    from viloapp_core.store import Store


@dataclass(frozen=True)
class Capability:
    """How well one thing is enforced.

    Args:
        kind: ``permission`` (of a category) or ``limit``.
        name: of the category or the limit.
        level: ``enforced``, ``partial`` or ``none``.
        minimum: the level that the policy wants; below it no plugin starts.
        reason: what was seen.
        remedy: what to do about it; empty when nothing is wrong.
    """

    kind: str
    name: str
    level: Level
    minimum: Level
    reason: str
    remedy: str


def capabilities(store: Store) -> list[Capability]:
    """Try everything: a process in a plugin's place, and each limit."""
    from viloapp_core.cli.config import settings_of
    from viloapp_core.sandbox import probe
    from viloapp_core.sandbox.trial import trial
    from viloapp_core.store.identities import trial_user
    from viloapp_core.supervise.limit_policy import limit_support

    settings = settings_of(store)
    permissions, limits = settings.get("core.minimum.permissions"), settings.get("core.minimum.limits")
    found = probe()
    uid = trial_user() if os.geteuid() == 0 else None
    rows = [
        Capability("permission", row.category, row.level, permissions, row.reason, row.remedy)
        for row in trial(found, folder=store.root, uid=uid)
    ]
    return rows + [
        Capability("limit", row.limit, row.level, limits, row.reason or row.by, row.remedy)
        for row in limit_support(found)
    ]


def too_weak(row: Capability) -> bool:
    """Return whether no plugin starts because of this."""
    from viloapp_core.sandbox import enough

    return not enough(row.level, row.minimum)


def show(rows: list[Capability], output: Output) -> None:
    """Print a table of them, then what to do."""
    output.table(
        ("kind", "name", "enforced", "reason"), [(row.kind, row.name, row.level, row.reason) for row in rows]
    )
    for remedy in dict.fromkeys(row.remedy for row in rows if row.remedy):
        output.line(f"to do: {remedy}")
    for row in rows:
        if too_weak(row):
            output.line(
                f"no plugin starts: {row.kind} {row.name} is {row.level}, core.minimum.{row.kind}s is "
                f"{row.minimum}; accept it: viloapp config set core.minimum.{row.kind}s {row.level}"
            )


def as_json(rows: list[Capability]) -> list[dict[str, str]]:
    """Return them for `--json`."""
    return [asdict(row) for row in rows]
