"""What a launch that fails leaves behind."""

import asyncio
import os
import resource
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from viloapp_core.foundation.files import FileLock
from viloapp_core.limits import Limits
from viloapp_core.supervise import launching
from viloapp_core.supervise.surroundings import Surroundings


def test_a_host_without_descriptors_keeps_none_of_those_it_took(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The generation's lock is free again, and no end of a pipe is left, when a later one cannot be had."""
    monkeypatch.setattr(launching, "request_of", lambda *_: None)
    monkeypatch.setattr(launching, "_confinement", lambda *_: None)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def hold(_: object) -> FileLock:
        lock = FileLock(tmp_path / "lock").acquire(shared=True)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 3, before[1]))
        return lock

    async def test() -> None:
        taken = os.listdir("/proc/self/fd")
        around = cast(Surroundings, SimpleNamespace(hold=hold, allow_unsandboxed=True))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                await launching.launch(cast(Any, SimpleNamespace(plugin_id="a")), around, Limits())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert os.listdir("/proc/self/fd") == taken
        FileLock(tmp_path / "lock").acquire(blocking=False).release()

    asyncio.run(test())
