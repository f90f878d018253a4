"""What an installed plugin says of itself in the person's language; see docs/reference/languages.md.

Catalogues are data of the plugin's package, read where they lie when somebody looks, and not before: in the
default language none is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from viloapp_sdk.manifest.translations import PREFIX, enum_labels, languages, translated

if TYPE_CHECKING:
    from viloapp_core.store.index import InstalledPlugin

__all__ = ["Texts", "configuration_in", "reason_in", "rows_in", "summary_in", "texts_of"]

Texts = Mapping[str, str]


def texts_of(plugin: InstalledPlugin, locale: str) -> dict[str, str]:
    """Return a plugin's words in a language, key → text, as they may be shown; none where it has none.

    Those of a plugin that is run from its source come from there.
    """
    if not languages(locale):
        return {}
    from viloapp_core.manifest.package_files import find_package
    from viloapp_core.manifest.translations import folder_reader, texts

    package = find_package(plugin.entry_point, plugin.generation, plugin.dev_source)
    return texts(folder_reader(package), locale) if package is not None else {}


def summary_in(texts: Texts, summary: str) -> str:
    """Return a plugin's summary."""
    return texts.get(f"{PREFIX}summary", summary)


def rows_in(texts: Texts, kind: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return commands or widgets with their words; everything else stays.

    Args:
        texts: of the plugin that has them.
        kind: ``commands`` or ``widgets``.
        rows: each with an ``id``.
    """
    return translated({kind: rows}, texts)[kind] if texts else rows


def configuration_in(texts: Texts, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plugin's settings with their descriptions, and ``enum_labels`` where values have words."""
    if not texts:
        return dict(configuration)
    said: dict[str, Any] = translated({"configuration": configuration}, texts)["configuration"]
    for name, setting in said.items():
        if labels := enum_labels(name, setting, texts):
            setting["enum_labels"] = labels
    return said


def reason_in(texts: Texts, permission: str, reason: str) -> str:
    """Return why a plugin's manifest asks for a permission; nothing stays nothing."""
    return texts.get(f"{PREFIX}permission.{permission}.reason", reason) if reason else reason
