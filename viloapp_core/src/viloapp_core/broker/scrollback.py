"""The end of what a terminal printed, for a page that comes later."""

import re
from collections import deque

__all__ = ["Scrollback"]

# What asks the terminal a question: device attributes and status, cursor position, modes, window reports,
# colours, settings and capabilities. The first page has answered; a second answer would be typed into the
# shell. Source: ECMA-48; "XTerm Control Sequences" (CSI c, CSI n, CSI $p, CSI > q, CSI t, OSC 4, 10-19, DCS).
_QUESTIONS = re.compile(
    rb"\x1b\[[>=?]?[0-9;]*[cn]"
    rb"|\x1b\[\??[0-9;]*\$p"
    rb"|\x1b\[>[0-9;]*q"
    rb"|\x1b\[(?:1[1345689]|2[01])(?:;[0-9]*)*t"
    rb"|\x1b\[\?u"
    rb"|\x1b\](?:4;[0-9]+|1[0-9]);\?(?:\x07|\x1b\\)"
    rb"|\x1bP[$+]q[^\x1b]*\x1b\\"
    rb"|\x1bZ|\x05"
)

# How far the cut may move to fall between two lines rather than inside a character or an escape sequence.
_LOOK_FOR_LINE_BYTES = 4096


class Scrollback:
    """At most ``limit`` bytes of output, the newest.

    Args:
        limit: size in bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._cut = False

    def add(self, data: bytes) -> None:
        """Append output, and forget the oldest."""
        self._chunks.append(data)
        self._size += len(data)
        # Whole chunks go, so that a flood costs no copying.
        while self._size - len(self._chunks[0]) >= self._limit:
            self._size -= len(self._chunks.popleft())
            self._cut = True

    def replay(self) -> bytes:
        """Return what a page that attaches now is sent: no questions, and from the start of a line on."""
        data = b"".join(self._chunks)
        if self._cut or len(data) > self._limit:
            data = data[-self._limit :]
            line_end = data.find(b"\n", 0, _LOOK_FOR_LINE_BYTES)
            data = data[line_end + 1 :]
        return _QUESTIONS.sub(b"", data)
