"""Frames survive any splitting, and garbage never gets past the buffer."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viloapp_sdk import _wire
from viloapp_sdk._wire import (
    BEGINNING,
    EVENT,
    READ_MORE,
    REQUEST,
    RESPONSE,
    FrameBuffer,
    Large,
    encode,
    load_codec,
    pack,
)
from viloapp_sdk.errors import FrameError

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture(autouse=True)
def codec() -> Iterator[None]:
    """Code with msgpack, whatever a test before this one left."""
    before = _wire._packb, _wire._unpackb
    load_codec()
    yield
    _wire.use_codec(*before)


# Around where a buffer is full, where it grows, and where it is given back.
EDGES = (1, BEGINNING, _wire._LARGE, _wire._READ_SIZE, 64 * 1024, READ_MORE, _wire._KEPT)
lengths = st.sampled_from(EDGES).flatmap(lambda edge: st.integers(max(0, edge - 40), edge + 40))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(lengths, min_size=1, max_size=6),
    st.sampled_from([_wire._READ_SIZE, READ_MORE]),
    st.sampled_from([997, BEGINNING, 10_000, 65_536, 1_000_000]),
)
def test_frames_read_from_a_pipe_are_whole_wherever_a_buffer_ends(
    sizes: list[int], first: int, step: int
) -> None:
    """Of any size and however many are written before they are read, by either way of reading."""
    frames = [[REQUEST, number, "m", bytes([number]) * size] for number, size in enumerate(sizes)]
    stream = b"".join(pack(frame) for frame in frames)
    ours, theirs = os.pipe()
    writer = threading.Thread(target=_write_all, args=(theirs, stream, step))
    writer.start()
    buffer, got = FrameBuffer(first=first), []
    try:
        while True:
            if buffer.end:
                assert buffer.read_from(ours)
                frame = buffer.take()
            else:
                frame = buffer.receive(ours)
            while frame is not None:
                got.append(frame)
                frame = buffer.take()
    except EOFError:
        pass
    finally:
        writer.join()
        os.close(ours)
    assert got == frames
    assert buffer.size <= (_wire._KEPT if sizes[-1] < _wire._KEPT - 40 else _wire._KEPT + READ_MORE)


def _write_all(fd: int, data: bytes, step: int) -> None:
    for start in range(0, len(data), step):
        view = memoryview(data)[start : start + step]
        while view:
            view = view[os.write(fd, view) :]
    os.close(fd)


@given(lengths)
def test_a_large_frame_is_the_same_where_it_lies(size: int) -> None:
    """Its parts together are what is packed otherwise, also when its buffer is used again."""
    frame = (RESPONSE, 1, b"x" * size)
    for turn in range(3):
        encoded = encode(frame)
        assert bytes(encoded) == pack(frame)
        assert len(encoded) == len(pack(frame))
        if isinstance(encoded, Large):
            assert b"".join((*encoded.begin, encoded.rest)) == pack(frame)
            assert sum(map(len, encoded.begin)) == BEGINNING
            encoded.free()
        else:
            assert len(encoded) - 4 < _wire._LARGE or turn == 0  # the first after small ones is copied


def test_two_large_frames_at_once_do_not_share_a_buffer() -> None:
    """What one thread has not written yet is not overwritten by another's frame."""
    encode((RESPONSE, 0, "a" * 50_000))  # where one was large, the next tend to be
    first, second = encode((RESPONSE, 1, "a" * 50_000)), encode((RESPONSE, 2, "b" * 50_000))
    assert isinstance(first, Large)
    assert bytes(first) == pack((RESPONSE, 1, "a" * 50_000))
    assert bytes(second) == pack((RESPONSE, 2, "b" * 50_000))
    first.free()


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


