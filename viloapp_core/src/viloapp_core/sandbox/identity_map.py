"""Shows a plugin's user the person's folders as its own, then becomes bubblewrap. For a host that is root's.

    python -I -S identity_map.py UID COUNT PATH... COUNT KEPT... BWRAP ARGUMENT...

The plugin runs as a user of its own, the folders are root's (or whoever's). In a mount namespace that only
this process and bubblewrap see, each is mounted over itself with its owner and the plugin's user exchanged:
what the plugin writes is the owner's outside. Where the file system cannot do that the folder stays as it is,
so that the plugin may do there what the folder allows everybody; the worker's log says so. What is KEPT lies
below one perhaps, and stays as it is.

Source: ``mount_setattr(2)``, MOUNT_ATTR_IDMAP; ``open_tree(2)``, ``move_mount(2)``.
"""

import ctypes
import os
import sys

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_REC, MS_SLAVE = 0x4000, 0x80000
AT_FDCWD, AT_EMPTY_PATH, AT_RECURSIVE = -100, 0x1000, 0x8000
OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH, MOUNT_ATTR_IDMAP = 1, 4, 0x00100000
MOUNT_SETATTR, OPEN_TREE, MOVE_MOUNT = 442, 428, 429  # the same for every processor

LIBC = ctypes.CDLL(None, use_errno=True)


def must(result: int) -> int:
    """Return what a call of the C library returned, or raise its error."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def exchange(one: int, other: int) -> str:
    """Return the lines of a map of ids that exchanges two and leaves the others."""
    if one == other:
        return f"0 0 {2**32 - 1}\n"
    low, high = sorted((one, other))
    spans = [
        (0, 0, low),
        (low, high, 1),
        (low + 1, low + 1, high - low - 1),
        (high, low, 1),
        (high + 1, high + 1, 2**32 - 2 - high),
    ]
    return "".join(f"{inside} {outside} {count}\n" for inside, outside, count in spans if count > 0)


def namespace(uids: str, gids: str) -> int:
    """Return a descriptor of a user namespace with these maps; it lives as long as that."""
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(done[1])
        os.write(ready[1], b"." if LIBC.unshare(CLONE_NEWUSER) == 0 else b"!")
        os.read(done[0], 1)
        os._exit(0)
    try:
        if os.read(ready[0], 1) != b".":
            raise OSError("no user namespace for the map of ids")
        for name, content in (("uid_map", uids), ("gid_map", gids)):
            with open(f"/proc/{child}/{name}", "w") as file:
                file.write(content)
        return os.open(f"/proc/{child}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        for fd in (*ready, *done):
            os.close(fd)
        os.waitpid(child, 0)


def show(path: str, uid: int) -> None:
    """Mount a folder over itself with its owner and ``uid`` exchanged."""
    status = os.stat(path)
    if status.st_uid == uid:
        return
    users = namespace(exchange(status.st_uid, uid), exchange(status.st_gid, uid))
    tree = detached(path)
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_IDMAP, 0, 0, users)
    size = ctypes.c_size_t(32)
    must(LIBC.syscall(MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH | AT_RECURSIVE, attributes, size))
    attach(tree, path)
    os.close(users)


def detached(path: str) -> int:
    """Return a descriptor of a copy of what is mounted at a path, and below."""
    flags = OPEN_TREE_CLONE | AT_RECURSIVE | os.O_CLOEXEC
    return must(LIBC.syscall(OPEN_TREE, AT_FDCWD, path.encode(), flags))


def attach(tree: int, path: str) -> None:
    """Mount such a copy, and close the descriptor."""
    must(LIBC.syscall(MOVE_MOUNT, tree, b"", AT_FDCWD, path.encode(), MOVE_MOUNT_F_EMPTY_PATH))
    os.close(tree)


def taken(words: list[str]) -> list[str]:
    """Take a count and that many words off the front of a list."""
    count = int(words.pop(0))
    front = words[:count]
    del words[:count]
    return front


def main() -> None:
    """See above."""
    uid, command = int(sys.argv[1]), sys.argv[2:]
    paths, kept = taken(command), taken(command)
    must(LIBC.unshare(CLONE_NEWNS))
    must(LIBC.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_SLAVE), None))
    unchanged = [(detached(path), path) for path in kept]
    for path in paths:
        try:
            show(path, uid)
        except OSError as error:
            told = f"{path} is shared without its owner's rights: {error.strerror or error}"
            print(told, file=sys.stderr, flush=True)
    for tree, path in unchanged:
        attach(tree, path)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
