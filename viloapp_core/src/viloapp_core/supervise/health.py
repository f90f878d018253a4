"""Whether a running plugin is well: asked now and then, over the channel that its calls take.

A plugin that is busy is not asked: a call under way within its deadline is reason enough not to answer, and
past its deadline that call itself shows that the plugin hangs.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from viloapp_core.rpc import Peer
from viloapp_core.supervise.life import Life
from viloapp_core.supervise.policy import Checks
from viloapp_sdk.errors import DeadlineExceededError, FrameError, ViloError, WorkerLostError

__all__ = ["GRACE_S", "Health", "Verdict", "examine", "expect_answers"]

GRACE_S = 2.0
"""How long a handler whose call was given up may still run before its process is ended."""
_LOOK_AGAIN_S = 30.0
"""How often it is looked whether checks are wanted, while none are."""
_HELD_FACTOR = 4
"""A plugin that is held to its share of a processor takes that much longer to answer."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found.

    Args:
        found: ``hung`` when nothing came back; ``unknown`` when it was busy, or ended meanwhile.
        why: for people; empty when it is healthy.
    """

    found: Literal["healthy", "unhealthy", "hung", "unknown"]
    why: str = ""


async def examine(peer: Peer, timeout_s: float) -> Verdict:
    """Ask a plugin how it is.

    Its ``health_check`` is run when it has one, and answers for it. A plugin of an older SDK is only pinged.
    """

    def busy() -> bool:
        return bool(peer.outstanding)

    if busy():
        return Verdict("unknown")
    silent = Verdict("hung", f"it did not answer a check of its health within {timeout_s:g} s")
    try:
        if peer.given_up and not await _settled(peer, max(timeout_s, 2 * GRACE_S)):
            return Verdict("unknown") if busy() else silent
        if _behind(peer):  # it has not read for so long that it would not even be asked
            await asyncio.sleep(timeout_s)
            return Verdict("unknown") if busy() or not _behind(peer) else silent
        answer = await _ask(peer, timeout_s)
    except DeadlineExceededError:
        return Verdict("unknown") if busy() else silent  # the check itself was given up
    except WorkerLostError:
        return Verdict("unknown")
    except ViloError as error:
        return Verdict("unhealthy", error.detail)
    if answer is None or answer == "":
        return Verdict("healthy")
    # Anything may come from a plugin: what is no text is not made one, which could take long or fail.
    return Verdict("unhealthy", answer[:300] if isinstance(answer, str) else "its answer is no text")


def expect_answers(peer: Peer, on_stuck: Callable[[], None]) -> None:
    """Have it told when a call that was given up by now is not answered within the grace period.

    One that is given up later has a grace period of its own.
    """
    calls = peer.which_given_up()

    def look() -> None:
        if not calls.isdisjoint(peer.which_given_up()):
            on_stuck()

    asyncio.get_running_loop().call_later(GRACE_S, look)


async def _ask(peer: Peer, timeout_s: float) -> Any:
    try:
        return await peer.call("health", None, timeout_s=timeout_s)
    except FrameError as error:
        if "no method" not in error.detail:
            raise
        await peer.call("ping", None, timeout_s=timeout_s)
        return None


async def _settled(peer: Peer, timeout_s: float) -> bool:
    """Wait until what was given up is answered; calls that wait for that are not outstanding."""
    try:
        async with asyncio.timeout(timeout_s):
            await peer.settle()
    except TimeoutError:
        return False
    return True


def _behind(peer: Peer) -> bool:
    return peer.behind


class Health:
    """Checks one process at intervals, until it is closed.

    Args:
        life: the process.
        checks: returns how often, and how long it may take; asked before each check.
        on_verdict: told what each check found.
    """

    def __init__(
        self, life: Life, checks: Callable[[], Checks], on_verdict: Callable[[Verdict], None]
    ) -> None:
        self._life = life
        self._checks = checks
        self._on_verdict = on_verdict
        self._task = asyncio.get_running_loop().create_task(self._run())

    def close(self) -> None:
        """Check no more."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            interval = self._checks().interval_s
            await asyncio.sleep(interval or _LOOK_AGAIN_S)
            if not interval:
                continue
            limit = self._checks().timeout_s * (_HELD_FACTOR if self._life.watch.throttled else 1)
            self._on_verdict(await examine(self._life.peer, limit))
