"""What every test gets: a home, XDG folders and a store of its own, never this machine's."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

# Time limits per example measure the machine, not the code; no database, so that a run depends on the
# sources alone.
settings.register_profile("viloapp", deadline=None, database=None)
settings.load_profile("viloapp")

# A run in the background has SIGINT ignored, one under nohup SIGHUP; every child would inherit that, and
# no test of Ctrl-C could hold.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _written_soon(fd: object) -> None:
    """Stand in for `os.fsync` in the process of the tests."""


# Tests kill processes and refuse them a disk; none cuts the power, which alone tells what was waited for.
# The wait was a fifth of what tests take that kill at every step. In `tests/e2e` the installed command waits.
os.fsync = _written_soon

_FOLDERS = {
    "HOME": "home",
    "XDG_CONFIG_HOME": "home/.config",
    "XDG_DATA_HOME": "home/.local/share",
    "XDG_STATE_HOME": "home/.local/state",
    "XDG_CACHE_HOME": "home/.cache",
    "VILOAPP_HOME": "store",
}
_PLUGINS = {
    name: str(Path(__file__).parents[1] / "plugins" / name / "src") for name in ("viloxterm", "viloedit")
}
# The last: a user has it not, and what cannot be written is then still there at the end.
_CLEARED = (
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "NO_COLOR",
    "FORCE_COLOR",
    "PAGER",
    "BROWSER",
    "PYTHONUNBUFFERED",
)


class _PluginSources(MetaPathFinder):
    """Finds the plugins' packages, and not their metadata.

    Installed, or on `sys.path` beside what an editable build left, they would be listed as not managed.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [_PLUGINS[name]]) if name in _PLUGINS else None


sys.meta_path.append(_PluginSources())


@pytest.fixture(autouse=True)
def isolated_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the test its own HOME, XDG folders and store; returns the folder that holds them."""
    root = tmp_path_factory.mktemp("isolated")
    # Sockets live in the runtime folder and their path must stay under 100 bytes, which pytest's folders do
    # not.
    runtime = Path(tempfile.mkdtemp(prefix="vt-"))
    with pytest.MonkeyPatch.context() as patch:
        for name, folder in _FOLDERS.items():
            path = root / folder
            if name != "VILOAPP_HOME":  # the store is made by what is tested
                path.mkdir(parents=True, exist_ok=True)
            patch.setenv(name, str(path))
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        for name in _CLEARED:
            patch.delenv(name, raising=False)
        # pip's settings of this machine stay out, but for what reaches the index at all.
        for name in [name for name in os.environ if name.startswith("PIP_") and name != "PIP_CERT"]:
            patch.delenv(name)
        yield root
    shutil.rmtree(runtime, ignore_errors=True)
