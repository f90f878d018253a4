"""The words of a manifest in other languages: which there are, and how a catalogue names them.

    >>> manifest = {"commands": [{"id": "hello.greet", "title": "Say hello"}]}
    >>> translatable(manifest)
    {'manifest.command.hello.greet.title': 'Say hello'}
    >>> translated(manifest, {"manifest.command.hello.greet.title": "Grüßen"})["commands"]
    [{'id': 'hello.greet', 'title': 'Grüßen'}]

They stand in the plugin's ``locales/<language>.json`` beside the texts of its code, under these keys:

=============================================  =====================================================
``manifest.summary``                           the summary in the core metadata
``manifest.command.<id>.title``                of a command; ``.description`` too
``manifest.widget.<id>.title``                 of a widget; ``.description`` too
``manifest.setting.<name>.description``        of a setting
``manifest.setting.<name>.enum.<value>``       what a person reads for a value that is a string
``manifest.permission.<id>.reason``            why a permission is asked for
=============================================  =====================================================

The manifest's own words are those of the default language: they are what is shown where no catalogue has a
key, and ``en.json`` is not asked for these keys. What takes no values is shown as it is written: a brace in
one is a brace. A catalogue is as hostile as a manifest: what is shown of it is cut to what the manifest
itself may have there, and characters that change what is read are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from viloapp_sdk._locale import normal, wider
from viloapp_sdk.manifest.printable import SAFE_LINES, make_safe

__all__ = [
    "DEFAULT_LOCALE",
    "MAX_BYTES",
    "PREFIX",
    "clean",
    "enum_labels",
    "languages",
    "translatable",
    "translated",
]

PREFIX = "manifest."
"""Begins every key of a manifest's words."""
DEFAULT_LOCALE = "en"
"""The language of a manifest's own words."""
MAX_BYTES = 512 * 1024
"""A larger catalogue is none; one of two thousand texts has 100 KiB."""
# As in `fields`: a title, a reason, prose, and the summary of `viloapp_core.manifest`.
_LIMITS = {"title": 200, "reason": 500, "description": 4000, "summary": 300, "enum": 200}
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


def languages(locale: str) -> tuple[str, ...]:
    """Return the languages whose catalogues are asked for a manifest's words, the nearest first.

    None for the default one and its varieties that have no name of their own, and for what is no language:
    what comes out is safe in a file's name.

    >>> languages("pt_br"), languages("en"), languages("../x")
    (('pt-BR', 'pt'), (), ())
    """
    wanted = normal(locale)
    if not _LANGUAGE.fullmatch(wanted):
        return ()
    return tuple(each for each in wider(wanted) if each != DEFAULT_LOCALE)


def translatable(manifest: Mapping[str, Any], summary: str = "") -> dict[str, str]:
    """Return key → text of all words of a manifest, in its own order; what is empty is not there.

    Args:
        manifest: the content of a `plugin.json`, valid.
        summary: of the core metadata, which the manifest has not.
    """
    found = {f"{PREFIX}summary": summary} if summary else {}
    for prefix, entry, names in _entries(manifest):
        found |= {f"{prefix}.{name}": str(entry[name]) for name in names if entry.get(name)}
        found |= {f"{prefix}.enum.{value}": value for value in _choices(entry)}
    return found


def translated(manifest: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return a manifest with those of its words that ``texts`` has; the one given stays as it is.

    A reason is translated where the manifest gives one: a catalogue does not add any.
    """
    result = dict(manifest)
    for key, kind, names in _LISTS:
        if key in manifest:
            result[key] = [
                _entry(each, f"{PREFIX}{kind}.{each['id']}", names, texts) for each in manifest[key]
            ]
    if "configuration" in manifest:
        result["configuration"] = {
            name: _entry(each, f"{PREFIX}setting.{name}", ("description",), texts)
            for name, each in manifest["configuration"].items()
        }
    return result


def enum_labels(name: str, setting: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, str]:
    """Return value → what a person reads, for those values of a setting that ``texts`` has words for."""
    keys = {value: f"{PREFIX}setting.{name}.enum.{value}" for value in _choices(setting)}
    return {value: clean(key, texts[key]) for value, key in keys.items() if texts.get(key)}


def clean(key: str, text: str) -> str:
    """Return a translation as it may be shown where the key says: bounded, without unsafe characters."""
    kind = "enum" if ".enum." in key else key.rpartition(".")[2]
    limit = _LIMITS.get(kind, 200)
    if kind != "description":
        return make_safe(text, limit)
    lines = "".join(each if re.fullmatch(SAFE_LINES, each) else "\ufffd" for each in text[: limit + 1])
    return lines if len(lines) <= limit else f"{lines[: limit - 1]}…"


# Key of the manifest, word in the key of a catalogue, what is translated of each entry.
_LISTS = (
    ("commands", "command", ("title", "description")),
    ("widgets", "widget", ("title", "description")),
    ("permissions", "permission", ("reason",)),
)


def _entries(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], tuple[str, ...]]]:
    for key, kind, names in _LISTS:
        for entry in manifest.get(key) or ():
            yield f"{PREFIX}{kind}.{entry['id']}", entry, names
    for name, entry in (manifest.get("configuration") or {}).items():
        yield f"{PREFIX}setting.{name}", entry, ("description",)


def _entry(
    entry: Mapping[str, Any], prefix: str, names: tuple[str, ...], texts: Mapping[str, str]
) -> dict[str, Any]:
    keys = {name: f"{prefix}.{name}" for name in names if name != "reason" or entry.get(name)}
    return {**entry, **{name: clean(key, texts[key]) for name, key in keys.items() if texts.get(key)}}


def _choices(entry: Mapping[str, Any]) -> list[str]:
    return [value for value in entry.get("enum") or () if isinstance(value, str) and value]
