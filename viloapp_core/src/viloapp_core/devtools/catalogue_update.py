"""What `viloapp i18n update` makes of the catalogues: keys added and taken out, every translation kept.

A key that nobody has translated gets an empty text: the file stays flat, a translator sees what is to be done
in its place, and at a person's screen the next language is asked. The default language has no such keys,
since an empty text would be shown there: what it lacks is listed, and only its author can write it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.devtools.catalogues import Texts, may_be_used, unused, wanted
from viloapp_core.devtools.errors import DevtoolsError
from viloapp_core.foundation.files import write_atomic
from viloapp_sdk.manifest.catalogues import Catalogue
from viloapp_sdk.manifest.pseudo import PSEUDO
from viloapp_sdk.manifest.translations import DEFAULT_LOCALE, PREFIX

__all__ = ["CatalogueError", "Change", "apply", "plan_updates", "rendered"]


class CatalogueError(DevtoolsError):
    """Catalogues cannot be changed without losing something of them; has every reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("bad_catalogue", "\n".join(problems), "mend them first; nothing was changed")


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one catalogue.

    Args:
        path: of the file.
        language: that it is of.
        added: keys that it gets, with empty texts.
        lacking: keys that the code asks for and only an author can write: of the default language.
        stale: keys that nothing asks for.
        removed: whether these are taken out.
        untranslated: how many keys have no text, those that were added among them.
        content: of the file, afterwards.
        written: whether it differs from what is there.
    """

    path: Path
    language: str
    added: tuple[str, ...]
    lacking: tuple[str, ...]
    stale: tuple[str, ...]
    removed: bool
    untranslated: int
    content: bytes
    written: bool


def rendered(texts: Mapping[str, str]) -> bytes:
    """Return a catalogue as a file: keys sorted, one on a line."""
    return (json.dumps(dict(sorted(texts.items())), indent=2, ensure_ascii=False) + "\n").encode()


def plan_updates(texts: Texts, *, add: Sequence[str] = (), remove_stale: bool = False) -> list[Change]:
    """Return what is to be done with each catalogue; nothing is written.

    Args:
        texts: of the package.
        add: languages that get a catalogue.
        remove_stale: take out what nothing asks for.

    Raises:
        CatalogueError: one is broken, so that writing it would lose something; or a source is, so that it
            cannot be told what is stale.
    """
    broken = {path: each for path, each in texts.catalogues.items() if not each.whole}
    problems = [
        f"{texts.shown(path)}{f':{line}' if line else ''}: {message}"
        for path, each in broken.items()
        for line, message in each.issues
    ]
    if remove_stale:
        problems += [
            f"{each.place}: it cannot be told what this source asks for: {each.message}"
            for each in texts.unreadable
        ]
    if problems:
        raise CatalogueError(problems)
    folder = texts.package / "locales"
    present = {each.language for each in texts.catalogues.values()}
    catalogues = dict(texts.catalogues)
    catalogues |= {folder / f"{each}.json": Catalogue(each) for each in add if each not in present}
    stale = unused(texts)
    changes = []
    for path, each in catalogues.items():
        if each.language == DEFAULT_LOCALE:
            changes.append(_default(path, each, texts, stale, remove_stale))
        elif each.language not in PSEUDO:
            changes.append(_other(path, each, texts, stale if remove_stale else [], remove_stale))
    return changes


def _default(path: Path, catalogue: Catalogue, texts: Texts, unused: Sequence[str], remove: bool) -> Change:
    asked = {use.key for use in texts.uses if use.key is not None and use.exact} if texts.alone else set()
    lacking = tuple(sorted(asked - set(catalogue.texts)))
    stale = [*unused, *(key for key in catalogue.texts if key.startswith(PREFIX))]
    return _change(path, catalogue, catalogue.texts, (), lacking, stale, remove)


def _other(path: Path, catalogue: Catalogue, texts: Texts, going: Sequence[str], remove: bool) -> Change:
    """Return what becomes of a translation; `going` are the keys that the default language loses."""
    keys = [key for key in wanted(texts) if key not in going]
    # A text that code asks for and English lacks is the author's to write there; its translation is kept.
    stale = [
        key
        for key in catalogue.texts
        if key not in keys and (key in going or key.startswith(PREFIX) or not may_be_used(texts, key))
    ]
    inherited = texts.inherited(catalogue)
    missing = [
        key
        for key in keys
        if key not in catalogue.texts and key not in inherited and texts.base.texts.get(key) != ""
    ]
    merged = catalogue.texts | dict.fromkeys(missing, "")
    return _change(path, catalogue, merged, tuple(missing), (), stale, remove)


def _change(
    path: Path,
    catalogue: Catalogue,
    merged: Mapping[str, str],
    added: tuple[str, ...],
    lacking: tuple[str, ...],
    stale: Sequence[str],
    remove: bool,
) -> Change:
    kept = {key: text for key, text in merged.items() if not (remove and key in stale)}
    content = rendered(kept)
    try:
        written = path.read_bytes() != content
    except FileNotFoundError:
        written = True
    empty = sum(not text for text in kept.values()) if catalogue.language != DEFAULT_LOCALE else 0
    return Change(
        path, catalogue.language, added, lacking, tuple(sorted(stale)), remove, empty, content, written
    )


def apply(changes: Sequence[Change]) -> None:
    """Write what differs, each file at once.

    Raises:
        FileError: a file cannot be written.
    """
    for change in changes:
        if change.written:
            change.path.parent.mkdir(exist_ok=True)
            write_atomic(change.path, change.content, 0o644)
