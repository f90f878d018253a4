r"""A plugin's catalogues, `locales/<language>.json`, with the line of each key; and what no build lets pass.

    >>> catalogue = parse_catalogue("de", b'{\n "hi": "Hallo {name",\n "hi": "Hallo"}')
    >>> catalogue.issues
    [(2, 'hi: {name is not closed'), (3, 'hi: stands there twice')]

The hook of setuptools and `viloapp package` refuse a project by `catalogue_issues`; `viloapp i18n check` and
`viloapp validate` say more, such as what is not translated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from viloapp_sdk._messages import placeholders, problems
from viloapp_sdk.manifest.errors import Issue
from viloapp_sdk.manifest.translations import DEFAULT_LOCALE, MAX_BYTES, PREFIX

__all__ = [
    "Catalogue",
    "catalogue_files",
    "catalogue_issues",
    "other_placeholders",
    "parse_catalogue",
    "read_catalogue",
]

# Source: BCP 47, language, script and region, which is what a file is named by.
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Z][a-z]{3})?(?:[-_](?:[A-Z]{2}|[0-9]{3}))?")
_HALF = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"[ \t\r\n]*")
_decoder = json.JSONDecoder()


@dataclass
class Catalogue:
    """The texts of one language.

    Args:
        language: as the file is named.
        texts: key → text; of a key that stands there twice, the last.
        lines: key → line, of those that are texts.
        issues: line, 0 where there is none, and what is wrong.
        readable: whether it is an object of texts at all, issues or not.
        whole: every member of it is in ``texts``: it can be written again without a loss.
    """

    language: str
    texts: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    issues: list[tuple[int, str]] = field(default_factory=list)
    readable: bool = False
    whole: bool = False


def catalogue_files(package: Path) -> list[Path]:
    """Return the catalogues of a package, sorted; none of what is no folder."""
    folder = package / "locales"
    return sorted(folder.glob("*.json")) if folder.is_dir() else []


def read_catalogue(path: Path) -> Catalogue:
    """Return a catalogue, with everything that is wrong with it by itself."""
    try:
        if path.exists() and not path.is_file():  # a pipe would block, a device would never end
            return Catalogue(path.stem, issues=[(0, "cannot be read: it is no file")])
        with path.open("rb") as file:
            return parse_catalogue(path.stem, file.read(MAX_BYTES + 1))
    except OSError as error:
        return Catalogue(path.stem, issues=[(0, f"cannot be read: {error.strerror or error}")])


def parse_catalogue(language: str, content: bytes) -> Catalogue:
    """Return a catalogue of a file's content; see `read_catalogue`."""
    result = Catalogue(language)
    if not _LANGUAGE.fullmatch(language):
        result.issues.append((0, f"{language!r} is no language, such as en, pt-BR or zh-Hans"))
    if len(content) > MAX_BYTES:
        result.issues.append((0, f"has more than {MAX_BYTES >> 10} KiB, which a host does not read"))
        return result
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        result.issues.append((line, f"is no UTF-8: byte 0x{content[error.start]:02x}"))
        return result
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        result.issues.append((error.lineno, f"is no JSON: {error.msg}"))
        return result
    except (ValueError, RecursionError) as error:
        result.issues.append((0, f"is no JSON: {str(error)[:200] or type(error).__name__}"))
        return result
    if not isinstance(value, dict):
        result.issues.append((1, "is no object of keys and texts"))
        return result
    result.readable = result.whole = True
    for key, item, line in _members(text):
        if half := _HALF.search(key) or (_HALF.search(item) if isinstance(item, str) else None):
            shown = _HALF.sub("\ufffd", key)
            result.issues.append((line, f"{shown}: has half a character, \\u{ord(half[0]):04x}"))
            result.whole = False
            continue
        if key in result.lines:
            result.issues.append((line, f"{key}: stands there twice"))
            result.whole = False
        if not isinstance(item, str):
            result.issues.append((line, f"{key}: is no text; catalogues are flat"))
            result.whole = False
            continue
        result.texts[key], result.lines[key] = item, line
        if not key.startswith(PREFIX):  # those take no values
            result.issues += [(line, f"{key}: {what}") for what in problems(item)]
    return result


def _members(text: str) -> Iterator[tuple[str, object, int]]:
    """Yield key, value and line of the key of each member of the object that a JSON text is."""

    def space(at: int) -> int:
        found = _SPACE.match(text, at)
        return found.end() if found else at

    at = space(space(0) + 1)
    line, counted = 1, 0
    while text[at] != "}":
        line, counted = line + text.count("\n", counted, at), at
        key, at = _decoder.raw_decode(text, at)
        value, at = _decoder.raw_decode(text, space(space(at) + 1))
        yield key, value, line
        at = space(at)
        if text[at] == ",":
            at = space(at + 1)


def other_placeholders(catalogue: Catalogue, base: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield each key, and what is wrong, whose text takes other values than in the default language."""
    for key, text in catalogue.texts.items():
        if text and key in base.texts and not key.startswith(PREFIX):
            here, there = placeholders(text), placeholders(base.texts[key])
            if here != there:
                shown = ", ".join(sorted(here ^ there))
                yield key, f"has other placeholders than {base.language}.json: {shown}"


def catalogue_issues(packages: Iterable[Path], root: Path) -> list[Issue]:
    """Return what no build lets through: what cannot be read, and texts that could not be shown.

    Args:
        packages: folders of the code; each may have ``locales/``.
        root: of the project, to which the paths in the issues are relative.
    """
    found: list[Issue] = []
    for package in packages:
        catalogues = {path: read_catalogue(path) for path in catalogue_files(package)}
        found += _issues(catalogues, root)
    return found


def _issues(catalogues: Mapping[Path, Catalogue], root: Path) -> Iterator[Issue]:
    base = next((each for each in catalogues.values() if each.language == DEFAULT_LOCALE), None)
    for path, catalogue in catalogues.items():
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
        for line, message in catalogue.issues:
            yield Issue(f"{shown}:{line}" if line else shown, message)
        if base is not None and catalogue is not base:
            for key, message in other_placeholders(catalogue, base):
                yield Issue(f"{shown}:{catalogue.lines[key]}", f"{key}: {message}")
