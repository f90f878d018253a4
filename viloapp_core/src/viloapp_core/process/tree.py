"""What a process and all its descendants use, read from ``/proc``: a few small files for each.

    tree = Tree(child.pid)
    look = tree.look(now)
    look.used_s, look.resident_mb, look.tasks

The descendants are found from parent to child. In a process namespace, where what loses its parent is adopted
by the namespace's own first process, none is missed; without one (no bubblewrap) a process that left the
tree between two looks is.

Source: ``proc_pid_stat(5)``, ``proc_tid_children(5)``, ``proc_pid_smaps(5)``, ``proc_pid_fd(5)``.
"""

import contextlib
import os
import signal
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["Held", "Look", "Member", "Tree", "held"]

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MB = 1024 * 1024
_READ = 4096
# Positions after the name in /proc/PID/stat, whose first field there is the state.
_STATE, _UTIME, _STIME, _CUTIME, _CSTIME, _THREADS, _START, _RSS = 0, 11, 12, 13, 14, 17, 19, 21
_MOST = 4096
"""Processes of one tree that are looked at; a tree that has more is over any limit anyway."""


@dataclass(frozen=True, slots=True)
class Member:
    """One process of a tree at one moment.

    Args:
        pid: its number; with `start` (ticks after boot) it names one process for ever.
        start: see `pid`.
        state: one letter: ``R`` runs, ``T`` is stopped, ``Z`` has ended.
        own_s: processor seconds of it.
        waited_s: those of the children that ended and that it has waited for.
        resident: bytes in memory, shared ones included.
        threads: how many it has.
    """

    pid: int
    start: int
    state: str
    own_s: float
    waited_s: float
    resident: int
    threads: int


@dataclass(frozen=True, slots=True)
class Look:
    """A tree at one moment.

    Args:
        members: every process; the root first.
        firsts: of them, the first of each sandbox: the root, and one for each of what runs beside it.
        used_s: processor seconds since the look before.
        resident_mb: megabytes in memory; pages that several share count for each, so it is never too little.
        tasks: processes and threads.
    """

    members: tuple[Member, ...]
    firsts: tuple[int, ...]
    used_s: float
    resident_mb: float
    tasks: int

    def proportional_mb(self) -> tuple[float, float]:
        """Return megabytes in memory and swapped out, and those of them that files in memory are mapped for.

        Pages that several share count in proportion, so the sum is exact. It costs more than a look.
        """
        whole = shared = 0
        for member in self.members:
            sizes = _proportional(member)
            whole, shared = whole + sizes[0], shared + sizes[1]
        return whole / _MB, shared / _MB

    def measured_mb(self) -> tuple[float, Literal["pss", "rss"]]:
        """Return megabytes in memory and swapped out, and how they are known.

        They are ``pss`` where the kernel said of every process which share of its pages is its own, else
        ``rss``, which counts what several share for each. It costs more than a look; safe in a thread.
        """
        whole, exact = 0, True
        for member in self.members:
            own, _, known = _sizes(member)
            whole, exact = whole + own, exact and (known or member.state == "Z")
        return whole / _MB, "pss" if exact else "rss"


