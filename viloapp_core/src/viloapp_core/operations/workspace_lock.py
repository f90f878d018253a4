"""The workspace lock: one TOML file that says exactly what is installed. Nothing here touches the disk.

>>> lock = decode(Path("viloapp.lock").read_bytes())            # doctest: +SKIP
>>> [plugin.version for plugin in lock.plugins]                 # doctest: +SKIP
['0.1.0']
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any

FORMAT_VERSION = "1.0"
MAX_BYTES = 16 << 20
SOURCES = ("index", "bundled", "wheel", "bundle")
"""Where a locked plugin may have come from; a folder installed with ``--dev`` cannot be locked."""

_HEAD = "# Written by `viloapp lock`. `viloapp sync` makes the plugins of a machine equal to this.\n"
_PLUGIN_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SERIES = re.compile(r"3\.[1-9][0-9]{1,2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TOP_KEYS = {"format_version": str, "environments": list, "plugins": list}
_PLUGIN_KEYS = {
    "id": str,
    "version": str,
    "source": str,
    "requested": str,
    "python": str,
    "enabled": bool,
    "reason": str,
    "permissions": list,
    "signature": str,
    "publisher": str,
    "wheels": list,
}
_OPTIONAL = {"environments", "reason", "publisher"}
_WHEEL_KEYS = {"filename": str, "sha256": str}
_NAMES = {str: "text", bool: "true or false", list: "a list"}


@dataclass(frozen=True, order=True)
class LockedWheel:
    """One wheel, by its content."""

    filename: str
    sha256: str

    @property
    def name(self) -> str:
        """The distribution's normalized name."""
        from packaging.utils import parse_wheel_filename

        return str(parse_wheel_filename(self.filename)[0])

    @property
    def version(self) -> str:
        """The distribution's version."""
        from packaging.utils import parse_wheel_filename

        return str(parse_wheel_filename(self.filename)[1])


@dataclass(frozen=True)
class LockedPlugin:
    """One plugin as it is, or is to be, installed."""

    plugin_id: str
    version: str
    source: str
    requested: str
    """What the person asked for: the requirement, or the file's name."""
    python: str
    """The series, such as ``3.11``."""
    enabled: bool
    reason: str
    """Why it is disabled; empty while it is enabled."""
    permissions: tuple[str, ...]
    """What the person consented to, sorted."""
    wheels: tuple[LockedWheel, ...]
    """The plugin's own and all it imports, sorted."""
    signature: str = ""
    """What was known of who signed it; for people, never believed."""
    publisher: str = ""
    """Who has to have signed it, in full; empty where nobody did."""

    @property
    def own_wheel(self) -> LockedWheel:
        """The plugin's own wheel."""
        return next(wheel for wheel in self.wheels if wheel.name == self.plugin_id)


@dataclass(frozen=True)
class WorkspaceLock:
    """All plugins of a store."""

    plugins: tuple[LockedPlugin, ...]
    """By id."""
    environments: tuple[str, ...] = ()
    """Markers (PEP 508), one of which is true where the wheels fit."""


class LockFormatError(ValueError):
    """A file is no workspace lock; has every reason, with its path in the file.

    Never leaves `viloapp_core.operations`: people get a `LockFileError`, which names the file.
    """

    def __init__(self, issues: Sequence[str]) -> None:
        super().__init__("; ".join(issues))
        self.issues = tuple(issues)


def locked(receipt: Mapping[str, Any], enabled: bool, reason: str) -> LockedPlugin:
    """Return an installed plugin as a lock has it.

    Args:
        receipt: of its current generation.
        enabled: its state.
        reason: why it is disabled.
    """
    source, requested = str(receipt["source"]), str(receipt.get("requested", ""))
    if source in ("wheel", "bundle"):
        requested = PurePath(requested).name  # its folder would say nothing on the next machine
    return LockedPlugin(
        plugin_id=receipt["plugin_id"],
        version=receipt["version"],
        source=source,
        requested=requested,
        python=".".join(str(receipt["python_version"]).split(".")[:2]),
        enabled=enabled,
        reason="" if enabled else reason,
        permissions=tuple(sorted(receipt["permissions"])),
        wheels=tuple(sorted(LockedWheel(item["filename"], item["sha256"]) for item in receipt["packages"])),
        signature=str(receipt.get("signature", "")),
        publisher=str((receipt.get("trust") or {}).get("publisher", "")),
    )


