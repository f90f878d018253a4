"""Real plugins, profiled while they work."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_core.host import profiling
from viloapp_core.profiling import ProfilingError
from viloapp_sdk.errors import InvalidArgumentsError, ViloError

Run = Callable[[Callable[[], Awaitable[None]]], None]

BUSY = """
import asyncio
import os
from viloapp_sdk import Plugin, command

def burn(done):
    while not done():
        sum(range(5000))

class P(Plugin):
    @command("busy.ready")
    def ready(self):
        return "ready"

    def told(self):
        return (self.context.storage / "enough").exists()

    @command("busy.burn")
    def burn(self):
        burn(self.told)
        return "burnt"

    @command("busy.block")
    async def block(self):
        burn(self.told)
        return "blocked"

    @command("busy.exit")
    def exit(self):
        burn(self.told)
        os._exit(5)
"""

LIES = """
from viloapp_sdk import Plugin, command
import viloapp_sdk.worker._sampler as sampler
from viloapp_sdk._wire import EVENT, PROFILE, pack

def start(write, request):
    write(pack([EVENT, PROFILE, {"id": 10**9, "functions": [], "stacks": [], "idle": 0}]))
    write(pack([EVENT, PROFILE, ["nonsense"]]))
    lie = {"functions": ["</svg>"], "stacks": [[99, 1]], "idle": 0}
    write(pack([EVENT, PROFILE, {"id": request["id"], **lie}]))

sampler.start = start

class P(Plugin):
    @command("lies.ready")
    def ready(self):
        return "ready"
"""


def enough(host: Host) -> None:
    """Let a command that burns come to its end."""
    (host.store.plugin("busy").data_dir / "enough").write_text("")


def seen(taken: dict[str, Any]) -> str:
    """Return the names of all functions that were seen."""
    return "\n".join(name for stack, _ in taken["stacks"] for name in stack)


async def under_way(host: Host) -> None:
    """Wait until the plugin has been asked."""
    while not host.measuring.of("busy").running():
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("command", ["busy.burn", "busy.block"])
def test_a_handler_that_runs_is_seen_and_goes_on(plant: Plant, run: Run, command: str) -> None:
    """Begun after the handler, done before it; a plain handler and one that blocks the event loop alike."""
    plant("busy", BUSY, limits={"cpu_percent": 400})

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("busy.ready")
            call = asyncio.create_task(host.call(command))
            await under_way(host)
            taken = await host.profile("busy", 0.5, rate=50, sampler="sdk")
            assert not call.done()
            assert (taken["sampler"], taken["note"]) == ("sdk", "")
            assert "P.burn (busy_plugin/__init__.py:" in seen(taken) or "P.block (" in seen(taken)
            assert "_sampler.py" not in seen(taken)
            enough(host)
            assert await call in ("burnt", "blocked")
            assert await host.call("busy.ready") == "ready"

    run(test)


def test_a_plugin_that_waits_has_no_stacks(plant: Plant, run: Run) -> None:
    """Blocked on its pipe is idle, which is told apart; nothing counts as a call of the plugin."""
    plant("busy", BUSY)

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("busy.ready")
            taken = await host.profile("busy", 0.3, rate=100, sampler="sdk")
            assert taken["stacks"] == []
            assert taken["idle"] > 0
            assert host.get_report("busy")["command_count"] == 1

    run(test)


def test_py_spy_looks_from_outside(plant: Plant, run: Run) -> None:
    """Where it may enter the sandbox; where not, the SDK's sampler does, and the answer says why."""
    plant("busy", BUSY, limits={"cpu_percent": 400})
    assert profiling.py_spy() is not None  # of the group `test`

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("busy.ready")
            call = asyncio.create_task(host.call("busy.burn"))
            await under_way(host)
            taken = await host.profile("busy", 1, rate=50)
            if os.geteuid() == 0:
                assert (taken["sampler"], taken["note"]) == ("py-spy", "")
            assert taken["sampler"] == "py-spy" or "py-spy could not look" in taken["note"]
            assert "burn (busy_plugin/__init__.py:" in seen(taken)
            enough(host)
            assert await call == "burnt"

    run(test)


def test_without_py_spy_only_who_insists_is_refused(
    plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The SDK's sampler needs no installation."""
    plant("busy", BUSY)
    monkeypatch.setattr(profiling, "py_spy", lambda: None)

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("busy.ready")
            assert (await host.profile("busy", 0.1))["sampler"] == "sdk"
            with pytest.raises(ProfilingError, match="py-spy is not installed"):
                await host.profile("busy", 0.1, sampler="py-spy")

    run(test)


def test_who_cannot_be_profiled_is_told_in_one_line(plant: Plant, run: Run) -> None:
    """Unknown, not running, an impossible duration, and ending midway."""
    plant("busy", BUSY)

    async def test() -> None:
        async with Host(control=False) as host:
            with pytest.raises(ViloError, match="nobody"):
                await host.profile("nobody", 1)
            with pytest.raises(ProfilingError, match="busy does not run"):
                await host.profile("busy", 1)
            for seconds in (0, -1, 601, float("nan")):
                with pytest.raises(InvalidArgumentsError):
                    await host.profile("busy", seconds)
            await host.call("busy.ready")
            call = asyncio.create_task(host.call("busy.exit"))
            await under_way(host)
            taken = asyncio.create_task(host.profile("busy", 30, sampler="sdk"))
            await asyncio.sleep(0)  # it has asked
            enough(host)
            with pytest.raises(ProfilingError, match="busy ended while it was profiled: ended with code 5"):
                await taken
            with pytest.raises(ViloError):
                await call

    run(test)


def test_a_profile_that_lies_is_refused(plant: Plant, run: Run) -> None:
    """An answer to nobody's question is ignored, one that is no profile is an error; the host goes on."""
    plant("lies", LIES)

    async def test() -> None:
        async with Host(control=False) as host:
            await host.call("lies.ready")
            with pytest.raises(ProfilingError, match="lies answered with a profile that is none"):
                await host.profile("lies", 0.2, sampler="sdk")
            assert await host.call("lies.ready") == "ready"

    run(test)
