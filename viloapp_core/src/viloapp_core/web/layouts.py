"""The arrangement of the workspace between two visits: ``workspace.json`` in the store.

The page's arrangement is kept as the page gave it, one per workspace folder; only what the host needs of
it is looked at: which widgets it shows, so that their state can be kept beside it.

Shape: ``{"version": 1, "folders": {folder: {"layout": {…}, "states": {instance: state}}}}``, the folder
used last at the end.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from viloapp_core.foundation.errors import FileError
from viloapp_core.foundation.files import write_atomic
from viloapp_core.web.errors import LayoutError

__all__ = ["Layouts"]

VERSION: Final = 1
MAX_FOLDERS: Final = 50
MAX_BYTES: Final = 4 * 1024 * 1024
"""Of one folder's arrangement with its states: a hundred open files of text, not a place to keep data."""

STATE_TIMEOUT_S: Final = 2.0
"""A widget that does not give its state by then keeps the one that it gave last."""


class Layouts:
    """Keeps the arrangement of one workspace folder.

    Args:
        path: of ``workspace.json``.
        folder: the workspace folder.
        state_of: asks an open widget for its state.
    """

    def __init__(self, path: Path, folder: Path, state_of: Callable[[str], Awaitable[Any]]) -> None:
        self._path = path
        self._folder = str(folder)
        self._state_of = state_of
        self._lock = asyncio.Lock()

    def load(self) -> dict[str, Any] | None:
        """Return ``{"layout", "states"}`` as saved last; None at a first visit or when it is unreadable."""
        kept = self._read()["folders"].get(self._folder)
        return kept if isinstance(kept, dict) and isinstance(kept.get("layout"), dict) else None

    async def save(self, layout: Mapping[str, Any], opened: Collection[str]) -> None:
        """Keep the arrangement together with the state of each widget in it.

        Args:
            layout: the page's; ``layout["panels"]`` is a list of objects that may have an ``instance``.
            opened: the instances that are open now, which can be asked for their state.

        Raises:
            LayoutError: it is too large, or the store cannot be written.
        """
        async with self._lock:
            before = self.load() or {}
            states = await self._states(_instances(layout), opened, before.get("states", {}))
            await asyncio.to_thread(self._write, {"layout": layout, "states": states})

    def adopt(self, layout: Mapping[str, Any], states: Mapping[str, Any]) -> None:
        """Take an arrangement over from elsewhere, in place of the one that is kept; no page may be open.

        Raises:
            LayoutError: it is too large, or the store cannot be written.
        """
        self._write({"layout": layout, "states": states})

    async def _states(
        self, instances: list[str], opened: Collection[str], before: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Ask all at once; of those that do not answer in time, keep what they said last."""
        states = {instance: before[instance] for instance in instances if instance in before}
        asked = [instance for instance in instances if instance in opened]
        waits = [asyncio.wait_for(self._state_of(instance), STATE_TIMEOUT_S) for instance in asked]
        answers = await asyncio.gather(*waits, return_exceptions=True)
        for instance, answer in zip(asked, answers, strict=True):
            if not isinstance(answer, BaseException) and _is_json(answer):
                states[instance] = answer
        return states

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._path.read_bytes(), parse_constant=_refuse)
        except (OSError, ValueError, RecursionError):
            kept = None
        # What is unreadable is only an arrangement: start afresh rather than refuse to open.
        if not isinstance(kept, dict) or kept.get("version") != VERSION:
            return {"version": VERSION, "folders": {}}
        return kept if isinstance(kept.get("folders"), dict) else {"version": VERSION, "folders": {}}

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            size = len(json.dumps(entry, allow_nan=False))
            if size > MAX_BYTES:
                raise LayoutError(f"the arrangement has {size} bytes", f"close some; {MAX_BYTES} are kept")
            kept = self._read()
            folders = {name: value for name, value in kept["folders"].items() if name != self._folder}
            folders[self._folder] = entry
            recent = dict(list(folders.items())[-MAX_FOLDERS:])
            data = json.dumps({"version": VERSION, "folders": recent}, indent=1).encode()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, data)
        except (TypeError, ValueError) as error:
            raise LayoutError(f"a widget's state is not JSON: {error}", "report it to its author") from error
        except FileError as error:
            raise LayoutError(error.detail, "check the folder's rights") from error
        except OSError as error:
            raise LayoutError(f"cannot write {self._path}: {error}", "check the folder's rights") from error


def _is_json(state: Any) -> bool:
    """Tell whether a plugin's answer can be kept: one that cannot must not cost the rest its arrangement."""
    try:
        json.dumps(state, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")  # no page could read it


def _instances(layout: Mapping[str, Any]) -> list[str]:
    panels = layout.get("panels")
    if not isinstance(panels, list):
        return []
    found = [panel.get("instance") for panel in panels if isinstance(panel, dict)]
    return [instance for instance in found if isinstance(instance, str)]
