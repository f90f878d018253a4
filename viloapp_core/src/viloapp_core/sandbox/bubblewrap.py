"""A profile as arguments of bubblewrap 0.5 or newer.

Source: ``bwrap(1)``. As root there is no user namespace: it would be no drop, root's own 0600 files stay
readable in one. The bootstrap changes to the plugin's own user instead.
"""

from collections.abc import Sequence
from pathlib import Path

from viloapp_core.sandbox.profile import Mount, MountKind, Profile

__all__ = ["argv"]

# Source: proc(5). What a process may write below /proc beside its own entries.
_SWITCHES = ("acpi", "asound", "bus", "fs", "irq", "mtrr", "pressure", "scsi", "sys", "sysrq-trigger", "tty")


def argv(
    profile: Profile,
    command: Sequence[str],
    bwrap: Path,
    *,
    changes_identity: bool = False,
    waits: tuple[int, int] | None = None,
) -> list[str]:
    """Return the command line that runs ``command`` under ``profile``. Pure.

    Args:
        profile: what it sees.
        command: the program and its arguments, as they are inside.
        bwrap: the program to use.
        changes_identity: as root, leave the command what it needs to become somebody else. It goes to its
            working folder then, which is not root's.
        waits: the descriptor whose end it waits for before it runs the command, with all else done, and
            the one on which it says which process waits.
    """
    becomes = changes_identity and waits is None  # who only waits needs no power
    arguments = [str(bwrap), *_namespaces(profile), *_identity(profile, becomes)]
    if waits is not None:
        # As the first process it ends, and all with it, when there is nothing to run; else it would go on
        # until the last process inside has ended.
        arguments += ["--as-pid-1", "--block-fd", str(waits[0]), "--info-fd", str(waits[1])]
    for name, value in profile.environment.items():
        arguments += ["--setenv", name, value]
    size = ["--size", str(profile.scratch_bytes)] if profile.scratch_bytes is not None else []
    for mount in profile.mounts:
        arguments += _mount(mount, size)
    # Only now, since the plugin's own parts may lie below a hidden store. The root is a tmpfs, too.
    kinds = [mount.kind for mount in profile.mounts]
    if MountKind.HIDE_FOLDER in kinds:
        for mount in profile.mounts:
            if mount.kind is MountKind.HIDE_FOLDER:
                arguments += ["--remount-ro", str(mount.target)]
    if MountKind.DEVICES in kinds:
        arguments += ["--remount-ro", "/dev"]
    folder = "/" if changes_identity else str(profile.folder)
    arguments += ["--remount-ro", "/", "--chdir", folder, "--", *command]
    return arguments


def _namespaces(profile: Profile) -> list[str]:
    return [
        *(["--unshare-user"] if profile.user_namespace else []),
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-net",
        "--unshare-cgroup-try",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
    ]


def _identity(profile: Profile, changes: bool) -> list[str]:
    """No capability, but those with which stage 2 becomes the plugin's user and gives them all up.

    Until then it is a root without its powers over files, and its interpreter may lie below a folder of
    somebody else's: it may read, too.
    """
    kept = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_DAC_READ_SEARCH")
    added = kept if changes and not profile.user_namespace else ()
    return ["--cap-drop", "ALL", *(word for name in added for word in ("--cap-add", name))]


def _closed_switches(proc: Path) -> list[str]:
    """Arguments that make the kernel's own switches below /proc read-only.

    Root needs no capability to write many of them (``/proc/sys/kernel/core_pattern`` runs a program outside
    of any sandbox), and bubblewrap 0.11 leaves them writable: it asks access(2) about the folder, which says
    "read-only" to a root without capabilities, and skips it.
    """
    return [part for name in _SWITCHES for part in ("--ro-bind-try", f"/proc/{name}", f"{proc}/{name}")]


def _mount(mount: Mount, size: list[str]) -> list[str]:
    target = str(mount.target)
    match mount.kind:
        case MountKind.READ:
            return ["--ro-bind", mount.source, target]
        case MountKind.READ_IF_THERE:
            return ["--ro-bind-try", mount.source, target]
        case MountKind.WRITE:
            return ["--bind", mount.source, target]
        case MountKind.SCRATCH:
            return ["--perms", "1777", *size, "--tmpfs", target]
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
