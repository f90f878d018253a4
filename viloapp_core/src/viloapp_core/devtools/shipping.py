"""Whether setuptools would put a project's catalogues into its wheel, as far as can be said without a build.

`viloapp package` and `publish` look into the wheel itself and refuse one that lacks them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from viloapp_core.devtools.findings import Finding
from viloapp_core.devtools.toml_lines import line_of
from viloapp_sdk.manifest.catalogues import catalogue_files

__all__ = ["shipping_findings"]

_TABLE = "tool.setuptools.package-data"
# With one of these the files may come into the wheel by other ways, which only a build follows.
_OTHER_WAYS = ("setup.py", "setup.cfg")
_INCLUDING = ("graft", "include", "recursive-include", "global-include")


def shipping_findings(
    folder: Path, data: Mapping[str, Any], text: str, sources: Sequence[Path]
) -> Iterator[Finding]:
    """Yield a warning for each package whose catalogues are in no pattern of setuptools' package data.

    Args:
        folder: of the project.
        data: its ``pyproject.toml``.
        text: the same, for lines.
        sources: its packages and modules.

    Source: https://setuptools.pypa.io/en/latest/userguide/datafiles.html
    """
    build = _table(data, "build-system")
    if not str(build.get("build-backend", "setuptools")).startswith("setuptools"):
        return
    if any((folder / name).exists() for name in _OTHER_WAYS) or "scm" in str(build.get("requires", "")):
        return
    patterns = _table(_table(_table(data, "tool"), "setuptools"), "package-data")
    for package in sources:
        lacking = [file.name for file in catalogue_files(package) if not _named(file, package, patterns)]
        if lacking and not _by_manifest(folder, package.name):
            what = f"the wheel gets no {package.name}/locales/{lacking[0]}"
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            way = f'[{_TABLE}] {package.name} = ["locales/*.json"]'
            message = f"{what}{more}: {way}"
            yield Finding("catalogue", "", "pyproject.toml", line_of(text, _TABLE), message, "warning")


def _by_manifest(folder: Path, package: str) -> bool:
    """Whether a line of MANIFEST.in may name the files; only a build can tell then."""
    try:
        lines = [line.split() for line in (folder / "MANIFEST.in").read_text("utf-8").splitlines()]
    except (OSError, ValueError):
        return False
    including = [words for words in lines if words and words[0] in _INCLUDING]
    parts = ("global-include", "src", "json", package)
    return any(part in word for words in including for word in words for part in parts)


def _named(file: Path, package: Path, patterns: Mapping[str, Any]) -> bool:
    """Whether a pattern of the package, of the folder as a package, or of all packages takes a catalogue."""
    for name, path in ((package.name, f"locales/{file.name}"), (f"{package.name}.locales", file.name)):
        for key in (name, "*", ""):
            of_key = patterns.get(key)
            for pattern in of_key if isinstance(of_key, list) else ():
                if fnmatchcase(path, str(pattern)):
                    return True
    return False


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, Mapping) else {}
