"""The format of a bundle: what its members hold and which it may have. Nothing here touches the disk.

A bundle `{id}-{version}.viloplugin` is a zip whose members are stored, not compressed:

.viloplugin                     format_version, created_at, plugin_id, plugin_version, as JSON
pylock.toml                     every wheel with its hash; `[tool.viloapp]` names the plugin
pylock.toml.sigstore.json       optional: a signature over the lock, and so over every hash in it
wheels/<file name of a wheel>
wheels/<…>.whl.sigstore.json    optional: a signature of the plugin's own wheel alone
wheels/<…>.whl.provenance       optional: the same, as an index has it (PEP 740)

Source: PEP 751 for the lock.
"""

from __future__ import annotations

import json
import re
import stat
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from viloapp_core.resolve import Package

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

SUFFIX = ".viloplugin"
FORMAT_VERSION = "1.0"
METADATA, LOCK, SIGNATURE, WHEELS = ".viloplugin", "pylock.toml", "pylock.toml.sigstore.json", "wheels/"
EPOCH = 315532800
"""1980-01-01T00:00:00Z, the first time that a zip can hold: `created_at` where nothing else is said."""

MAX_MEMBERS = 2000
MAX_TOTAL_BYTES = 8 << 30
_MAX_BYTES = {METADATA: 64 << 10, LOCK: 8 << 20, SIGNATURE: 1 << 20}
MAX_WHEEL_BYTES = 4 << 30
SIDECARS = (".sigstore.json", ".provenance")
"""What follows the name of a wheel in that of its signature."""
_MAX_SIDECAR_BYTES = 1 << 20
_WHEEL = re.compile(r"wheels/[A-Za-z0-9][A-Za-z0-9_.!+-]*\.whl")
_SIDECAR = re.compile(_WHEEL.pattern + r"(\.sigstore\.json|\.provenance)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ENCRYPTED = 0x1
_KEYS = ("format_version", "created_at", "plugin_id", "plugin_version")


@dataclass(frozen=True)
class Label:
    """What the member ``.viloplugin`` says; nothing is done with it but to compare."""

    plugin_id: str
    plugin_version: str
    created_at: int = EPOCH
    """Seconds since 1970."""


@dataclass(frozen=True)
class BundleLock:
    """What a bundle's ``pylock.toml`` says."""

    plugin_id: str
    requires_python: SpecifierSet
    environments: tuple[str, ...]
    """Markers (PEP 508), one of which is true where the wheels fit."""
    packages: tuple[Package, ...]
    """The plugin's own first, then the others by name; `url` is the member's name."""

    @property
    def plugin(self) -> Package:
        """The plugin's own distribution."""
        return self.packages[0]


class FormatError(ValueError):
    """A part of a bundle is not as it has to be; has every reason.

    Never leaves `viloapp_core.operations`: people get a `BundleError`, which names the file.
    """

    def __init__(self, issues: Sequence[str]) -> None:
        super().__init__("; ".join(issues))
        self.issues = tuple(issues)


def filename(plugin_id: str, version: str) -> str:
    """Return the name of a bundle's file."""
    return f"{plugin_id}-{version}{SUFFIX}"


def encode_label(label: Label) -> bytes:
    """Return the content of the member ``.viloplugin``."""
    value = {
        "format_version": FORMAT_VERSION,
        "created_at": label.created_at,
        "plugin_id": label.plugin_id,
        "plugin_version": label.plugin_version,
    }
    return (json.dumps(value, indent=1) + "\n").encode()


def decode_label(data: bytes) -> Label:
    """Return what the member ``.viloplugin`` says.

    Raises:
        FormatError: it is not such a member, or of a format that is not known.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError([f"{METADATA}: is no JSON"]) from error
    if not isinstance(value, dict):
        raise FormatError([f"{METADATA}: is no object"])
    if value.get("format_version") != FORMAT_VERSION:
        raise FormatError([f"{METADATA}: format_version is {_shown(value.get('format_version'))}, not '1.0'"])
    issues = [f"{METADATA}: {_shown(key)} is not known" for key in value if key not in _KEYS]
    issues += [
        f"{METADATA}: {key} is missing or no text"
        for key in ("plugin_id", "plugin_version")
        if not isinstance(value.get(key), str)
    ]
    created_at = value.get("created_at")
    if not isinstance(created_at, int) or isinstance(created_at, bool) or created_at < 0:
        issues.append(f"{METADATA}: created_at is no number of seconds")
    if issues:
        raise FormatError(issues)
    return Label(value["plugin_id"], value["plugin_version"], value["created_at"])


def encode_lock(
    plugin_id: str,
    series: str,
    environments: Sequence[str],
    packages: Iterable[Package],
    sizes: Mapping[str, int],
) -> bytes:
    """Return the content of ``pylock.toml``, packages by name.

    Args:
        plugin_id: whose bundle it is.
        series: of Python, such as ``3.11``.
        environments: markers of where the wheels fit.
        packages: the plugin and all it imports.
        sizes: in bytes, by file name.
    """
    import tomli_w

    value = {
        "lock-version": "1.0",
        "environments": list(environments),
        "requires-python": f"=={series}.*",
        "created-by": "viloapp",
        "packages": [
            {
                "name": package.name,
                "version": package.version,
                "wheels": [
                    {
                        "name": package.filename,
                        "path": WHEELS + package.filename,
                        "size": sizes[package.filename],
                        "hashes": {"sha256": package.sha256},
                    }
                ],
            }
            for package in sorted(packages, key=lambda package: package.name)
        ],
        "tool": {"viloapp": {"plugin": plugin_id}},
    }
    return tomli_w.dumps(value).encode()


def decode_lock(data: bytes) -> BundleLock:
    """Return what ``pylock.toml`` says.

    Raises:
        FormatError: it is no lock, or not one of wheels that lie beside it; has every issue.
    """
    import tomllib

    from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError
    from packaging.specifiers import SpecifierSet

    try:
        pylock = Pylock.from_dict(tomllib.loads(data.decode()))
    except (PylockValidationError, PylockUnsupportedVersionError, ValueError, RecursionError) as error:
        raise FormatError([f"{LOCK}: {error}"]) from error
    tool = (pylock.tool or {}).get("viloapp")
    plugin_id = tool.get("plugin") if isinstance(tool, Mapping) else None
    if not isinstance(plugin_id, str):
        raise FormatError([f"{LOCK}: [tool.viloapp] does not name the plugin"])
    issues: list[str] = []
    packages: dict[str, Package] = {}
    for item in pylock.packages:
        if item.name in packages:
            issues.append(f"{LOCK}: {item.name} is there twice")
        elif problem := _package_issue(item):
            issues.append(f"{LOCK}: {item.name}: {problem}")
        else:
            packages[item.name] = _package(item)
    if plugin_id not in packages and not issues:
        issues.append(f"{LOCK}: {_shown(plugin_id)} is not among the packages")
    if issues:
        raise FormatError(issues)
    own = packages.pop(plugin_id)
    others = sorted(packages.values(), key=lambda package: package.name)
    environments = tuple(str(marker) for marker in pylock.environments or ())
    return BundleLock(plugin_id, pylock.requires_python or SpecifierSet(), environments, (own, *others))


def _package_issue(item: Any) -> str:
    """Return why a package of `packaging.pylock` is not one wheel of the bundle; empty when it is."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    if item.sdist or item.archive or item.vcs or item.directory or item.marker:
        return "a bundle's lock has wheels and nothing else"
    if len(item.wheels or ()) != 1:
        return f"has {len(item.wheels or ())} wheels, not one"
    wheel = item.wheels[0]
    name = (wheel.path or "").removeprefix(WHEELS)
    if wheel.url or wheel.path != WHEELS + name or not _WHEEL.fullmatch(wheel.path):
        return f"its wheel has to be a file of {WHEELS}"
    try:
        own_name, version, _, _ = parse_wheel_filename(name)
    except InvalidWheelFilename:
        return f"{_shown(name)} is no file name of a wheel"
    if own_name != item.name or item.version is None or version != item.version:
        return f"{_shown(name)} is not the wheel of {item.name} {item.version}"
    if wheel.name is not None and wheel.name != name:
        return f"{_shown(name)} is also called {_shown(wheel.name)}"
    if not _SHA256.fullmatch(wheel.hashes.get("sha256", "")):
        return "has no SHA-256"
    return ""


def _package(item: Any) -> Package:
    (wheel,) = item.wheels
    return Package(
        str(item.name), str(item.version), wheel.path.removeprefix(WHEELS), wheel.path, wheel.hashes["sha256"]
    )


def is_of_older_form(names: Iterable[str]) -> bool:
    """Whether these are the members of what was called .viloplugin before: a source tree with a manifest.

    The tree is at the top of the archive or in one folder.
    """
    members = list(names)
    if LOCK in members:
        return False
    manifests = [
        name for name in members if name == "plugin.json" or re.fullmatch(r"[^/]+/plugin\.json", name)
    ]
    trees = tuple(name.removesuffix("plugin.json") + "src/" for name in manifests)
    return any(name.startswith(trees) for name in members)


def member_issues(infos: Sequence[zipfile.ZipInfo], archive_bytes: int) -> list[str]:
    """Return what is wrong with the members of an archive, from its directory alone.

    Members are stored, so that none can grow when it is read, and their sizes cannot add up to more than the
    file: what overlaps is refused.

    Args:
        infos: the archive's directory.
        archive_bytes: the size of the file.
    """
    if len(infos) > MAX_MEMBERS:
        return [f"has more than {MAX_MEMBERS} members"]
    if infos and min(info.header_offset for info in infos) != 0:
        # Stored wheels are archives in the archive: cut off, the last of them would be read in its stead.
        return ["is cut off, or something stands before its first member"]
    issues: list[str] = []
    seen: set[str] = set()
    for info in infos:
        if problem := _member_issue(info, seen):
            issues.append(f"{_shown(info.orig_filename)}: {problem}")
        seen.add(info.filename.lower())
    issues += [f"{name}: is missing" for name in (METADATA, LOCK) if name not in seen]
    if not issues and sum(info.file_size for info in infos) > archive_bytes:
        issues.append("its members overlap")
    return issues


def _member_issue(info: zipfile.ZipInfo, seen: set[str]) -> str:
    name = info.orig_filename
    sidecar = _SIDECAR.fullmatch(name)
    if name not in _MAX_BYTES and not _WHEEL.fullmatch(name) and not sidecar:
        return "is not a member that a bundle has"
    if name.lower() in seen:
        return "is there twice"
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is no plain file"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        return "is compressed, and a bundle's members are stored"
    if info.file_size > _MAX_BYTES.get(name, _MAX_SIDECAR_BYTES if sidecar else MAX_WHEEL_BYTES):
        return f"is too large: {info.file_size} bytes"
    return ""


def agreement_issues(label: Label, lock: BundleLock, members: Iterable[str]) -> list[str]:
    """Return where the label, the lock and the members of one bundle contradict each other."""
    issues = []
    if (label.plugin_id, label.plugin_version) != (lock.plugin_id, lock.plugin.version):
        issues.append(
            f"{METADATA} says {_shown(label.plugin_id)} {_shown(label.plugin_version)}, "
            f"{LOCK} says {lock.plugin_id} {lock.plugin.version}"
        )
    sidecars = {lock.plugin.url + suffix for suffix in SIDECARS}
    there = {name for name in members if name.startswith(WHEELS)} - sidecars
    locked = {package.url for package in lock.packages}
    issues += [f"{name}: is not in {LOCK}" for name in sorted(there - locked)]
    issues += [f"{name}: is in {LOCK} and missing" for name in sorted(locked - there)]
    return issues


def _shown(value: object) -> str:
    """Return what a stranger wrote, short and on one line."""
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "…"
