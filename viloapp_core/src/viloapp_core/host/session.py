"""One command, through the host that runs or through one that lives for it alone."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from viloapp_core.host.control import LIMIT_EVENT, ControlClient
from viloapp_core.host.errors import HostRunningError
from viloapp_core.host.host import Host
from viloapp_core.host.outlet import Outlet
from viloapp_core.host.probation import ROLLED_BACK
from viloapp_core.host.prompts import Asker
from viloapp_sdk.errors import StreamingCommandError, ViloError

__all__ = ["Person", "Streamed", "call_once"]

_HANDOVER_S = 10.0
"""How long a host may take from holding the store to listening, or from stopping to giving it back."""
_RETRY_S = 0.02


@dataclass(frozen=True, slots=True)
class Streamed:
    """What a streaming command comes to: its bytes have gone where they should.

    Args:
        count: how many.
    """

    count: int


class Person(Protocol):
    """Whoever sits before a call."""

    @property
    def present(self) -> bool:
        """Whether there is somebody who can answer."""

    def ask(self, question: dict[str, Any], interrupted: Callable[[], bool]) -> str:
        """Put a question of `viloapp_core.host.prompts` and return the answer; empty when interrupted."""

    def denied(self, told: dict[str, str]) -> None:
        """Tell of a denial; see `PermissionManager.on_denied`."""

    def rolled_back(self, told: dict[str, Any]) -> None:
        """Tell that an update was rolled back; see ``plugin.rolled_back`` of `Host.subscribe`."""

    def limited(self, told: dict[str, Any]) -> None:
        """Tell that the command's plugin met a limit; see ``plugin.limit`` of `Host.subscribe`."""


def call_once(
    store: Path,
    command: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    workspace: Path | None = None,
    allow_unsandboxed: bool = False,
    timeout_s: float | None = None,
    person: Person | None = None,
    sink: Callable[[bytes], object] | None = None,
    run: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run,
) -> Any:
    """Run a command and return its result; `Streamed` for one whose bytes went to ``sink`` as they came.

    A running host answers with the worker that it has. Without one a temporary host is made, which others
    that call meanwhile use as well, and which ends when nobody does.

    Args:
        store: folder of the store.
        command: the command's id, or ``plugin-id:command``.
        arguments: its arguments by name.
        workspace: the folder for a temporary host; the current one by default.
        allow_unsandboxed: for a temporary host, see `Host`.
        timeout_s: seconds; the plugin's ``limits.execution_time`` by default.
        person: who is told of denials, and asked for permissions.
        sink: takes what a streaming command yields, and may wait; without one such a command is refused.
        run: runs a temporary host. One that cancels what it runs has the host end in order.

    Raises:
        StreamingCommandError: the command streams, and there is no ``sink``.
        ViloError: what the plugin answered, or why it could not.
    """
    prompts = person is not None and person.present
    params = {
        "command": command,
        "arguments": dict(arguments or {}),
        "timeout_s": timeout_s,
        "prompts": prompts,
    }
    give_up = time.monotonic() + _HANDOVER_S
    while True:
        client = ControlClient.connect(store)
        if client is not None:
            with client:
                if person is not None:
                    client.on_event = _relay(client, person)
                try:
                    return _requested(client, params, sink)
                except ViloError as error:
                    if error.code != "host_stopping" or time.monotonic() > give_up:
                        raise
        else:
            try:
                return run(_temporary(store, params, workspace, allow_unsandboxed, person, sink))
            except HostRunningError:  # another process was faster, and is about to listen
                if time.monotonic() > give_up:
                    raise
        time.sleep(_RETRY_S)


def _requested(
    client: ControlClient, params: Mapping[str, Any], sink: Callable[[bytes], object] | None
) -> Any:
    """Have a running host run it; that a command streams is known once it was called, and nothing has run.

    The host keeps itself for us between the two, unless it is of an older version.
    """
    try:
        return client.request("call", {**params, "streams": sink is not None})
    except StreamingCommandError:
        if sink is None:
            raise
    client.request("stream.open", params)
    count = 0
    while data := client.request("stream.read"):
        sink(data)
        count += len(data)
    return Streamed(count)


def _relay(client: ControlClient, person: Person) -> Callable[[str, dict[str, Any]], None]:
    """Return what puts the questions of a running host to the person at this end."""

    def heard(name: str, data: dict[str, Any]) -> None:
        if name == "permission.denied":
            person.denied(data)
        elif name == LIMIT_EVENT:
            person.limited(data)
        elif name == ROLLED_BACK:
            person.rolled_back(data)
        elif name == "permission.asked" and (answer := person.ask(data, client.has_news)):
            client.send("permissions.answer", {"id": data.get("id"), "answer": answer})

    return heard


def _in_thread(host: Host, person: Person) -> Asker:
    """Return what asks the person of this process; a daemon thread waits, so that the call can end first."""
    loop = asyncio.get_running_loop()
    withdrawn: set[int] = set()

    def put(question: dict[str, Any]) -> None:
        id = question["id"]
        if answer := person.ask(question, lambda: id in withdrawn):
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(host.permissions.prompts.answer, id, answer)

    return Asker(
        ask=lambda question: threading.Thread(target=put, args=(question,), daemon=True).start(),
        withdraw=withdrawn.add,
    )


async def _temporary(
    store: Path,
    params: Mapping[str, Any],
    workspace: Path | None,
    allow_unsandboxed: bool,
    person: Person | None,
    sink: Callable[[bytes], object] | None,
) -> Any:
    async with Host(store, workspace=workspace, allow_unsandboxed=allow_unsandboxed) as host:
        if person is not None:
            host.permissions.on_denied(person.denied)
            host.subscribe(lambda name, data: person.limited(data) if name == LIMIT_EVENT else None)
            host.subscribe(lambda name, data: person.rolled_back(data) if name == ROLLED_BACK else None)
            if person.present:
                host.permissions.prompts.attach(_in_thread(host, person))
        try:
            result = await _run(host, params, sink)
        except Exception:  # not when it is cancelled: whoever has this process end waits for nobody
            await _others_done(host)
            raise
        await _others_done(host)
        return result


async def _others_done(host: Host) -> None:
    """Wait for those who have come to rely on this host."""
    while not host.idle:
        await asyncio.sleep(_RETRY_S)


async def _run(host: Host, params: Mapping[str, Any], sink: Callable[[bytes], object] | None) -> Any:
    command, arguments, timeout_s = params["command"], params["arguments"], params["timeout_s"]
    try:
        return await host.call(command, arguments, timeout_s=timeout_s)
    except StreamingCommandError:
        if sink is None:
            raise
    count, stream = 0, host.stream(command, arguments, timeout_s=timeout_s)
    with contextlib.closing(Outlet(sink)) as outlet:
        async with stream as pieces:
            async for piece in pieces:
                await outlet.put(piece)
                count += len(piece)
    return Streamed(count)
