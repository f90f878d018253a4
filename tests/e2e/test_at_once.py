"""Several commands on one store at the same time."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.harness import PATIENCE_S, UNSIGNED, Viloapp
from tests.fixtures.index import Index


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
