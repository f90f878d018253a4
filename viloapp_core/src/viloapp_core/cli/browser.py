"""Opens an address in the person's browser, where there is one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

# The address carries the token of the workspace, and command lines are readable by every user of the machine:
# so it goes through a pipe, and what the browser itself prints goes nowhere.
_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.stdin.read()))"


def available(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Tell whether a browser with a window can be expected.

    Without a display Python's webbrowser takes a text browser, which would take over this terminal.
    """
    if platform in ("darwin", "win32"):
        return True
    return any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"))


def open_address(address: str) -> subprocess.Popen[bytes]:
    """Start opening an address; returns at once.

    The process is in a session of its own, so that Ctrl-C here does not end a browser that it started.

    Raises:
        OSError: no process can be started.
    """
    opener = subprocess.Popen(
        [sys.executable, "-I", "-c", _OPEN],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert opener.stdin is not None  # it is PIPE
    with opener.stdin as pipe:
        pipe.write(address.encode())
    return opener
