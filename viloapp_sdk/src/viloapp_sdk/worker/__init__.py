"""The worker: the process of one plugin.

The sandbox's bootstrap ends in `main`, with three inherited descriptors and nothing imported yet. Then the
main thread blocks on a read, runs one plain handler at a time, and answers. An event loop comes into being
when the first ``async`` handler does.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from viloapp_sdk.worker._channel import Channel

__all__ = ["main", "serving"]

serving = False
"""Whether this process is a worker: not where a test runs a plugin in its own."""


def main(fd_in: int, fd_out: int, fd_bulk: int) -> None:
    """Serve the host until it says ``shutdown`` or goes away.

    Args:
        fd_in: pipe to read frames from.
        fd_out: pipe to write frames to.
        fd_bulk: socket on which the host hands over descriptors.
    """
    global serving
    serving = True
    import faulthandler
    import os
    import sys

    # The host asks a plugin that hangs where it is, and one that dies of a signal says so by itself. What
    # answers is the interpreter's own C code, which needs neither the main thread nor the GIL.
    faulthandler.enable(2)
    from viloapp_sdk._wire import TRACE_SIGNAL
    from viloapp_sdk.worker._broker import Broker
    from viloapp_sdk.worker._channel import Channel
    from viloapp_sdk.worker._first_frames import begin
    from viloapp_sdk.worker._imports import watch
    from viloapp_sdk.worker._runtime import Runtime

    faulthandler.register(TRACE_SIGNAL, 2)
    for fd in (fd_in, fd_out, fd_bulk):
        os.set_inheritable(fd, False)  # what the plugin starts must not keep the host's pipes open
    # A pipe is buffered by blocks: what a plugin prints would reach its log late, and after a crash never.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is Python's own text stream
    begin()
    channel = Channel(fd_in, fd_out)
    broker = Broker(channel, fd_bulk)
    watch(broker)
    Runtime(channel, broker.take)
    _hear_of_requests(channel)
    channel.serve()


def _hear_of_requests(channel: "Channel") -> None:
    """Look at the pipe when the host says so, for a main thread that is busy in a handler reads nothing.

    The signal is one that does nothing to a process which does not handle it: a child of the plugin's, or a
    worker of an older SDK.
    """
    try:
        # `signal` would import enum, which few plugins need.
        from _signal import SIGURG, signal  # type: ignore[import-not-found]  # typeshed leaves it out
    except ImportError:  # not on Windows
        return
    signal(SIGURG, lambda number, frame: channel.glance())
