"""Others who let one process send another much, each as its documentation says: frames of bytes in a row.

``python -m benchmarks.stream_peers ADDRESS`` is the sending side of grpcio, which streams from a server.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.limit import child
from benchmarks.rounds import Turn

__all__ = ["stream_peers"]

_CLONE = Path(__file__).resolve().parents[1]
_PIPE = """
import sys
from multiprocessing.connection import Connection
fd, frame, count = map(int, sys.argv[1:])
pipe, data = Connection(fd), bytes(frame)
while True:
    try:
        pipe.recv_bytes()
    except EOFError:
        break
    for _ in range(count):
        pipe.send_bytes(data)
"""
_METHOD = "/bench/stream"


def stream_peers(
    stack: contextlib.ExitStack, folder: Path, frame: int, frames: int
) -> tuple[dict[str, Turn], dict[str, str]]:
    """Connect with everybody who is installed; also return why the others are not there.

    Args:
        stack: ends them.
        folder: for a socket.
        frame: bytes of one.
        frames: how many in a row.
    """
    found: dict[str, Turn] = {"multiprocessing.Pipe, send_bytes": _pipe(stack, frame, frames)}
    if find_spec("grpc") is None:
        return found, {"grpcio, server streaming": "grpc is not installed"}
    found["grpcio, server streaming"] = _grpc(stack, str(folder / "stream.sock"), frame, frames)
    return found, {}


def _pipe(stack: contextlib.ExitStack, frame: int, frames: int) -> Turn:
    pipe = Connection(stack.enter_context(child(_PIPE, frame, frames)).detach())
    stack.callback(pipe.close)

    def turn() -> Sequence[float]:
        began = time.perf_counter()
        pipe.send_bytes(b"!")
        for _ in range(frames):
            assert len(pipe.recv_bytes()) == frame
        return [(time.perf_counter() - began) / frames]

    return turn


def _grpc(stack: contextlib.ExitStack, address: str, frame: int, frames: int) -> Turn:
    import grpc

    words = [sys.executable, "-m", "benchmarks.stream_peers", address]
    process = stack.enter_context(subprocess.Popen(words, cwd=_CLONE, stdout=subprocess.PIPE))
    stack.callback(process.terminate)
    assert process.stdout is not None
    process.stdout.readline()
    channel = stack.enter_context(grpc.insecure_channel(f"unix:{address}"))
    ask = channel.unary_stream(_METHOD)  # bytes as they are

    def turn() -> Sequence[float]:
        began, left = time.perf_counter(), frame * frames
        for piece in ask(b"%d %d" % (frame, frames)):
            left -= len(piece)
        assert not left
        return [(time.perf_counter() - began) / frames]

    return turn


def _serve(address: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    def stream(asked: bytes, context: object) -> Iterator[bytes]:
        frame, frames = map(int, asked.split())
        data = bytes(frame)
        for _ in range(frames):
            yield data

    server = grpc.server(ThreadPoolExecutor(4))
    handlers = {_METHOD.rpartition("/")[2]: grpc.unary_stream_rpc_method_handler(stream)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench", handlers),))
    server.add_insecure_port(f"unix:{address}")
    server.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    _serve(sys.argv[1])
