"""A look at a plugin's code before its process gives way to one that runs it: does it import at all?"""

import asyncio
import dataclasses
from typing import Any

from viloapp_core.limits import Limits
from viloapp_core.rpc import refusal
from viloapp_core.store import InstalledPlugin
from viloapp_core.supervise.errors import PluginStartError
from viloapp_core.supervise.failures import traceback_in
from viloapp_core.supervise.launching import launch
from viloapp_core.supervise.life import Life
from viloapp_core.supervise.surroundings import Surroundings
from viloapp_sdk.errors import (
    FrameError,
    HandlerError,
    IncompatibleVersionsError,
    UnknownServiceError,
    ViloError,
    WorkerLostError,
)

__all__ = ["rehearse"]


async def rehearse(plugin: InstalledPlugin, around: Surroundings, limits: Limits) -> None:
    """Import a plugin in a process of its own, in its sandbox, and end that.

    What asks the host for something while it is imported cannot be judged so, nor can a plugin whose SDK
    does not know the question: for them it passes, and their start tells.

    Raises:
        PluginStartError: it cannot be imported; what it printed is in its log.
        ViloError: it may not run, or cannot be confined as it has to be.
    """
    asked = False

    def refuse(plugin_id: str, method: str, params: Any) -> Any:
        nonlocal asked
        asked = True
        raise UnknownServiceError(f"{method}: the plugin is only being looked at")

    around.admit(plugin)
    quiet = dataclasses.replace(around, on_request=refuse, dev_copy=lambda plugin_id: None)
    life = Life(plugin, quiet, limits, await launch(plugin, quiet, limits), lambda breach: None)
    failed: ViloError | TimeoutError | None = None
    trace = ""
    try:
        async with asyncio.timeout(limits.startup_time):
            await life.peer.ready
            await life.peer.call("import", {"entry_point": plugin.entry_point}, timeout_s=None)
    except IncompatibleVersionsError:
        raise refusal(life.peer.hello, plugin.plugin_id) from None
    except FrameError:
        return
    except TimeoutError as error:
        failed, trace = error, await life.trace()
    except ViloError as error:
        failed = error
    finally:
        await life.abandon()  # all that it printed is in its log then
    if isinstance(failed, TimeoutError):
        why = f"no import within {limits.startup_time:g} s"
        raise PluginStartError(plugin.plugin_id, why, stack=trace) from None
    if failed is not None and not asked:
        raise _told(plugin.plugin_id, failed, life) from failed


def _told(plugin_id: str, error: ViloError, life: Life) -> ViloError:
    """Say what kept a plugin from being imported: what it raised, or how its process ended."""
    if isinstance(error, HandlerError):
        stack = traceback_in(life.log.since(0), "start")
        return PluginStartError(plugin_id, error.detail, stack=stack)
    if isinstance(error, WorkerLostError):
        lines = life.log.tail(1)
        return PluginStartError(plugin_id, lines[0][:300] if lines else life.ended.result().why)
    return error
