"""Frames survive any splitting, and garbage never gets past the buffer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_sdk._wire import EVENT, REQUEST, RESPONSE, FrameBuffer, pack
from viloapp_sdk.errors import FrameError

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(values, min_size=1, max_size=6), st.integers(1, 50))
def test_frames_arrive_as_they_were_sent_however_they_are_split(payloads: list[Any], step: int) -> None:
    """Bytes that come in pieces of any size give the same frames in the same order."""
    frames = [[REQUEST, number, "m", payload] for number, payload in enumerate(payloads)]
    stream = b"".join(pack(frame) for frame in frames)
    buffer, got = FrameBuffer(), []
    for start in range(0, len(stream), step):
        buffer.feed(stream[start : start + step])
        while (frame := buffer.take()) is not None:
            got.append(frame)
    assert got == frames


@given(st.binary(min_size=4, max_size=300))
def test_garbage_is_refused_or_waited_for_and_nothing_else(data: bytes) -> None:
    """A stranger's bytes raise `FrameError` alone, or are the beginning of a frame."""
    buffer = FrameBuffer(max_frame=1000)
    buffer.feed(data)
    try:
        while (frame := buffer.take()) is not None:
            assert frame[0] in range(6)
    except FrameError:
        pass


def test_deep_nesting_is_refused() -> None:
    """A frame of a thousand lists within lists is no frame, and no crash."""
    body = b"\x91" * 5000 + b"\x00"
    buffer = FrameBuffer()
    buffer.feed(len(body).to_bytes(4, "little") + body)
    with pytest.raises(FrameError):
        buffer.take()


def test_a_frame_larger_than_allowed_is_refused_before_it_arrives() -> None:
    """The announced length alone decides, so that no memory is spent on it."""
    buffer = FrameBuffer(max_frame=100)
    buffer.feed((101).to_bytes(4, "little"))
    with pytest.raises(FrameError, match="101 bytes"):
        buffer.take()


@pytest.mark.parametrize("value", [object(), {1, 2}, 2**64, "\ud800"])
def test_what_cannot_be_sent_says_so(value: object) -> None:
    """The sender gets the error, not the receiver."""
    with pytest.raises(FrameError, match="cannot be sent"):
        pack([RESPONSE, 1, value])


def test_one_large_frame_does_not_pin_its_memory() -> None:
    """After a large frame the buffer is small again."""
    buffer = FrameBuffer()
    buffer.feed(pack([EVENT, "x", b"y" * 2_000_000]))
    assert buffer.take() is not None
    assert len(buffer._buffer) < 100_000
