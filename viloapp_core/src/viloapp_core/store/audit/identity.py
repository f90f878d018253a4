"""What a wheel says it is, in four places that have to agree: file name, ``.dist-info``, METADATA, WHEEL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from math import prod

from packaging.tags import Tag, parse_tag
from packaging.utils import (
    BuildTag,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from viloapp_core.store.audit import bounds
from viloapp_core.store.audit.names import shown

__all__ = ["Identity", "dist_info_issues", "identify", "metadata_issues", "retagged", "wheel_issues"]


@dataclass(frozen=True)
class Identity:
    """What the file name says."""

    name: NormalizedName
    version: Version
    build: BuildTag
    tags: frozenset[Tag]
    stem: str
    """Name and version as they are written in the file name."""


def identify(filename: str) -> Identity:
    """Read a wheel's file name.

    Raises:
        ValueError: it is no file name of a wheel.
    """
    try:
        name, version, build, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise ValueError(f"its file name is none of a wheel: {error}") from error
    return Identity(name, version, build, tags, "-".join(filename.split("-")[:2]))


def dist_info_issues(tops: Sequence[str], identity: Identity) -> Iterator[str]:
    """Yield why the folders at the top do not have the one ``.dist-info`` of this wheel."""
    if len(tops) != 1:
        listed = ", ".join(shown(top) for top in sorted(tops)[:5]) or "none"
        yield f"*.dist-info: a wheel has exactly one such folder, not {listed}"
        return
    name, _, version = tops[0].removesuffix(".dist-info").partition("-")
    if not tops[0].endswith(".dist-info") or not _same(name, version, identity):
        yield f"{shown(tops[0])}: is not of {identity.name} {identity.version}, which the file name says"


def metadata_issues(data: bytes, identity: Identity) -> Iterator[str]:
    """Yield where METADATA disagrees with the file name."""
    headers = _headers(data)
    names, versions = _values(headers, "Name"), _values(headers, "Version")
    if len(names) != 1 or len(versions) != 1:
        yield "METADATA: has not exactly one Name and one Version"
    elif not _same(names[0], versions[0], identity):
        told = shown(f"{names[0]} {versions[0]}")
        yield f"METADATA: is of {told}, the file name says {identity.name} {identity.version}"


def wheel_issues(data: bytes, identity: Identity) -> Iterator[str]:
    """Yield where WHEEL is not that of a wheel, or disagrees with the file name."""
    headers = _headers(data)
    versions = _values(headers, "Wheel-Version")
    if len(versions) != 1 or not versions[0].startswith("1."):
        told = shown(", ".join(versions)) or "none"
        yield f"WHEEL: has Wheel-Version {told}, and only 1.x can be installed"
    # It chooses between two folders that are one in a virtualenv, so none or several do no harm.
    roots = {value.lower() for value in _values(headers, "Root-Is-Purelib")}
    if not roots <= {"true", "false"}:
        yield f"WHEEL: has Root-Is-Purelib {shown(', '.join(sorted(roots)))}, and only true or false is one"
    builds = _values(headers, "Build")
    if builds and builds != ["".join(map(str, identity.build))]:
        told = shown(", ".join(builds))
        yield f"WHEEL: is build {told}, the file name says {''.join(map(str, identity.build)) or 'none'}"
    told = ", ".join(sorted(map(str, _tags(headers)))) or "none"
    ours = ", ".join(sorted(map(str, identity.tags)))
    if _interpreters(_tags(headers)) != _interpreters(identity.tags):
        yield f"WHEEL: has the tags {shown(told)}, the file name says {shown(ours)}"


def retagged(data: bytes, identity: Identity) -> str:
    """Return how the platforms of WHEEL and of the file name disagree, or an empty string.

    Some projects rename their wheels for other platforms, playwright among them, and leave WHEEL as it is;
    pip goes by the file name, and nothing else of the wheel depends on it.
    """
    tags = _tags(_headers(data))
    told, ours = ({tag.platform for tag in some} for some in (tags, identity.tags))
    if tags == identity.tags or _interpreters(tags) != _interpreters(identity.tags):
        return ""
    return f"is for {shown(', '.join(sorted(told)))}, the file name says {shown(', '.join(sorted(ours)))}"


def _tags(headers: Message) -> frozenset[Tag]:
    """Return the tags, expanded; none where a line is no tag, or where they are too many."""
    values = _values(headers, "Tag")
    count = sum(prod(part.count(".") + 1 for part in value.split("-")) for value in values)
    if count > bounds.TAGS:
        return frozenset()
    try:
        return frozenset(tag for value in values for tag in parse_tag(value))
    except ValueError:
        return frozenset()


def _interpreters(tags: frozenset[Tag]) -> set[tuple[str, str]]:
    return {(tag.interpreter, tag.abi) for tag in tags}


def _values(headers: Message, name: str) -> list[str]:
    return [str(value).strip() for value in headers.get_all(name, [])]


def _headers(data: bytes) -> Message:
    return BytesHeaderParser().parsebytes(data)


def _same(name: str, version: str, identity: Identity) -> bool:
    try:
        return canonicalize_name(name) == identity.name and Version(version) == identity.version
    except InvalidVersion:
        return False