class Tree:
    """The processes below one.

    Args:
        root: process id of the first.
        passed: how many levels are the sandbox's own processes and count for time alone: bubblewrap, twice.
        beside: process ids of further roots at the moment, in sandboxes alike: programs run for a plugin.
        forked: a process in the root's sandbox that is no descendant of it: a fork server's child.
    """

    def __init__(
        self,
        root: int,
        *,
        passed: int = 0,
        beside: Callable[[], Iterable[int]] = tuple[int, ...],
        forked: int | None = None,
    ) -> None:
        self._root = root
        self._passed = passed
        self._beside = beside
        self._known: dict[tuple[int, int], Member] = {}
        self._at: float | None = None
        self._inside: tuple[int, int] | None = None  # the first process of the root's sandbox
        member = _read(forked) if forked is not None else None
        self._forked = (member.pid, member.start) if member is not None else None

    def look(self, now: float) -> Look:
        """Look at every process. ``now`` is of a monotonic clock, in seconds."""
        found = list(self._walk())
        members = tuple(member for member, depth in found if depth >= self._passed)
        used = self._used([member for member, _ in found], now)
        return Look(
            members,
            tuple(member.pid for member, depth in found if depth == self._passed),
            used,
            sum(member.resident for member in members) / _MB,
            sum(member.threads for member in members if member.state != "Z"),
        )

    def _used(self, members: list[Member], now: float) -> float:
        """Return the processor time since the last look.

        The time of a process that ended is in its parent's once the parent has waited for it; what was seen
        of it before is not counted twice. A parent that ignores its children's ends (SIGCHLD) never has it,
        and could burn a processor by children too short-lived to be seen twice. So a running process that
        was not there before counts as if one in its place had run since the last look.
        """
        first, passed = self._at is None, now - (self._at or now)
        self._at = now
        known, self._known = self._known, {(member.pid, member.start): member for member in members}
        own = waited = short_lived = 0.0
        for key, member in self._known.items():
            before = known.pop(key, None)
            own += member.own_s - (before.own_s if before else 0.0)
            waited += member.waited_s - (before.waited_s if before else 0.0)
            if before is None and member.state == "R":
                short_lived += passed * _share_run(member.pid)
        # Nobody of the tree waits for its root.
        gone = (member for member in known.values() if member.pid != self._root)
        ended = sum(member.own_s + member.waited_s for member in gone)
        exact = own + max(0.0, waited - ended)
        return 0.0 if first else max(0.0, exact, short_lived)

    def _walk(self) -> Iterator[tuple[Member, int]]:
        first = self._first_inside()
        found = deque([(self._root, 0, None) if first is None else (first.pid, 1, first)])
        if (forked := _living(self._forked)) is not None:
            found.appendleft((forked.pid, self._passed, forked))
        found.extend((pid, 0, None) for pid in self._beside())
        left = _MOST
        while found:
            pid, depth, member = found.popleft()
            member = member or _read(pid)
            if member is None:
                continue
            left -= 1
            if not left:
                return
            yield member, depth
            below = _children(pid, member.threads)
            if pid == self._root and self._passed > 1 and len(below) == 1 and (inside := _read(below[0])):
                self._inside = (inside.pid, inside.start)
            found.extend((child, depth + 1, None) for child in below)

    def _first_inside(self) -> Member | None:
        """Return bubblewrap's process in the sandbox, where that is known and lives.

        The one outside has no other child, and does nothing but wait for that: it need not be looked at.
        """
        return _living(self._inside)

    def first(self) -> int | None:
        """Return the process id of the first process inside the sandbox; None when it is gone."""
        member = self._first()
        return member.pid if member is not None else None

    def signal_first(self, number: int) -> None:
        """Signal the first process inside the sandbox, if it is still there."""
        if (member := self._first()) is not None:
            _signal(member, number)

    def _first(self) -> Member | None:
        return next((member for member, depth in self._walk() if depth == self._passed), None)

    def stop(self) -> None:
        """Stop every process, again until no new one appears: one that forks meanwhile is not missed."""
        stopped: set[tuple[int, int]] = set()
        for _ in range(8):
            fresh = [
                member
                for member, depth in self._walk()
                if depth >= self._passed and (member.pid, member.start) not in stopped
            ]
            if not fresh:
                return
            for member in fresh:
                stopped.add((member.pid, member.start))
                _signal(member, signal.SIGSTOP)

    def resume(self) -> None:
        """Let every process go on."""
        self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        """Send a signal to every process, but to those of the sandbox itself."""
        for member, depth in tuple(self._walk()):
            if depth >= self._passed:
                _signal(member, number)

    def stopped(self) -> bool:
        """Whether no process runs: one of them may have continued the others."""
        return all(member.state in "TtZX" for member, depth in tuple(self._walk()) if depth >= self._passed)


@dataclass(frozen=True, slots=True)
class Held:
    """What is behind the descriptors of some processes.

    Args:
        most: descriptors of the process that has most.
        memory_mb: megabytes in files that have no name and lie in memory (memfd, deleted files of a tmpfs)
            and that no process has mapped for certain.
        disk_mb: megabytes of deleted files on disk that are still open.
    """

    most: int
    memory_mb: float
    disk_mb: float


