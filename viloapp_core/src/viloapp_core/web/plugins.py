"""What is installed, changed from the page: `operations` in a thread, then the host takes the store anew."""

import asyncio
import dataclasses
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from viloapp_core import operations
from viloapp_core.host.steps import HostSteps
from viloapp_core.limits import Limits, asks
from viloapp_core.manifest import PluginDescription, read_wheel
from viloapp_core.permissions import Permission, told
from viloapp_core.resolve import wheelhouse
from viloapp_core.web import views
from viloapp_core.web.installs import Ask
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.host import Host
    from viloapp_core.trust import Examination

__all__ = ["Plugins"]

_log = logging.getLogger(__name__)


class Plugins:
    """The store as the page changes it.

    Args:
        host: what runs on the store.
    """

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._wheels: list[PluginDescription] | None = None

    async def catalog(self) -> dict[str, Any]:
        """Return what can be run, opened, managed and installed now."""
        if self._wheels is None:
            self._wheels = await asyncio.to_thread(_first_party_wheels)
        locale = str(self._host.settings.core("locale"))
        return views.catalog(self._host, [views.offer(wheel.in_language(locale)) for wheel in self._wheels])

    def install(
        self,
        specs: Sequence[str],
        ask: Ask,
        tell: Callable[[Mapping[str, Any]], None],
        cancel: threading.Event,
        /,
    ) -> Mapping[str, Any]:
        """Install; in a thread. Fits `installs.Work`."""
        outcomes = operations.install(
            self._host.store,
            specs,
            progress=lambda event: tell(dataclasses.asdict(event)),
            consent=_Consent(ask, str(self._host.settings.core("locale"))),
            cancel=cancel,
            steps=HostSteps(self._host),
        )
        return {"installed": [_outcome(outcome) for outcome in outcomes]}

    async def enable(self, ids: Sequence[str]) -> Any:
        """Enable plugins, those that are held back too; their commands are there at once."""
        enabled = await asyncio.to_thread(operations.enable, self._host.store, ids)
        return await self._host.release([plugin.plugin_id for plugin in enabled])

    async def disable(self, ids: Sequence[str]) -> Any:
        """Disable plugins; their processes end."""
        await asyncio.to_thread(operations.disable, self._host.store, ids, "disabled in the workspace")
        return await self._host.refresh()

    async def uninstall(self, ids: Sequence[str]) -> Any:
        """Remove plugins; their data stays."""
        await asyncio.to_thread(operations.uninstall, self._host.store, ids)
        return await self._host.refresh()


class _Consent:
    """Puts to the person who signed a plugin, and which permissions it asks for."""

    def __init__(self, ask: Ask, locale: str) -> None:
        self._ask = ask
        self._locale = locale

    def ask(self, plugin: PluginDescription, permissions: Sequence[str], /) -> bool:
        """Return whether the person allows them."""
        manifest = plugin.in_language(self._locale).manifest
        reasons = {permission.id: permission.reason for permission in manifest.permissions}
        wanted = [_asked(permission, reasons.get(permission, "")) for permission in permissions]
        more = asks(plugin.manifest.limits, Limits())
        return self._put(plugin, about="permissions", permissions=wanted, limits=more)

    def ask_publisher(self, plugin: PluginDescription, examination: "Examination", /) -> bool:
        """Return whether who signed it is who the person expects."""
        assert examination.signer is not None
        offered = str(examination.offered or "")
        return self._put(plugin, about="publisher", lines=examination.signer.lines(), publisher=offered)

    def ask_unsigned(self, plugin: PluginDescription, why: str, /) -> bool:
        """Return whether the person takes what the core carries without a signature."""
        return self._put(plugin, about="unsigned", lines=[why])

    def _put(self, plugin: PluginDescription, **question: Any) -> bool:
        return self._ask({"plugin": plugin.plugin_id, "version": str(plugin.version), **question})


def _asked(permission: str, reason: str) -> dict[str, Any]:
    """Describe one permission of a question, in words."""
    return {"id": permission, "reason": reason, **told(Permission.parse(permission))}


def _outcome(outcome: operations.InstallOutcome) -> dict[str, Any]:
    return {
        "plugin": outcome.plugin_id,
        "version": outcome.version,
        "status": outcome.status,
        "signature": outcome.signature,
        "notes": list(outcome.notes),
    }


def _first_party_wheels() -> list[PluginDescription]:
    """Describe the first-party wheels that come with the core; one that cannot be read is left out."""
    found = wheelhouse()
    described = []
    for plugin_id in views.FIRST_PARTY:
        if plugin_id in found:
            try:
                described.append(read_wheel(found[plugin_id]))
            except ViloError as error:
                _log.warning("the wheel of %s cannot be read: %s", plugin_id, error.detail)
    return described
