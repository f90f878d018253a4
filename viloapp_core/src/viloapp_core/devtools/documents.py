"""The documentation of a plugin, from its manifest and its source; nothing of the plugin is run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from viloapp_core.devtools.events import Events, read_events
from viloapp_core.devtools.pages import Block, to_html, to_markdown
from viloapp_core.devtools.source_api import Api, Signature, read_api
from viloapp_core.manifest import PluginDescription, read_source
from viloapp_core.manifest.translations import merged
from viloapp_core.permissions import Permission, in_words
from viloapp_sdk.manifest.pseudo import PSEUDO
from viloapp_sdk.manifest.translations import DEFAULT_LOCALE, PREFIX, enum_labels

__all__ = ["documents", "is_document"]

_NAME = re.compile(r"index(?:\.[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})?\.(?:md|html)")


def documents(project: Path) -> dict[str, str]:
    """Return the documentation of the plugin in a folder: file name → content, the same for the same source.

    ``index.md`` and ``index.html`` have the manifest's own words, ``index.de.md`` and the like those of each
    catalogue that has any; what it has not is in the manifest's. Headings and docstrings are not translated.

    Raises:
        ManifestError: it is no plugin, or its source cannot be read.
    """
    plugin, api, events = read_source(project), read_api(project), read_events(project)
    # Pseudo languages are there to look at a plugin with, not to be read.
    found = [each for each, words in sorted(plugin.translations.items()) if words and each not in PSEUDO]
    languages = (DEFAULT_LOCALE, *found) if found else (DEFAULT_LOCALE,)
    made: dict[str, str] = {}
    for language in languages:
        said = plugin.in_language(language)
        words = merged(plugin.translations, language)
        others = [each for each in languages if each != language]
        blocks = list(_blocks(said, api, events, words, others))
        made[_file(language, "md")] = to_markdown(blocks)
        made[_file(language, "html")] = to_html(blocks, f"{plugin.name} documentation", language)
    return made


def is_document(name: str) -> bool:
    """Return whether a file has the name of one that `documents` makes, in whatever language."""
    return _NAME.fullmatch(name) is not None


def _file(language: str, suffix: str) -> str:
    return f"index.{suffix}" if language == DEFAULT_LOCALE else f"index.{language}.{suffix}"


def _blocks(
    plugin: PluginDescription, api: Api, events: Events, words: Mapping[str, str], others: Sequence[str]
) -> Iterator[Block]:
    manifest = plugin.manifest
    yield Block("heading", f"{plugin.name} Plugin Documentation")
    if others:
        yield Block("links", items=tuple((each, _file(each, "")) for each in others))
    yield Block("heading", "Overview", 2)
    if plugin.summary:
        yield Block("paragraph", plugin.summary)
    facts = (("Version", str(plugin.version)), ("Author", plugin.author), ("License", plugin.license))
    yield Block("items", items=tuple(("", f"{name}: {value or 'Unknown'}") for name, value in facts))
    yield Block("heading", "Installation", 2)
    yield Block("code", f"viloapp install {plugin.plugin_id}")
    yield from _commands(manifest.commands, manifest.keybindings, api, words)
    yield from _widgets(manifest.widgets, api)
    yield from _configuration(manifest.configuration, words)
    if manifest.permissions:
        yield Block("heading", "Permissions", 2)
        reasons = tuple((each.id, _why(each.id, each.reason)) for each in manifest.permissions)
        yield Block("items", items=reasons)
    if events.emitted or events.heard:
        yield Block("heading", "Events", 2)
        rows = [*((each, "emitted") for each in events.emitted), *((each, "heard") for each in events.heard)]
        yield Block("items", items=tuple(rows))
    if manifest.requires_plugins:
        yield Block("heading", "Requires", 2)
        yield Block("items", items=tuple((text, "") for text in manifest.requires_plugins))
    yield from _api(api)


def _commands(
    commands: tuple[Mapping[str, Any], ...],
    keybindings: tuple[Mapping[str, Any], ...],
    api: Api,
    words: Mapping[str, str],
) -> Iterator[Block]:
    if commands:
        yield Block("heading", "Commands", 2)
    for command in commands:
        known = api.commands.get(command["id"])
        yield Block("code_heading", command["id"], 3)
        title = command.get("title") or ""
        keys = [binding["key"] for binding in keybindings if binding["command"] == command["id"]]
        lines = [f"{title}." if title else "", f"Key: {', '.join(keys)}." if keys else ""]
        if said := " ".join(filter(None, lines)):
            yield Block("paragraph", said)
        told = words.get(f"{PREFIX}command.{command['id']}.description")
        if text := told or (known.docstring if known else command.get("description") or ""):
            yield from _text(text)
        if known and known.arguments:
            yield Block("paragraph", "Arguments:")
            yield Block("items", items=_arguments(known))


def _arguments(known: Signature) -> tuple[tuple[str, str], ...]:
    return tuple(
        (each.name, each.type + (f", by default {each.default}" if each.default is not None else ""))
        for each in known.arguments
    )


def _widgets(widgets: tuple[Mapping[str, Any], ...], api: Api) -> Iterator[Block]:
    if widgets:
        yield Block("heading", "Widgets", 2)
    for widget in widgets:
        yield Block("heading", f"{widget.get('title') or widget['id']} ({widget['id']})", 3)
        if widget.get("description"):
            yield Block("paragraph", widget["description"])
        if methods := api.widgets.get(widget["id"], ()):
            yield Block("items", items=tuple((_signature(each), _first(each.docstring)) for each in methods))


def _configuration(
    configuration: Mapping[str, Mapping[str, Any]], words: Mapping[str, str]
) -> Iterator[Block]:
    if configuration:
        yield Block("heading", "Configuration", 2)
    for name, schema in configuration.items():
        yield Block("code_heading", name, 3)
        default = json.dumps(schema["default"], ensure_ascii=False) if "default" in schema else "None"
        facts = [f"Type: {schema.get('type', 'any')}", f"Default: {default}"]
        if schema.get("enum"):
            labels = enum_labels(name, schema, words)
            facts.append("One of: " + ", ".join(_choice(each, labels) for each in schema["enum"]))
        facts.append(f"Description: {schema.get('description', '')}")
        yield Block("items", items=tuple(("", fact) for fact in facts))


def _choice(value: Any, labels: Mapping[str, str]) -> str:
    """Return a value as it is written, and what a person reads for it."""
    shown = json.dumps(value, ensure_ascii=False)
    return f"{shown} ({labels[value]})" if isinstance(value, str) and value in labels else shown


def _why(id: str, reason: str) -> str:
    words = in_words(Permission.parse(id))
    return f"{words}; {reason}" if reason else words


def _api(api: Api) -> Iterator[Block]:
    told = {path: each for path, each in sorted(api.functions.items()) if each.docstring}
    if told:
        yield Block("heading", "API", 2)
    for path, each in told.items():
        yield Block("code_heading", path, 3)
        yield from _text(each.docstring)


def _text(docstring: str) -> Iterator[Block]:
    """Yield the paragraphs of a docstring; what is indented keeps its lines."""
    for part in docstring.split("\n\n"):
        indented = any(line[:1].isspace() for line in part.splitlines())
        if part.strip():
            yield Block("code" if indented else "paragraph", part.strip("\n") if indented else part)


def _signature(each: Signature) -> str:
    given = ", ".join(
        f"{arg.name}: {arg.type}" + (f" = {arg.default}" if arg.default is not None else "")
        for arg in each.arguments
    )
    return f"{each.name}({given}) -> {each.returns}"


def _first(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())
