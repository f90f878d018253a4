"""Run pip where it can start no other program; a script: ``python -I -S _guard.py PIP ARGUMENT…``.

``--only-binary :all:`` does not hold for requirements by URL or from version control: pip would fetch and
build them, which runs their code. Without other programs pip can build nothing. The hook cannot be removed,
and a refused program is an OSError to pip, which says so and ends. Standard library only; Python 3.10 and up.
"""

import os
import runpy
import sys

# Source: the table of audit events in Python's documentation.
_PROGRAM_EVENTS = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
    "subprocess.Popen",
}


def _refuse_programs(event: str, arguments: "tuple[object, ...]") -> None:
    if event in _PROGRAM_EVENTS:
        raise PermissionError(1, "only wheels are installed: nothing is built", str(arguments[:1]))


if __name__ == "__main__":
    leash = os.path.join(os.path.dirname(__file__), "..", "foundation", "leash.py")
    runpy.run_path(leash)["end_with_parent"]()
    sys.addaudithook(_refuse_programs)
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
