"""`viloapp call` of a command that streams, to a reader that does not read."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from tests.e2e.harness import command_lines, eventually
from tests.unit.host.conftest import planter
from viloapp_core import SyncHost
from viloapp_core.foundation.files import FileLock
from viloapp_core.store import InstalledPlugin, Store

_VILOAPP = [sys.executable, "-m", "viloapp_core.cli.main"]
_PAGE = 4096
_PATIENCE_S = 20.0

ENDLESS = """
    from viloapp_sdk import Plugin, command

    class P(Plugin):
        @command("endless.zeros")
        def zeros(self):
            while True:
                yield bytes(65536)

        @command("endless.waits")
        def waits(self) -> str:
            import time
            print("asked", flush=True)
            time.sleep(25)
            return "waited"
"""


@pytest.fixture
def endless(store: Store, tmp_path: Path) -> Store:
    """Return a store with a plugin that streams without an end."""
    planter(store, tmp_path / "cache")("endless", ENDLESS)
    return store


class Unread:
    """A command whose standard output is a pipe of one page that nobody reads."""

    def __init__(self, *args: str) -> None:
        self._read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, _PAGE)
        self.process = subprocess.Popen([*_VILOAPP, *args], stdout=write, stderr=subprocess.PIPE)
        os.close(write)

    def ended_by(self, number: signal.Signals) -> tuple[int, bytes]:
        """Send a signal once the pipe is full; return the exit code and standard error."""
        eventually(lambda: self._waiting() > _PAGE - 256, within_s=_PATIENCE_S, what="the pipe is full")
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=_PATIENCE_S)
        return self.process.returncode, err

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._read)
        self.process.kill()  # one that did not hear the signal must not hold up the tests
        self.process.communicate()

    def _waiting(self) -> int:
        return int.from_bytes(fcntl.ioctl(self._read, termios.FIONREAD, bytes(4)), sys.byteorder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_stream_that_nobody_reads(endless: Store, number: signal.Signals) -> None:
    """As everywhere 128 + n, without a word; no worker is left, and the store is free."""
    with Unread("call", "endless.zeros") as call:
        assert call.ended_by(number) == (128 + number, b"")
        eventually(lambda: not command_lines(str(endless.root)), within_s=5, what="no process is left")
        FileLock(endless.root / "host.lock").acquire(blocking=False).release()


def test_so_does_it_beside_a_host(endless: Store) -> None:
    """The host that runs goes on, and its plugin is no longer asked."""
    with SyncHost(endless.root) as host, Unread("call", "endless.zeros") as call:
        assert call.ended_by(signal.SIGTERM) == (128 + signal.SIGTERM, b"")
        eventually(lambda: host.plugins()[0]["streams_open"] == 0, within_s=5, what="it is given up")


def test_a_signal_does_not_wait_for_others_that_use_the_host(endless: Store) -> None:
    """Who called through the host of another call learns that it ended."""
    log = endless.plugin("endless").log_dir / "worker.log"
    with Unread("call", "endless.zeros") as call:
        eventually(log.exists, within_s=_PATIENCE_S, what="a host runs the plugin")
        with Unread("call", "endless.waits") as other:
            eventually(lambda: "asked" in log.read_text(), within_s=_PATIENCE_S, what="the other waits")
            assert call.ended_by(signal.SIGTERM) == (128 + signal.SIGTERM, b"")
            _, err = other.process.communicate(timeout=_PATIENCE_S)
            assert (other.process.returncode, err[:7]) == (1, b"error: ")


def test_a_signal_ends_what_is_printed_to_nobody(installed: Callable[..., InstalledPlugin]) -> None:
    """Text that waits in a buffer is not waited for at the end."""
    plugin = installed()
    (plugin.log_dir / "worker.log").write_text(f"{'x' * 200}\n" * 1000)
    with Unread("logs", "hello", "-f") as logs:
        assert logs.ended_by(signal.SIGTERM) == (128 + signal.SIGTERM, b"")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("disable", "endless"), ("it was disabled by the user", "viloapp enable endless")),
        (
            ("disable", "endless", "--reason", "too slow"),
            ("it was disabled: too slow", "viloapp enable endless"),
        ),
        (("uninstall", "endless"), ("it was uninstalled", "to have it again: viloapp install endless")),
    ],
)
def test_what_is_done_to_its_plugin_ends_a_stream_with_its_reason(
    endless: Store, arguments: tuple[str, ...], told: tuple[str, str]
) -> None:
    """Another command's change is told as such, by the host that the call has for itself."""
    with subprocess.Popen(
        [*_VILOAPP, "call", "endless.zeros"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as call:
        try:
            assert call.stdout is not None
            assert call.stdout.read(1) == b"\0"
            subprocess.run([*_VILOAPP, *arguments], check=True, capture_output=True, timeout=_PATIENCE_S)
            _, err = call.communicate(timeout=_PATIENCE_S)
        finally:
            call.kill()
    assert call.returncode == 1
    assert err.decode().splitlines() == [f"error: endless: {told[0]}", f"hint: {told[1]}"]
