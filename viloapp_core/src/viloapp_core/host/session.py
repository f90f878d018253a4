"""One command, through the host that runs or through one that lives for it alone."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from viloapp_core.host.control import ControlClient
from viloapp_core.host.errors import HostRunningError
from viloapp_core.host.host import Host
from viloapp_sdk.errors import ViloError

__all__ = ["call_once"]

_HANDOVER_S = 10.0
"""How long a host may take from holding the store to listening, or from stopping to giving it back."""
_RETRY_S = 0.02


def call_once(
    store: Path,
    command: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    workspace: Path | None = None,
    allow_unsandboxed: bool = False,
    timeout_s: float | None = None,
) -> Any:
    """Run a command and return its result.

    A running host answers with the worker that it has. Without one a temporary host is made, which others
    that call meanwhile use as well, and which ends when nobody does.

    Args:
        store: folder of the store.
        command: the command's id, or ``plugin-id:command``.
        arguments: its arguments by name.
        workspace: the folder for a temporary host; the current one by default.
        allow_unsandboxed: for a temporary host, see `Host`.
        timeout_s: seconds; the plugin's ``limits.execution_time`` by default.

    Raises:
        ViloError: what the plugin answered, or why it could not.
    """
    params = {"command": command, "arguments": dict(arguments or {}), "timeout_s": timeout_s}
    give_up = time.monotonic() + _HANDOVER_S
    while True:
        client = ControlClient.connect(store)
        if client is not None:
            with client:
                try:
                    return client.request("call", params)
                except ViloError as error:
                    if error.code != "host_stopping" or time.monotonic() > give_up:
                        raise
        else:
            try:
                return asyncio.run(
                    _temporary(store, command, arguments, workspace, allow_unsandboxed, timeout_s)
                )
            except HostRunningError:  # another process was faster, and is about to listen
                if time.monotonic() > give_up:
                    raise
        time.sleep(_RETRY_S)


async def _temporary(
    store: Path,
    command: str,
    arguments: Mapping[str, Any] | None,
    workspace: Path | None,
    allow_unsandboxed: bool,
    timeout_s: float | None,
) -> Any:
    async with Host(store, workspace=workspace, allow_unsandboxed=allow_unsandboxed) as host:
        try:
            return await host.call(command, arguments, timeout_s=timeout_s)
        finally:
            while not host.idle:  # others have come to rely on this host
                await asyncio.sleep(_RETRY_S)
