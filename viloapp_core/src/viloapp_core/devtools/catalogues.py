"""Whether the catalogues of a plugin, `locales/<language>.json`, fit each other and the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from viloapp_core.devtools.findings import Finding
from viloapp_sdk._messages import placeholders, problems

__all__ = ["catalogue_findings"]

_DEFAULT = "en"
# Source: BCP 47, language, script and region, which is what a file is named by.
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Z][a-z]{3})?(?:[-_](?:[A-Z]{2}|[0-9]{3}))?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def catalogue_findings(
    folder: Path, packages: Sequence[Path], titles: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield what is wrong with the catalogues of a project; none where it has none.

    Args:
        folder: of the project.
        packages: the folders and files of the code.
        titles: id → title of each command and widget, as the source has it.
    """
    for package in packages:
        files = sorted((package / "locales").glob("*.json")) if package.is_dir() else []
        texts: dict[str, dict[str, str]] = {}
        paths = {path.stem: path.relative_to(folder).as_posix() for path in files}
        for path in files:
            found, issues = _read(path)
            yield from (Finding("catalogue", "", paths[path.stem], line, what) for line, what in issues)
            if found is not None:
                texts[path.stem] = found
        if files and _DEFAULT not in paths:
            message = "there is no en.json, from which languages that lack a text take it"
            yield Finding("catalogue", "", (package / "locales").relative_to(folder).as_posix(), 0, message)
        base = texts.get(_DEFAULT, {})
        sources = {path.stem: path.read_text("utf-8") for path in files if path.stem in texts}
        for language, found in texts.items():
            for key, level, what in _compare(language, found, base, titles):
                line = _line(sources[language], key)
                yield Finding("catalogue", "", paths[language], line, f"{key}: {what}", level)


def _read(path: Path) -> tuple[dict[str, str] | None, list[tuple[int, str]]]:
    """Return a catalogue, or None with what keeps it from being one, each with its line."""
    doubled: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        doubled.extend(key for at, (key, _) in enumerate(items) if key in dict(items[:at]))
        return dict(items)

    issues = []
    if not _LANGUAGE.fullmatch(path.stem):
        issues.append((0, f"{path.stem!r} is no language, such as en, pt-BR or zh-Hans"))
    try:
        text = path.read_text("utf-8")
        content = json.loads(text, object_pairs_hook=pairs)
    except (ValueError, OSError, RecursionError) as error:
        return None, [*issues, (getattr(error, "lineno", 0), f"is no JSON: {error}")]
    if not isinstance(content, dict):
        return None, [*issues, (1, "is no object of keys and texts")]
    issues += [(_line(text, key), f"{key}: stands there twice") for key in doubled]
    wrong = [key for key, value in content.items() if not isinstance(value, str)]
    issues += [(_line(text, key), f"{key}: is no text; catalogues are flat") for key in wrong]
    texts = {key: value for key, value in content.items() if isinstance(value, str)}
    issues += [(_line(text, key), f"{key}: {what}") for key in texts for what in problems(texts[key])]
    return texts, issues


def _compare(
    language: str, found: Mapping[str, str], base: Mapping[str, str], titles: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield key, level and what is wrong of one language beside the default one."""
    if language == _DEFAULT:
        for key in sorted(set(found) & set(titles)):
            if found[key] != titles[key]:
                yield key, "error", f"is {found[key]!r} here and {titles[key]!r} in the source"
        return
    for key, text in found.items():
        if key not in base:
            yield key, "warning", "is not in en.json"
        elif (here := _placeholders(text)) != (there := _placeholders(base[key])):
            shown = ", ".join(sorted(here ^ there))
            yield key, "error", f"has other placeholders than en.json: {shown}"
    for key in base:
        if key not in found:
            yield key, "warning", f"is missing in {language}.json"


def _placeholders(text: str) -> set[str]:
    return {name for name in placeholders(text) if _NAME.fullmatch(name)}


def _line(text: str, key: str) -> int:
    quoted = json.dumps(key, ensure_ascii=False)
    return next((number for number, line in enumerate(text.splitlines(), 1) if quoted in line), 0)
