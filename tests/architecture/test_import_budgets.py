"""What is loaded by what: import time is kept by lists of modules, which do not depend on the machine."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import viloapp_core
from viloapp_sdk._wire import REQUEST, pack

CLONE = Path(__file__).resolve().parents[2]
LoadedBy = Callable[..., set[str]]
WEB = ("starlette", "uvicorn", "websockets", "uvloop", "anyio", "h11", "prometheus_client")
HEAVY = (
    "pip",
    "virtualenv",
    "python_discovery",
    "installer",
    "build",
    "importlib_metadata",
    "rich",
    "sigstore",
)
REFUSE = """
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused!r}:
            raise ImportError(name + " is not installed here")
sys.meta_path.insert(0, Refuse())
"""


def _tops(loaded: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in loaded}


def test_without_the_extra_no_web_package_is_needed(loaded_by: LoadedBy) -> None:
    """Every module of the core but `web` imports where no web package is installed."""
    names = [
        module.name
        for module in pkgutil.walk_packages(viloapp_core.__path__, "viloapp_core.")
        if not module.name.startswith("viloapp_core.web") and not module.name.endswith("__main__")
    ]
    assert "viloapp_core.host" in names
    code = (
        REFUSE.format(refused=WEB)
        + "import importlib\n"
        + f"for name in {names!r}: importlib.import_module(name)"
    )
    assert sorted(_tops(loaded_by(code)) & set(WEB)) == []


def test_embedding_loads_no_command_line_and_no_web(loaded_by: LoadedBy) -> None:
    """`from viloapp_core import Host` brings no web package, installer or colours into an application."""
    loaded = _tops(loaded_by("from viloapp_core import Host"))
    assert sorted(loaded & {*WEB, *HEAVY, "click"}) == []


def test_the_root_package_is_nearly_free(loaded_by: LoadedBy) -> None:
    """`import viloapp_core` alone loads none of its packages."""
    loaded = loaded_by("import viloapp_core")
    assert sorted(name for name in loaded if name.startswith("viloapp_core.")) == []


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["--version"], ["--help"]], ids=" ".join)
def test_a_quick_command_loads_little(command: list[str], loaded_by: LoadedBy) -> None:
    """What only reads the index loads no installer, web server, host, colours or cryptography."""
    code = f"""
from viloapp_core.cli.main import main
try:
    code = main({command!r})
except SystemExit as end:
    code = end.code
assert not code, code
"""
    loaded = loaded_by(code)
    # Help imports every command for its summary, and `run` is a loop's; the others do without one.
    loops = set() if command == ["--help"] else {"asyncio", "ssl"}
    assert sorted(_tops(loaded) & {*WEB, *HEAVY, *loops, "msgpack"}) == []
    # Catalogues are for languages that somebody chose.
    catalogues = {"viloapp_core.manifest.translations"} if command != ["--help"] else set()
    assert sorted({"viloapp_core.host", "viloapp_core.web", "viloapp_core.rpc", *catalogues} & loaded) == []


def test_the_server_loads_no_metrics_library_before_somebody_asks(loaded_by: LoadedBy) -> None:
    """Most people's workspaces are never scraped."""
    assert "prometheus_client" not in _tops(loaded_by("import viloapp_core.web"))


def test_running_plugins_loads_no_cryptography(loaded_by: LoadedBy) -> None:
    """What `run` and `call` are made of asks block lists at every start, and verifies nothing."""
    code = """
import viloapp_core.cli.call, viloapp_core.cli.run, viloapp_core.cli.status, viloapp_core.cli.show
import viloapp_core.host.session, viloapp_core.web
from pathlib import Path
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.store import Revocation
from viloapp_core.trust import TrustStore, parse_publisher
root = Path(__import__("tempfile").mkdtemp())
TrustStore(root).pin("hello", parse_publisher("github:octo/hello@.github/workflows/x.yml"), SystemClock())
assert Revocation(root, SystemClock()).warnings == ()
"""
    loaded = _tops(loaded_by(code))
    assert sorted(loaded & {"sigstore", "sigstore_models", "cryptography", "pypi_attestations", "tuf"}) == []


def test_a_worker_starts_lean(loaded_by: LoadedBy, first_frames: bytes) -> None:
    """A worker that has answered a call has loaded what blocks on a read; the rest comes with its plugin."""
    rest = [[REQUEST, 1, "command", ["ping", {}]], [REQUEST, 2, "shutdown", None]]
    code = f"""
import os
from viloapp_sdk.worker import main

ours, theirs = os.pipe(), os.pipe()
os.write(ours[1], {first_frames + b"".join(map(pack, rest))!r})
main(ours[0], theirs[1], os.open("/dev/null", os.O_RDONLY))
assert b"pong" in os.read(theirs[0], 65536)
"""
    loaded = loaded_by(code, options=["-I"])
    bare = loaded_by("", options=["-I"])
    new = loaded - bare
    ours = {name for name in new if name.startswith("viloapp_sdk")}
    assert sorted(new - ours - set(sys.builtin_module_names)) == []  # msgpack is not among them
    assert not ours & {"viloapp_sdk.i18n", "viloapp_sdk.widget", "viloapp_sdk.worker._network"}


def test_the_bootstrap_loads_what_is_built_in(loaded_by: LoadedBy) -> None:
    """Besides `_ctypes`, confining a process needs no module that would have to be found on the disk."""
    bootstrap = CLONE / "viloapp_core/src/viloapp_core/sandbox/bootstrap.py"
    code = f"""
import os
space = {{"__name__": "bootstrap"}}
exec({bootstrap.read_text("utf-8")!r}, space)
limits = [("NPROC", 6, 10**9, 10**9), ("CORE", 4, 0, 0)]
plan = {{"host": os.getppid(), "keeper": False, "nice": 1, "rlimits": limits, "confine": False}}
space["confine"](plan, space["Library"]())
"""
    new = loaded_by(code, options=["-I"]) - loaded_by("", options=["-I"])
    assert sorted(new - set(sys.builtin_module_names)) == ["_ctypes"]


def test_the_manifest_is_readable_without_msgpack(loaded_by: LoadedBy) -> None:
    """The build hook runs in other people's build environments, which may lack the SDK's dependency."""
    loaded_by(REFUSE.format(refused=("msgpack",)) + "import viloapp_sdk.manifest, viloapp_sdk.manifest.hook")


def test_the_test_kit_needs_no_pytest(loaded_by: LoadedBy) -> None:
    """Who tests with `unittest` has the kit too; pytest is imported by its own plugin alone."""
    loaded = _tops(loaded_by(REFUSE.format(refused=("pytest", "_pytest")) + "import viloapp_sdk.testing"))
    assert "pytest" not in loaded
