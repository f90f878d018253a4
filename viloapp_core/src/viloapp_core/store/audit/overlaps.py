"""What wheels do to each other: each may be good, and one still take the place of another's files."""

from __future__ import annotations

from collections.abc import Sequence

from viloapp_core.store.audit.finding import Finding
from viloapp_core.store.audit.names import shown
from viloapp_core.store.audit.places import clashes, module_of

__all__ = ["overlaps"]


def overlaps(findings: Sequence[Finding]) -> list[str]:
    """Return where wheels that share a virtualenv claim one file or hide one another's modules.

    pip lays down the last one silently, so that a dependency can replace another's module.

    Args:
        findings: of all wheels of one plugin, in any order; each is accepted by itself already.
    """
    landings = [(finding.wheel, path) for finding in findings for path in finding.landings]
    issues = []
    for clash in clashes(landings):
        if clash.path == clash.other_path:
            issues.append(f"{shown(clash.path)}: is in both {clash.other} and {clash.owner}")
        else:
            other = f"{shown(clash.other_path)} of {clash.other}"
            issues.append(f"{shown(clash.path)} of {clash.owner}: {clash.why} {other}")
    modules: dict[str, tuple[str, str]] = {}
    for wheel, path in landings:
        if module := module_of(path):
            other, other_path = modules.setdefault(module, (wheel, path))
            if wheel != other and path != other_path:
                issues.append(
                    f"{shown(path)} of {wheel}: is the same module as {shown(other_path)} of {other}"
                )
    return issues
