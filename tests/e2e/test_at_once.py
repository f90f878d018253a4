"""Several commands on one store at the same time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.harness import PATIENCE_S, UNSIGNED, Viloapp, eventually
from tests.fixtures.index import Index
from tests.fixtures.wheels import forge
from viloapp_core.foundation.files import FileLock

TWENTY = 20


def test_a_slow_index_blocks_no_other_installation_and_no_listing(
    app: Viloapp, wheel_folder: Path, wheels: dict[str, Path]
) -> None:
    """While one installation waits for half a download, another goes from its first step to its last."""
    with Index(wheel_folder) as slow:
        slow.hold.clear()
        waiting = app.start("install", "--yes", *UNSIGNED, "--index-url", slow.url, "hello")
        assert slow.stopped.wait(PATIENCE_S)
        app("install", "--yes", *UNSIGNED, wheels["async_hello"]).ok()
        assert set(app.plugins()) == {"async-hello"}
        assert app.call("async_hello.greet") == "Hello, world!"
        assert waiting.poll() is None  # the first one has been waiting all the time
        slow.hold.set()
        waiting.communicate(timeout=PATIENCE_S)
        assert waiting.returncode == 0
    assert set(app.plugins()) == {"async-hello", "hello"}


def _plugin(folder: Path, name: str) -> Path:
    """Write the wheel of a plugin that shares a library with the others."""
    manifest = {"schema": 1, "api_version": "1.0", "commands": [{"id": f"{name}.greet"}]}
    files = {
        f"{name}/__init__.py": "class Plugin: pass\n",
        f"{name}-1.0.dist-info/plugin.json": json.dumps(manifest),
    }
    advertised = f"[viloapp.plugins]\n{name} = {name}:Plugin\n"
    return forge(folder, name, "1.0", files, requires=["lib"], entry_points=advertised)


@pytest.mark.timeout(900)
def test_twenty_installations_and_a_listing_that_never_waits(app: Viloapp, tmp_path: Path) -> None:
    """Twenty commands begin at once: all succeed, none is lost, and `list` answers whoever has the lock."""
    source = tmp_path / "wheels"
    forge(source, "lib", "1.0", {"lib/__init__.py": "", "lib/module.py": "x = 1\n"})
    names = [f"plugin{number}" for number in range(TWENTY)]
    offline = ("--yes", "--offline", "--find-links", source)
    app("install", *offline, "--allow-unsigned", "first", _plugin(source, "first")).ok()
    before = (app.store / "store.lock").stat().st_ino
    with FileLock(app.store / "store.lock").acquire():
        started = [
            app.start("install", *offline, "--allow-unsigned", name, _plugin(source, name)) for name in names
        ]
        # Nobody can change the store; whoever waited for that would wait for us.
        for _ in range(3):
            assert set(app.plugins()) == {"first"}
        assert all(process.poll() is None for process in started)
    seen: list[set[str]] = [set()]

    def all_done() -> bool:
        seen.append(set(app.plugins()))
        assert seen[-1] >= seen[-2]  # what was there stays
        return all(process.poll() is not None for process in started)

    eventually(all_done, within_s=600, what="twenty installations end")
    for process in started:
        out, err = process.communicate()
        assert process.returncode == 0, out + err
    assert set(app.plugins()) == {"first", *names}
    app("repair", "--check").ok()
    assert len(list((app.store / "wheels").iterdir())) == TWENTY + 2  # the library once
    assert (app.store / "store.lock").stat().st_ino == before
