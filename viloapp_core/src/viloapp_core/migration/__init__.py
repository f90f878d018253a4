"""Older forms of settings and state to today's: frozen, versioned steps from dict to dict. Pure.

    document = read_ini(text)                 # or json.loads(text)
    moved = migrate(document, SETTINGS)
    moved.document                            # {"version": "3.0", "core": …, "plugins": …, "kept": …}
    moved.log                                 # ("Migrated from 1.0", "Migrated from 2.0")
    moved.findings                            # what had no place, and what could not be taken as it was

A step is never changed once it has been released: whoever comes from version 1.0 in ten years goes through
the same ones. What a step has no place for it keeps under ``kept``, by the version that it was of, at the
path that it had there.
"""

from viloapp_core.migration.arrangement import Arrangement, arrange
from viloapp_core.migration.chain import Chain, Finding, Migration, Moved, Step, migrate, version_of
from viloapp_core.migration.errors import MigrationError, NewerVersionError, NotSettingsError
from viloapp_core.migration.ini import read_ini
from viloapp_core.migration.settings import SETTINGS
from viloapp_core.migration.state import STATE, migrate_editor_buffers, migrate_terminal_sessions

__all__ = [
    "SETTINGS",
    "STATE",
    "Arrangement",
    "Chain",
    "Finding",
    "Migration",
    "MigrationError",
    "Moved",
    "NewerVersionError",
    "NotSettingsError",
    "Step",
    "arrange",
    "migrate",
    "migrate_editor_buffers",
    "migrate_terminal_sessions",
    "read_ini",
    "version_of",
]
