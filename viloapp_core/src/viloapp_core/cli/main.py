"""The entry point of the script `viloapp`: a quick answer, or the whole command line."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments after the program's name; this process's when None.

    Returns:
        The exit code: 0 done, 1 refused or failed, 2 wrong usage, 128 + n ended by signal n.
    """
    from viloapp_core.cli.quick import answer

    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        text = answer(arguments, os.environ)
        if text is not None and sys.stdout is not None:
            _print(text)
            return 0
    except (OSError, KeyboardInterrupt) as error:
        from viloapp_core.cli.command_line import ended

        return ended(error)
    from viloapp_core.cli.command_line import run

    return run(arguments)


def _print(text: str) -> None:
    """Write to standard output; what its encoding lacks is spelt out."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