def encode(lock: WorkspaceLock) -> bytes:
    """Return the bytes of a lock; the same for the same plugins."""
    import tomli_w

    value: dict[str, Any] = {"format_version": FORMAT_VERSION, "environments": list(lock.environments)}
    value["plugins"] = [_to_toml(plugin) for plugin in sorted(lock.plugins, key=lambda item: item.plugin_id)]
    # A file name of the person may be no text at all.
    return (_HEAD + tomli_w.dumps(value)).encode(errors="replace")


def _to_toml(plugin: LockedPlugin) -> dict[str, Any]:
    value = {
        "id": plugin.plugin_id,
        "version": plugin.version,
        "source": plugin.source,
        "requested": plugin.requested,
        "python": plugin.python,
        "enabled": plugin.enabled,
        "reason": plugin.reason,
        "permissions": sorted(plugin.permissions),
        "signature": plugin.signature,
        "publisher": plugin.publisher,
        "wheels": [{"filename": wheel.filename, "sha256": wheel.sha256} for wheel in sorted(plugin.wheels)],
    }
    return {key: item for key, item in value.items() if item != "" or key not in _OPTIONAL}


def decode(data: bytes) -> WorkspaceLock:
    """Return what a lock says.

    Raises:
        LockFormatError: it is no lock; has every issue.
    """
    import tomllib

    if len(data) > MAX_BYTES:
        raise LockFormatError([f"is larger than {MAX_BYTES} bytes"])
    try:
        value = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise LockFormatError([f"is no TOML: {error}"]) from error
    if value.get("format_version") != FORMAT_VERSION:
        raise LockFormatError([f"format_version is {value.get('format_version')!r:.100}, not '1.0'"])
    issues = _shape_issues("", value, _TOP_KEYS)
    if not issues:
        issues += _marker_issues(value.get("environments", []))
        for number, plugin in enumerate(value["plugins"]):
            issues += _plugin_issues(f"plugins[{number}]", plugin)
    if not issues:
        ids = [plugin["id"] for plugin in value["plugins"]]
        issues += [f"{name} is there twice" for name in sorted({name for name in ids if ids.count(name) > 1})]
    if issues:
        raise LockFormatError(issues)
    plugins = sorted((_from_toml(plugin) for plugin in value["plugins"]), key=lambda item: item.plugin_id)
    return WorkspaceLock(tuple(plugins), tuple(value.get("environments", ())))


def _from_toml(value: Mapping[str, Any]) -> LockedPlugin:
    return LockedPlugin(
        plugin_id=value["id"],
        version=value["version"],
        source=value["source"],
        requested=value["requested"],
        python=value["python"],
        enabled=value["enabled"],
        reason="" if value["enabled"] else value.get("reason", ""),
        permissions=tuple(sorted(value["permissions"])),
        wheels=tuple(sorted(LockedWheel(wheel["filename"], wheel["sha256"]) for wheel in value["wheels"])),
        signature=value["signature"],
        publisher=value.get("publisher", ""),
    )


def _shape_issues(where: str, value: object, keys: Mapping[str, type]) -> list[str]:
    """Return keys that are missing, unknown or of a wrong type."""
    at = f"{where}." if where else ""
    if not isinstance(value, dict):
        return [f"{where}: is no table"]
    issues = []
    for key in value:
        if key not in keys:
            near = get_close_matches(key, keys, n=1)
            issues.append(f"{at}{key!r:.100} is not known" + (f"; is {near[0]} meant?" if near else ""))
    for key, kind in keys.items():
        if key in value and not isinstance(value[key], kind):
            issues.append(f"{at}{key}: is not {_NAMES[kind]}")
        elif key not in value and key not in _OPTIONAL:
            issues.append(f"{at}{key}: is missing")
    return issues


def _marker_issues(environments: list[object]) -> list[str]:
    from packaging.markers import InvalidMarker, Marker

    issues = []
    for number, text in enumerate(environments):
        try:
            Marker(text if isinstance(text, str) else "")
        except InvalidMarker:
            issues.append(f"environments[{number}]: is no marker")
    return issues


def _plugin_issues(where: str, value: object) -> list[str]:
    if issues := _shape_issues(where, value, _PLUGIN_KEYS):
        return issues
    assert isinstance(value, dict)  # its shape was checked
    if not _PLUGIN_ID.fullmatch(value["id"]):
        issues.append(f"{where}.id: {value['id']!r:.100} is not a plugin id")
    if value["source"] not in SOURCES:
        issues.append(f"{where}.source: {value['source']!r:.100} is none of {', '.join(SOURCES)}")
    if not _SERIES.fullmatch(value["python"]):
        issues.append(f"{where}.python: {value['python']!r:.100} is not like '3.11'")
    if not all(isinstance(item, str) for item in value["permissions"]):
        issues.append(f"{where}.permissions: is not a list of texts")
    names: dict[str, str] = {}
    for number, wheel in enumerate(value["wheels"]):
        issues += _wheel_issues(f"{where}.wheels[{number}]", wheel, names)
    if not issues and names.get(value["id"]) != value["version"]:
        issues.append(f"{where}.wheels: has no wheel of {value['id']} {value['version']!r:.100}")
    return issues


