"""An installation goes back and forth between its thread and the page."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from viloapp_core.web.errors import UnknownOperationError, WebError
from viloapp_core.web.installs import Ask, Installs
from viloapp_core.web.pages import Page

Tell = Callable[[Mapping[str, Any]], None]


class Recorder:
    """What the pages were told, and how often the host took the store anew."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, Any]] = []
        self.refreshed = 0

    def tell(self, event: str, data: Mapping[str, Any]) -> None:
        """Take note of an event."""
        assert event == "progress"
        self.told.append(data)

    async def refresh(self) -> None:
        """Count."""
        self.refreshed += 1


def asks_twice(specs: Sequence[str], ask: Ask, tell: Tell, cancel: threading.Event) -> Mapping[str, Any]:
    """Install two plugins, each of which needs consent."""
    for plugin in ("one", "two"):
        tell({"plugin": plugin, "stage": "consent", "message": "", "done": 0, "total": 0})
        if not ask({"plugin": plugin, "permissions": []}):
            raise WebError("consent_refused", f"{plugin} was refused")
    return {"installed": list(specs)}


def test_each_question_is_asked_and_answered_in_turn() -> None:
    """One operation, two consents, one end; the host takes the store anew before the page hears of it."""
    recorder = Recorder()

    async def scene() -> None:
        page, installs = Page(), Installs(asks_twice, recorder.tell, recorder.refresh)
        step = await installs.start(page, ["a", "b"])
        assert (step["status"], step["plugin"]) == ("needs_consent", "one")
        step = await installs.resume(step["operation"], True)
        assert (step["status"], step["plugin"]) == ("needs_consent", "two")
        assert recorder.refreshed == 0
        step = await installs.resume(step["operation"], True)
        assert (step["status"], step["installed"]) == ("done", ["a", "b"])
        assert recorder.refreshed == 1
        assert [data["plugin"] for data in recorder.told] == ["one", "two"]
        assert {data["operation"] for data in recorder.told} == {step["operation"]}

    asyncio.run(scene())


def test_refusal_is_the_operations_end() -> None:
    """The page hears why, and the operation asks nothing any more."""
    recorder = Recorder()

    async def scene() -> None:
        installs = Installs(asks_twice, recorder.tell, recorder.refresh)
        step = await installs.start(Page(), ["a"])
        with pytest.raises(WebError, match="one was refused"):
            await installs.resume(step["operation"], False)
        with pytest.raises(UnknownOperationError):
            await installs.resume(step["operation"], True)
        assert recorder.refreshed == 0

    asyncio.run(scene())


def test_question_of_a_page_that_leaves_is_a_no() -> None:
    """Consent is given by a person who saw the question; another page's question stays open."""
    recorder = Recorder()

    async def scene() -> None:
        page, other = Page(), Page()
        installs = Installs(asks_twice, recorder.tell, recorder.refresh)
        step = await installs.start(page, ["a"])
        others = await installs.start(other, ["b"])
        installs.left(page)
        with pytest.raises(UnknownOperationError):
            await installs.resume(step["operation"], True)
        assert (await installs.resume(others["operation"], True))["status"] == "needs_consent"
        await installs.aclose()

    asyncio.run(scene())


def test_server_that_stops_breaks_off_the_work() -> None:
    """The thread is told, and waited for."""
    ended = threading.Event()

    def waits(specs: Sequence[str], ask: Ask, tell: Tell, cancel: threading.Event) -> Mapping[str, Any]:
        begun.set()
        assert cancel.wait(20)
        ended.set()
        return {}

    begun = threading.Event()
    recorder = Recorder()

    async def scene() -> None:
        installs = Installs(waits, recorder.tell, recorder.refresh)
        started = asyncio.create_task(installs.start(Page(), ["a"]))
        await asyncio.to_thread(begun.wait, 20)
        await installs.aclose()
        assert ended.is_set()
        await started

    asyncio.run(scene())


def test_counting_bytes_does_not_flood_the_page() -> None:
    """Far fewer reports than steps; the first and the last of each stage are among them."""
    recorder = Recorder()

    def counts(specs: Sequence[str], ask: Ask, tell: Tell, cancel: threading.Event) -> Mapping[str, Any]:
        for done in range(1, 10_001):
            tell({"plugin": "p", "stage": "fetch", "message": "", "done": done, "total": 10_000})
        return {}

    async def scene() -> None:
        await Installs(counts, recorder.tell, recorder.refresh).start(Page(), ["a"])

    asyncio.run(scene())
    assert recorder.told[0]["done"] == 1
    assert recorder.told[-1]["done"] == 10_000
    assert len(recorder.told) < 1000