@given(st.lists(values, min_size=1, max_size=12), st.integers(1, 200), st.integers(1, 5), st.booleans())
def test_some_frames_at_once_are_those_that_come_one_by_one(
    payloads: list[Any], step: int, most: int, broken: bool
) -> None:
    """However they are split; one that is none is refused after all before it were returned."""
    frames = [[REQUEST, number, "m", payload] for number, payload in enumerate(payloads)]
    stream = b"".join(pack(frame) for frame in frames) + (b"\1\0\0\0\xc1" if broken else b"")
    buffer, got, refused = FrameBuffer(), [], False
    for start in range(0, len(stream), step):
        buffer.feed(stream[start : start + step])
        try:
            while some := buffer.take_some(most):
                assert len(some) <= most
                got += some
        except FrameError:
            refused = True
    assert got == frames
    assert refused == broken
    assert broken or buffer.end == 0


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


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x93\x00\x01",  # shorter than it says
        b"\x93\x03\xa1x\xc0\xc0",  # an event, and a byte more
        b"\xa3abc",
        b"\x90",
        b"\x92\x03\xc0",
        b"\x93\xc3\x01\xc0",  # true is no kind
        b"\x93\x63\x01\xc0",
        b"\x93\x01\xa1x\xc0",  # an answer to x
        b"\x83\x00\x01\x01\x02\x02\x03",
    ],
)
def test_what_is_no_frame_is_refused_where_it_comes_alone(body: bytes) -> None:
    """As it is among others: one read has it, and nothing before or behind it."""
    data = len(body).to_bytes(4, "little") + body
    ours, theirs = os.pipe()
    try:
        os.write(theirs, data)
        with pytest.raises(FrameError, match=r"no frame|no known kind|no integer"):
            FrameBuffer().receive(ours)
        os.write(theirs, data + pack([EVENT, "more", None]))
        with pytest.raises(FrameError, match=r"no frame|no known kind|no integer"):
            FrameBuffer().receive(ours)
    finally:
        os.close(ours)
        os.close(theirs)


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


def test_a_process_that_may_open_no_more_files_reads_large_frames() -> None:
    """What makes memory for them is loaded when the first comes, which takes a descriptor."""
    program = """
import resource
from viloapp_sdk._wire import EVENT, FrameBuffer, pack
sent = pack([EVENT, "x", b"y" * 200_000])
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
buffer = FrameBuffer()
buffer.feed(sent)
print(len(buffer.take()[2]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("200000\n", "")


@pytest.mark.parametrize("alone", [True, False])
def test_large_frames_share_their_memory_and_a_small_one_gives_it_back(alone: bool) -> None:
    """Made anew for each it takes longer than all else; kept for good it would be pinned by the largest."""
    ours, theirs = os.pipe()
    buffer = FrameBuffer()
    large, small = pack([EVENT, "x", b"y" * 2_000_000]), pack([EVENT, "x", None])
    try:
        memory = []
        for _ in range(3):
            buffer.feed(large)
            assert buffer.take() is not None
            memory.append(buffer._view)
        assert memory[1] is memory[0] is memory[2]
        if alone:
            os.write(theirs, small)
            assert buffer.receive(ours) is not None
        else:
            buffer.feed(large + small)
            assert len(buffer.take_some(8)) == 2
        assert buffer.size < 100_000
    finally:
        os.close(ours)
        os.close(theirs)


def test_memory_of_a_very_large_frame_is_given_back_with_it() -> None:
    """Others of its size are not to be expected."""
    buffer = FrameBuffer()
    buffer.feed(pack([EVENT, "x", b"y" * (_wire._KEPT_MEANWHILE + 1)]))
    assert buffer.take() is not None
    assert buffer.size < 100_000


@pytest.fixture
def packers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The packers that rest, of which there are none at first."""
    resting: list[Any] = []
    monkeypatch.setattr(_wire, "_resting", resting)
    monkeypatch.setattr(_wire, "_keeping", [])
    monkeypatch.setattr(_wire, "_large", False)
    monkeypatch.setattr(_wire, "_swollen", False)
    return resting


def _encoded(frame: list[Any], in_place: bool = True) -> bytes:
    data = encode(frame, in_place)
    whole = bytes(data)
    if isinstance(data, Large):
        data.free()
    return whole


@pytest.mark.parametrize("large", [0, 1, 3])
def test_one_packer_is_enough_whatever_was_encoded_before(packers: list[Any], large: int) -> None:
    """Also for errors and events after large answers: each of them left a packer behind once."""
    for round in range(50):
        for _ in range(large):
            _encoded([RESPONSE, round, b"x" * (_wire._LARGE + round)])
        for _ in range(4):
            pack([EVENT, "theme.changed", {"round": round}])
        if round % 7 == 0:
            _encoded([RESPONSE, round, None])
    assert len(packers) <= 1


