"""Stores with plugins in them, made without any virtualenv: what the store itself keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.artifacts import begin
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.store import Store

Put = Callable[..., None]


def receipt(plugin_id: str, version: str = "0.1.0", **manifest: Any) -> dict[str, Any]:
    """Return a receipt such as an installation writes."""
    command = {"id": f"{plugin_id}.greet", "title": "Greet"}
    return {
        "source": "wheel",
        "summary": "Says hello",
        "entry_point": f"{plugin_id}.plugin:Hello",
        "python_version": "3.11.7",
        "base_prefix": "/usr",
        "base_executable": "/usr/bin/python3.11",
        "permissions": ["process.spawn.terminal"],
        "dev_source": None,
        "manifest": {"commands": [command], "limits": {"memory_mb": 100}, **manifest},
    }


def put(store: Store, plugin_id: str, version: str = "0.1.0", **manifest: Any) -> None:
    """Install a generation that holds one file."""
    entry, generation, artifact = begin(store, plugin_id, version)
    (generation / "venv").mkdir()
    (generation / "venv" / "module.py").write_text(version)
    store.commit_install(entry, artifact, receipt(plugin_id, version, **manifest), SystemClock())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store that does not exist yet."""
    return Store(tmp_path / "store")
