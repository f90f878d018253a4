"""A chain of steps, and what comes of going through it.

Versions are compared as PEP 440 has it: 10.0 comes after 9.0, 1.0 is 1.0.0, and 1.5 still needs the step
that leads from 1.0 to 2.0.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from packaging.version import InvalidVersion, Version

from viloapp_core.migration.errors import NewerVersionError, NotSettingsError

__all__ = ["Chain", "Finding", "Migration", "Moved", "Step", "migrate", "version_of"]

KEPT = "kept"
"""The key under which a document carries what no step had a place for."""

FIRST = "1.0"
"""What a document without a version is of. Source: the specification, Settings Migration."""


MAX_DEPTH = 100
"""Of a document: deeper, the steps, which go into it one call for each level, would come to an end."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that did not come over as it was.

    Attributes:
        kind: ``kept``, it has no place any more; ``replaced``, it could not be taken, a default stands for
            it; ``renamed``, the same is called otherwise now; ``left``, it is no entry, and kept as it was.
        path: where it was, with dots between the keys.
        detail: a clause for people.
    """

    kind: Literal["kept", "replaced", "renamed", "left"]
    path: str
    detail: str

    def to_json(self) -> dict[str, str]:
        """Return ``{"kind", "path", "detail"}``."""
        return {"kind": self.kind, "path": self.path, "detail": self.detail}


class Moved(NamedTuple):
    """What one step made of a document."""

    document: dict[str, Any]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """From one version to the next.

    Attributes:
        source: the version that it starts from.
        target: the version that it leads to.
        apply: makes the new document; gets a copy of the old one, which it may take apart.
    """

    source: str
    target: str
    apply: Callable[[dict[str, Any]], Moved]


@dataclass(frozen=True, slots=True)
class Chain:
    """All steps of one kind of document, oldest first."""

    steps: tuple[Step, ...]

    @property
    def latest(self) -> str:
        """The version that the last step leads to."""
        return self.steps[-1].target


class Migration(NamedTuple):
    """What a chain made of a document.

    Attributes:
        document: of the latest version; the one that was given when there was nothing to do.
        origin: the version that it was of.
        log: a line for each step that ran. Source: the specification, ``migration_log``.
        findings: of all steps, in their order.
    """

    document: dict[str, Any]
    origin: str
    log: tuple[str, ...]
    findings: tuple[Finding, ...]


def version_of(document: Mapping[str, Any]) -> Version:
    """Return the version of a document; 1.0 when it names none.

    Raises:
        NotSettingsError: what it names is no version.
    """
    given = document.get("version", FIRST)
    # JSON knows one kind of number: 2 and 2.0 are written by hand for "2.0".
    if isinstance(given, bool) or not isinstance(given, (str, int, float)):
        raise NotSettingsError(f"version: {given!r} is no version", f'write it as text, such as "{FIRST}"')
    try:
        return Version(str(given))
    except InvalidVersion:
        raise NotSettingsError(
            f"version: {str(given)[:40]!r} is no version", f'write it as text, such as "{FIRST}"'
        ) from None


def migrate(document: Mapping[str, Any], chain: Chain) -> Migration:
    """Take a document through the steps that it still needs; the one given is not touched.

    A later version of the same major number is taken as it is: what was added to it is not in the way.

    Raises:
        NotSettingsError: its version is none, or it is nested too deeply.
        NewerVersionError: its major number is beyond the chain's.
    """
    if _deeper(document, MAX_DEPTH):
        raise NotSettingsError(f"it is nested deeper than {MAX_DEPTH} levels", "no version wrote such a file")
    version = origin = version_of(document)
    if origin.major > Version(chain.latest).major:
        raise NewerVersionError(str(origin), chain.latest)
    current: dict[str, Any] = deepcopy(dict(document))
    log: list[str] = []
    findings: list[Finding] = []
    for step in chain.steps:
        if version >= Version(step.target):
            continue
        moved = step.apply(current)
        current, version = moved.document, Version(step.target)
        findings += moved.findings
        log.append(f"Migrated from {step.source}")
    return Migration(current, str(origin), tuple(log), tuple(findings))


def _deeper(document: object, levels: int) -> bool:
    """Tell whether something has more levels, going through it level by level."""
    level: list[object] = [document]
    for _ in range(levels):
        inner: list[object] = []
        for each in level:
            inner += each.values() if isinstance(each, Mapping) else each if isinstance(each, list) else ()
        if not inner:
            return False
        level = inner
    return True
