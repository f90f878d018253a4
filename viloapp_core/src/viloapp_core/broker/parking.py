"""The plugin's end of a connection that is still being made.

The plugin gets its socket at once and waits on it as it would on a TCP socket: not writable until the
connection stands. A socket pair is writable from the start, so it is filled first and emptied then.

    plugin_end, host_end = parked()
    ...                                  # the plugin has a copy of its end, and waits
    unpark(plugin_end, host_end)         # now it can write; what it may have sent before comes first
"""

import socket

from viloapp_core.rpc import refuse_descriptors

__all__ = ["BUFFER", "parked", "unpark"]

BUFFER = 256 * 1024
"""What the kernel holds in each direction between the host and the plugin, bytes."""
_FILLING = b"\0" * 2048
# unix_writable() in net/unix/af_unix.c: writable while a quarter of the buffer is free. The smallest buffer
# that the kernel allows is a little over 4 KiB, of which this takes more than that.


def parked() -> tuple[socket.socket, socket.socket]:
    """Return the plugin's end, to which nothing can be written, and the host's, non-blocking."""
    plugin, host = socket.socketpair()
    plugin.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    plugin.send(_FILLING)
    host.setblocking(False)
    host.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    refuse_descriptors(host)
    return plugin, host


def unpark(plugin: socket.socket, host: socket.socket) -> None:
    """Make the plugin's end writable, and close the host's copy of it."""
    plugin.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    host.recv(len(_FILLING))
    plugin.close()
