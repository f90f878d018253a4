"""A profile as arguments of bubblewrap 0.5 or newer.

Source: ``bwrap(1)``. As root there is no user namespace: it would be no drop, root's own 0600 files stay
readable in one. All capabilities are dropped either way.
"""

from collections.abc import Sequence
from pathlib import Path

from viloapp_core.sandbox.profile import Mount, MountKind, Profile

__all__ = ["argv"]

# Source: proc(5). What a process may write below /proc beside its own entries.
_SWITCHES = ("acpi", "asound", "bus", "fs", "irq", "mtrr", "pressure", "scsi", "sys", "sysrq-trigger", "tty")


def argv(profile: Profile, command: Sequence[str], bwrap: Path) -> list[str]:
    """Return the command line that runs ``command`` under ``profile``. Pure."""
    arguments = [str(bwrap), *_namespaces(profile.user_namespace)]
    for name, value in profile.environment.items():
        arguments += ["--setenv", name, value]
    for mount in profile.mounts:
        arguments += _mount(mount)
    # Only now, since the plugin's own parts may lie below a hidden store. The root is a tmpfs, too.
    for hidden in (m.target for m in profile.mounts if m.kind is MountKind.HIDE_FOLDER):
        arguments += ["--remount-ro", str(hidden)]
    arguments += ["--remount-ro", "/", "--chdir", str(profile.folder), "--", *command]
    return arguments


def _namespaces(user: bool) -> list[str]:
    return [
        *(["--unshare-user"] if user else []),
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-net",
        "--unshare-cgroup-try",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
        "--clearenv",
    ]


def _closed_switches(proc: Path) -> list[str]:
    """Arguments that make the kernel's own switches below /proc read-only.

    Root needs no capability to write many of them (``/proc/sys/kernel/core_pattern`` runs a program outside
    of any sandbox), and bubblewrap 0.11 leaves them writable: it asks access(2) about the folder, which says
    "read-only" to a root without capabilities, and skips it.
    """
    return [part for name in _SWITCHES for part in ("--ro-bind-try", f"/proc/{name}", str(proc / name))]


def _mount(mount: Mount) -> list[str]:
    target = str(mount.target)
    match mount.kind:
        case MountKind.READ:
            return ["--ro-bind", mount.source, target]
        case MountKind.READ_IF_THERE:
            return ["--ro-bind-try", mount.source, target]
        case MountKind.WRITE:
            return ["--bind", mount.source, target]
        case MountKind.SCRATCH:
            return ["--perms", "1777", "--tmpfs", target]
        case MountKind.HIDE_FOLDER:
            return ["--perms", "0755", "--tmpfs", target]
        case MountKind.HIDE_FILE:
            # A device on a mount without devices: opening it is refused.
            return ["--ro-bind", "/dev/null", target]
        case MountKind.FOLDER:
            return ["--perms", "0755", "--dir", target]
        case MountKind.LINK:
            return ["--symlink", mount.source, target]
        case MountKind.PROCESSES:
            return ["--proc", target, *_closed_switches(mount.target)]
        case MountKind.DEVICES:
            return ["--dev", target]
