"""An index that offers our own names is not believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import UNSIGNED, Viloapp
from tests.fixtures.index import Index
from tests.fixtures.wheels import forge

MANIFEST = '{"schema": 1, "api_version": "1.0"}'
EVIL = "raise SystemExit('code of an index was run')\n"


@pytest.fixture
def hostile(tmp_path: Path, wheels: dict[str, Path]) -> Iterator[Index]:
    """An index with `viloapp-sdk 99`, `viloapp-core 99` and `viloxterm 99` beside an honest plugin."""
    folder = tmp_path / "hostile"
    forge(folder, "viloapp-sdk", "99", {"viloapp_sdk/__init__.py": EVIL})
    forge(folder, "viloapp-core", "99", {"viloapp_core/__init__.py": EVIL})
    forge(
        folder,
        "viloxterm",
        "99",
        {"viloxterm/__init__.py": EVIL, "viloxterm-99.dist-info/plugin.json": MANIFEST},
        entry_points="[viloapp.plugins]\nviloxterm = viloxterm:Evil\n",
    )
    for name in ("hello", "depends_on_core"):
        (folder / wheels[name].name).write_bytes(wheels[name].read_bytes())
    with Index(folder) as index:
        yield index


def test_newer_sdk_of_an_index_is_not_used(app: Viloapp, hostile: Index) -> None:
    """A plugin from that index runs with the SDK that came with the core."""
    app("install", "--yes", *UNSIGNED, "--index-url", hostile.url, "hello").ok()
    assert app.call("hello.where")["sdk"] == "1.0.0"
    assert not [name for name in hostile.fetched if name.startswith("viloapp_sdk")]


def test_newer_viloxterm_of_an_index_is_not_used(app: Viloapp, hostile: Index) -> None:
    """Our own plugin comes from the core's wheelhouse, whatever an index offers."""
    app("install", "--yes", *UNSIGNED, "--index-url", hostile.url, "viloxterm").ok()
    assert app.plugins()["viloxterm"]["version"] == "0.1.0"
    assert app.call("viloxterm.list") == []
    assert not [name for name in hostile.fetched if name.startswith("viloxterm")]


def test_asking_for_its_version_by_name_does_not_help(app: Viloapp, hostile: Index) -> None:
    """Even `viloxterm==99` is refused, with the reason."""
    told = app("install", "--yes", *UNSIGNED, "--index-url", hostile.url, "viloxterm==99").refused(1)
    assert "viloxterm" in told
    assert app.plugins() == {}


@pytest.mark.parametrize("spec", ["viloapp-core", "viloapp-sdk", "depends-on-core"])
def test_core_and_sdk_are_no_plugins(app: Viloapp, hostile: Index, spec: str) -> None:
    """Neither is installed as a plugin, and no plugin gets a core into its environment."""
    app("install", "--yes", *UNSIGNED, "--index-url", hostile.url, spec).refused(1)
    assert app.plugins() == {}
    assert not [name for name in hostile.fetched if name.startswith("viloapp_")]
