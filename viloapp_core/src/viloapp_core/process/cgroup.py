"""A control group for each worker, where the host was given a part of cgroup v2 to rule.

    groups = Groups.of_this_process()     # Groups, or the reason why there are none
    group = groups.make("hello", limits)
    spawner.spawn(group.enter(argv), …)
    group.cpu_s()                                    # what the whole tree has used, exactly
    group.remove()

The kernel then bounds the tree as a whole: memory (`memory.max`), processes (`pids.max`), and processor time
(`cpu.max`, set while a plugin's budget is spent). systemd hands over such a part with ``Delegate=yes``; the
host moves itself into a leaf of it, since a group with groups of its own may hold no process.

Source: the kernel's ``cgroup-v2.rst``; systemd's ``CGROUP_DELEGATION.md``.
"""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.limits import Limits
from viloapp_core.process.tree import Tree

__all__ = ["Group", "Groups", "NoGroups"]

CONTROLLERS = ("memory", "cpu", "pids")
_HOST = "viloapp-host"
_WORKER = "viloapp-worker-"
_UNIFIED = "boot with the kernel argument systemd.unified_cgroup_hierarchy=1"
_DELEGATE = "hand one over: systemd-run --user --scope -p Delegate=yes viloapp run"
_PERIOD_US = 100_000
_MB = 1024 * 1024
# `$0` is the file, the rest the program: the shell enters and then becomes it, so nothing starts outside.
_ENTER = 'echo 0 > "$0" && exec "$@"'


@dataclass(frozen=True, slots=True)
class NoGroups:
    """Why workers get no control groups, and what the person can do about it."""

    reason: str
    remedy: str


