"""The in-tree build backend: when it builds, and that what it builds depends on the sources alone."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CLONE / "viloapp_core" / "build_backend"))

from viloapp_build import fingerprint, frontend, wheelhouse  # noqa: E402 - made importable by the line above


def _tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


def test_a_fingerprint_sees_names_and_contents(tmp_path: Path) -> None:
    """A change, a rename and a byte that moves from a name into its content each give another fingerprint."""
    trees = [{"a": "bc"}, {"a": "bd"}, {"b": "bc"}, {"ab": "c"}, {"a": "bc", "d": ""}, {"x/a": "bc"}]
    prints = [fingerprint.of(_tree(tmp_path / str(number), tree)) for number, tree in enumerate(trees)]
    assert len(set(prints)) == len(trees)


def test_a_fingerprint_leaves_out_what_is_made(tmp_path: Path) -> None:
    """Builds leave folders behind; they must not make the next build think that the sources changed."""
    before = fingerprint.of(_tree(tmp_path, {"a.ts": "x"}))
    made = {
        "node_modules/m/i.js": "",
        "build/lib/a": "",
        "hello.egg-info/PKG-INFO": "",
        "__pycache__/a.pyc": "",
    }
    assert fingerprint.of(_tree(tmp_path, made)) == before


def test_a_fresh_bundle_needs_no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the stamp right nothing is asked for or run; with a source changed a Node is asked for."""
    _tree(tmp_path, {"frontend/a.ts": "x", "src/viloapp_core/web/static/index.html": ""})
    fingerprint.stamp(tmp_path / "src/viloapp_core/web/static", fingerprint.of(tmp_path / "frontend"))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert frontend.requirements(tmp_path) == []
    frontend.ensure(tmp_path)
    _tree(tmp_path, {"frontend/a.ts": "y"})
    assert frontend.requirements(tmp_path) == [frontend.NODE_WHEEL]
    with pytest.raises(SystemExit, match="no Node"):
        frontend.ensure(tmp_path)


def test_an_old_node_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Node that is too old, or only fails, counts as none."""
    for name, text in {"node": "#!/bin/sh\necho v18.20.0\n", "npm": "#!/bin/sh\n"}.items():
        _tree(tmp_path, {f"bin/{name}": text})
        (tmp_path / "bin" / name).chmod(0o755)
    _tree(tmp_path, {"frontend/a.ts": "x"})
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert frontend.requirements(tmp_path) == [frontend.NODE_WHEEL]


def test_wheels_depend_on_the_sources_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clones made at different times with different umasks give wheels of the same bytes."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    digests = []
    for number, mode in enumerate((0o644, 0o664)):
        clone = tmp_path / str(number)
        for sibling in wheelhouse.SIBLINGS:
            shutil.copytree(
                CLONE / sibling,
                clone / sibling,
                ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"),
            )
        for path in clone.rglob("*.py"):
            path.chmod(mode)
        wheelhouse.ensure(clone / "viloapp_core")
        made = clone / "viloapp_core/src/viloapp_core/wheelhouse"
        wheels = sorted(made.glob("*.whl"))
        digests.append([(wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest()) for wheel in wheels])
        # A second time nothing is built: the files are the same ones.
        times = [wheel.stat().st_mtime_ns for wheel in wheels]
        wheelhouse.ensure(clone / "viloapp_core")
        assert [wheel.stat().st_mtime_ns for wheel in wheels] == times
    assert len(digests[0]) == 3
    assert digests[0] == digests[1]


def test_a_wheel_that_does_not_build_says_why(tmp_path: Path) -> None:
    """The reason of the failed build is shown, and nothing half-built is left as fresh."""
    for sibling in wheelhouse.SIBLINGS:
        _tree(
            tmp_path / sibling, {"pyproject.toml": '[build-system]\nrequires = []\n[project]\nname = "x"\n'}
        )
    with pytest.raises(SystemExit, match="version"):
        wheelhouse.ensure(tmp_path / "viloapp_core")
    assert not list((tmp_path / "viloapp_core").rglob(".stamp"))
