"""Plugins as wheels made by hand, installed for real with no network."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.wheels import forge
from viloapp_core.manifest import PluginDescription
from viloapp_core.operations import InstallOptions, InstallOutcome, ProgressEvent, install
from viloapp_core.store import Store
from viloapp_core.trust import Examination

Plugin = Callable[..., Path]

UNSIGNED = (
    *("aaa", "alpha", "base", "beta", "caller", "delta", "first", "fits", "gamma", "good", "hello"),
    *("lacks", "lib", "middle", "needs", "needy", "new", "none", "old", "one", "other", "quiet", "rival"),
    *("second", "side", "stays", "third", "three", "top", "two", "viloxterm", "zzz"),
)
"""The plugins of these tests, which nobody signs: all are allowed, but where that is what is tested."""


class Person:
    """Answers what it was told to, and remembers what it was asked and shown."""

    def __init__(self, answer: bool = True) -> None:
        self.answer = answer
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.signers: list[tuple[str, ...]] = []
        self.takes_unsigned: bool | None = None
        self.shown: list[ProgressEvent] = []

    def ask(self, plugin: PluginDescription, permissions: Sequence[str], /) -> bool:
        """Take a question."""
        self.asked.append((plugin.plugin_id, tuple(permissions)))
        return self.answer

    def ask_publisher(self, plugin: PluginDescription, examination: Examination, /) -> bool | None:
        """Take the question who signed."""
        assert examination.signer is not None
        self.signers.append((plugin.plugin_id, *examination.signer.lines()))
        return self.answer

    def ask_unsigned(self, plugin: PluginDescription, why: str, /) -> bool | None:
        """Take the question whether it may be unsigned."""
        self.signers.append((plugin.plugin_id, why))
        return self.takes_unsigned

    def __call__(self, event: ProgressEvent, /) -> None:
        """Take a step."""
        self.shown.append(event)


@pytest.fixture
def person() -> Person:
    """Someone who accepts."""
    return Person()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where wheels are offered."""
    (tmp_path / "wheels").mkdir()
    return tmp_path / "wheels"


@pytest.fixture
def plugin(folder: Path) -> Plugin:
    """Return a maker of plugin wheels: name, version, changes to files, requirements, keys of plugin.json."""

    def make(
        name: str = "hello",
        version: str = "0.1",
        *,
        files: dict[str, str] | None = None,
        requires: Sequence[str] = ("viloapp-sdk>=1,<2",),
        entry_points: str | None = None,
        to: Path = folder,
        **manifest: Any,
    ) -> Path:
        module = name.replace("-", "_")
        value = {"schema": 1, "api_version": "1.0", "commands": [{"id": f"{name}.greet"}], **manifest}
        content = {
            f"{module}.py": "class Hello: pass\n",
            f"{module}-{version}.dist-info/plugin.json": json.dumps(value),
            **(files or {}),
        }
        advertised = f"[viloapp.plugins]\n{name} = {module}:Hello\n" if entry_points is None else entry_points
        return forge(to, name, version, content, requires=requires, entry_points=advertised)

    return make


@pytest.fixture
def run(tmp_path: Path, store: Store, folder: Path, person: Person) -> Callable[..., list[InstallOutcome]]:
    """Return `install` with the folder as the only source, a wheelhouse with an SDK, and the person."""
    sdk = forge(tmp_path / "wheelhouse", "viloapp-sdk", "1.0.0", {"viloapp_sdk/__init__.py": ""})

    def call(*specs: object, environ: dict[str, str] | None = None, **options: Any) -> list[InstallOutcome]:
        chosen = {"offline": True, "find_links": (str(folder),), "allow_unsigned": UNSIGNED, **options}
        return install(
            store,
            [str(spec) for spec in specs],
            options=InstallOptions(**chosen),
            progress=person,
            consent=person,
            wheels={"viloapp-sdk": sdk},
            environ=os.environ if environ is None else environ,
        )

    return call
