"""A real program behind a terminal's connection."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.web.conftest import Scene, Socket
from viloapp_core.host import Host
from viloapp_core.web.app import Application
from viloapp_core.web.terminals import MAX_FRAME_BYTES, MAX_INPUT_BYTES

Play = Callable[[Scene], None]


async def begin(host: Host, application: Application, *argv: str) -> Socket:
    """Run a program in a terminal and connect to it."""
    terminal = await host.terminals.open(
        owner="test", argv=argv, cwd=Path("/"), env={}, rows=24, cols=80, title="t"
    )
    socket = Socket(f"/ws/terminal/{terminal.id}")
    assert (await socket.connect(application))["type"] == "websocket.accept"
    return socket


async def read_until(socket: Socket, wanted: bytes) -> bytes:
    """Collect output until it holds ``wanted``."""
    output = b""
    while wanted not in output:
        frame = (await socket.hear())["bytes"]
        assert len(frame) <= MAX_FRAME_BYTES
        output += frame
        socket.text({"type": "ack", "bytes": len(frame)})
    return output


def test_bytes_go_both_ways_undecoded(play: Play) -> None:
    """What is typed arrives, what is printed comes back, byte for byte."""

    async def scene(host: Host, application: Application) -> None:
        socket = await begin(host, application, "/bin/sh", "-c", "stty raw -echo; printf go; cat")
        await read_until(socket, b"go")
        socket.bytes(b"\xff\x00\xfe\n")
        assert (await read_until(socket, b"\xfe\n")) == b"\xff\x00\xfe\n"
        await socket.leave()

    play(scene)


def test_resize_reaches_the_program(play: Play) -> None:
    """And a size that no window has is left alone."""

    async def scene(host: Host, application: Application) -> None:
        socket = await begin(host, application, "/bin/sh", "-c", "read x; stty size; read x; stty size")
        socket.text({"type": "resize", "rows": 31, "cols": 97})
        socket.bytes(b"\n")
        await read_until(socket, b"31 97")
        for rows, cols in ((0, 80), (-1, 80), (24, 10**6)):
            socket.text({"type": "resize", "rows": rows, "cols": cols})
        socket.bytes(b"\n")
        await read_until(socket, b"31 97")
        await socket.leave()

    play(scene)


def test_acknowledged_flood_arrives_whole(play: Play) -> None:
    """Far more than may be unacknowledged: without the acks it would stand still."""

    async def scene(host: Host, application: Application) -> None:
        size, received = 2_000_000, 0
        socket = await begin(host, application, "/bin/sh", "-c", f"head -c {size} /dev/zero")
        while received < size:
            frame = (await socket.hear())["bytes"]
            received += len(frame)
            socket.text({"type": "ack", "bytes": len(frame)})
        assert received == size
        await socket.leave()

    play(scene)


def test_end_of_the_program_is_told_after_its_last_words(play: Play) -> None:
    """With its code; and to whoever connects afterwards too."""

    async def scene(host: Host, application: Application) -> None:
        socket = await begin(host, application, "/bin/sh", "-c", "read x; echo bye; exit 3")
        socket.bytes(b"\n")
        await read_until(socket, b"bye\r\n")
        assert await socket.answer() == {"type": "exit", "code": 3}
        assert (await socket.hear())["type"] == "websocket.close"
        await socket.leave()
        again = Socket(socket.scope["path"])  # type: ignore[arg-type]  # it is the path
        await again.connect(application)
        await read_until(again, b"bye\r\n")
        assert await again.answer() == {"type": "exit", "code": 3}

    play(scene)


def test_unknown_terminal_is_gone(play: Play) -> None:
    """The page can tell that from a lost connection."""

    async def scene(host: Host, application: Application) -> None:
        socket = Socket("/ws/terminal/no-such-terminal")
        await socket.connect(application)
        assert (await socket.hear())["code"] == 4404

    play(scene)


@pytest.mark.parametrize(
    "frame",
    [
        "no json",
        "[]",
        '{"type": "exec"}',
        '{"type": "resize", "rows": "1", "cols": 1}',
        '{"type": "ack"}',
        b"x" * (MAX_INPUT_BYTES + 1),
    ],
)
def test_faulty_frame_ends_the_connection_and_not_the_terminal(play: Play, frame: str | bytes) -> None:
    """The page reconnects; the program never notices."""

    async def scene(host: Host, application: Application) -> None:
        socket = await begin(host, application, "/bin/cat")
        if isinstance(frame, str):
            socket.text(frame)
        else:
            socket.bytes(frame)
        assert (await socket.hear())["code"] == 4400
        assert len(host.terminals.list()) == 1

    play(scene)


def test_program_that_does_not_read_refuses_input_aloud(play: Play) -> None:
    """What cannot be taken is not lost in silence."""

    async def scene(host: Host, application: Application) -> None:
        socket = await begin(host, application, "/bin/sh", "-c", "stty raw -echo; echo go; read x; sleep 60")
        await read_until(socket, b"go")
        for _ in range(3):
            socket.bytes(b"x" * MAX_INPUT_BYTES)
        note = await socket.answer()
        assert note["type"] == "refused"
        assert note["detail"]
        await socket.leave()

    play(scene)