def held(members: tuple[Member, ...]) -> Held:
    """Look behind the descriptors of every process; what cannot be read counts as none."""
    most, seen = 0, set()
    memory = disk = 0
    for member in members:
        count = 0
        for path in _descriptors(member.pid):
            count += 1
            with contextlib.suppress(OSError):
                found = os.stat(path)
                key = (found.st_dev, found.st_ino)
                if not stat.S_ISREG(found.st_mode) or found.st_nlink or key in seen:
                    continue
                seen.add(key)
                # Files without a block device beneath them (device numbers with major 0) are in memory.
                if os.major(found.st_dev) == 0 and _in_memory(path):
                    memory += found.st_blocks * 512
                else:
                    disk += found.st_blocks * 512
        most = max(most, count)
    return Held(most, memory / _MB, disk / _MB)


def _in_memory(path: str) -> bool:
    """Whether a file lies in memory. Source: ``statfs(2)``; btrfs and overlayfs have no device either."""
    target = os.readlink(path)
    return target.startswith(("/memfd:", "/dev/shm/", "/tmp/", "/dev/"))


def _descriptors(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            yield f"/proc/{pid}/fd/{name}"


def _read(pid: int) -> Member | None:
    data = _content(f"/proc/{pid}/stat")
    # The name stands in parentheses and may hold any character, a parenthesis and a space included.
    end = data.rfind(b")")
    if end < 0:
        return None
    fields = data[end + 2 :].split()
    return Member(
        pid,
        int(fields[_START]),
        fields[_STATE].decode(),
        (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS,
        (int(fields[_CUTIME]) + int(fields[_CSTIME])) / _TICKS,
        int(fields[_RSS]) * _PAGE,
        int(fields[_THREADS]),
    )


def _living(known: tuple[int, int] | None) -> Member | None:
    """Return the process of a number that started at a time; None when there is none, or another has it."""
    member = _read(known[0]) if known is not None else None
    return member if member is not None and known is not None and member.start == known[1] else None


def _share_run(pid: int) -> float:
    """Return which part of the time that it could have run a process has run: others may run too.

    Source: the kernel's ``sched-stats.rst``: nanoseconds on a processor, nanoseconds of waiting for one.
    """
    numbers = [int(each) for each in _content(f"/proc/{pid}/schedstat").split()[:2]]
    lived = sum(numbers)
    return numbers[0] / lived if lived > 0 else 1.0


def _children(pid: int, threads: int) -> list[int]:
    """Return the children of every thread: each thread has those that it started."""
    tasks = [str(pid)]
    if threads > 1:
        with contextlib.suppress(OSError):
            tasks = os.listdir(f"/proc/{pid}/task")
    found: list[int] = []
    for task in tasks:
        found += [int(child) for child in _content(f"/proc/{pid}/task/{task}/children", whole=True).split()]
    return found


def _proportional(member: Member) -> tuple[int, int]:
    """Return bytes in all and of files in memory; resident bytes where the kernel does not say."""
    whole, shared, _ = _sizes(member)
    return whole, shared


def _sizes(member: Member) -> tuple[int, int, bool]:
    """Return `_proportional` and whether the kernel said so.

    It says nothing of a process that has ended since the look, either: that one has no memory any more.
    """
    whole = shared = 0
    for line in _content(f"/proc/{member.pid}/smaps_rollup").splitlines():
        if line.startswith((b"Pss:", b"SwapPss:")):
            whole += int(line.split()[1]) * 1024
        elif line.startswith(b"Pss_Shmem:"):
            shared += int(line.split()[1]) * 1024
    if whole:
        return whole, shared, True
    now = _read(member.pid)
    resident = now.resident if now is not None and now.start == member.start else 0
    return resident, 0, not resident


def _content(path: str, *, whole: bool = False) -> bytes:
    """Return the start of a file; nothing when the process is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        data = os.read(descriptor, _READ)
        while whole and len(data) % _READ == 0 and (more := os.read(descriptor, _READ)):
            data += more
        return data
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _signal(member: Member, number: int) -> None:
    """Signal this very process: held by a descriptor first, so that its number cannot be another's."""
    with contextlib.suppress(OSError):
        pidfd = os.pidfd_open(member.pid)
        try:
            now = _read(member.pid)
            if now is not None and now.start == member.start:
                signal.pidfd_send_signal(pidfd, number)
        finally:
            os.close(pidfd)
