"""From the files of a distribution to its description: parses, decides, and reads through a port."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from importlib_metadata import Distribution, EntryPoints
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from viloapp_core.foundation.version import __version__
from viloapp_core.manifest.description import EntryPoint, Manifest, PluginDescription
from viloapp_core.manifest.errors import Issue, ManifestError
from viloapp_core.manifest.files import MetadataFiles, split_dist_info
from viloapp_core.manifest.package_files import package_of
from viloapp_core.manifest.strict_json import decode
from viloapp_core.manifest.translations import every
from viloapp_sdk.manifest import API_VERSION, ENTRY_POINT_GROUP, FILE_NAME, SCHEMA_VERSION
from viloapp_sdk.manifest.api_version import asked_of, is_newer, speaks
from viloapp_sdk.manifest.printable import make_safe
from viloapp_sdk.manifest.shapes import shorten

__all__ = ["check_manifest", "describe", "find_beside_class", "plugin_name"]

_HINT = "a plugin's project has [tool.viloapp] in pyproject.toml and viloapp-sdk in its build requirements"
_OBJECT = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


class _Metadata(Distribution):
    """Gives `importlib_metadata` the two files that it parses; it finds and opens nothing itself."""

    def __init__(self, texts: dict[str, str | None]) -> None:
        self._texts = texts

    def read_text(self, filename: Any) -> str | None:
        return self._texts.get(filename)

    def locate_file(self, path: Any) -> Any:
        raise NotImplementedError("the files of the distribution are not read")


def describe(files: MetadataFiles, subject: str) -> PluginDescription:
    """Return the plugin that a distribution's files describe.

    Args:
        files: the distribution's.
        subject: names it, for errors.

    Raises:
        ManifestError: everything that is wrong, in all of the files.
    """
    issues: list[Issue] = []
    texts: dict[str, str | None] = {}
    for name in ("METADATA", "entry_points.txt"):
        texts[name], problems = _text(files, name)
        issues += problems
    metadata = _Metadata(texts)
    fields: dict[str, Any] = {}
    if texts["METADATA"] is not None:
        fields, problems = _core_metadata(metadata, files.dist_info)
        issues += problems
    point, problems = _entry_point(metadata)
    # Where the file could not be read at all, that it has no entry point is no news.
    issues += [] if any(issue.path == "entry_points.txt" for issue in issues) else problems
    manifest, problems = _manifest(files, point)
    issues += problems
    if issues or point is None or manifest is None:
        raise ManifestError(issues, subject, _HINT)
    translations = _translations(files, point)
    return PluginDescription(entry_point=point, manifest=manifest, translations=translations, **fields)


def _translations(files: MetadataFiles, point: EntryPoint) -> dict[str, dict[str, str]]:
    """Return the manifest's words in other languages; a catalogue that cannot be read has none."""

    def read(path: str) -> bytes | None:
        try:
            return files.read(path)
        except ManifestError:
            return None

    for package in package_of(point.value):
        folder = "/".join((*package, "locales", ""))
        if names := files.names(folder):
            return every(names, lambda name: read(f"{folder}{name}"))  # noqa: B023 - called at once
    return {}


_RESERVED = ("core", "host", "permission", "permissions", "plugin", "plugins", "settings", "theme", "viloapp")


def plugin_name(text: str) -> str:
    """Return the plugin's id, the normalized name of its distribution (PEP 503).

    Raises:
        InvalidName: it is none, or one under which the host's own settings and events go.
    """
    name = canonicalize_name(text, validate=True)
    if name in _RESERVED:
        raise InvalidName(f"{name!r} is the host's own name: settings and events begin with it; take another")
    return name


def check_manifest(data: object, plugin_id: str = "") -> tuple[Manifest | None, list[Issue]]:
    """Return the manifest that ``data`` is to this core, or what is wrong with it.

    Beyond the form, its API version has to be one that this core speaks, and its requirements have to be
    what `packaging` reads.
    """
    if issue := _version_issue(data):
        return None, [issue]
    try:
        manifest = Manifest.from_json(data)
    except ManifestError as error:
        return None, list(error.issues)
    issues: list[Issue] = []
    for key in ("requires_plugins", "conflicts"):
        for index, text in enumerate(getattr(manifest, key)):
            issues += _requirement_issues(text, f"{key}[{index}]", plugin_id)
    return manifest, issues


def _text(files: MetadataFiles, name: str) -> tuple[str | None, list[Issue]]:
    try:
        content = files.read(f"{files.dist_info}/{name}")
        if content is None:
            return None, [Issue(name, "is missing")] if name == "METADATA" else []
        return content.decode("utf-8"), []
    except UnicodeDecodeError as error:
        return None, [Issue(name, f"is not UTF-8 at byte {error.start}")]
    except ManifestError as error:
        return None, list(error.issues)


