"""Which text is safe to show on a terminal: strangers write it, and people decide by it."""

from __future__ import annotations

import re

#: Control characters but tab and newline, surrogates, line separators, and those that reorder text.
#: Source: Unicode 16, categories Cc, Cs, Zl, Zp, and UAX #9 (bidirectional formatting characters).
_UNSAFE = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
#: Regular expression of a text of several lines that is safe to print.
SAFE_LINES = f"[^{_UNSAFE}]*"
#: Regular expression of one line that is safe to print.
SAFE_LINE = rf"[^{_UNSAFE}\t\n]*"


def make_safe(text: str, limit: int) -> str:
    """Return ``text`` on one line of at most ``limit`` characters, unsafe ones as U+FFFD."""
    line = re.sub(f"[{_UNSAFE}]", "\ufffd", " ".join(text.split()))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
