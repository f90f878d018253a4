"""A store with many plugins that need the SDK alone, each with a virtualenv of its own.

The first is laid down as the store does it; the others are links to its files, as those of installed plugins
are links to the unpacked wheels. The index is the store's own, made of what it finds.
"""

from __future__ import annotations

import compileall
import os
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from benchmarks.commands import BenchmarkError
from benchmarks.list import receipt
from tests.fixtures.artifacts import begin
from viloapp_core.foundation.files import write_json
from viloapp_core.store import Store, environment
from viloapp_sdk.manifest import scan

__all__ = ["command_of", "plant"]

_MODULE = '''\
"""A plugin that greets."""

from viloapp_sdk import Plugin, command


class Hello(Plugin):
    """The plugin."""

    @command("{plugin_id}.greet")
    def greet(self, name: str) -> str:
        """Say hello."""
        return f"Hello, {{name}}!"
'''


def plant(root: Path, count: int) -> Sequence[str]:
    """Make a store with so many plugins and return their ids.

    Args:
        root: where the store is to be.
        count: of plugins; they declare ``cpu_percent = 100``.
    """
    store, first, ids = Store(root), None, []
    for number in range(count):
        plugin_id = f"many-{number:03}"
        entry, generation, _artifact = begin(store, plugin_id, "1.0")
        if first is None:
            venv = environment.create(generation / "venv", Path(sys.executable), cache=root / "cache")
            purelib = Path(venv.schemes["purelib"])
            _copy_sdk(purelib)
            first = generation
        else:
            shutil.copytree(first / "venv", generation / "venv", symlinks=True, copy_function=os.link)
        _write_plugin(generation / purelib.relative_to(first), plugin_id)
        manifest: dict[str, object] = {
            "commands": scan([generation / purelib.relative_to(first) / _module(plugin_id)]).commands
        }
        manifest["limits"] = {"cpu_percent": 100}
        row = receipt(plugin_id, manifest)
        row["entry_point"] = f"{_module(plugin_id)}:Hello"
        row["python_version"] = venv.python_version
        row["base_prefix"], row["base_executable"] = str(venv.base_prefix), str(venv.base_executable)
        write_json(generation / "receipt.json", row)
        for made in (store.layout.data(plugin_id), store.layout.log(plugin_id)):
            made.mkdir(mode=0o700)
        store.layout.current(plugin_id).symlink_to(f"generations/{generation.name}")
        entry.close()
        ids.append(plugin_id)
    if len(store.plugins()) != count:
        raise BenchmarkError(f"the store has {len(store.plugins())} plugins; {count} were made")
    return ids


def command_of(plugin_id: str) -> str:
    """Return the command of a plugin."""
    return f"{plugin_id}.greet"


def _module(plugin_id: str) -> str:
    return plugin_id.replace("-", "_")


def _copy_sdk(purelib: Path) -> None:
    for name in ("viloapp_sdk", "msgpack"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(spec.submodule_search_locations[0], purelib / name, ignore=ignored)
    _compile(purelib)


def _write_plugin(purelib: Path, plugin_id: str) -> None:
    package = purelib / _module(plugin_id)
    for other in purelib.glob("many_*"):
        shutil.rmtree(other)
    package.mkdir()
    (package / "__init__.py").write_text(_MODULE.format(plugin_id=plugin_id), "utf-8")
    _compile(package)


def _compile(folder: Path) -> None:
    """As an installation does: nobody who runs it may write there."""
    if not compileall.compile_dir(folder, quiet=1):
        raise BenchmarkError(f"{folder} does not compile")
