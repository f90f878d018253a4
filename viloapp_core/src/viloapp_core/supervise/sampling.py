"""Asks the SDK's sampler in a running process where the plugin spends its time."""

import asyncio
import signal
from itertools import count
from typing import Any

from viloapp_core.profiling import ProfilingError
from viloapp_core.supervise.life import Life
from viloapp_sdk._wire import PROFILE

__all__ = ["sampled"]

LATE_S = 30.0
"""How much later than asked for an answer may come: a plugin may be in code that gives Python no turn."""

_ids = count(1)


async def sampled(plugin_id: str, life: Life, *, seconds: float, rate: float) -> Any:
    """Return what the process answers: unchecked, see `viloapp_core.profiling.from_worker`.

    It is asked by an event, since a request would wait behind what the plugin does, which is what is to be
    seen; the signal makes a worker that is in a handler look at its pipe.

    Raises:
        ProfilingError: it cannot be asked, does not answer, or ends meanwhile.
    """
    greeting = life.peer.ready.result() if life.peer.ready.done() else {}
    if greeting.get("profile") is not True:
        raise ProfilingError(
            f"{plugin_id} cannot be profiled: its viloapp-sdk has no sampler",
            "update the plugin, or install py-spy beside ViloApp",
        )
    id = next(_ids)
    answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def heard(data: Any) -> None:
        if isinstance(data, dict) and data.get("id") == id and not answered.done():
            answered.set_result(data)

    life.on_profile.add(heard)
    try:
        life.peer.notify(PROFILE, {"id": id, "seconds": seconds, "rate": rate})
        life.tree.signal_first(signal.SIGURG)
        # `ended` is shared by all who wait for the process; waiting does not cancel it.
        await asyncio.wait(
            {answered, life.ended}, timeout=seconds + LATE_S, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        life.on_profile.discard(heard)
    if answered.done():
        return answered.result()
    answered.cancel()
    if life.ended.done():
        why = life.ended.result().why
        raise ProfilingError(f"{plugin_id} ended while it was profiled: {why}", f"viloapp logs {plugin_id}")
    raise ProfilingError(
        f"{plugin_id} sent no profile: it is in code that gives Python no turn, or took SIGURG for itself",
        "install py-spy beside ViloApp, which looks from outside",
    )
