"""A project's tests, by a real pytest: with the author's rights, and in a real worker in the real sandbox."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.unit.host.conftest import planter
from viloapp_core.cli.logs import Log
from viloapp_core.devtools import pytest_runs
from viloapp_core.devtools.bench import PYTEST, Bench, requirements
from viloapp_core.store import Store

PYTEST_IS_MADE_OF = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments")
TESTS = """
import os, pathlib, pytest
import greeter

def test_passes():
    print("said", "by a test")

def test_where():
    confined = os.environ["EXPECT"] == "confined" if "EXPECT" in os.environ else True
    assert pathlib.Path({secret!r}).exists() is not confined
    if confined:
        with pytest.raises(OSError):
            pathlib.Path("written").touch()

@pytest.mark.skipif("FAIL" not in os.environ and not pathlib.Path("fail").exists(), reason="not wanted")
def test_fails():
    assert greeter.ANSWER == 43
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An environment for tests, planted, with this environment's pytest beside the plugin."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "greeter.py").write_text("ANSWER = 42\n")
    secret = tmp_path / "secret"
    secret.touch()
    (project / "test_greeter.py").write_text(TESTS.format(secret=str(secret)))
    (project / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    store = Store(tmp_path / "store")
    source = "from viloapp_sdk.testing.sandboxed import SandboxedRun as P\n"
    limits = {"memory_mb": 1024, "cpu_percent": 400, "file_handles": 256}
    allowed = [{"id": "filesystem.read.workspace", "reason": "the project lies there"}]
    planter(store, tmp_path / "cache")("greeter", source, permissions=allowed, limits=limits)
    plugin = store.plugin("greeter")
    packages = next(plugin.generation.glob("venv/lib/python*/site-packages"))
    for name in PYTEST_IS_MADE_OF:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        shutil.copytree(Path(spec.origin).parent, packages / name)
    alias = find_spec("py")
    assert alias is not None
    assert alias.origin is not None
    shutil.copy(alias.origin, packages)
    return Bench(store, plugin, project.resolve())


def test_in_the_sandbox(bench: Bench) -> None:
    """What lies outside is not there, the project cannot be written, and every line arrives."""
    shown: list[str] = []
    with Log(bench.plugin.log_dir / "worker.log") as log:
        code = pytest_runs.sandboxed(bench, ["-q", "-s"], log.new, shown.append, 80)
        assert code == 0, "\n".join(shown)
        assert any("said by a test" in line for line in shown)
        assert "2 passed, 1 skipped" in shown[-1]
        (bench.project / "fail").touch()
        shown.clear()
        assert pytest_runs.sandboxed(bench, ["-q"], log.new, shown.append, 80) == 1
    assert any("assert 42 == 43" in line for line in shown)


def test_with_the_authors_rights(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """The same tests, the same exit codes; nothing is hidden, and the output is ours as it comes."""
    own = replace(bench, plugin=replace(bench.plugin, python=Path(sys.executable)))
    environ = {**os.environ, "EXPECT": "open", "PYTHONPATH": "/nowhere"}
    quiet = ["-q", "-s", "-p", "no:cacheprovider"]
    assert pytest_runs.in_process(own, quiet, environ) == 0
    assert "said by a test" in capfd.readouterr().out
    assert pytest_runs.in_process(own, quiet, {**environ, "FAIL": "1"}) == 1
    assert pytest_runs.in_process(own, [*quiet, "-k", "none"], environ) == 5


def test_what_is_installed_beside_the_plugin(tmp_path: Path) -> None:
    """The extra `test`, and the group that was named or the first of the usual ones."""
    file = tmp_path / "pyproject.toml"
    file.write_text('[project]\nname = "x"\n')
    assert requirements(tmp_path, None) == (PYTEST,)
    file.write_text(
        '[project]\nname = "x"\n[project.optional-dependencies]\ntest = ["hypothesis"]\n'
        "[dependency-groups]\ndev = []\ntest = []\nlint = []\n"
    )
    assert requirements(tmp_path, None) == (PYTEST, "hypothesis", "--group", f"{file}:test")
    assert requirements(tmp_path, "lint")[-1] == f"{file}:lint"
