"""Questions to the person while plugins run, and whoever can put them: pages, a terminal, an application."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from viloapp_core.permissions import Permission, told
from viloapp_sdk.errors import InvalidArgumentsError

__all__ = ["ANSWERS", "Asker", "Prompts"]

ANSWERS = ("once", "run", "always", "deny")
PATIENCE_S = 120.0
"""How long a question waits for its answer."""
MAX_WAITING = 8
"""Further questions of one plugin while one of its is open."""
MAX_DENIALS = 3
"""After that many in one run, unanswered ones included, no further question of a plugin is put."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who can put questions to a person.

    Args:
        ask: shows one: ``{"id", "plugin", "permission", "reason"}`` and what `told` says; does not wait.
        withdraw: takes one back, by id: it was answered elsewhere, or nobody did in time.
        present: whether a person is there now.
    """

    ask: Callable[[dict[str, Any]], None]
    withdraw: Callable[[int], None]
    present: Callable[[], bool] = lambda: True


@dataclass(slots=True)
class _Open:
    question: dict[str, Any]
    answer: "asyncio.Future[str]"


@dataclass(slots=True)
class _Plugin:
    """What one plugin has asked in this run."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    denials: int = 0


class Prompts:
    """Puts one question of each plugin at a time, to everybody who can answer; the first answer counts."""

    def __init__(self) -> None:
        self._askers: list[Asker] = []
        self._open: dict[int, _Open] = {}
        self._plugins: dict[str, _Plugin] = {}
        self._next_id = 0

    def attach(self, asker: Asker) -> Callable[[], None]:
        """Let somebody put questions; return what ends that."""
        self._askers.append(asker)
        for each in self._open.values():
            asker.ask(each.question)
        return lambda: self._askers.remove(asker)

    @property
    def open(self) -> list[dict[str, Any]]:
        """The questions that wait for an answer."""
        return [each.question for each in self._open.values()]

    async def put(self, plugin_id: str, permission: Permission, reason: str) -> str:
        """Ask, and return one of `ANSWERS`, or why there is none: ``nobody``, ``late``, ``too often``."""
        plugin = self._plugins.setdefault(plugin_id, _Plugin())
        if plugin.waiting >= MAX_WAITING:
            return "too often"
        plugin.waiting += 1
        try:
            async with plugin.turn:
                if plugin.denials >= MAX_DENIALS:
                    return "too often"
                answer = await self._put(plugin_id, permission, reason)
        finally:
            plugin.waiting -= 1
        plugin.denials += answer in ("deny", "late")
        return answer

    def answer(self, id: int, answer: str) -> None:
        """Take the person's answer; one that comes after another is no matter.

        Raises:
            InvalidArgumentsError: it is none.
        """
        if answer not in ANSWERS:
            raise InvalidArgumentsError(f"{answer[:20]!r} is no answer", f"there are: {', '.join(ANSWERS)}")
        waiting = self._open.get(id)
        if waiting is not None and not waiting.answer.done():
            waiting.answer.set_result(answer)

    def forget(self, plugin_id: str) -> None:
        """Let a plugin ask anew: the person changed what it may."""
        if (plugin := self._plugins.get(plugin_id)) is not None:
            plugin.denials = 0

    async def _put(self, plugin_id: str, permission: Permission, reason: str) -> str:
        if not any(asker.present() for asker in self._askers):
            return "nobody"
        self._next_id += 1
        id = self._next_id
        question = {
            "id": id,
            "plugin": plugin_id,
            "permission": str(permission),
            **told(permission),
            "reason": reason,
        }
        self._open[id] = waiting = _Open(question, asyncio.get_running_loop().create_future())
        for asker in self._askers:
            asker.ask(question)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await waiting.answer
        except TimeoutError:
            return "late"
        finally:
            del self._open[id]
            for asker in tuple(self._askers):
                asker.withdraw(id)
