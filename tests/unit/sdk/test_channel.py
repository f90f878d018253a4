"""A worker's channel over real pipes, whose other end a test reads and writes as it likes."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from viloapp_sdk._wire import ERROR, EVENT, REQUEST, RESPONSE, FrameBuffer, pack
from viloapp_sdk.errors import ViloError, WorkerLostError
from viloapp_sdk.worker._channel import Channel

PAGE = 4096


class Host:
    """The other end of a channel that serves in a thread."""

    def __init__(self, handle: Callable[[str, Any], Any]) -> None:
        self.fd_in, theirs_out = os.pipe()
        theirs_in, self.fd_out = os.pipe()
        for fd in (self.fd_in, self.fd_out):
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PAGE)  # whatever is large goes in many parts
        self._theirs = theirs_in, theirs_out
        self._buffer = FrameBuffer()
        self.heard: list[Any] = []
        self.channel = channel = Channel(theirs_in, theirs_out)
        channel.handle, channel.notify = handle, lambda type, body: self.heard.append(body)
        self._thread = threading.Thread(target=self._serve, args=(channel,))
        self._thread.start()
        self.receive()  # its greeting

    def _serve(self, channel: Channel) -> None:
        channel._main = threading.get_ident()
        channel.serve()

    def send(self, *frames: list[Any]) -> None:
        """Write frames in one go, as far as they fit."""
        view = memoryview(b"".join(map(pack, frames)))
        while view:
            view = view[os.write(self.fd_out, view) :]

    def receive(self) -> list[Any]:
        """Return the next frame."""
        while (frame := self._buffer.take()) is None:
            assert self._buffer.read_from(self.fd_in)
        return frame

    def close(self) -> None:
        """End the channel, which sees the end of its pipe."""
        os.close(self.fd_out)
        self._thread.join(10)
        assert not self._thread.is_alive()
        for fd in (self.fd_in, *self._theirs):
            os.close(fd)


@pytest.fixture
def host() -> Iterator[Host]:
    """A channel whose handler returns its parameters."""
    made = Host(lambda method, params: params)
    yield made
    made.close()


def test_values_of_all_sizes_go_there_and_back(host: Host) -> None:
    """Through pipes of one page: each large frame is read and written in parts."""
    for number, size in enumerate((0, 5, PAGE, 16_384, 65_536, 100_000, 1_000_000, 3)):
        text = "x" * size
        host.send([REQUEST, number, "echo", text])
        assert host.receive() == [RESPONSE, number, text]


def test_requests_of_one_write_are_answered_in_their_order(host: Host) -> None:
    """Also when an event stands between them, which the handlers before it do not see."""
    host.send(
        [REQUEST, 1, "echo", "a"],
        [EVENT, "happened", "heard"],
        [REQUEST, 2, "echo", "b" * 20_000],
        [REQUEST, 3, "echo", "c"],
    )
    assert [host.receive()[1] for _ in range(3)] == [1, 2, 3]
    assert host.heard == ["heard"]


def test_events_are_heard_whatever_becomes_of_one(host: Host) -> None:
    """What a subscriber raises goes to the log; the next event and the next request have their turn."""
    heard: list[str] = []

    def notify(type: str, body: Any) -> None:
        heard.append(body)
        if body == "first":
            raise SystemExit("a library that exits")

    host.channel.notify = notify
    for body in ("first", "second"):
        host.send([EVENT, "happened", body])
        host.send([REQUEST, 1, "echo", body])
        assert host.receive() == [RESPONSE, 1, body]
    assert heard == ["first", "second"]


def test_a_pipe_that_does_not_block_is_read_all_the_same(host: Host) -> None:
    """A thread of the plugin's may start the event loop while the main thread waits for the host."""
    host.send([REQUEST, 1, "echo", "a"])
    assert host.receive() == [RESPONSE, 1, "a"]
    os.set_blocking(host.channel.fd_in, False)
    for number in (2, 3):
        host.send([REQUEST, number, "echo", "b" * 10_000])
        assert host.receive() == [RESPONSE, number, "b" * 10_000]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ValueError("no \udcff"), r"ValueError: no \udcff"),  # a file whose name is no UTF-8
        (ViloError("own", "half \ud800", "\ud800"), r"ViloError: half \ud800"),
        (ViloError("own", "x" * 17_000_000), "ViloError: xxx"),
    ],
)
def test_an_error_whose_text_cannot_be_sent_is_told_as_far_as_it_can(error: Exception, says: str) -> None:
    """It is answered like any other, and the plugin goes on."""

    def handle(method: str, params: Any) -> Any:
        if method == "fails":
            raise error
        return params

    host = Host(handle)
    try:
        host.send([REQUEST, 1, "fails", None], [REQUEST, 2, "echo", "on"])
        kind, id, body = host.receive()
        assert (kind, id, body["code"]) == (ERROR, 1, "handler_failed")
        assert says in body["detail"]
        assert host.receive() == [RESPONSE, 2, "on"]
    finally:
        host.close()


class HandedOver:
    """A lock that another thread gives back just after it has read and sorted a frame."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self._lock = threading.Lock()
        self._meanwhile: Callable[[], object] | None = meanwhile

    def acquire(self, blocking: bool) -> bool:
        """Take it, after what the other did."""
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return self._lock.acquire(blocking)

    def release(self) -> None:
        """Give it back."""
        self._lock.release()

    def locked(self) -> bool:
        """Return whether somebody has it."""
        return self._lock.locked()


@pytest.fixture
def silent() -> Iterator[Channel]:
    """A channel whose host is gone: who reads sees the end, and who has something to do does it first."""
    read, write = os.pipe()
    answers = os.pipe()
    os.close(write)
    yield Channel(read, answers[1])
    for fd in (read, *answers):
        os.close(fd)


def test_a_request_that_another_thread_has_read_is_served_before_more_is_read(silent: Channel) -> None:
    """It came between a look for requests and the lock: to read then would be to wait for the next."""
    served: list[str] = []
    silent.handle = lambda method, params: served.append(method)
    request = [REQUEST, 1, "asked", None]
    silent.reading = HandedOver(lambda: silent.route(request))  # type: ignore[assignment]
    silent.serve()
    assert served == ["asked"]


def test_an_answer_that_another_thread_has_read_ends_the_wait(silent: Channel) -> None:
    """It came between a look for it and the lock."""
    silent.reading = HandedOver(lambda: silent.route([RESPONSE, 1, "answer"]))  # type: ignore[assignment]
    assert silent.request("ask", []) == "answer"


def test_a_nested_request_that_another_thread_has_read_is_served_meanwhile(silent: Channel) -> None:
    """While the main thread waits for the host."""
    silent.handle = lambda method, params: silent.route([RESPONSE, 1, f"after {method}"])
    silent.reading = HandedOver(lambda: silent.route([REQUEST, 9, "nested", None]))  # type: ignore[assignment]
    assert silent.request("ask", []) == "after nested"


def test_threads_that_wait_are_told_when_the_host_goes(host: Host) -> None:
    """Else the plugin's process would not end before they do."""
    told: list[str] = []

    def ask() -> None:
        with pytest.raises(WorkerLostError, match="the host is gone"):
            host.channel.request("ask", [])
        told.append("gone")

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert {host.receive()[2] for _ in threads} == {"ask"}
    while len(host.channel._waiting) < len(threads):  # the main thread reads
        time.sleep(0.001)
    os.close(host.fd_out)
    host.fd_out = os.open(os.devnull, os.O_WRONLY)
    for thread in threads:
        thread.join(10)
    assert told == ["gone", "gone"]
