"""Wheels of the fixture plugins, built once, and the installed command with a store for each test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packaging.version import Version

from tests.e2e.harness import UNSIGNED, Viloapp
from tests.fixtures.wheels import PROJECTS, Builder

CLONE = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as needing the index."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.network)


_CROSS_VERSION = "test_core_on_3_13_runs_a_plugin_on_3_11"
_ran: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was really run."""
    if report.when == "call" and not report.skipped:
        _ran.add(report.location[2])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a whole run on a machine with Python 3.11 and 3.13 that left out what needs both."""
    whole = os.environ.get("VILOAPP_ALL_TESTS") and not hasattr(session.config, "workerinput")
    if not whole or exitstatus != pytest.ExitCode.OK or _CROSS_VERSION in _ran:
        return
    if {(3, 11), (3, 13)} <= _pythons():
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None
        reporter.write_line(f"{_CROSS_VERSION} did not run, and Python 3.11 and 3.13 are here", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _pythons() -> set[tuple[int, int]]:
    """Return what the product itself finds: not asked of what decides whether the test is skipped."""
    from packaging.specifiers import SpecifierSet

    from viloapp_core.resolve.interpreters import candidates

    with tempfile.TemporaryDirectory() as cache:
        found = list(candidates(None, SpecifierSet(">=3.10"), cache=Path(cache)))
    versions = [Version(each.version) for each in found]
    return {(version.major, version.minor) for version in versions}


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of downloads for the whole session, so that numpy travels once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """What builds the fixture plugins, with the SDK that the installed core carries."""
    from viloapp_core.resolve import wheelhouse

    return Builder(tmp_path_factory.mktemp("builder"), wheelhouse()["viloapp-sdk"])


@pytest.fixture(scope="session")
def wheels(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of all fixture plugins by the name of their project."""
    projects = sorted(path for path in PROJECTS.iterdir() if (path / "pyproject.toml").exists())
    return builder.build(projects, tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="session")
def wheel_folder(wheels: dict[str, Path]) -> Path:
    """The folder that holds those wheels, for `--find-links`."""
    return next(iter(wheels.values())).parent


MakeApp = Callable[..., Viloapp]


@pytest.fixture(scope="session")
def make_app(cache: Path) -> Iterator[MakeApp]:
    """Makes the command with a home and a store in a folder; all its processes are gone at the end."""
    # A shell starts its background jobs deaf to Ctrl-C, and so would be all that we start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    made: list[Viloapp] = []

    def make(root: Path, executable: Path | None = None) -> Viloapp:
        made.append(Viloapp(root, executable=executable, cache=cache))
        return made[-1]

    yield make
    for app in made:
        app.close()


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path) -> Viloapp:
    """The installed command with an empty store."""
    return make_app(tmp_path)


@pytest.fixture(scope="module")
def shared(
    make_app: MakeApp,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
    wheels: dict[str, Path],
) -> Viloapp:
    """The installed command with a store for one module, which has the plugins that it names in `PLUGINS`."""
    app = make_app(tmp_path_factory.mktemp("shared"))
    app("install", "--yes", *UNSIGNED, *(wheels.get(name, name) for name in request.module.PLUGINS)).ok()
    return app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to work in."""
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def core_wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Wheels of the SDK and the core, as released: those that nox built, else built here."""
    dist = os.environ.get("VILOAPP_DIST")
    out = Path(dist) if dist else tmp_path_factory.mktemp("dist")
    if not dist:
        clone = tmp_path_factory.mktemp("source") / "clone"
        leave = (".git", ".nox", ".venv", ".viloapp", "node_modules", "build", "*.egg-info", "__pycache__")
        shutil.copytree(CLONE, clone, ignore=shutil.ignore_patterns(*leave))
        environ = {**os.environ, "PIP_FIND_LINKS": str(CLONE / "viloapp_core/src/viloapp_core/wheelhouse")}
        for project in ("viloapp_sdk", "viloapp_core"):
            build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(clone / project)]
            subprocess.run(build, check=True, env=environ, stdout=subprocess.DEVNULL)
    return [next(out.glob(f"{name}-*.whl")) for name in ("viloapp_sdk", "viloapp_core")]
