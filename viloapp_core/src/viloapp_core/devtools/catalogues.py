"""Whether the catalogues of a plugin, `locales/<language>.json`, fit each other, code and manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viloapp_core.devtools.extraction import Use, uses
from viloapp_core.devtools.findings import UNREADABLE, Finding, unreadable
from viloapp_core.devtools.plurals import needs_more, plural_findings
from viloapp_core.manifest import read_source
from viloapp_sdk._locale import normal, wider
from viloapp_sdk._messages import placeholders
from viloapp_sdk.manifest.catalogues import Catalogue, catalogue_files, other_placeholders, read_catalogue
from viloapp_sdk.manifest.project import packages, read_pyproject
from viloapp_sdk.manifest.pseudo import PSEUDO
from viloapp_sdk.manifest.translations import DEFAULT_LOCALE, PREFIX, translatable

__all__ = [
    "Texts",
    "catalogue_findings",
    "dependencies_of",
    "may_be_used",
    "project_texts",
    "read_texts",
    "unused",
    "wanted",
]


@dataclass
class Texts:
    """All that a project says of its texts.

    Args:
        root: of the project.
        package: the folder that has ``locales/``, or would.
        catalogues: path → catalogue, sorted by path.
        uses: what the code asks for.
        words: key → text of the manifest's own words.
        unreadable: sources whose keys are unknown, since they are no Python or cannot be read.
        alone: no other package of the project has catalogues, so the code means these.
    """

    root: Path
    package: Path
    catalogues: dict[Path, Catalogue] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    words: Mapping[str, str] = field(default_factory=dict)
    unreadable: Sequence[Finding] = ()
    alone: bool = True

    @property
    def base(self) -> Catalogue:
        """The catalogue of the default language; an empty one where there is none."""
        found = (each for each in self.catalogues.values() if each.language == DEFAULT_LOCALE)
        return next(found, Catalogue(DEFAULT_LOCALE))

    def shown(self, path: Path) -> str:
        """Return a path as it is named to people."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def inherited(self, catalogue: Catalogue) -> set[str]:
        """Return the keys that a variety of a language takes from that: of ``pt-BR`` those of ``pt``."""
        nearer = set(wider(normal(catalogue.language))) - {normal(catalogue.language), DEFAULT_LOCALE}
        found = (each for each in self.catalogues.values() if normal(each.language) in nearer)
        return {key for each in found for key, text in each.texts.items() if text}


def read_texts(root: Path, packages: Sequence[Path], words: Mapping[str, str]) -> list[Texts]:
    """Return the texts of each package of a project, and which of its sources cannot be read.

    Args:
        root: of the project.
        packages: the folders and files of the code.
        words: of the manifest, as `viloapp_sdk.manifest.translatable` has them.
    """
    asked: list[Use] = []
    broken: list[Finding] = []
    for package in packages:
        for module in sorted(package.rglob("*.py")) if package.is_dir() else [package]:
            path = module.relative_to(root).as_posix() if module.is_relative_to(root) else str(module)
            try:
                asked += uses(module.read_text("utf-8"), path)
            except UNREADABLE as error:
                broken.append(unreadable(path, error))
    folders = [each for each in packages if each.is_dir()]
    found = [each for each in folders if catalogue_files(each)] or folders[:1]
    return [
        Texts(
            root=root,
            package=each,
            catalogues={path: read_catalogue(path) for path in catalogue_files(each)},
            uses=asked,
            words=words,
            unreadable=broken,
            alone=len(found) < 2,
        )
        for each in found
    ]


def project_texts(folder: Path) -> list[Texts]:
    """Return the texts of each package of a plugin's project that has catalogues, or could have them.

    Raises:
        ManifestError: the project is no good plugin.
    """
    plugin = read_source(folder)
    words = translatable(plugin.manifest.to_json(), plugin.summary)
    return read_texts(folder, packages(folder, read_pyproject(folder)), words)


def dependencies_of(data: Mapping[str, Any]) -> Sequence[str] | None:
    """Return the dependencies that a ``pyproject.toml`` has; None where only a build knows them."""
    project = data.get("project")
    if not isinstance(project, Mapping) or "dependencies" in project.get("dynamic", ()):
        return None
    found = project.get("dependencies", [])
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def wanted(texts: Texts) -> list[str]:
    """Return the keys that another language than the default one should have, sorted."""
    return sorted({*(key for key in texts.base.texts if not key.startswith(PREFIX)), *texts.words})


def unused(texts: Texts) -> list[str]:
    """Return the keys of the default language that no code asks for; none where that cannot be told."""
    if not texts.alone:
        return []
    return sorted(
        key for key in texts.base.texts if not key.startswith(PREFIX) and not may_be_used(texts, key)
    )


