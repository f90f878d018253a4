"""The oldest supported SDK in today's core, and today's SDK in the oldest supported core.

Each core takes over the store that the other one has made, as after an update of viloapp-core and after a
step back. `tests/fixtures/released/` has the old distributions.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import MakeApp
from tests.e2e.harness import Viloapp
from viloapp_core.resolve import wheelhouse

pytestmark = pytest.mark.network

RELEASED = Path(__file__).parents[1] / "fixtures" / "released"
OLD_SDK = next(RELEASED.glob("viloapp_sdk-*.whl"))
OLD_CORE = next(RELEASED.glob("viloapp_core-*.whl"))


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with the old core; what it imports is that of the tests' own."""
    from virtualenv import cli_run

    folder = tmp_path_factory.mktemp("old")
    session = cli_run([str(folder / "venv"), "--no-download", "--no-seed", "-q"])
    python, purelib = Path(session.creator.exe), Path(session.creator.purelib)
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    install = [*pip, "install", "-q", "--no-index", "--no-deps", str(OLD_SDK), str(OLD_CORE)]
    subprocess.run(install, check=True, stdin=subprocess.DEVNULL)
    # Behind its own packages; the .pth files there, which would put today's core first, are not read.
    (purelib / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    (purelib / "viloapp_core/wheelhouse").mkdir()
    shutil.copy(OLD_SDK, purelib / "viloapp_core/wheelhouse")
    return python


def _installed_by(app: Viloapp, python: Path, tmp_path: Path) -> Viloapp:
    """Build the plugin with the SDK of a Python, and install it with the app's core; return the app."""
    project, out = tmp_path / "project", tmp_path / "wheels"
    shutil.copytree(RELEASED / "meets_both", project)
    code = f"from setuptools.build_meta import build_wheel; build_wheel({str(out)!r})"
    subprocess.run([python, "-c", code], cwd=project, check=True, capture_output=True)
    app("install", "--yes", "--allow-unsigned", "meets-both", next(out.glob("*.whl"))).ok()
    return app


def _converse(python: Path, app: Viloapp, folder: Path) -> dict[str, Any]:
    """Have the core of a Python run the plugin of the app's store."""
    folder.mkdir()
    argv = [python, RELEASED / "converse.py", app.store, folder]
    done = subprocess.run(argv, env=app.environ, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _digest(sdk: Path) -> str:
    """Return what the plugin calls the SDK that a wheel holds."""
    with zipfile.ZipFile(sdk) as wheel:
        names = [
            name for name in wheel.namelist() if name.startswith("viloapp_sdk/") and name.endswith(".py")
        ]
        return hashlib.sha256(b"".join(wheel.read(name) for name in sorted(names, key=Path))).hexdigest()


def _check(found: dict[str, Any]) -> None:
    """Every way brought what it always does."""
    assert {key: value for key, value in found.items() if key not in ("core", "sdk")} == {
        "call": "Hello, you!",
        "async": "dark",
        "setting": "Ahoj, world!",
        "events": [
            ["settings.changed", {"name": "greeting", "value": "Ahoj"}],
            ["meets-both.rang", {"times": 3}],
        ],
        "stream": [100_000, "000000", "099999"],
        "widget": [{"text": "first"}, "set", "second", {"text": "second"}],
        "error": ["handler_failed", "ValueError: on purpose"],
    }


def test_the_oldest_sdk_in_todays_core(old: Path, make_app: MakeApp, tmp_path: Path) -> None:
    """The old core has installed the plugin; then viloapp-core was updated, and the plugin was left alone."""
    app = _installed_by(make_app(tmp_path, old.with_name("viloapp")), old, tmp_path)
    found = _converse(Path(sys.executable), app, tmp_path / "folder")
    assert str(old.parents[1]) not in found["core"]
    assert found["sdk"] == _digest(OLD_SDK)
    _check(found)


def test_todays_sdk_in_the_oldest_core(old: Path, make_app: MakeApp, tmp_path: Path) -> None:
    """Today's core has installed the plugin; then somebody went back to the old viloapp-core."""
    sdk = wheelhouse()["viloapp-sdk"]
    app = _installed_by(make_app(tmp_path), Path(sys.executable), tmp_path)
    found = _converse(old, app, tmp_path / "folder")
    assert str(old.parents[1]) in found["core"]
    assert found["sdk"] == _digest(sdk) != _digest(OLD_SDK)
    _check(found)
