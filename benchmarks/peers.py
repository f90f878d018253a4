"""Others who let one process call another, each as its documentation says: the same text there and back.

``python -m benchmarks.peers NAME ADDRESS`` is the called side of each. A peer that is not installed is named
in the results; `nox -s bench` installs all.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Peer", "peers"]

_CLONE = Path(__file__).resolve().parents[1]


class Peer:
    """One of them, connected.

    Args:
        call: sends a text and returns what came back.
        begin: sends a text and returns what waits for the answer; None when it cannot.
    """

    def __init__(
        self, call: Callable[[str], Any], begin: Callable[[str], Callable[[], Any]] | None = None
    ) -> None:
        self._call = call
        self.begin = begin

    def one_by_one(self, text: str, count: int) -> Sequence[float]:
        """Return the seconds of each."""
        took = []
        for _ in range(count):
            began = time.perf_counter()
            self._call(text)
            took.append(time.perf_counter() - began)
        return took

    def at_once(self, text: str, count: int, width: int) -> Sequence[float]:
        """Return the seconds of one, with so many under way."""
        assert self.begin is not None
        waiting: deque[Callable[[], Any]] = deque()
        began = time.perf_counter()
        for _ in range(count):
            if len(waiting) == width:
                waiting.popleft()()
            waiting.append(self.begin(text))
        while waiting:
            waiting.popleft()()
        return [(time.perf_counter() - began) / count]


def peers(stack: contextlib.ExitStack, folder: Path) -> tuple[dict[str, Peer], dict[str, str]]:
    """Connect with everybody who is installed; also return why the others are not there."""
    found, missing = {}, {}
    for name, (module, connect) in _PEERS.items():
        try:
            importlib.import_module(module)
        except ImportError:
            missing[name] = f"{module} is not installed"
            continue
        found[name] = connect(stack, str(folder / f"{module}.sock"))
    return found, missing


# -- grpcio ------------------------------------------------------------------------------------------


def _grpc(stack: contextlib.ExitStack, address: str) -> Peer:
    import grpc

    _served(stack, "grpc", address)
    channel = stack.enter_context(grpc.insecure_channel(f"unix:{address}", options=_UNBOUNDED))
    ask = channel.unary_unary(
        "/bench/echo", request_serializer=str.encode, response_deserializer=bytes.decode
    )
    return Peer(ask, lambda text: ask.future(text).result)


_UNBOUNDED = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


def _serve_grpc(address: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    echo = grpc.unary_unary_rpc_method_handler(
        lambda text, context: text, request_deserializer=bytes.decode, response_serializer=str.encode
    )
    server = grpc.server(ThreadPoolExecutor(4), options=_UNBOUNDED)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench", {"echo": echo}),))
    server.add_insecure_port(f"unix:{address}")
    server.start()
    _ready()
    server.wait_for_termination()


# -- rpyc --------------------------------------------------------------------------------------------


def _rpyc(stack: contextlib.ExitStack, address: str) -> Peer:
    import rpyc
    from rpyc.utils.factory import unix_connect

    _served(stack, "rpyc", address)
    while True:
        try:
            connection = unix_connect(address)
            break
        except ConnectionRefusedError:  # bound, and a moment before it listens
            time.sleep(0.01)
    stack.callback(connection.close)
    echo = connection.root.echo
    later = rpyc.async_(echo)

    def begin(text: str) -> Callable[[], Any]:
        answer = later(text)
        return lambda: answer.value

    return Peer(echo, begin)


def _serve_rpyc(address: str) -> None:
    import rpyc
    from rpyc.utils.server import OneShotServer

    class Echo(rpyc.Service):  # type: ignore[misc]  # it has no types
        def exposed_echo(self, text: str) -> str:
            return text

    server = OneShotServer(Echo, socket_path=address)
    _ready()
    server.start()


# -- Pyro5 -------------------------------------------------------------------------------------------


def _pyro(stack: contextlib.ExitStack, address: str) -> Peer:
    import Pyro5.api

    _served(stack, "Pyro5", address)
    proxy = stack.enter_context(Pyro5.api.Proxy(f"PYRO:echo@./u:{address}"))
    return Peer(proxy.echo)


def _serve_pyro(address: str) -> None:
    import Pyro5.api

    class Echo:
        @Pyro5.api.expose  # type: ignore[untyped-decorator,unused-ignore]  # it has no types
        def echo(self, text: str) -> str:
            return text

    daemon = Pyro5.api.Daemon(unixsocket=address)
    daemon.register(Echo(), "echo")
    _ready()
    daemon.requestLoop()


# -- execnet -----------------------------------------------------------------------------------------


def _execnet(stack: contextlib.ExitStack, address: str) -> Peer:
    import execnet

    group = execnet.Group()
    stack.callback(group.terminate, timeout=1)
    gateway = group.makegateway(f"popen//python={sys.executable}")
    channel = gateway.remote_exec("for text in channel:\n    channel.send(text)")

    def call(text: str) -> Any:
        channel.send(text)
        return channel.receive()

    def begin(text: str) -> Callable[[], Any]:
        channel.send(text)
        return channel.receive  # type: ignore[no-any-return,unused-ignore]  # it has no types

    return Peer(call, begin)


# -- JSON-RPC over stdio -----------------------------------------------------------------------------


def _jsonrpc(stack: contextlib.ExitStack, address: str) -> Peer:
    import threading

    from pylsp_jsonrpc.endpoint import Endpoint
    from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter

    server = stack.enter_context(_process("jsonrpc", address, stdin=subprocess.PIPE))
    endpoint = Endpoint({}, JsonRpcStreamWriter(server.stdin).write)
    reader = JsonRpcStreamReader(server.stdout)
    thread = threading.Thread(target=reader.listen, args=[endpoint.consume], daemon=True)
    thread.start()
    stack.callback(server.stdin.close)

    def begin(text: str) -> Callable[[], Any]:
        return endpoint.request("echo", {"text": text}).result  # type: ignore[no-any-return,unused-ignore]

    return Peer(lambda text: begin(text)(), begin)


def _serve_jsonrpc(address: str) -> None:
    from pylsp_jsonrpc.endpoint import Endpoint
    from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter

    writer = JsonRpcStreamWriter(sys.stdout.buffer)
    endpoint = Endpoint({"echo": lambda params: params["text"]}, writer.write)
    JsonRpcStreamReader(sys.stdin.buffer).listen(endpoint.consume)


# -- what they share ---------------------------------------------------------------------------------


@contextlib.contextmanager
def _process(name: str, address: str, **pipes: Any) -> Any:
    words = [sys.executable, "-m", "benchmarks.peers", name, address]
    process: Any = subprocess.Popen(words, cwd=_CLONE, stdout=subprocess.PIPE, **pipes)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _served(stack: contextlib.ExitStack, name: str, address: str) -> None:
    """Start the called side and wait until it listens."""
    server = stack.enter_context(_process(name, address))
    if not server.stdout.readline():
        raise RuntimeError(f"the called side of {name} did not start")
    while not os.path.exists(address):  # one says that it is there just before it is
        time.sleep(0.01)


def _ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


_PEERS: dict[str, tuple[str, Callable[[contextlib.ExitStack, str], Peer]]] = {
    "grpcio, Unix socket": ("grpc", _grpc),
    "rpyc": ("rpyc", _rpyc),
    "Pyro5": ("Pyro5", _pyro),
    "execnet": ("execnet", _execnet),
    "JSON-RPC, python-lsp-jsonrpc": ("pylsp_jsonrpc", _jsonrpc),
}
_SERVERS = {"grpc": _serve_grpc, "rpyc": _serve_rpyc, "Pyro5": _serve_pyro, "jsonrpc": _serve_jsonrpc}

if __name__ == "__main__":
    _SERVERS[sys.argv[1]](sys.argv[2])
