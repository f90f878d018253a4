"""The promise that the rest exists for: what cannot be in one environment works in one application."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dev import interpreters
from tests.e2e.conftest import MakeApp
from tests.e2e.harness import UNSIGNED, Viloapp

FOUND = interpreters((3, 11))


def test_two_numpies_in_one_host(app: Viloapp, wheels: dict[str, Path], folder: Path) -> None:
    """Plugins that need numpy<2 and numpy>=2, from the real index, each with its own, in one host."""
    app("install", "--yes", *UNSIGNED, wheels["needs_numpy_1"], wheels["needs_numpy_2"]).ok()
    with app.workspace(folder) as workspace:
        first, second = app.call("numpy1.version"), app.call("numpy2.version")
        assert app.call("numpy1.mean", values=[1, 2, 6]) == app.call("numpy2.mean", values=[1, 2, 6]) == 3
        assert app.call("numpy2.multiply", size=500) == 500
        states = {plugin["id"]: plugin for plugin in app("status", "--json").json()["plugins"]}
        assert {states["needs-numpy-1"]["state"], states["needs-numpy-2"]["state"]} == {"running"}
        assert workspace.alive()
    assert first.startswith("1.")
    assert int(second.split(".")[0]) >= 2


@pytest.mark.slow
@pytest.mark.skipif(
    not {(3, 11), (3, 13)} <= FOUND.keys(), reason="needs Python 3.11 and 3.13, and this machine lacks one"
)
def test_core_on_3_13_runs_a_plugin_on_3_11(
    core_wheels: list[Path], make_app: MakeApp, tmp_path: Path, wheels: dict[str, Path], cache: Path
) -> None:
    """The core on 3.13 installs and calls what is for `<3.12`, and what has no wheels for 3.13."""
    environment = tmp_path / "core"
    subprocess.run([FOUND[3, 13], "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    sdk, core = core_wheels
    pip: list[str | Path] = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--cache-dir", cache / "pip", sdk, f"{core}[app]"], check=True)
    app = make_app(tmp_path, executable=python.with_name("viloapp"))
    app(
        "install", "--yes", *UNSIGNED, wheels["needs_old_python"], wheels["needs_numpy_1"], wheels["hello"]
    ).ok()
    assert tuple(app.call("old.python"))[:2] < (3, 12)
    assert app.call("numpy1.version").startswith("1.")
    assert tuple(app.call("hello.where")["python"])[:2] == (3, 13)
