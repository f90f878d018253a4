"""From a launch to a plugin that answers, or to the reason why it does not."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from viloapp_core.limits import Breach, Limits
from viloapp_core.rpc import refusal
from viloapp_core.store import InstalledPlugin
from viloapp_core.supervise.errors import PluginStartError
from viloapp_core.supervise.failures import Kind, traceback_in
from viloapp_core.supervise.launching import launch
from viloapp_core.supervise.life import EXIT_TIME_S, Life
from viloapp_core.supervise.surroundings import Surroundings
from viloapp_core.supervise.turns import Turn
from viloapp_sdk._wire import PROTOCOLS
from viloapp_sdk.errors import FrameError, HandlerError, IncompatibleVersionsError, ViloError, WorkerLostError
from viloapp_sdk.manifest.format import API_VERSION

__all__ = ["StartFault", "start"]


class StartFault(Exception):
    """A process of the plugin did not get ready, and that is the plugin's fault.

    Args:
        kind: of the failure.
        error: what callers are told.
        life: the process, which has ended.
        trace: where it was when its time was over.
    """

    def __init__(self, kind: Kind, error: ViloError, life: Life, trace: str = "") -> None:
        super().__init__(error.detail)
        self.kind = kind
        self.error = error
        self.life = life
        self.trace = trace


async def start(
    plugin: InstalledPlugin,
    around: Surroundings,
    limits: Limits,
    on_breach: Callable[[Breach], None],
    on_launched: Callable[[Life], None],
) -> Life:
    """Start a process of the plugin and have it initialize.

    Args:
        plugin: whose.
        around: what the host lends.
        limits: what it may use.
        on_breach: told of each limit that it reaches.
        on_launched: told of the process at once, before it is ready.

    Raises:
        StartFault: it did not get ready.
        IncompatibleVersionsError: its SDK and this core have no version of the wire in common.
        ViloError: it may not run, or cannot be confined as it has to be: no fault of the plugin's.
    """
    life = await _launched(plugin, around, limits, on_breach)
    on_launched(life)
    try:
        async with asyncio.timeout(limits.startup_time):
            if PROTOCOLS[0] != PROTOCOLS[1]:
                await life.peer.ready  # else nothing about the request depends on what the worker speaks
            told = _params(plugin, around)
            offers = await life.peer.call("initialize", told, timeout_s=None)
        if not isinstance(offers, dict):
            raise PluginStartError(plugin.plugin_id, "its answer to initialize is not of the protocol")
        await around.on_ready(plugin.plugin_id, offers)
        life.catch_up = lambda: _catch_up(life, told, _params(plugin, around))
    except BaseException as error:
        trace = ""
        try:
            if isinstance(error, TimeoutError):
                trace = await life.trace()
            elif isinstance(error, WorkerLostError):
                # How a process that is about to end by itself does so is worth knowing.
                await asyncio.wait([life.ended], timeout=EXIT_TIME_S)
        finally:  # the start may be called off meanwhile, and nobody else has this process
            await life.abandon()
        if isinstance(error, IncompatibleVersionsError):  # trying again changes nothing
            raise refusal(life.peer.hello, plugin.plugin_id) from error
        if isinstance(error, (ViloError, TimeoutError)):
            raise _fault(plugin.plugin_id, limits, life, error, trace) from error
        raise
    life.was_ready = True
    life.watch.ready()
    return life


async def _launched(
    plugin: InstalledPlugin, around: Surroundings, limits: Limits, on_breach: Callable[[Breach], None]
) -> Life:
    """Start a process when it is its turn, which is over when that says its first word, or ends."""
    around.admit(plugin)
    turn = await around.turns.take()
    try:
        if turn.waited:
            around.admit(plugin)  # what was so before it waited may be so no more
        life = Life(plugin, around, limits, await launch(plugin, around, limits), on_breach)
    except BaseException:
        turn.over()
        raise
    life.peer.ready.add_done_callback(lambda greeting: _greeted(life, turn, greeting))
    return life


def _greeted(life: Life, turn: Turn, greeting: "asyncio.Future[dict[str, Any]]") -> None:
    turn.over()
    if not greeting.cancelled() and greeting.exception() is None:
        hello = greeting.result()
        life.python, life.sdk = (str(hello.get(name, ""))[:20] for name in ("python", "sdk"))


def _catch_up(life: Life, told: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Tell a plugin what has changed since it was asked to initialize, a whole interpreter's start ago."""
    for name, value in now["settings"].items():
        if value != told["settings"].get(name):
            with contextlib.suppress(FrameError):  # no frame holds it: the next start will say so
                life.peer.notify(
                    "settings.changed", {"source": "host", "data": {"name": name, "value": value}}
                )
    if now["locale"] != told["locale"]:
        life.peer.notify("locale.changed", {"source": "host", "data": {"locale": now["locale"]}})


def _fault(
    plugin_id: str, limits: Limits, life: Life, error: ViloError | TimeoutError, trace: str
) -> StartFault:
    if limit := life.limit_error():
        return StartFault("limit", limit, life)
    if isinstance(error, TimeoutError):
        why = f"it was not ready within {limits.startup_time:g} s"
        late = PluginStartError(plugin_id, why, stack=trace)
        return StartFault("start_timeout", late, life, trace)
    if isinstance(error, WorkerLostError):
        return StartFault("start", PluginStartError(plugin_id, _last_words(life)), life)
    if isinstance(error, HandlerError):
        stack = traceback_in(life.log.since(0), "start")
        return StartFault("start", PluginStartError(plugin_id, error.detail, stack=stack), life)
    return StartFault("protocol" if isinstance(error, FrameError) else "start", error, life)


def _params(plugin: InstalledPlugin, around: Surroundings) -> dict[str, Any]:
    return {
        "plugin_id": plugin.plugin_id,
        "version": plugin.version,
        "entry_point": plugin.entry_point,
        "data_dir": str(plugin.data_dir),
        "settings": around.settings(plugin.plugin_id),
        "locale": around.locale(),
        "api_version": API_VERSION,
        **({"learn": True} if around.observation is not None else {}),
    }


def _last_words(life: Life) -> str:
    """Say how a process ended that never became ready, with the last line that it printed."""
    ending = life.ended.result().why
    lines = life.log.tail(1)
    return f"{ending}: {lines[0][:300]}" if lines else ending
