"""What a page that comes later is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.broker.scrollback import Scrollback


def filled(limit: int, *chunks: bytes) -> Scrollback:
    """A scrollback after these outputs."""
    scrollback = Scrollback(limit)
    for chunk in chunks:
        scrollback.add(chunk)
    return scrollback


def test_little_output_is_kept_whole() -> None:
    """Nothing is lost below the limit."""
    assert filled(100, b"one\r\n", b"two").replay() == b"one\r\ntwo"


def test_the_oldest_goes_at_a_line() -> None:
    """A replay never starts in the middle of a line, so neither in a character nor in an escape sequence."""
    assert filled(12, b"first line\r\n", b"second\r\n", b"3\r\n").replay() == b"second\r\n3\r\n"


def test_a_line_longer_than_all_is_cut() -> None:
    """Without a line's end near the cut, the newest bytes are sent as they are."""
    assert filled(10, b"x" * 100).replay() == b"x" * 10


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=40), st.integers(1, 64))
def test_it_is_bounded_and_the_newest(chunks: list[bytes], limit: int) -> None:
    """Whatever is printed, the replay is an end of it without its questions, and within the limit."""
    replay = filled(limit, *chunks).replay()
    assert len(replay) <= limit
    if b"\x1b" not in b"".join(chunks) and b"\x05" not in b"".join(chunks):
        assert b"".join(chunks).endswith(replay)


@pytest.mark.parametrize(
    "question",
    [
        b"\x1b[c",
        b"\x1b[>0c",
        b"\x1b[=c",
        b"\x1b[5n",
        b"\x1b[6n",
        b"\x1b[?6n",
        b"\x1b[?2026$p",
        b"\x1b[4$p",
        b"\x1b[>q",
        b"\x1b[>0q",
        b"\x1b[14t",
        b"\x1b[18t",
        b"\x1b[?u",
        b"\x1b]10;?\x07",
        b"\x1b]11;?\x1b\\",
        b"\x1b]4;1;?\x07",
        b"\x1bP$qm\x1b\\",
        b"\x1bP+q544e\x1b\\",
        b"\x1bZ",
        b"\x05",
    ],
)
def test_questions_to_the_terminal_are_not_asked_again(question: bytes) -> None:
    """The answer of a second page would be typed into the shell."""
    assert filled(100, b"a" + question + b"b").replay() == b"ab"


@pytest.mark.parametrize(
    "shown",
    [
        b"\x1b[31mred\x1b[0m",
        b"\x1b[2J\x1b[H",
        b"\x1b[?1049h",
        b"\x1b[?2004l",
        b"\x1b]0;title\x07",
        b"\x1b]11;#000000\x07",
        b"\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\",
        b"\x1b[3 q",
        b"\x1b[22;0;0t",
        b"\x1b[1;24r",
        "grüße 漢字 🙂".encode(),
    ],
)
def test_what_is_shown_stays(shown: bytes) -> None:
    """Colours, modes, titles, links and text pass unchanged."""
    assert filled(1000, shown).replay() == shown
