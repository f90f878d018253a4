"""Others who let one process call another, each as its documentation says: the same text there and back.

``python -m benchmarks.peers NAME ADDRESS`` is the called side of each. A peer that is not installed is named
in the results; `nox -s bench` installs all.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import jsonrpc
from benchmarks.peer import BlockingPeer, Peer, ready, served

__all__ = ["Peer", "peers"]


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

    served(stack, "grpc", address)
    channel = stack.enter_context(grpc.insecure_channel(f"unix:{address}", options=_UNBOUNDED))
    ask = channel.unary_unary(
        "/bench/echo", request_serializer=str.encode, response_deserializer=bytes.decode
    )
    return BlockingPeer(ask, lambda text: ask.future(text).result)


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
    ready()
    server.wait_for_termination()


# -- rpyc --------------------------------------------------------------------------------------------


def _rpyc(stack: contextlib.ExitStack, address: str) -> Peer:
    import rpyc
    from rpyc.utils.factory import unix_connect

    served(stack, "rpyc", address)
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

    return BlockingPeer(echo, begin)


def _serve_rpyc(address: str) -> None:
    import rpyc
    from rpyc.utils.server import OneShotServer

    class Echo(rpyc.Service):  # type: ignore[misc]  # it has no types
        def exposed_echo(self, text: str) -> str:
            return text

    server = OneShotServer(Echo, socket_path=address)
    ready()
    server.start()


# -- Pyro5 -------------------------------------------------------------------------------------------


def _pyro(stack: contextlib.ExitStack, address: str) -> Peer:
    import Pyro5.api

    served(stack, "Pyro5", address)
    proxy = stack.enter_context(Pyro5.api.Proxy(f"PYRO:echo@./u:{address}"))
    return BlockingPeer(proxy.echo)


def _serve_pyro(address: str) -> None:
    import Pyro5.api

    class Echo:
        @Pyro5.api.expose  # type: ignore[untyped-decorator,unused-ignore]  # it has no types
        def echo(self, text: str) -> str:
            return text

    daemon = Pyro5.api.Daemon(unixsocket=address)
    daemon.register(Echo(), "echo")
    ready()
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

    return BlockingPeer(call, begin)


_PEERS: dict[str, tuple[str, Callable[[contextlib.ExitStack, str], Peer]]] = {
    "grpcio, Unix socket": ("grpc", _grpc),
    "rpyc": ("rpyc", _rpyc),
    "Pyro5": ("Pyro5", _pyro),
    "execnet": ("execnet", _execnet),
    "JSON-RPC, python-lsp-jsonrpc": ("pylsp_jsonrpc", jsonrpc.connect_pylsp),
    "JSON-RPC, pygls": ("pygls", jsonrpc.connect_pygls),
}
_SERVERS = {
    "grpc": _serve_grpc,
    "rpyc": _serve_rpyc,
    "Pyro5": _serve_pyro,
    "pylsp": jsonrpc.serve_pylsp,
    "pygls": jsonrpc.serve_pygls,
}

if __name__ == "__main__":
    _SERVERS[sys.argv[1]](sys.argv[2])