def may_be_used(texts: Texts, key: str) -> bool:
    """Return whether code asks for a key, or may: what cannot be read or told may ask for any."""
    return bool(texts.unreadable) or any(use.means(key) for use in texts.uses)


def catalogue_findings(texts: Texts, dependencies: Sequence[str] | None) -> Iterator[Finding]:
    """Yield what is wrong with the catalogues of a package, and with the calls that ask for texts.

    Args:
        texts: of the package.
        dependencies: of the project; None where only a build knows them.
    """
    for path, catalogue in texts.catalogues.items():
        for line, message in catalogue.issues:
            yield Finding("catalogue", "", texts.shown(path), line, message)
    yield from _of_code(texts)
    if not texts.catalogues:
        return
    yield from _of_default(texts)
    extra = dependencies is None or any(_has_babel(each) for each in dependencies)
    for path, catalogue in texts.catalogues.items():
        if not catalogue.readable or catalogue.language in PSEUDO:
            continue
        checks = [*plural_findings(catalogue)]
        if catalogue.language != DEFAULT_LOCALE:
            checks += _compared(catalogue, texts)
        checks += _without_extra(catalogue) if not extra else []
        for line, message, level in checks:
            yield Finding("catalogue", "", texts.shown(path), line, message, level)


_Issue = tuple[int, str, str]


def _of_code(texts: Texts) -> Iterator[Finding]:
    """Yield what the calls ask for and do not get."""
    base = texts.base
    complete = base.readable or not texts.catalogues
    for use in texts.uses if texts.alone else ():
        if use.key is None:
            message = "the key cannot be told; name those that it may be in a comment: # i18n: state.*"
            yield Finding("catalogue", "", use.path, use.line, message, "warning")
        elif use.exact and complete and use.key not in base.texts:
            message = f"no {DEFAULT_LOCALE}.json has {use.key!r}: a person would read the key"
            yield Finding("catalogue", "", use.path, use.line, message)
        elif use.exact and use.arguments is not None:
            without = sorted(placeholders(base.texts.get(use.key, "")) - use.arguments)
            if without:
                message = f"{use.key}: no value for {', '.join(without)}"
                yield Finding("catalogue", "", use.path, use.line, message)


def _of_default(texts: Texts) -> Iterator[Finding]:
    base = texts.base
    path = next((path for path, each in texts.catalogues.items() if each is base), None)
    if path is None:
        others = (each.texts for each in texts.catalogues.values())
        if any(not key.startswith(PREFIX) for keys in others for key in keys):
            message = f"there is no {DEFAULT_LOCALE}.json, from which languages that lack a text take it"
            yield Finding("catalogue", "", texts.shown(texts.package / "locales"), 0, message)
        return
    for key, line in base.lines.items():
        if key.startswith(PREFIX):
            message = f"{key}: the manifest has the words of the default language; leave it out"
            yield Finding("catalogue", "", texts.shown(path), line, message, "warning")
    for key in unused(texts):
        message = f"{key}: no code asks for it"
        yield Finding("catalogue", "", texts.shown(path), base.lines[key], message, "warning")


def _compared(catalogue: Catalogue, texts: Texts) -> Iterator[_Issue]:
    """Yield how one language differs from the default one."""
    for key, message in other_placeholders(catalogue, texts.base):
        yield catalogue.lines[key], f"{key}: {message}", "error"
    keys = wanted(texts)
    for key, line in catalogue.lines.items():
        if key not in keys and (texts.base.readable or key.startswith(PREFIX)):
            where = "the manifest" if key.startswith(PREFIX) else f"{DEFAULT_LOCALE}.json"
            yield line, f"{key}: is not in {where}", "warning"
    inherited = texts.inherited(catalogue)
    for key in keys:
        if not catalogue.texts.get(key) and key not in inherited and texts.base.texts.get(key) != "":
            yield catalogue.lines.get(key, 0), f"{key}: is missing in {catalogue.language}.json", "warning"


def _without_extra(catalogue: Catalogue) -> Iterator[_Issue]:
    """Yield the first text that is shown otherwise than it is meant without Babel."""
    for key, text in catalogue.texts.items():
        if not key.startswith(PREFIX) and (what := needs_more(catalogue.language, text)):
            message = f'{key}: {what} needs "viloapp-sdk[i18n]" among the dependencies'
            yield catalogue.lines[key], message, "error"
            return


def _has_babel(requirement: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    from viloapp_core.foundation.names import normalized

    try:
        found = Requirement(requirement)
    except InvalidRequirement:
        return False
    name = normalized(found.name)
    return name == "babel" or (name == "viloapp-sdk" and "i18n" in found.extras)
