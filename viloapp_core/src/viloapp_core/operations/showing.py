"""What is installed, and what one plugin is; none of its code is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from viloapp_core.foundation.clock import SystemClock
from viloapp_core.operations.rows import listed_row, unmanaged_row
from viloapp_core.services.language import locale_of
from viloapp_core.store import InstalledPlugin, Revocation, Store
from viloapp_core.store.wording import summary_in, texts_of
from viloapp_sdk.errors import ViloError
from viloapp_sdk.manifest.translations import languages, translated

_FROM_RECEIPT = (
    *("name", "summary", "author", "license", "entry_point", "manifest", "requested", "index_url"),
    *("packages", "lock_digest", "installed_at", "installed_by", "notes", "trust"),
)


def listing(store: Store) -> list[dict[str, Any]]:
    """Return a row for each installed plugin, then one for each that pip installed beside the core.

    The latter are never loaded: a row says how to install them properly.
    """
    from viloapp_core import manifest

    plugins, damage = store.plugins(), store.damage()
    blocked = Revocation(store.root, SystemClock(), starting=False).why_rows(plugins.rows)
    damage = blocked | damage
    rows = [listed_row(plugin_id, row, damage.get(plugin_id, "")) for plugin_id, row in plugins.rows.items()]
    if languages(locale := locale_of(store.root)):
        for said in rows:
            texts = texts_of(plugins[said["id"]], locale)
            said["summary"] = summary_in(texts, said["summary"])
    rows += [_damaged_row(plugin_id, damage[plugin_id]) for plugin_id in damage if plugin_id not in plugins]
    return [*rows, *(unmanaged_row(name, version) for name, version in manifest.unmanaged())]


def _damaged_row(plugin_id: str, damage: str) -> dict[str, Any]:
    keys = ("version", "source", "signature", "publisher", "dependencies", "python", "summary", "rolled_back")
    texts = dict.fromkeys(keys, "")
    return {"id": plugin_id, **texts, "managed": True, "enabled": False, "reason": damage, "permissions": []}


def describe(store: Store, what: str) -> dict[str, Any]:
    """Return all that is known of an installed plugin, a wheel or a source folder.

    Args:
        store: where installed ones are.
        what: a plugin's id, or the path of a wheel or folder.

    Raises:
        NotInstalledError: there is no plugin of that id.
        ManifestError: the wheel or folder is no valid plugin; has every issue.
    """
    from packaging.utils import canonicalize_name

    from viloapp_core import manifest

    path = Path(what).expanduser()
    if what.endswith(".whl"):
        described = manifest.read_wheel(path.absolute())
        return {"installed": False, **described.in_language(locale_of(store.root)).to_json()}
    if "/" in what and path.is_dir():
        described = manifest.read_source(path.absolute())
        return {"installed": False, **described.in_language(locale_of(store.root)).to_json()}
    return _installed(store, store.plugin(canonicalize_name(what)))


def _settings(store: Store, plugin_id: str, receipt: Mapping[str, Any]) -> dict[str, str]:
    """Return which version a plugin's settings and data have, and which it reads."""
    from viloapp_core.store import belongings
    from viloapp_sdk.manifest.chain import declared

    try:
        version = belongings.version_of(store.layout, plugin_id)
    except ViloError:  # a file of settings that cannot be read is told of by whoever uses it
        version = ""
    return {"version": version, "reads": declared(receipt.get("manifest") or {})}


def _installed(store: Store, plugin: InstalledPlugin) -> dict[str, Any]:
    receipt = dict(store.receipt(plugin.plugin_id))
    why = Revocation(store.root, SystemClock()).why(plugin)
    texts = texts_of(plugin, locale_of(store.root))
    receipt["manifest"] = translated(receipt["manifest"], texts)
    receipt["summary"] = summary_in(texts, str(receipt.get("summary") or ""))
    return {
        "installed": True,
        **listed_row(plugin.plugin_id, store.plugins().rows[plugin.plugin_id], why),
        "plugin_id": plugin.plugin_id,
        **{key: receipt.get(key) for key in _FROM_RECEIPT},
        "settings": _settings(store, plugin.plugin_id, receipt),
        "python": {
            "version": plugin.python_version,
            "executable": str(plugin.base_executable),
            "prefix": str(plugin.base_prefix),
        },
        "on_probation": store.on_probation(plugin),
        "environment": str(plugin.generation / "venv"),
        "generation": str(plugin.generation),
        "data": str(plugin.data_dir),
        "log": str(plugin.log_dir),
        "dev_source": str(plugin.dev_source) if plugin.dev_source else None,
    }
