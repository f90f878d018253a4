"""An author's day with the installed command: tests, tests in the sandbox, and saves that run at once."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.version import Version
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import CLONE
from tests.e2e.harness import PATIENCE_S, Viloapp, eventually
from tests.e2e.test_browser import browser, enter, new_terminal, opened
from tests.fixtures.wheels import PROJECTS, forge
from viloapp_core.resolve.interpreters import known_versions

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
    """On each Python that was named and is there; the exit code is the worst; `--sandboxed` has walls."""
    found = [Version(each) for each in known_versions(app.store.parent / "cache", app.environ)]
    known = sorted({f"{each.major}.{each.minor}" for each in found if each >= Version("3.11")})
    pythons = [word for each in known[-2:] for word in ("--python", each)]
    run = app("test", project, *pythons, "--python", "3.999", "--", "-q", "-p", "no:cacheprovider")
    assert run.code == 1, run.err
    assert run.out.count("1 failed, 1 passed") == len(known[-2:])
    assert [line.partition(": ")[2] for line in run.out.splitlines()[-len(known[-2:]) - 1 :]] == [
        *["failed (exit code 1)"] * (len(known[-2:]) + 1)
    ]
    for each in known[-2:]:
        assert f"hello on Python {each}." in run.err
    assert "error: Python 3.999: no Python 3.999 is on this machine" in run.err
    walled = app("test", "--sandboxed", project, *pythons, "--", "-q").ok()
    assert walled.out.count("2 passed") == len(known[-2:])
    assert walled.out.count(": passed") == (len(known[-2:]) if len(known) > 1 else 0)


__all__ = ["browser"]  # a fixture of here, too


@dataclass
class Dev:
    """A running `viloapp dev`: the command on its store, the file of what it says, and its address."""

    inside: Viloapp
    said: Path
    address: str


@contextmanager
def developing(app: Viloapp, project: Path, *options: str | Path) -> Iterator[Dev]:
    """Run `viloapp dev`."""
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as said:
        process = app.start("dev", "--plugin", project, "--port", "0", *options, stderr=said)
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), Path(said.name).read_text()
            words = eventually(lambda: Path(said.name).read_text().partition("its store is ")[2])
            inside = Viloapp(app.store.parent, executable=app.executable)
            inside.environ = {**app.environ, "VILOAPP_HOME": words.split()[0]}
            yield Dev(inside, Path(said.name), address)
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
    with developing(app, project, "--find-links", library.parent) as dev:
        inside, said = dev.inside, dev.said
        assert inside.call("hello.greet") == "Hello, world!"
        code = source.read_text()
        source.write_text(code.replace(OLD, 'return "Ahoj!"'))
        eventually(lambda: _greets(inside, "Ahoj!"), within_s=PATIENCE_S)
        source.write_text(f"import no_such_module\n{code}")
        eventually(lambda: "No module named 'no_such_module'" in said.read_text(), within_s=PATIENCE_S)
        assert inside.call("hello.greet") == "Ahoj!"
        source.write_text(code.replace("class ", "raise_ = 1 / 0\n\n\nclass ", 1))
        declared = manifest.read_text()
        manifest.write_text(declared.replace("\ndependencies = [", '\ndependencies = ["no-such-thing", '))
        eventually(lambda: "no-such-thing" in said.read_text(), within_s=PATIENCE_S)
        assert inside.call("hello.greet") == "Ahoj!"
        # What can be installed and does not run is not kept: the next save starts from what was there.
        manifest.write_text(declared.replace("\ndependencies = [", '\ndependencies = ["greetings", '))
        eventually(lambda: "division by zero" in said.read_text(), within_s=2 * PATIENCE_S)
        assert inside.call("hello.greet") == "Ahoj!"
        source.write_text("import greetings\n" + code.replace(OLD, "return greetings.WORD"))
        eventually(lambda: _greets(inside, "Servus"), within_s=2 * PATIENCE_S)
    assert not app.processes()


def _greets(inside: Viloapp, text: str) -> bool:
    """Whether a call is answered so; one that meets the end of the old process fails."""
    return inside("call", "hello.greet").out.strip() == f'"{text}"'


@pytest.mark.network
@pytest.mark.browser
def test_the_page_shows_what_does_not_run(
    app: Viloapp,
    tmp_path: Path,
    browser: Browser,
) -> None:
    """File, line and message of a broken save, until one runs; the plugin's tab and its shell go on."""
    project = tmp_path / "viloxterm"
    shutil.copytree(
        CLONE / "plugins/viloxterm", project, ignore=shutil.ignore_patterns("*.egg-info", "build")
    )
    source = next(path for path in project.glob("src/**/*.py") if "(Plugin)" in path.read_text())
    code = source.read_text()
    broken = code + "\n    def initialize(self, context):\n        raise ValueError('not today')\n"
    line = len(broken.splitlines())
    with developing(app, project) as dev, opened(browser, dev.address) as page:
        expect(page.get_by_test_id("status-viloxterm")).to_be_visible()
        new_terminal(page)
        enter(page, "kept=here")
        problem = page.get_by_test_id("broken-save")
        for text, place, message in (
            ("def (\n" + code, f"{source.name}:1", "does not parse"),
            (broken, f"{source.name}:{line}", "not today"),
        ):
            source.write_text(text)
            expect(problem.get_by_test_id("broken-save-place")).to_contain_text(place)
            expect(problem.get_by_test_id("broken-save-message")).to_contain_text(message)
            expect(problem).to_contain_text("What ran before goes on")
            assert dev.inside.plugins()["viloxterm"]["enabled"]
        page.reload()  # who looks later is shown it too
        expect(problem).to_contain_text("not today")
        source.write_text(code)
        expect(problem).to_have_count(0)
        page.locator(".xterm-helper-textarea").last.focus()
        enter(page, "echo is $kept")
        expect(page.locator(".xterm-rows").last).to_contain_text("is here")
        assert "not today" in dev.said.read_text()
