"""What keeps a distribution from being given away."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from viloapp_core.operations import contents
from viloapp_core.operations.contents import content_issues

# Put together here, so that no scanner takes this file for a leak.
_KEY = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\n" + "b3BlbnNzaC1rZXktdjEA" * 3
_SECRETS = {
    "a private key": _KEY,
    "a token of a package index": "x = 'pypi-" + "AgEIcHlwaS5vcmc" + "a" * 60 + "'",
    "a token of GitHub": "ghp_" + "a1B2" * 10,
    "a token of GitLab": "glpat-" + "a" * 20,
    "a key of AWS": "AKIA" + "ABCDEFGH12345678",
    "a key of Google": "AIza" + "a" * 35,
    "a token of Slack": "xoxb-" + "1" * 24,
    "a token of npm": "npm_" + "a" * 36,
}


def _wheel(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "hello-0.1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_what_is_fit_to_be_given_away(tmp_path: Path) -> None:
    """Code, data, and words about keys."""
    about = b'KEY_BEGINS = "-----BEGIN PRIVATE ' + b'KEY-----"\n'
    assert content_issues(_wheel(tmp_path, {"hello/a.py": about, ".env.example": b"KEY="})) == []


@pytest.mark.parametrize("kind", _SECRETS)
def test_secrets_are_found_with_their_line(kind: str, tmp_path: Path) -> None:
    """In wheels and in source distributions alike; the secret itself is not repeated."""
    content = b"one\ntwo\n" + _SECRETS[kind].encode() + b"\n"
    sdist = tmp_path / "hello-0.1.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        member = tarfile.TarInfo("hello-0.1/a.txt")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    for path, name in ((_wheel(tmp_path, {"a.txt": content}), "a.txt"), (sdist, "hello-0.1/a.txt")):
        (issue,) = content_issues(path)
        assert issue == f"{path.name}: {name}: line 3 has {kind}; take it out and revoke it"


def test_files_that_have_no_place(tmp_path: Path) -> None:
    """What tools leave, what holds passwords by its name, what is huge; all at once."""
    files = {"a/__pycache__/x.pyc": b"", "a/.gitignore": b"", ".pypirc": b"", "big": b"0" * (11 << 20)}
    issues = content_issues(_wheel(tmp_path, files))
    assert [each.split(": ")[1] for each in issues] == list(files)
    assert "11,534,336 bytes" in issues[-1]


def test_more_than_an_index_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is refused before it is uploaded."""
    monkeypatch.setattr(contents, "MAX_BYTES", 10)
    (issue,) = content_issues(_wheel(tmp_path, {"a": b""}))
    assert "more than the 10 that an index takes" in issue
