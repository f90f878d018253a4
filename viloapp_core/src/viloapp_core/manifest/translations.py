"""The words of a manifest in other languages, from the catalogues that a stranger's package holds.

What is read is bounded in size and number, no symbolic link is followed, and of a catalogue that is no flat
object of texts nothing is taken: what is shown then is the manifest's own words. Nothing here raises for
what a package holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from viloapp_core.manifest.package_files import read_below
from viloapp_core.manifest.strict_json import decode
from viloapp_sdk._locale import normal
from viloapp_sdk.manifest.translations import MAX_BYTES, PREFIX, clean, languages, translated

if TYPE_CHECKING:
    from viloapp_core.manifest.description import PluginDescription

__all__ = [
    "MAX_BYTES",
    "MAX_LANGUAGES",
    "folder_reader",
    "in_language",
    "merged",
    "parse",
    "texts",
]

MAX_LANGUAGES = 200
_MAX_TEXTS = 20_000
_FOLDER = "locales"

Read = Callable[[str], bytes | None]
"""Returns what is in ``locales/<name>``, None when that is not there or not to be read."""
Texts = Mapping[str, str]


def texts(read: Read, locale: str) -> dict[str, str]:
    """Return the words of a manifest in a language: key → text, those of the nearest variety first.

    None are read for the default language, in which the manifest itself is.
    """
    found: dict[str, str] = {}
    for language in reversed(languages(locale)):
        for name in dict.fromkeys((language, language.replace("-", "_"))):
            if (content := read(f"{name}.json")) is not None:
                found |= parse(content)
                break
    return found


def parse(content: bytes) -> dict[str, str]:
    """Return those texts of a catalogue that are a manifest's words, made safe to show; none of a bad one."""
    if len(content) > MAX_BYTES:
        return {}
    value, issues = decode(content)
    if issues or not isinstance(value, dict) or len(value) > _MAX_TEXTS:
        return {}
    return {
        key: clean(key, text)
        for key, text in value.items()
        if key.startswith(PREFIX) and isinstance(text, str) and text
    }


def merged(catalogues: Mapping[str, Texts], locale: str) -> dict[str, str]:
    """Return what `texts` does, of catalogues that were read already, by language."""
    found: dict[str, str] = {}
    for language in reversed(languages(locale)):
        found |= catalogues.get(language, {})
    return found


def in_language(described: PluginDescription, locale: str) -> PluginDescription:
    """Return what a plugin says of itself in a language; ids, permissions and the rest stay."""
    from viloapp_core.manifest.description import Permission

    words = merged(described.translations, locale)
    if not words:
        return described
    said = translated(described.manifest.to_json(), words)
    manifest = replace(
        described.manifest,
        permissions=tuple(Permission(**entry) for entry in said["permissions"]),
        configuration=said["configuration"],
        commands=tuple(said["commands"]),
        widgets=tuple(said["widgets"]),
    )
    return replace(described, manifest=manifest, summary=words.get(f"{PREFIX}summary", described.summary))


def every(names: Iterable[str], read: Read) -> dict[str, dict[str, str]]:
    """Return the words of all languages, by language; of a plugin that is not installed yet."""
    found: dict[str, dict[str, str]] = {}
    for name in sorted(each for each in names if each.endswith(".json"))[:MAX_LANGUAGES]:
        content = read(name)
        language = normal(name.removesuffix(".json"))
        if content is not None and languages(language) and (words := parse(content)):
            found[language] = words
    return found


def folder_reader(package: Path) -> Read:
    """Return what reads the catalogues of a package's folder; no link is followed, no pipe waited for."""
    return lambda name: read_below(package, f"{_FOLDER}/{name}", MAX_BYTES)
