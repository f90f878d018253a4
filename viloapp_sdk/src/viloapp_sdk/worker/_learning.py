"""In learn mode alone: what the plugin's Python code reaches for, by an audit hook.

The hook sees what goes through Python; a native library that opens a file by itself goes unseen. It refuses
nothing: what is allowed is decided elsewhere.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["watch"]

_MAX = 5000
_WRITES = frozenset(
    (
        "os.chmod",
        "os.link",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.symlink",
        "os.truncate",
        "os.utime",
    )
)
_LISTS = frozenset(("os.listdir", "os.scandir", "os.chdir"))
_STARTS = frozenset(("os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen"))


def watch() -> "Callable[[], list[list[Any]]]":
    """Begin to look; return a function that returns ``[kind, what, reachable]`` of all that was seen.

    ``kind`` is ``read`` or ``write`` of an absolute path, ``execute`` of a program, or ``connect`` to
    ``host:port``. ``reachable`` is whether the path could be reached at that moment.
    """
    seen: dict[tuple[str, str], bool] = {}
    own = (sys.prefix + os.sep, sys.base_prefix + os.sep)

    def note(kind: str, path: "Any") -> None:
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if hasattr(path, "__fspath__"):
            path = path.__fspath__()
        if not isinstance(path, str) or not path or "\0" in path:
            return  # a descriptor, or nothing that a file could be called
        path = os.path.abspath(path)
        key = (kind, path)
        if path.startswith(own) or key in seen or len(seen) >= _MAX:
            return
        where = os.path.dirname(path) if kind == "write" and not os.path.exists(path) else path
        seen[key] = os.access(where, os.W_OK if kind == "write" else os.R_OK)

    def hook(event: str, args: "tuple[Any, ...]") -> None:
        try:
            if event == "open":
                mode, flags = args[1] or "", args[2] if isinstance(args[2], int) else 0
                writes = (
                    any(letter in mode for letter in "wax+")
                    if mode
                    else bool(flags & (os.O_WRONLY | os.O_RDWR))
                )
                note("write" if writes else "read", args[0])
            elif event in _LISTS:
                note("read", args[0] if args[0] is not None else ".")
            elif event in _WRITES:
                note("write", args[0])
                if event in ("os.rename", "os.link"):
                    note("write", args[1])
            elif event in _STARTS:
                program = args[1] if event == "os.spawn" else args[0] or args[1][0]
                seen.setdefault(("execute", os.fsdecode(program)), True)
            elif event == "os.system":
                seen.setdefault(("execute", "sh"), True)
            elif event == "socket.connect" and isinstance(args[1], tuple):
                seen.setdefault(("connect", f"{args[1][0]}:{args[1][1]}"), True)
        except Exception:  # what it is given is anything; looking must not change what the code does
            return

    sys.addaudithook(hook)
    return lambda: [[kind, what, reachable] for (kind, what), reachable in list(seen.items())]
