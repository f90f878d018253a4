"""The workflow that publishes: it keeps no secret, and gives each job no more than it needs."""

from __future__ import annotations

import re
from pathlib import Path

WORKFLOW = Path(__file__).resolve().parents[2] / ".github/workflows/release.yml"


def _block(text: str, key: str, indent: int) -> str:
    """Return what stands below a key, without a YAML library: the file is ours and plain."""
    found = re.search(rf"^ {{{indent}}}{key}:\n((?: {{{indent + 1},}}.*\n|\n)*)", text, re.MULTILINE)
    assert found is not None, key
    return found[1]


def test_nothing_is_allowed_that_is_not_named() -> None:
    """No permission at the top; building reads the source, publishing gets an identity and nothing else."""
    text = WORKFLOW.read_text("utf-8")
    assert re.search(r"^permissions: \{\}$", text, re.MULTILINE)
    jobs = _block(text, "jobs", 0)
    build, publish = _block(jobs, "build", 2), _block(jobs, "publish", 2)
    assert _block(build, "permissions", 4).split() == ["contents:", "read"]
    assert _block(publish, "permissions", 4).split() == ["id-token:", "write"]
    assert "persist-credentials: false" in build
    assert "secrets." not in text
    assert "password" not in text


def test_only_a_tag_publishes_and_what_is_published_is_attested() -> None:
    """A branch never publishes; the four distributions are built, and uploaded with attestations."""
    text = WORKFLOW.read_text("utf-8")
    assert _block(text, "on", 0).split() == ["push:", "tags:", '["v*"]']
    assert "attestations: true" in text
    assert "pypa/gh-action-pypi-publish@release/v1" in text
    for folder in ("viloapp_sdk", "viloapp_core", "plugins/viloxterm", "plugins/viloedit"):
        assert folder in text
        assert (WORKFLOW.parents[2] / folder / "pyproject.toml").is_file()


def test_every_action_is_of_a_named_version() -> None:
    """Each action is named by its major version or a commit, none by its default branch."""
    uses = re.findall(r"uses: (\S+)", WORKFLOW.read_text("utf-8"))
    assert len(uses) == 5
    assert all(re.fullmatch(r"[\w/-]+@(v\d+|release/v\d+|[0-9a-f]{40})", each) for each in uses)
