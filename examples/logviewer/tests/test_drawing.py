"""What rich makes of a line."""

from __future__ import annotations

from logviewer.drawing import MAX_SHOWN, draw


def test_numbers_times_and_levels_have_styles() -> None:
    """And the pieces are the line."""
    line = "2026-01-02 10:00:00 WARNING 42 files in /tmp/x"
    pieces = draw(line)
    assert "".join(text for text, _ in pieces) == line
    styles = {text: style for text, style in pieces}
    assert "level.warning" in styles["WARNING"]
    assert styles["42"] == "repr.number"
    assert any(style.endswith("time") for style in styles.values())


def test_a_terminals_colours_are_kept() -> None:
    """The names of the sixteen, and others as they are; the escapes are gone."""
    assert draw("\x1b[1;31mred\x1b[0m and \x1b[38;2;255;136;0morange\x1b[0m") == [
        ("red", "bold red"),
        (" and ", ""),
        ("orange", "#ff8800"),
    ]


def test_what_is_sought_is_marked() -> None:
    """In any case, and not as a pattern."""
    assert ("A.b", "match") in draw("x A.b x", "a.B")


def test_what_cannot_be_shown_is_not() -> None:
    """Control characters would move what stands around them."""
    assert "".join(text for text, _ in draw("a\x00b\u202ec")) == "a\ufffdb\ufffdc"


def test_a_long_line_is_cut() -> None:
    """The rest is shown below."""
    assert sum(len(text) for text, _ in draw("x" * 100_000)) == MAX_SHOWN
