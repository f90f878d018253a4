"""What the system calls of one plugin were seen to reach for, over all its processes."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from viloapp_core.sandbox.observing.sightings import is_scratch, is_shared, reachable
from viloapp_core.sandbox.profile import Profile

__all__ = ["Observation"]


class Observation:
    """Collects; written by one thread at a time, read by any.

    Args:
        most: so many different things are kept, so that a plugin cannot fill the host's memory.

    Attributes:
        problems: why nothing was seen, or not all of it; for people.
        watched: whether some process was watched.
        unread: calls whose arguments could not be read.
        left_out: calls that came when there were so many.
    """

    def __init__(self, most: int = 5000) -> None:
        self._most = most
        self.problems: list[str] = []
        self.watched = False
        self.unread = 0
        self.left_out = 0
        self._seen: dict[tuple[str, str], bool] = {}

    def rows(self) -> list[list[object]]:
        """Return ``[kind, what, reachable]`` of each thing, as the SDK's own look does.

        ``kind`` is also ``resolve`` here: a name was looked up at the server ``what``.
        """
        return [[kind, what, reached] for (kind, what), reached in list(self._seen.items())]

    def shortcomings(self) -> list[str]:
        """Return why not everything was seen, for people; nothing when it was, or no process ran."""
        found = list(self.problems)
        if self.unread:
            found.append(f"what {self.unread} system calls were about could not be read")
        if self.left_out:
            found.append(
                f"{self.left_out} system calls came when {self._most} different things had been seen"
            )
        if servers := sorted(what for kind, what in list(self._seen) if kind == "resolve"):
            found.append(
                f"a name was looked up at {', '.join(servers)}; which one is not seen: name its host"
            )
        return found

    def add_problem(self, text: str) -> None:
        """Note once why something was not seen."""
        if text not in self.problems:
            self.problems.append(text)

    def add_connection(self, host: str, port: int, nameservers: Iterable[str]) -> None:
        """Note an address, in the form of `viloapp_core.permissions`."""
        looks_up = port == 53 and host in nameservers
        self._note("resolve" if looks_up else "connect", host if looks_up else f"{host}:{port}", reached=True)

    def add_path(
        self, kind: str, path: str, profile: Profile, resolve: Callable[[str], str] = os.path.realpath
    ) -> None:
        """Note a file that was opened, changed or run.

        Args:
            kind: ``read``, ``write`` or ``execute``.
            path: absolute, as the process sees it.
            profile: its view of the disk.
            resolve: follows links on the machine's disk.
        """
        if (kind, path) in self._seen:
            return
        reached = reachable(kind, path, profile)
        if kind == "read" and is_scratch(path, profile):
            reached = self._made(path, profile)
        elif reached and is_shared(path, profile) and (real := resolve(path)) != path:
            # Where a link leads to is what has to be there, and what a permission has to name.
            there = reachable(kind, real, profile)
            path, reached = (path, True) if there else (real, False)
        if kind != "execute" or not reached:  # its own interpreter is free
            self._note(kind, path, reached=reached)

    def _made(self, path: str, profile: Profile) -> bool:
        """Whether it was made inside: in a private folder, another of that name may be outside."""
        places = [path, *map(str, Path(path).parents)]
        return any(("write", each) in self._seen for each in places) or not is_scratch(places[1], profile)

    def _note(self, kind: str, what: str, *, reached: bool) -> None:
        key = (kind, what)
        if key not in self._seen and len(self._seen) >= self._most:
            self.left_out += 1
        else:
            self._seen[key] = self._seen.get(key, True) and reached
