"""Wheels and projects, good ones and others, made in the test's own folder."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

METADATA = """\
Metadata-Version: 2.4
Name: hello
Version: 0.1.0
Summary: Says hello
Author: Ada
License-Expression: MIT
Requires-Python: >=3.10
Requires-Dist: viloapp-sdk<2,>=1
Requires-Dist: rich; python_version < "3.12"
"""
ENTRY_POINTS = "[viloapp.plugins]\nhello = hello.plugin:Hello\n"
MANIFEST: dict[str, Any] = {
    "schema": 1,
    "api_version": "1.0",
    "permissions": [{"id": "process.spawn.terminal", "reason": "run your shell"}],
    "commands": [{"id": "hello.greet", "parameters": [{"name": "name", "default": "world"}]}],
    "widgets": [{"id": "hello.panel"}],
    "keybindings": [{"key": "ctrl+h", "command": "hello.greet"}],
}

Files = Mapping[str, bytes | str | None]
WheelMaker = Callable[..., Path]


def good_files(manifest: object = MANIFEST) -> dict[str, bytes | str | None]:
    """Return the members of a good wheel of `hello 0.1.0`."""
    return {
        "hello/plugin.py": "raise RuntimeError('nobody may run this')\n",
        "hello-0.1.0.dist-info/METADATA": METADATA,
        "hello-0.1.0.dist-info/entry_points.txt": ENTRY_POINTS,
        "hello-0.1.0.dist-info/plugin.json": json.dumps(manifest),
        "hello-0.1.0.dist-info/RECORD": "",
    }


@pytest.fixture
def wheel(tmp_path: Path) -> WheelMaker:
    """Return a maker of wheels: changed members, None leaves one out; ``manifest`` replaces plugin.json."""

    def make(changes: Files | None = None, *, manifest: object = MANIFEST, name: str = "") -> Path:
        path = tmp_path / (name or "hello-0.1.0-py3-none-any.whl")
        files = good_files(manifest) | dict(changes or {})
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in files.items():
                if content is not None:
                    archive.writestr(member, content)
        return path

    return make


@pytest.fixture
def dist_info(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of installed distributions; gives the path of the dist-info folder."""

    def make(changes: Files | None = None) -> Path:
        for member, content in (good_files() | dict(changes or {})).items():
            if content is None:
                continue
            path = tmp_path / "site" / member
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / "site" / "hello-0.1.0.dist-info"

    return make
