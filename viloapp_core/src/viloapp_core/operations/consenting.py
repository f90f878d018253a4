"""What is written down about the permissions of plugins that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viloapp_core.foundation.clock import Clock
from viloapp_core.ledger import AuditLog, Ledger

if TYPE_CHECKING:
    from viloapp_core.manifest import PluginDescription
    from viloapp_core.store import Store


def note_consent(store: Store, plugin: PluginDescription, clock: Clock, *, fresh: bool) -> None:
    """Note in ledger and audit log what was accepted at an installation.

    Args:
        store: where it was installed.
        plugin: what was installed.
        clock: for the time.
        fresh: see `Ledger.installed`.

    Raises:
        LedgerError: the ledger cannot be used; the plugin then has what its receipt says.
    """
    ledger, log = Ledger(store.root, clock), AuditLog(store.root, clock)
    before = {str(each.permission) for each in ledger.entries(plugin.plugin_id) if each.by == "install"}
    reasons = {permission.id: permission.reason for permission in plugin.manifest.permissions}
    ledger.installed(plugin.plugin_id, reasons, fresh=fresh)
    for id in reasons:
        if fresh or id not in before:
            log.record("grant", plugin.plugin_id, id, "install", "always", reasons[id])
    for id in sorted(before - reasons.keys()):
        log.record("revoke", plugin.plugin_id, id, "install", "", "the installed version does not ask for it")
    log.close()
