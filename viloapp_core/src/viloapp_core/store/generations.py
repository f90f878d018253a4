"""The generations of a plugin: which there are, and which stay for a rollback. Everything here reads."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viloapp_core.store import truth
from viloapp_core.store.errors import StoreError
from viloapp_core.store.layout import Layout

_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True)
class Generation:
    """One complete generation."""

    plugin_id: str
    folder: Path
    version: str
    installed_at: str
    """RFC 3339, to the second."""
    replaces: str | None
    """The name of the generation that was current before it."""
    current: bool

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name


def generations(layout: Layout, plugin_id: str) -> list[Generation]:
    """Return the complete generations of a plugin, the newest first; those without a receipt are left out."""
    current = truth.current_generation(layout, plugin_id)
    found = []
    for folder in _folders(layout, plugin_id):
        try:
            receipt: dict[str, Any] = truth.read_receipt(folder)
        except StoreError:
            continue
        found.append(
            Generation(
                plugin_id,
                folder,
                str(receipt.get("version")),
                str(receipt.get("installed_at", "")),
                receipt.get("replaces"),
                folder.name == current,
            )
        )
    return sorted(found, key=lambda each: (each.installed_at, each.folder.stat().st_mtime_ns), reverse=True)


def before(found: Sequence[Generation]) -> Generation | None:
    """Return the generation that a rollback leads to: the one that the current one replaced."""
    current = next((each for each in found if each.current), None)
    if current is None:
        return None
    return next((each for each in found if each.name == current.replaces and not each.current), None)


def kept(found: Sequence[Generation]) -> list[Generation]:
    """Return the current generation and one to return to: the one before it, else the newest other."""
    current = [each for each in found if each.current]
    other = before(found) or next((each for each in found if not each.current), None)
    return current + ([other] if other is not None else [])


def wheels_of(generation: Path) -> set[str]:
    """Return the hashes of the wheels that a generation is made of, even when its receipt is damaged."""
    found: set[str] = set()
    for name in ("receipt.json", "pylock.toml"):
        try:
            found |= set(_SHA256.findall((generation / name).read_text("utf-8", "replace")))
        except OSError:
            continue
    return found


def incomplete(layout: Layout, plugin_id: str) -> list[Path]:
    """Return generations that are being made, or that nobody finished."""
    return [folder for folder in _folders(layout, plugin_id) if not (folder / "receipt.json").exists()]


def _folders(layout: Layout, plugin_id: str) -> list[Path]:
    try:
        names = sorted(os.listdir(layout.generations(plugin_id)))
    except OSError:
        return []
    return [layout.generations(plugin_id) / name for name in names]
