"""An author's day with the installed command: tests, tests in the sandbox, and saves that run at once."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.harness import PATIENCE_S, Viloapp, eventually
from tests.fixtures.wheels import PROJECTS, forge

OLD = """return f"{self.context.settings.get('greeting')}, {name}!\""""
TESTS = """
import pathlib
def test_greets(host):
    assert host.call("hello.greet", name="you") == "Hello, you!"
def test_where():
    assert not pathlib.Path({secret!r}).exists()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with tests, one of which holds in the sandbox alone."""
    folder = tmp_path / "hello"
    shutil.copytree(PROJECTS / "hello", folder)
    secret = tmp_path / "secret"
    secret.touch()
    (folder / "test_hello.py").write_text(TESTS.format(secret=str(secret)))
    return folder


@pytest.mark.network
def test_the_projects_tests(app: Viloapp, project: Path) -> None:
    """The exit code is pytest's, its output comes through; the same tests pass in the plugin's sandbox."""
    run = app("test", project, "--", "-q", "-p", "no:cacheprovider")
    assert run.code == 1, run.err
    assert "1 failed, 1 passed" in run.out
    assert "2 passed" in app("test", "--sandboxed", project, "--", "-q").ok().out


@contextmanager
def developing(app: Viloapp, project: Path, *options: str | Path) -> Iterator[tuple[Viloapp, Path]]:
    """Run `viloapp dev`; yields the command on its store, and the file of what it says."""
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as said:
        process = app.start("dev", "--plugin", project, "--port", "0", *options, stderr=said)
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("http://127.0.0.1:"), Path(said.name).read_text()
            words = eventually(lambda: Path(said.name).read_text().partition("its store is ")[2])
            inside = Viloapp(app.store.parent, executable=app.executable)
            inside.environ = {**app.environ, "VILOAPP_HOME": words.split()[0]}
            yield inside, Path(said.name)
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
            process.communicate()


@pytest.mark.network
def test_saves_run_at_once(app: Viloapp, project: Path, tmp_path: Path) -> None:
    """A save is answered, a broken one told without effect, a dependency that was added installed."""
    library = forge(tmp_path / "wheels", "greetings", "1.0", {"greetings.py": "WORD = 'Servus'\n"})
    source, manifest = project / "hello.py", project / "pyproject.toml"
    with developing(app, project, "--find-links", library.parent) as (inside, said):
        assert inside.call("hello.greet") == "Hello, world!"
        code = source.read_text()
        source.write_text(code.replace(OLD, 'return "Ahoj!"'))
        eventually(lambda: _greets(inside, "Ahoj!"), within_s=PATIENCE_S)
        source.write_text(f"import no_such_module\n{code}")
        eventually(lambda: "No module named 'no_such_module'" in said.read_text(), within_s=PATIENCE_S)
        assert inside.call("hello.greet") == "Ahoj!"
        source.write_text("import greetings\n" + code.replace(OLD, "return greetings.WORD"))
        declared = manifest.read_text()
        manifest.write_text(declared.replace("\ndependencies = [", '\ndependencies = ["greetings", '))
        eventually(lambda: _greets(inside, "Servus"), within_s=2 * PATIENCE_S)
    assert not app.processes()


def _greets(inside: Viloapp, text: str) -> bool:
    """Whether a call is answered so; one that meets the end of the old process fails."""
    return inside("call", "hello.greet").out.strip() == f'"{text}"'