def _wheel_issues(where: str, value: object, names: dict[str, str]) -> list[str]:
    """Return what is wrong with one wheel; note its name and version in `names`."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    if issues := _shape_issues(where, value, _WHEEL_KEYS):
        return issues
    assert isinstance(value, dict)  # its shape was checked
    if not _SHA256.fullmatch(value["sha256"]):
        issues.append(f"{where}.sha256: is not 64 hexadecimal digits")
    try:
        if "/" in value["filename"] or "\0" in value["filename"]:
            raise InvalidWheelFilename("it is a path")
        name, version, _, _ = parse_wheel_filename(value["filename"])
    except InvalidWheelFilename:
        return [*issues, f"{where}.filename: {value['filename']!r:.100} is no file name of a wheel"]
    if name in names:
        issues.append(f"{where}: is a second wheel of {name}")
    names[str(name)] = str(version)
    return issues


@dataclass(frozen=True)
class Difference:
    """What has to be done to one plugin."""

    plugin_id: str
    change: str
    """``add``, ``update``, ``downgrade``, ``rebuild``, ``enable``, ``disable`` or ``remove``."""
    installed: str | None
    """The version that is there; None for none."""
    wanted: str | None
    """The version that is to be there; None for none."""
    details: tuple[str, ...] = ()
    """For people: what else differs, a line each."""

    @property
    def installs(self) -> bool:
        """Whether wheels are laid down for it."""
        return self.change in ("add", "update", "downgrade", "rebuild")


def differences(
    installed: Mapping[str, LockedPlugin], wanted: WorkspaceLock, damaged: Collection[str] = ()
) -> tuple[Difference, ...]:
    """Return what has to be done to make the installed plugins equal to the lock, by plugin id.

    Signature and publisher are not compared: what is installed is judged on the machine where it is.

    Args:
        installed: by plugin id; without the damaged ones.
        wanted: the lock.
        damaged: ids of plugins whose files are not what was installed.
    """
    found = []
    target = {plugin.plugin_id: plugin for plugin in wanted.plugins}
    for plugin_id in sorted({*installed, *target, *damaged}):
        here, there = installed.get(plugin_id), target.get(plugin_id)
        if there is None:
            found.append(Difference(plugin_id, "remove", here.version if here else "damaged", None))
        elif plugin_id in damaged:
            found.append(Difference(plugin_id, "rebuild", "damaged", there.version))
        elif here is None:
            details = () if there.enabled else ("disabled",)
            found.append(Difference(plugin_id, "add", None, there.version, details))
        elif (difference := _difference(here, there)) is not None:
            found.append(difference)
    return tuple(found)


def _difference(here: LockedPlugin, there: LockedPlugin) -> Difference | None:
    from packaging.version import Version

    here, there = _comparable(here), _comparable(there)
    if here == there:
        return None
    details = []
    for what in ("source", "requested", "python", "permissions"):
        before, after = getattr(here, what), getattr(there, what)
        if before != after:
            details.append(f"{what}: {_shown(before)} → {_shown(after)}")
    old, new = set(here.wheels), set(there.wheels)
    details += [f"without {wheel.filename}" for wheel in sorted(old - new)]
    details += [f"with {wheel.filename}" for wheel in sorted(new - old)]
    if (here.enabled, here.reason) != (there.enabled, there.reason):
        details.append("enabled" if there.enabled else f"disabled: {there.reason or 'no reason given'}")
    if here.version != there.version:
        change = "update" if Version(here.version) < Version(there.version) else "downgrade"
    elif here != replace(there, enabled=here.enabled, reason=here.reason):
        change = "rebuild"
    else:
        change = "enable" if there.enabled else "disable"
    return Difference(there.plugin_id, change, here.version, there.version, tuple(details))


def _comparable(plugin: LockedPlugin) -> LockedPlugin:
    return replace(plugin, signature="", publisher="")


def _shown(value: object) -> str:
    return (", ".join(value) if isinstance(value, tuple) else str(value)) or "none"
