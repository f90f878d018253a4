"""The steps of a plugin's settings, in its sandbox: one process for all, which may reach nothing else."""

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from viloapp_core.limits import Limits
from viloapp_core.store import InstalledPlugin
from viloapp_core.supervise.errors import StepFailedError
from viloapp_core.supervise.launching import launch
from viloapp_core.supervise.life import Life
from viloapp_core.supervise.surroundings import Surroundings
from viloapp_sdk.errors import HandlerError, UnknownServiceError, ViloError, WorkerLostError
from viloapp_sdk.manifest.chain import Step, objections

__all__ = ["run_steps"]


async def run_steps(
    plugin: InstalledPlugin,
    around: Surroundings,
    limits: Limits,
    steps: Sequence[Step],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what a plugin's steps make of its settings, judged by what it declares now.

    The process has no permission and no service: it sees its own code and its data, which is a copy. So there
    is nothing that could not be taken back. Each step has the time that a command of the plugin has.

    Args:
        plugin: of the generation that is to become current; its data folder is the copy.
        around: what the host lends.
        limits: what it may use.
        steps: in order.
        settings: what was set, the plugin's own alone.

    Raises:
        StepFailedError: a step failed, or what they made does not fit.
        ViloError: the plugin may not run, or cannot be confined as it has to be.
    """
    title, result = f"{plugin.plugin_id} {plugin.version}", dict(settings)
    around.admit(plugin)
    alone = dataclasses.replace(around, on_request=_refuse, permissions=lambda plugin_id: ())
    life = Life(plugin, alone, limits, await launch(plugin, alone, limits), lambda breach: None)
    try:
        async with asyncio.timeout(limits.startup_time):
            await life.peer.ready
        for step in steps:
            made = await _run(life, step, result, plugin, limits)
            if not isinstance(made, dict):
                what = "nothing" if made is None else f"a {type(made).__name__}"
                raise StepFailedError(title, str(step), f"it returned {what}, not the settings")
            result = made
    except TimeoutError:
        why = f"its process was not ready within {limits.startup_time:g} s"
        raise StepFailedError(title, str(steps[0]), why) from None
    finally:
        await life.abandon()
    wrong = [
        f"{name}: {why}" for name in result if (why := objections(name, result[name], plugin.configuration))
    ]
    if wrong:
        raise StepFailedError(title, str(steps[-1]), "; ".join(wrong))
    return result


async def _run(
    life: Life, step: Step, settings: Mapping[str, Any], plugin: InstalledPlugin, limits: Limits
) -> Any:
    """Return what a step returns.

    Raises:
        StepFailedError: it raised, took too long, used too much, or its process ended.
    """
    params = {"run": step.run, "settings": dict(settings), "data_dir": str(plugin.data_dir)}
    try:
        async with asyncio.timeout(limits.execution_time):
            return await life.peer.call("settings.step", params, timeout_s=None)
    except TimeoutError:
        why = f"it took more than {limits.execution_time:g} s"
    except HandlerError as error:
        why = error.detail
    except WorkerLostError as error:
        await asyncio.wait([life.ended], timeout=1.0)
        ended = life.ended.result().why if life.ended.done() else error.detail
        reached = life.limit_error()
        why = reached.detail if reached else ended
    except ViloError as error:
        why = error.detail
    raise StepFailedError(f"{plugin.plugin_id} {plugin.version}", str(step), why)


def _refuse(plugin_id: str, method: str, params: Any) -> Any:
    raise UnknownServiceError(f"{method}: a step of the settings has no services")