class Group:
    """The group of one worker.

    Args:
        folder: of the group.
        controllers: which of `CONTROLLERS` bound it.
    """

    def __init__(self, folder: Path, controllers: frozenset[str]) -> None:
        self.folder = folder
        self.controllers = controllers

    def enter(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return a command that runs ``argv`` inside, under the same process id."""
        return ("/bin/sh", "-c", _ENTER, str(self.entry), *argv)

    @property
    def entry(self) -> Path:
        """The file by which a process enters, when it writes 0."""
        return self.folder / "cgroup.procs"

    def hold(self, percent: float) -> None:
        """Let its processes have no more than ``percent`` of one processor from now on."""
        self._write("cpu.max", f"{max(1000, int(percent / 100 * _PERIOD_US))} {_PERIOD_US}")

    def free(self) -> None:
        """Take `hold` back."""
        self._write("cpu.max", f"max {_PERIOD_US}")

    def cpu_s(self) -> float:
        """Return the processor seconds that it has used so far, those of ended processes included."""
        return _keyed(self.folder / "cpu.stat").get("usage_usec", 0) / 1e6

    def out_of_memory(self) -> bool:
        """Whether the kernel has ended its processes because they used more than their memory."""
        return _keyed(self.folder / "memory.events").get("oom_kill", 0) > 0

    def refused_processes(self) -> int:
        """Return how often the kernel refused it another process."""
        return _keyed(self.folder / "pids.events").get("max", 0)

    def kill(self) -> None:
        """End every process in it at once."""
        self._write("cgroup.kill", "1")

    def remove(self) -> None:
        """End what is still in it and remove it; one that is not empty yet goes when the next is made."""
        self.kill()
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _write(self, name: str, text: str) -> None:
        with contextlib.suppress(OSError):
            (self.folder / name).write_text(text)


class Groups:
    """Makes groups below a folder that was handed to this process.

    Args:
        folder: a group without processes of its own.
        controllers: which of `CONTROLLERS` its children can have.
    """

    def __init__(self, folder: Path, controllers: frozenset[str]) -> None:
        self.folder = folder
        self.controllers = controllers
        self._made = 0

    def make(self, plugin_id: str, limits: Limits) -> Group | None:
        """Return a new group with these limits; None when the kernel refuses, so that looking has to do."""
        self._made += 1
        _sweep(self.folder)
        group = Group(self.folder / f"{_WORKER}{os.getpid()}-{self._made}-{plugin_id[:64]}", self.controllers)
        values = {
            "memory.max": str(int(limits.memory_mb * _MB)),
            "memory.swap.max": "0",
            "memory.oom.group": "1",
            # Bubblewrap's own two are in it.
            "pids.max": str(limits.processes + 2),
        }
        try:
            group.folder.mkdir()
            for name, value in values.items():
                if name.partition(".")[0] in self.controllers and (group.folder / name).exists():
                    (group.folder / name).write_text(value)
        except OSError:
            group.remove()
            return None
        return group

    @classmethod
    def of_this_process(
        cls, proc: Path = Path("/proc/self"), *, systemd: bool | None = None
    ) -> "Groups | NoGroups":
        """Take over the group that this process is in, if it was handed to it; else say why not.

        Args:
            proc: this process's folder in ``/proc``.
            systemd: whether systemd rules the groups here; found out when None.
        """
        folder = _own_folder(proc)
        if folder is None:
            return NoGroups("there is no cgroup v2 on this machine", _UNIFIED)
        found = frozenset(_words(folder / "cgroup.controllers")) & frozenset(CONTROLLERS)
        if not found:
            return NoGroups("version 1 of cgroup has the controllers here, or the kernel has none", _UNIFIED)
        if not _handed_over(folder, systemd):
            return NoGroups("this process was not handed a part of cgroup v2", _DELEGATE)
        ours = {str(member.pid) for member in Tree(os.getpid()).look(0.0).members}
        if (folder / "cgroup.type").exists() and not set(_words(folder / "cgroup.procs")) <= ours:
            return NoGroups("other processes share this process's control group", _DELEGATE)
        try:
            return cls(folder, _take(folder, found))
        except OSError as error:
            return NoGroups(f"the control group {folder} cannot be used: {error.strerror}", _DELEGATE)


def _take(folder: Path, wanted: frozenset[str]) -> frozenset[str]:
    """Move the host into a leaf and let children have controllers; return those that they get."""
    root = not (folder / "cgroup.type").exists()
    if not root:  # only the root of all may have processes beside groups
        leaf = folder / _HOST
        leaf.mkdir(exist_ok=True)
        for pid in _words(folder / "cgroup.procs"):
            (leaf / "cgroup.procs").write_text(pid)
    _sweep(folder)
    for name in sorted(wanted):
        with contextlib.suppress(OSError):
            (folder / "cgroup.subtree_control").write_text(f"+{name}")
    return frozenset(_words(folder / "cgroup.subtree_control")) & wanted


def _sweep(folder: Path) -> None:
    """Remove the groups of workers that have ended, also those of a host that was killed."""
    for left in folder.glob(f"{_WORKER}*"):
        with contextlib.suppress(OSError):  # somebody is in it
            left.rmdir()


def _handed_over(folder: Path, systemd: bool | None) -> bool:
    """Whether a group is this process's to rule: marked by systemd, or the only one that a container sees."""
    for name in ("user.delegate", "trusted.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(folder, name) == b"1":
                return os.access(folder / "cgroup.procs", os.W_OK)
    ruled = os.path.isdir("/run/systemd/system") if systemd is None else systemd
    return not ruled and os.access(folder / "cgroup.procs", os.W_OK)


def _own_folder(proc: Path) -> Path | None:
    """Return the folder of this process's group. Source: ``cgroups(7)``, ``proc_pid_mountinfo(5)``."""
    try:
        lines = (proc / "cgroup").read_text().splitlines()
        mounts = (proc / "mountinfo").read_text().splitlines()
    except OSError:
        return None
    path = next((line[3:] for line in lines if line.startswith("0::")), None)
    for mount in mounts:
        before, _, after = mount.partition(" - ")
        if path is not None and after.startswith("cgroup2 "):
            return Path(before.split()[4], path.lstrip("/"))
    return None


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _keyed(path: Path) -> dict[str, int]:
    words = _words(path)
    return {name: int(value) for name, value in zip(words[::2], words[1::2], strict=False)}
