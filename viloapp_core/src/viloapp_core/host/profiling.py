"""Profiles a running plugin, which goes on working: with py-spy from outside, else by the SDK from inside.

py-spy reads the memory of the plugin's process. It runs with the host's authority and outside the sandbox,
and is handed nothing of the plugin's but that memory. Where it is not allowed to (it enters the sandbox's
mount namespace, which only root may), the SDK's sampler inside the process is asked.
"""

import asyncio
import os
import shutil
import sysconfig
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from viloapp_core.foundation.commands import run
from viloapp_core.profiling import Profile, ProfilingError, from_folded, from_worker
from viloapp_core.supervise.sampling import sampled
from viloapp_sdk.errors import InvalidArgumentsError, ViloError

if TYPE_CHECKING:
    from viloapp_core.host.host import Host

__all__ = ["LONGEST_S", "SAMPLERS", "Sampler", "profile", "py_spy"]

Sampler = Literal["auto", "py-spy", "sdk"]
SAMPLERS: Final = ("auto", "py-spy", "sdk")
LONGEST_S = 600.0
FASTEST = 1000.0
_SLACK_S = 60.0
"""How much longer than it looks py-spy may take: it first reads the symbols of the interpreter."""
_MOST_BYTES = 16 * 1024 * 1024


def py_spy() -> str | None:
    """Return the path of py-spy: of the environment that ViloApp is in, else of the person's PATH."""
    beside = shutil.which("py-spy", path=sysconfig.get_path("scripts"))
    return beside or shutil.which("py-spy")


async def profile(host: "Host", params: dict[str, Any]) -> dict[str, Any]:
    """Answer ``profile`` of the control socket.

    Args:
        host: whose plugin it is.
        params: ``{"plugin", "seconds", "rate", "sampler"}``.

    Returns:
        The fields of a `Profile`, ``stacks`` as rows ``[[function…], count]``, and ``note``: why the sampler
        is not the one that would have been better.

    Raises:
        ViloError: the plugin is not known, does not run, ended, or could not be looked at.
    """
    plugin_id = host.store.plugin(str(params.get("plugin"))).plugin_id
    seconds, rate = _number(params, "seconds", LONGEST_S), _number(params, "rate", FASTEST)
    sampler = params.get("sampler", "auto")
    if sampler not in SAMPLERS:
        raise InvalidArgumentsError(f"sampler must be one of {', '.join(SAMPLERS)}")
    taken, note = await _take(host, plugin_id, seconds, rate, sampler)
    return {
        "plugin": plugin_id,
        "sampler": taken.sampler,
        "seconds": seconds,
        "rate": rate,
        "idle": taken.idle,
        "stacks": [[list(stack), seen] for stack, seen in taken.stacks.items()],
        "note": note,
    }


async def _take(
    host: "Host", plugin_id: str, seconds: float, rate: float, sampler: str
) -> tuple[Profile, str]:
    life = host.life_of(plugin_id)
    if life is None:
        raise ProfilingError(f"{plugin_id} does not run", "call one of its commands, then profile it")
    note = ""
    if sampler != "sdk":
        if (program := py_spy()) is not None:
            try:
                pid = life.tree.first()
                if pid is None:
                    raise ProfilingError(f"{plugin_id} ended before it was profiled")
                return await _from_outside(program, pid, plugin_id, seconds, rate), ""
            except ViloError as error:
                if life.ended.done():
                    why = life.ended.result().why
                    raise ProfilingError(f"{plugin_id} ended while it was profiled: {why}") from error
                if sampler == "py-spy":
                    raise
                note = error.detail
        elif sampler == "py-spy":
            raise ProfilingError("py-spy is not installed", "pip install py-spy, or --sampler sdk")
    answer = await sampled(plugin_id, life, seconds=seconds, rate=rate)
    # In a thread, for an answer may be large.
    taken = await asyncio.to_thread(from_worker, answer, plugin_id=plugin_id, seconds=seconds, rate=rate)
    return taken, note


async def _from_outside(program: str, pid: int, plugin_id: str, seconds: float, rate: float) -> Profile:
    """Run py-spy to its end; it is ended with us."""
    cancel = threading.Event()
    with tempfile.TemporaryDirectory(prefix="viloapp-profile-") as folder:
        target = Path(folder) / "stacks"
        # It never stops the plugin to look: what it sees may then be torn now and then, and is left out.
        argv = [program, "record", "--nonblocking", "--format", "raw", "--function"]
        argv += ["--duration", str(max(1, round(seconds))), "--rate", str(max(1, round(rate)))]
        argv += ["--pid", str(pid), "--output", str(target)]
        environ = {"PATH": os.defpath, "HOME": folder}
        working = asyncio.get_running_loop().run_in_executor(
            None, lambda: run(argv, env=environ, timeout_s=seconds + _SLACK_S, cancel=cancel)
        )
        try:
            finished = await asyncio.shield(working)
        except asyncio.CancelledError:
            cancel.set()
            await asyncio.wait([working])
            raise
        text = _read(target)
    if finished.returncode or text is None:
        said = " ".join(finished.stderr.split())[-300:]
        hint = "--sampler sdk looks from inside"
        raise ProfilingError(f"py-spy could not look at {plugin_id}: {said}", hint)
    return await asyncio.to_thread(from_folded, text, plugin_id=plugin_id, seconds=seconds, rate=rate)


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST_BYTES).decode(errors="replace")
    except FileNotFoundError:
        return None


def _number(params: dict[str, Any], name: str, most: float) -> float:
    value = params.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= most:
        raise InvalidArgumentsError(f"{name} must be more than 0 and at most {most:g}")
    return float(value)
