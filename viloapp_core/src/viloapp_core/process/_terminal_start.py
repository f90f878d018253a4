"""The last step before a shell: make the terminal this session's own, and undo what a host passes on.

Run as a file by `viloapp_core.process.pty`, in a process of its own, so that the host never runs Python
between fork and exec:

    python -I -S _terminal_start.py PROGRAM ARGUMENT...
"""

import fcntl
import os
import signal
import sys
import termios

# As shells report them: found but not executable, not found (POSIX, "Exit Status for Commands").
_NOT_EXECUTABLE = 126
_NOT_FOUND = 127


def main() -> None:
    """Take the terminal on descriptor 0 and become the program."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # A host that a shell started in the background ignores SIGINT, and one under nohup SIGHUP. Inherited by
    # the shell here, Ctrl-C would do nothing. The same goes for signals that an embedding thread blocks.
    for number in (
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGHUP,
        signal.SIGPIPE,
        signal.SIGTERM,
        signal.SIGTSTP,
        signal.SIGTTIN,
        signal.SIGTTOU,
        signal.SIGCHLD,
        signal.SIGXFSZ,
    ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        print(f"cannot start {sys.argv[1]}: {error.strerror}")
        sys.stdout.flush()
        os._exit(_NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE)


if __name__ == "__main__":
    main()
