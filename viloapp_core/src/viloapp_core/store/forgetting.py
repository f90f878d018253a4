"""What is kept about a plugin beside its folders, and goes when it is purged: settings and decisions."""

from __future__ import annotations

from pathlib import Path

__all__ = ["forget"]


def forget(root: Path, settings: Path, plugin_id: str) -> None:
    """Forget a plugin's settings and the decisions about it, which the audit log keeps. May be repeated.

    Args:
        root: of the store.
        settings: its file of settings.
        plugin_id: the plugin.

    Raises:
        ViloError: one of the files cannot be used.
    """
    # Readers of a store need none of these.
    from viloapp_core.ledger import AuditLog, Ledger
    from viloapp_core.services.sections import forget_plugin

    forget_plugin(settings, plugin_id)
    ledger = Ledger(root)
    if entries := ledger.entries(plugin_id):
        log = AuditLog(root)
        for entry in entries:
            log.record("forget", plugin_id, str(entry.permission), "uninstall", entry.state)
        ledger.forget(plugin_id)
        log.close()
