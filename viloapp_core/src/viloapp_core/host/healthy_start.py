"""One start of the host with every plugin that it may run, to see whether it is any good."""

import asyncio
from pathlib import Path

from viloapp_core.host.host import Host
from viloapp_sdk.errors import ViloError

__all__ = ["healthy_start"]

_ANSWER_S = 10.0


async def healthy_start(
    store: Path, *, workspace: Path | None = None, allow_unsandboxed: bool = False
) -> dict[str, str]:
    """Start a host, then each plugin that it may run; return what is wrong, by plugin.

    It is good, and the answer empty, when the host becomes ready and all plugins start and answer. The host
    takes the store as any other does, and runs what ``$VILOAPP_ONLY`` leaves.

    Args:
        store: folder of the store.
        workspace: see `Host`.
        allow_unsandboxed: see `Host`.

    Raises:
        HostRunningError: another host has the store.
        ViloError: the host did not become ready.
    """
    async with Host(store, workspace=workspace, allow_unsandboxed=allow_unsandboxed, control=False) as host:
        await host.started()
        ids = [row["id"] for row in host.plugins() if row["enabled"]]
        found = await asyncio.gather(*(_fault(host, plugin_id) for plugin_id in ids))
    return {plugin_id: fault for plugin_id, fault in zip(ids, found, strict=True) if fault}


async def _fault(host: Host, plugin_id: str) -> str:
    """Return why a plugin does not start or answer; empty when it does."""
    worker = host.worker(plugin_id)
    if worker is None:
        return "it is not there any more"
    try:
        await worker.start()
        answer = await worker.call("ping", None, timeout_s=_ANSWER_S)
    except ViloError as error:
        return error.detail
    return "" if answer == "pong" else "its answer to ping is not of the protocol"
