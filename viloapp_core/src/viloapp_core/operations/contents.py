"""What is in a distribution that its author is about to give away: nothing left out, secret or huge.

Secrets are found by the marks that their issuers put into them; a password without such a mark is not found.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from viloapp_core.resolve.source_archive import left_out
from viloapp_sdk.manifest.catalogues import catalogue_files
from viloapp_sdk.manifest.project import packages, read_pyproject
from viloapp_sdk.manifest.pseudo import PSEUDO

__all__ = ["content_issues", "lacking_catalogues", "members"]

MAX_BYTES = 100 * 1024 * 1024
"""Of one file that is uploaded. Source: the default limit of the Python package index."""
_LARGE_BYTES = 10 * 1024 * 1024

# Source: the documentation of each issuer's token format; RFC 7468 for keys.
_SECRETS = {
    "a private key": rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/=]{20}",
    "a token of a package index": rb"\bpypi-AgE[A-Za-z0-9_-]{50,}",
    "a token of GitHub": rb"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})",
    "a token of GitLab": rb"\bglpat-[A-Za-z0-9_-]{20,}",
    "a key of AWS": rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a key of Google": rb"\bAIza[A-Za-z0-9_-]{35}\b",
    "a token of Slack": rb"\bxox[abprs]-[A-Za-z0-9-]{20,}",
    "a token of npm": rb"\bnpm_[A-Za-z0-9]{36}\b",
}
_SECRET = re.compile(b"|".join(b"(" + pattern + b")" for pattern in _SECRETS.values()))
_KINDS = tuple(_SECRETS)
_SECRET_FILES = re.compile(r"\.env(?:\..+)?|\.pypirc|\.netrc|\.git-credentials|id_(?:rsa|dsa|ecdsa|ed25519)")
_SAMPLES = (".example", ".sample", ".template")


def content_issues(path: Path) -> list[str]:
    """Return what speaks against giving away a wheel or a source distribution."""
    issues = []
    size = path.stat().st_size
    if size > MAX_BYTES:
        issues.append(f"{path.name}: has {size:,} bytes, more than the {MAX_BYTES:,} that an index takes")
    for name, content in members(path):
        issues += [f"{path.name}: {name}: {issue}" for issue in _file_issues(name, content)]
    return issues


def lacking_catalogues(wheel: Path, folder: Path) -> list[str]:
    """Return a line for each catalogue of a project that its wheel lacks: people would read another language.

    Args:
        wheel: what was built.
        folder: of the project, whose ``pyproject.toml`` has been read before.
    """
    with zipfile.ZipFile(wheel) as archive:
        there = set(archive.namelist())
    wanted = [
        f"{package.name}/locales/{file.name}"
        for package in packages(folder, read_pyproject(folder))
        for file in catalogue_files(package)
        if file.stem not in PSEUDO
    ]
    why = "which the project has; the build's package data has to name locales/*.json"
    return [f"{wheel.name}: lacks {name}, {why}" for name in wanted if name not in there]


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file of a distribution that we built ourselves."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            for entry in wheel.infolist():
                if not entry.is_dir():
                    yield entry.filename, wheel.read(entry)
        return
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            if (stream := archive.extractfile(member)) is not None:
                yield member.name, stream.read()


def _file_issues(name: str, content: bytes) -> Iterable[str]:
    file = name.rpartition("/")[2]
    if left_out(name):
        yield "has no place in a distribution; take it out of the package's data"
    if _SECRET_FILES.fullmatch(file) and not file.endswith(_SAMPLES):
        yield "is a file of secrets; keep it out of the project's folder"
    if len(content) > _LARGE_BYTES:
        yield f"has {len(content):,} bytes, more than {_LARGE_BYTES:,}; let the plugin fetch it when used"
    found = {_KINDS[(match.lastindex or 1) - 1] for match in _SECRET.finditer(content)}
    for kind in sorted(found):
        line = next(
            content.count(b"\n", 0, match.start()) + 1
            for match in _SECRET.finditer(content)
            if _KINDS[(match.lastindex or 1) - 1] == kind
        )
        yield f"line {line} has {kind}; take it out and revoke it"
