"""Descriptors go to a worker, and nothing comes back."""

from __future__ import annotations

import os
import resource
import socket
from array import array
from collections.abc import Iterator

import pytest

from viloapp_core.rpc import Descriptors
from viloapp_sdk.errors import FrameError, WorkerLostError
from viloapp_sdk.worker._descriptors import Bulk


class Pair:
    """Both ends, and a pipe to hand over."""

    def __init__(self) -> None:
        ours, self.theirs = Descriptors.pair()
        self.host = Descriptors(ours)
        self.worker = Bulk(os.dup(self.theirs.fileno()))
        self.read_end, self.write_end = os.pipe()

    def close(self) -> None:
        """Close what is left."""
        self.host.close()
        self.worker.close()
        self.theirs.close()
        for fd in (self.read_end, self.write_end):
            os.close(fd)


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A host's and a worker's end."""
    made = Pair()
    yield made
    made.close()


def test_each_ticket_has_its_descriptor(pair: Pair) -> None:
    """Fetched in any order; what is fetched is a copy that no child inherits."""
    first, second = pair.host.send(pair.read_end), pair.host.send(pair.write_end)
    writer, reader = pair.worker.take(second), pair.worker.take(first)
    os.write(writer, b"x")
    assert os.read(reader, 9) == b"x"
    assert not os.get_inheritable(reader)
    os.close(writer)
    os.close(reader)


def test_a_worker_cannot_send(pair: Pair) -> None:
    """Neither bytes nor descriptors, whose closing might block the host."""
    with pytest.raises(BrokenPipeError):
        pair.theirs.send(b"x")
    with pytest.raises(BrokenPipeError):
        pair.theirs.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [0]))])


def test_a_worker_that_fetches_nothing_costs_a_bounded_amount(pair: Pair) -> None:
    """The call fails, the host neither waits nor queues, and it goes on once the worker has fetched."""
    sent = 0

    def send_on() -> None:
        nonlocal sent
        while sent < 2000:
            pair.host.send(pair.read_end)
            sent += 1

    with pytest.raises(FrameError, match="wait for the plugin"):
        send_on()
    assert 16 < sent < 1000
    os.close(pair.worker.take(1))


def test_no_room_for_a_descriptor(pair: Pair) -> None:
    """A worker at its limit gets the error that `open` would give, and can go on below it."""
    ticket = pair.host.send(pair.read_end)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            pair.worker.take(ticket)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    os.close(pair.worker.take(pair.host.send(pair.read_end)))


def test_another_s_descriptor_that_was_lost_is_not_waited_for(pair: Pair) -> None:
    """Whoever fetches on the way to a later ticket may lose an earlier one: its owner is told."""
    first, second = pair.host.send(pair.read_end), pair.host.send(pair.write_end)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            pair.worker.take(second)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    pair.host.close()  # so that to wait fails, and does not hang
    with pytest.raises(OSError, match="Too many open files"):
        pair.worker.take(first)


def test_ends(pair: Pair) -> None:
    """Each side is told when the other is gone."""
    pair.host.close()
    with pytest.raises(WorkerLostError):
        pair.worker.take(1)
    with pytest.raises(WorkerLostError):
        pair.host.send(pair.read_end)
