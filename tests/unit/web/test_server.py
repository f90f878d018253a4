"""Where the server listens, and that signals are the caller's."""

import asyncio
import signal
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from viloapp_core.foundation.paths import store_root
from viloapp_core.host import Host
from viloapp_core.web import server
from viloapp_core.web.errors import AddressError, BundleMissingError


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "192.0.2.1", "localhost", "", "127.0.0.1:80"])
def test_only_loopback_addresses_are_listened_on(bind: str) -> None:
    """Whoever reaches the server has a shell; a network must not."""
    with pytest.raises(AddressError):
        server.listen(bind, 0)


def test_port_that_is_taken_is_said() -> None:
    """With the option that helps."""
    with server.listen("127.0.0.1", 0) as listener:
        listener.listen()
        with pytest.raises(AddressError, match="cannot listen on") as caught:
            server.listen("127.0.0.1", listener.getsockname()[1])
    assert "--port" in caught.value.hint


def test_page_that_was_not_built_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what builds it."""
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    with pytest.raises(BundleMissingError, match="static"):
        server.bundle()


def test_serving_leaves_signals_alone_and_stops_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real connection with the printed token works, one without it does not, and the end is the event's."""
    (tmp_path / "index.html").write_text("page")
    monkeypatch.setattr(server, "bundle", lambda: tmp_path)

    async def scene() -> None:
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        stop = asyncio.Event()
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        async with Host(store_root(), workspace=tmp_path, control=False) as host:
            serving = asyncio.create_task(server.serve(host, on_ready=ready.set_result, stop=stop))
            url, _, token = (await asyncio.wait_for(ready, 20)).partition("/#token=")
            assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
            where, origin = url.replace("http", "ws") + "/ws", Origin(url)
            right = [Subprotocol("vilo.v1"), Subprotocol(f"vilo.auth.{token}")]
            async with connect(where, origin=origin, subprotocols=right) as socket:
                assert socket.subprotocol == "vilo.v1"
                assert not socket.protocol.extensions, "compression costs more than it saves on loopback"
                await socket.send('{"id": 1, "method": "catalog"}')
                assert '"id":1' in str(await socket.recv())
            for wrong in (right[:1], [right[0], Subprotocol("vilo.auth.wrong")]):
                with pytest.raises(InvalidStatus, match="403"):
                    await connect(where, origin=origin, subprotocols=wrong)
            stop.set()
            await asyncio.wait_for(serving, 20)

    asyncio.run(scene())
