"""The person's language, for who needs nothing else of the settings."""

from __future__ import annotations

from pathlib import Path

from viloapp_core.foundation.errors import FoundationError
from viloapp_core.foundation.files import read_json
from viloapp_sdk.manifest.translations import DEFAULT_LOCALE

__all__ = ["locale_of"]


def locale_of(root: Path) -> str:
    """Return ``core.locale`` of a store; the default one where the settings cannot be read.

    It decides of nothing but words: what is wrong with the file, `Settings` says.

    Args:
        root: the folder of the store.
    """
    try:
        document = read_json(root / "settings.json")
    except FoundationError:
        return DEFAULT_LOCALE
    core = document.get("core") if isinstance(document, dict) else None
    locale = core.get("locale") if isinstance(core, dict) else None
    return locale if isinstance(locale, str) else DEFAULT_LOCALE
