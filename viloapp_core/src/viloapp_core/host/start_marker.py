"""The trace of a start that never became ready: written when it begins, gone once it is over in any good way.

What is left of a process that was killed, that crashed or that hung until somebody ended it is offered safe
mode by the next ``viloapp run``.
"""

import os
import time
from pathlib import Path
from types import TracebackType

from viloapp_core.foundation.errors import FileError, LockHeldError
from viloapp_core.foundation.files import FileLock, read_json, write_json
from viloapp_sdk.errors import ViloError

__all__ = ["StartMarker"]

_NAME = "starting.json"


class StartMarker:
    """The marker of one store. Only who has the store's ``host.lock`` writes it.

    Args:
        root: the store's folder.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / _NAME

    def begin(self, *, safe: bool) -> None:
        """Say that a start is under way."""
        write_json(self._path, {"pid": os.getpid(), "at": time.time(), "safe": safe})

    def done(self) -> None:
        """Say that it became ready, or that it was ended in order."""
        self._path.unlink(missing_ok=True)

    def ended(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the end of a start: one refused with a reason, or broken off by a person, leaves no trace."""
        if kind is None or issubclass(kind, ViloError) or not issubclass(kind, Exception):
            self.done()

    def left_over(self) -> bool:
        """Return whether a start never became ready, and is over: no host has the store."""
        try:
            if read_json(self._path) is None:
                return False
        except FileError:
            pass  # it was killed while it wrote
        try:
            FileLock(self._path.with_name("host.lock")).acquire(blocking=False).release()
        except LockHeldError:
            return False  # it is about to become ready
        return True