def _core_metadata(distribution: _Metadata, dist_info: str) -> tuple[dict[str, Any], list[Issue]]:
    """Return the arguments of a description that come from METADATA."""
    try:
        message = distribution.metadata
    except (FileNotFoundError, ValueError, TypeError, KeyError) as error:
        return {}, [Issue("METADATA", f"cannot be parsed: {error}")]
    issues: list[Issue] = []

    def one(key: str, parse: Any, default: str = "") -> Any:
        values = message.get_all(key) or ([default] if default or key == "Requires-Python" else [])
        if len(values) != 1:
            issues.append(Issue(f"METADATA {key}", "is missing" if not values else "stands more than once"))
            return None
        try:
            return parse(str(values[0]).strip())
        except (InvalidName, InvalidVersion, InvalidSpecifier) as error:
            issues.append(Issue(f"METADATA {key}", make_safe(str(error), 200)))
            return None

    plugin_id = one("Name", plugin_name)
    version = one("Version", Version)
    requires_python = one("Requires-Python", SpecifierSet)
    requires: list[Requirement] = []
    for index, text in enumerate(message.get_all("Requires-Dist") or []):
        try:
            requires.append(Requirement(str(text)))
        except InvalidRequirement as error:
            issues.append(Issue(f"METADATA Requires-Dist[{index}]", make_safe(str(error), 200)))
    folder_name, folder_version = split_dist_info(dist_info)
    if plugin_id and canonicalize_name(folder_name) != plugin_id:
        issues.append(Issue("METADATA Name", f"is {plugin_id}, and the folder is {shorten(dist_info)}"))
    if version and not _same_version(folder_version, version):
        issues.append(Issue("METADATA Version", f"is {version}, and the folder is {shorten(dist_info)}"))

    def first(*keys: str) -> str:
        return next((str(message[key]) for key in keys if message.get(key)), "")

    fields = {
        "plugin_id": str(plugin_id),
        "name": first("Name").strip(),
        "version": version,
        "summary": make_safe(first("Summary"), 300),
        "author": make_safe(first("Author", "Author-email", "Maintainer", "Maintainer-email"), 300),
        # The older field may hold the whole text of a licence.
        "license": make_safe(first("License-Expression", "License").strip().partition("\n")[0], 100),
        "requires_python": requires_python,
        "requires_dist": tuple(requires),
    }
    return fields, issues


def _same_version(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:
        return False


def _entry_point(distribution: _Metadata) -> tuple[EntryPoint | None, list[Issue]]:
    """Return the one entry point of the plugins' group."""
    path = f"entry_points.txt [{ENTRY_POINT_GROUP}]"
    try:
        points: EntryPoints = distribution.entry_points
        ours = [
            (point.name, point.module, point.attr, point.extras)
            for point in points.select(group=ENTRY_POINT_GROUP)
        ]
        others = sorted({point.group for point in points} - {ENTRY_POINT_GROUP})
    except (ValueError, TypeError, AttributeError):
        return None, [Issue("entry_points.txt", "has a line that is no 'name = package.module:Class'")]
    if not ours:
        has = f"; the wheel has {', '.join(shorten(group) for group in others[:5])}" if others else ""
        return None, [Issue(path, f"has no entry point, so this is no plugin{has}")]
    if len(ours) > 1:
        names = ", ".join(shorten(name) for name, *_ in ours[:10])
        return None, [Issue(path, f"has {len(ours)} entry points ({names}); a plugin has exactly one")]
    name, module, attribute, extras = ours[0]
    if extras or not attribute or not _OBJECT.fullmatch(module) or not _OBJECT.fullmatch(attribute):
        return None, [Issue(path, "is not of the form 'name = package.module:Class'")]
    return EntryPoint(make_safe(name, 100), f"{module}:{attribute}"), []


def _manifest(files: MetadataFiles, point: EntryPoint | None) -> tuple[Manifest | None, list[Issue]]:
    """Return the manifest from the dist-info, or else from the package of the plugin's class."""
    try:
        content = files.read(f"{files.dist_info}/{FILE_NAME}")
        content = find_beside_class(files, point) if content is None else content
    except ManifestError as error:
        return None, list(error.issues)
    if content is None:
        return None, [Issue(FILE_NAME, "is missing, in the dist-info and in the plugin's package")]
    data, issues = decode(content)
    if issues:
        return None, issues
    name, _ = split_dist_info(files.dist_info)
    return check_manifest(data, canonicalize_name(name))


def find_beside_class(files: MetadataFiles, point: EntryPoint | None) -> bytes | None:
    """Return the `plugin.json` of the class's package, outermost first: ``a``, ``a/b`` for ``a.b:C``.

    Raises:
        ManifestError: it cannot be read.
    """
    parts = point.value.partition(":")[0].split(".") if point else []
    found = (files.read("/".join([*parts[:count], FILE_NAME])) for count in range(1, len(parts) + 1))
    return next((content for content in found if content is not None), None)


def _version_issue(data: object) -> Issue | None:
    """Return that a manifest is of another version; its unknown keys are then no mistakes of the author's."""
    schema, asked = asked_of(data)
    if type(schema) is int and schema > SCHEMA_VERSION:
        message = f"is {schema}, and viloapp-core {__version__} reads {SCHEMA_VERSION}: update viloapp-core"
        return Issue("schema", message)
    if not asked or speaks(asked):
        return None
    advice = "update viloapp-core" if is_newer(asked) else "look for a newer version of the plugin"
    return Issue("api_version", f"is {asked}, and viloapp-core {__version__} speaks {API_VERSION}: {advice}")


def _requirement_issues(text: str, path: str, plugin_id: str) -> Iterator[Issue]:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        yield Issue(path, make_safe(str(error), 200))
        return
    if requirement.url or requirement.extras:
        yield Issue(path, "names a plugin and its versions, without a URL or extras")
    if plugin_id and canonicalize_name(requirement.name) == plugin_id:
        yield Issue(path, "is the plugin itself")
