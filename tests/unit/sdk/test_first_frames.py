"""The codec of a worker's first frames says what msgpack says, byte for byte, and leaves it the rest."""

from __future__ import annotations

import math
from typing import Any

import msgpack  # type: ignore[import-untyped]  # it has no stubs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from viloapp_sdk import _wire
from viloapp_sdk.errors import FrameError
from viloapp_sdk.worker import _first_frames

keys = st.text(max_size=40) | st.integers(-(2**63), 2**64 - 1) | st.booleans() | st.none()
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=300)
    | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(keys, inner, max_size=20),
    max_leaves=30,
)
EDGES = [0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63, 2**64 - 1]
EDGES += [-1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**63)]
SIZES = [0, 15, 16, 31, 32, 255, 256, 4096, 4097, 65535, 65536]


class Word(str):
    """Text that is not exactly a `str`."""


@pytest.fixture(autouse=True)
def codec(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as a worker does, and leave the codec of this process as it was."""
    monkeypatch.setattr(_wire, "_packb", _wire._packb)
    monkeypatch.setattr(_wire, "_unpackb", _wire._unpackb)
    monkeypatch.setattr(_first_frames, "_quiet", lambda: True)
    _first_frames.begin()


@given(values)
@example(EDGES)
@example(["x" * size for size in SIZES])
@example([b"x" * size for size in SIZES])
@example([[None] * size for size in SIZES])
@example([{str(number): None for number in range(size)} for size in SIZES[:8]])
@example([0.0, -0.0, 0.1, 5e-324, -2.225073858507201e-308, 1.7976931348623157e308, math.inf, math.nan])
@example(("a", Word("b"), {1: (2,)}, bytearray(b"c")))
def test_it_codes_as_msgpack_does(value: Any) -> None:
    """The same bytes, and of them the same value."""
    data = msgpack.packb(value)
    assert _first_frames.packb(value) == data
    again = _first_frames.unpackb(memoryview(data))
    assert msgpack.packb(again) == data  # NaN equals nothing
    assert repr(again) == repr(msgpack.unpackb(data, strict_map_key=False))


@given(st.binary(max_size=200) | values.map(lambda value: msgpack.packb(value)[:-1]))
def test_what_is_no_frame_is_refused_as_msgpack_refuses_it(data: bytes) -> None:
    """Whatever bytes come, either both make the same value of them or neither makes one."""
    outcomes = []
    for unpackb in (_first_frames.unpackb, msgpack.unpackb):
        try:
            outcomes.append(repr(unpackb(data, strict_map_key=False)))
        except Exception:  # of several kinds, as msgpack's are; the wire makes one error of all
            outcomes.append("refused")
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "value", [object(), 2**64, {"x": {1, 2}}, "\udc80"], ids=["object", "too large", "set", "surrogate"]
)
def test_what_cannot_be_sent_is_refused_in_the_same_words(value: Any) -> None:
    """An author reads one text, whichever codec found it."""
    said = []
    for _ in range(2):
        with pytest.raises(FrameError) as refusal:
            _wire.pack([_wire.RESPONSE, 1, value])
        said.append(str(refusal.value))
        _wire.load_codec()
    assert said[0] == said[1]


def test_a_worker_that_is_called_often_loads_the_compiled_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """More frames in one second than it pays to decode by hand; the same number over a minute is quiet."""
    monkeypatch.undo()
    now = 1000.0
    monkeypatch.setattr(_first_frames, "monotonic", lambda: now)
    monkeypatch.setattr(_wire, "_packb", _wire._packb)
    monkeypatch.setattr(_wire, "_unpackb", _wire._unpackb)
    _first_frames.begin()
    frame = _wire.pack([_wire.RESPONSE, 1, "x"])[4:]

    def receive(step: float) -> bool:
        nonlocal now
        for _ in range(2 * _first_frames.MOST_FRAMES):
            now += step
            _wire._unpack(memoryview(frame))
        return _wire._unpackb is _first_frames.unpackb

    assert receive(1.0)
    assert not receive(0.001)


@pytest.mark.parametrize("failing", [OSError(24, "Too many open files"), ImportError("too many open files")])
def test_frames_are_understood_where_msgpack_cannot_be_loaded(
    monkeypatch: pytest.MonkeyPatch, failing: Exception
) -> None:
    """A plugin without a file handle left goes on: what it is sent is decoded, however large, only slowly."""

    def load() -> Any:
        raise failing

    monkeypatch.setattr(_wire, "load_codec", load)
    monkeypatch.setattr(_first_frames, "_quiet", lambda: False)
    value = [
        0,
        1,
        "command",
        ["x" * 70_000, b"y" * 70_000, list(range(70_000)), {str(n): n for n in range(70_000)}],
    ]
    assert _first_frames.unpackb(memoryview(msgpack.packb(value))) == value
    with pytest.raises(type(failing)):
        _first_frames.unpackb(msgpack.packb(msgpack.ExtType(5, b"z")))
