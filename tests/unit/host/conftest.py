"""Plugins planted into a store without an index: real virtualenvs, real workers, real sandbox."""

import asyncio
import shutil
import sys
import textwrap
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import pytest

from tests.fixtures.artifacts import begin
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.foundation.paths import store_root
from viloapp_core.store import Store, environment
from viloapp_sdk.manifest import scan


class Plant(Protocol):
    """Puts a plugin of one module into the store."""

    def __call__(
        self,
        plugin_id: str,
        source: str | Path,
        *,
        version: str = "1.0",
        **manifest: object,
    ) -> None:
        """Make or replace the plugin ``plugin_id``.

        Its class ``P`` stands in ``source``; or that is a folder of modules, and
        the keyword ``entry_point`` says where. ``dev_source`` is the folder of an editable installation.
        """


@pytest.fixture
def store() -> Store:
    """The test's own store."""
    return Store(store_root())


@pytest.fixture
def plant(store: Store, tmp_path: Path) -> Plant:
    """A function that plants plugins; the SDK in their virtualenvs is the one under test."""
    return planter(store, tmp_path / "cache")


def planter(store: Store, cache: Path) -> Plant:
    """Return a function that plants plugins into a store; `cache` is for virtualenv."""

    def put(
        plugin_id: str,
        source: str | Path,
        *,
        version: str = "1.0",
        **manifest: object,
    ) -> None:
        module = f"{plugin_id.replace('-', '_')}_plugin"
        entry_point = str(manifest.pop("entry_point", f"{module}:P"))
        dev_source = manifest.pop("dev_source", None)
        entry, generation, artifact = begin(store, plugin_id, version)
        venv = environment.create(generation / "venv", Path(sys.executable), cache=cache)
        purelib = Path(venv.schemes["purelib"])
        for name in ("viloapp_sdk", "msgpack"):
            spec = find_spec(name)
            assert spec is not None
            assert spec.submodule_search_locations is not None
            shutil.copytree(spec.submodule_search_locations[0], purelib / name)
        package = purelib / module
        if isinstance(source, Path):
            shutil.copytree(source, purelib, dirs_exist_ok=True)
            found = scan([source])
        else:
            package.mkdir()
            (package / "__init__.py").write_text(textwrap.dedent(source))
            found = scan([package])
        assert not found.issues
        receipt = {
            "summary": "",
            "entry_point": entry_point,
            "manifest": {"commands": found.commands, "widgets": found.widgets, **manifest},
            "source": "wheel",
            "dev_source": str(dev_source) if dev_source is not None else None,
            "permissions": [row["id"] for row in manifest.get("permissions", ())],  # type: ignore[attr-defined]
            "python_version": venv.python_version,
            "base_prefix": str(venv.base_prefix),
            "base_executable": str(venv.base_executable),
        }
        store.commit_install(entry, artifact, receipt, SystemClock())

    return put


async def until(true: Callable[[], object]) -> None:
    """Wait until something holds; `run` has a bound."""
    while not true():
        await asyncio.sleep(0.01)


@pytest.fixture
def run() -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Run a coroutine with a bound, so that a lost wake-up fails instead of hanging."""

    def bounded(test: Callable[[], Awaitable[None]]) -> None:
        async def limited() -> None:
            async with asyncio.timeout(60):
                await test()

        asyncio.run(limited())

    return bounded
