"""JSON-RPC over stdio, as language servers speak it: python-lsp-jsonrpc and pygls."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.peer import AsyncPeer, BlockingPeer, Peer, called, words

__all__ = ["connect_pygls", "connect_pylsp", "serve_pygls", "serve_pylsp"]


def connect_pylsp(stack: contextlib.ExitStack, address: str) -> Peer:
    """Start the called side and connect with it."""
    import threading

    from pylsp_jsonrpc.endpoint import Endpoint
    from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter

    server = stack.enter_context(called("pylsp", address, stdin=subprocess.PIPE))
    endpoint = Endpoint({}, JsonRpcStreamWriter(server.stdin).write)
    reader = JsonRpcStreamReader(server.stdout)
    thread = threading.Thread(target=reader.listen, args=[endpoint.consume], daemon=True)
    thread.start()
    stack.callback(server.stdin.close)

    def begin(text: str) -> Callable[[], Any]:
        return endpoint.request("echo", {"text": text}).result  # type: ignore[no-any-return]  # no types

    return BlockingPeer(lambda text: begin(text)(), begin)


def serve_pylsp(address: str) -> None:
    """Be the called side."""
    from pylsp_jsonrpc.endpoint import Endpoint
    from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter

    writer = JsonRpcStreamWriter(sys.stdout.buffer)
    endpoint = Endpoint({"echo": lambda params: params["text"]}, writer.write)
    JsonRpcStreamReader(sys.stdin.buffer).listen(endpoint.consume)


def connect_pygls(stack: contextlib.ExitStack, address: str) -> Peer:
    """Start the called side and connect with it."""
    from pygls.client import JsonRPCClient

    loop = asyncio.new_event_loop()
    stack.callback(loop.close)
    client = JsonRPCClient()
    loop.run_until_complete(client.start_io(*words("pygls", address)))

    async def stop() -> None:
        client.protocol.notify("exit")
        await client.stop()

    stack.callback(lambda: loop.run_until_complete(stop()))
    ask = client.protocol.send_request_async
    return AsyncPeer(loop, lambda text: ask("echo", {"text": text}))


def serve_pygls(address: str) -> None:
    """Be the called side."""
    from pygls.client import default_converter
    from pygls.protocol import JsonRPCProtocol
    from pygls.server import JsonRPCServer

    server = JsonRPCServer(JsonRPCProtocol, default_converter)

    @server.feature("echo")  # type: ignore[untyped-decorator]  # no types
    def echo(params: Any) -> Any:
        return params.text

    @server.feature("exit")  # type: ignore[untyped-decorator]  # no types
    def exit(params: Any) -> None:
        server.shutdown()

    server.start_io()
