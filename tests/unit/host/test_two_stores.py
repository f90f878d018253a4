"""Two stores of root's at once: their plugins are different users of the system."""

import os
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_core.sandbox import probe
from viloapp_core.store import Store

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="for others the kernel counts by user namespace")

KEEPS = """
    import os
    import time
    from pathlib import Path

    from viloapp_sdk import Plugin, command


    class P(Plugin):
        @command("keeps.note")
        def note(self, text: str = "") -> list:
            path = Path.home() / "note"
            if text:
                path.write_text(text)
            return [os.getuid(), path.stat().st_uid, path.read_text()]

        @command("keeps.fork")
        def fork(self) -> int:
            for count in range(100):
                try:
                    if os.fork() == 0:
                        time.sleep(60)
                        os._exit(0)
                except OSError:
                    return count
            return 100
"""


def test_a_copied_store_shares_no_user_with_the_first(
    plant: Plant, store: Store, tmp_path: Path, run: Callable[[Callable[[], Awaitable[None]]], None]
) -> None:
    """Its plugin is another user, who has the data; each has all of its processes while the other has its."""
    if probe().user_namespace:
        pytest.skip("here a plugin is told apart by its user namespace")
    plant("keeps", KEEPS)
    copy = tmp_path / "copy"

    async def scenario() -> None:
        async with Host(store.root, control=False) as first:
            uid, owner, _ = await first.call("keeps.note", {"text": "mine"})
            assert uid == owner > 1000
            subprocess.run(["cp", "-a", str(store.root), str(copy)], check=True)
            async with Host(copy, control=False) as second:
                other, owner, text = await second.call("keeps.note", {})
                assert (other == owner, text) == (True, "mine")
                assert other not in (0, uid)
                counts = [await host.call("keeps.fork", {}) for host in (first, second)]
                assert all(55 <= count < 64 for count in counts), counts

    run(scenario)
