"""Requests, answers, events and cancellation between host and peer; descriptors to it, streams from it.

    peer = Peer(fd_in, fd_out, on_request=answer, on_event=ignore, on_close=closed)
    peer.start()
    result = await peer.call("command", ["hello.greet", {}], timeout_s=30)

The peer may be a hostile plugin: what it can make the host hold is bounded, and whatever breaks a bound
or the format ends that peer, never the host.
"""

from viloapp_core.rpc.descriptors import Descriptors, refuse_descriptors
from viloapp_core.rpc.peer import Limits, Peer, event
from viloapp_core.rpc.streams import Incoming, pair
from viloapp_core.rpc.versions import refusal
from viloapp_core.rpc.waits import Waits

__all__ = [
    "Descriptors",
    "Incoming",
    "Limits",
    "Peer",
    "Waits",
    "event",
    "pair",
    "refusal",
    "refuse_descriptors",
]