@pytest.mark.parametrize(
    ("size", "kept", "left"),
    [
        (_wire._KEPT + 1, 1, 0),
        (4 * 1024 * 1024 + 20, 1, 0),
        (_wire._KEPT_MEANWHILE, 0, 1),
        (_wire._KEPT - 1000, 1, 1),
    ],
)
def test_a_packer_of_large_frames_is_kept_until_a_small_one(
    packers: list[Any], size: int, kept: int, left: int
) -> None:
    """As memory to read into is; one that has packed very much goes at once, one of a common size stays."""
    for _ in range(3):
        _encoded([RESPONSE, 1, b"x" * size])
        _encoded([RESPONSE, 1, b"x" * size])
        assert len(_wire._keeping) == kept
        _encoded([RESPONSE, 1, None])
        assert len(_wire._keeping) == left


def test_no_packer_that_has_packed_much_outlives_the_next_small_frame(packers: list[Any]) -> None:
    """Neither of several that were lent, whichever came back last, nor one that copies."""
    _encoded([RESPONSE, 1, b"x" * 1_000_000])
    assert not packers
    much, little = (encode([RESPONSE, 1, b"x" * size]) for size in (1_000_000, 20_000))
    assert isinstance(much, Large)
    assert isinstance(little, Large)
    much.free()
    little.free()
    assert len(_wire._keeping) == 2
    _encoded([RESPONSE, 1, None])
    assert not _wire._keeping


@pytest.mark.parametrize("size", [_wire._LARGE, 2_000_000])
def test_packers_that_were_lent_at_once_are_not_all_kept(packers: list[Any], size: int) -> None:
    """A slow reader leaves many waiting, and the small frame that gives theirs back may be over by then."""
    _encoded([RESPONSE, 1, b"x" * size])
    lent = [encode([RESPONSE, 1, b"x" * size]) for _ in range(8)]
    _encoded([RESPONSE, 1, None])
    for each in lent:
        assert isinstance(each, Large)
        each.free()
    assert len(_wire._keeping) <= (2 if size <= _wire._KEPT else 1)


def test_threads_that_encode_at_once_never_share_a_packer(packers: list[Any]) -> None:
    """Small and large, in place or not, with values that are refused: every frame is whole; packers few."""
    wrong: list[Any] = []
    values: list[Any] = [0, "small", b"x" * 20_000, b"x" * 300_000, object(), [2**70], {"a": ["b"] * 50}]

    def work(seed: int) -> None:
        for number in range(300):
            value = values[(number + seed) % len(values)]
            refused = (number + seed) % len(values) in (4, 5)
            try:
                data = _encoded([RESPONSE, number, value], in_place=number % 3 > 0)
            except FrameError:
                if not refused:
                    wrong.append(value)
                continue
            if refused or _wire._unpackb(data[4:], strict_map_key=False) != [RESPONSE, number, value]:
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong
    assert len({id(each) for each in packers}) == len(packers) <= len(threads)


hostile: st.SearchStrategy[Any] = st.one_of(
    st.tuples(
        st.sampled_from([0, 1, 2, 3, 4, 5, -1, -3, 6, 2**63, True, False, 1.0, None, "1", b"\1"]),
        st.sampled_from([0, 7, -1, True, 1.5, None, "id", b"id", [1]]),
        st.sampled_from([None, "m", {}, b"x" * 200]),
        st.lists(st.none(), max_size=2),
    ).map(lambda each: [*each[:3], *each[3]][: 2 + len(each[3]) + (each[2] is not None)]),
    st.sampled_from([{0: 1, 1: 2, 2: 3}, [], {}, 1, "text", None, [[1], 2, 3]]),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.just([RESPONSE, 5, "fine"]), hostile), min_size=1, max_size=8),
    st.sampled_from([1, 3, 64]),
    st.sampled_from([100, 1 << 20]),
    st.integers(0, 3),
)
def test_many_at_a_time_are_those_that_come_one_by_one(
    frames: list[Any], most: int, largest: int, cut: int
) -> None:
    """Hostile ones too: nothing passes that `take` refuses, and what is refused is refused in its words."""
    stream = b"".join(pack(frame) for frame in frames)
    stream = stream[: len(stream) - cut]

    def read(some: bool) -> tuple[list[Any], str]:
        buffer = FrameBuffer(largest, first=64)
        found: list[Any] = []
        buffer.feed(stream)
        try:
            while buffer.end:
                each = buffer.take_some(most) if some else [buffer.take()]
                if not each or each == [None]:
                    break
                found += each
        except FrameError as error:
            return found, str(error)
        return found, ""

    assert read(some=True) == read(some=False)
