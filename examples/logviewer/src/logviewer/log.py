"""A log file of any size: where its lines begin, which level they have, which of them are wanted.

Nothing here waits for long: each step does what fits in the time that it is given, so that a page asks again
and shows how far it is. Of the file's text nothing is kept, only twelve bytes of each line.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from logviewer.levels import LEVELS, NONE, level_of

__all__ = ["MAX_LINE", "Log", "Wanted"]

BLOCK = 1 << 20
MAX_LINE = 64 * 1024
"""Bytes that are read of one line at most."""


@dataclass(frozen=True)
class Wanted:
    """Which lines are shown.

    Args:
        levels: the levels, all of them when empty.
        text: what a line contains, in small or capital letters.
    """

    levels: frozenset[str] = frozenset()
    text: str = ""

    @property
    def everything(self) -> bool:
        """Whether no line is left out."""
        return not self.levels and not self.text


@dataclass
class Log:
    """What is known of one open file.

    Args:
        file: opened for reading bytes.
        now: the clock, in seconds.
    """

    file: BinaryIO
    now: Callable[[], float] = time.monotonic
    wanted: Wanted = field(default_factory=Wanted)

    def __post_init__(self) -> None:
        """Begin with a file of which nothing was read."""
        self._forget()

    def _forget(self) -> None:
        self._starts = array("Q")
        self._levels = bytearray()
        self._read = 0
        self._open_line = False
        self.counts = [0] * (len(LEVELS) + 1)
        self._select(self.wanted)

    def _select(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._chosen = array("Q")
        self._judged = 0

    @property
    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self.file.fileno()).st_size

    @property
    def read(self) -> int:
        """Bytes of it that were read."""
        return self._read

    @property
    def lines(self) -> int:
        """Lines that were found so far."""
        return len(self._starts)

    @property
    def shown(self) -> int:
        """How many of them are wanted, as far as they were judged."""
        return self.lines if self.wanted.everything else len(self._chosen)

    @property
    def done(self) -> bool:
        """Whether all that is in the file was read and judged."""
        return self._read >= self.size and (self.wanted.everything or self._judged >= self.lines)

    def want(self, wanted: Wanted) -> None:
        """Choose other lines."""
        if wanted != self.wanted:
            self._select(wanted)

    def work(self, for_s: float) -> bool:
        """Read and judge what fits in the time; return whether the file was begun anew: it was cut off."""
        begun_anew = self.size < self._read
        if begun_anew:
            self._forget()
        until = self.now() + for_s
        while self._read < self.size:
            self._read_block()
            if self.now() >= until:
                break
        while not self.wanted.everything and self._judged < self.lines and self.now() < until:
            self._judge()
        return begun_anew

    def _read_block(self) -> None:
        block = os.pread(self.file.fileno(), BLOCK, self._read)
        if not block:
            return
        level = self._levels[-1] if self._levels else NONE
        at = 0
        if self._open_line:  # the line that the last block ended in goes on: its beginning is judged again
            at = block.find(b"\n") + 1 or len(block)
            self._reconsider()
            level = self._levels[-1]
            self._open_line = block[at - 1 : at] != b"\n"
        lines = block[at:].split(b"\n")
        self._open_line = self._open_line or bool(lines[-1])
        if not lines[-1]:
            lines.pop()
        start, counts = self._read + at, self.counts
        for line in lines:
            level = level_of(line, level)
            self._starts.append(start)
            self._levels.append(level)
            counts[level] += 1
            start += len(line) + 1
        self._read += len(block)

    def _reconsider(self) -> None:
        """Judge the last line again, of which more is there now."""
        last = self.lines - 1
        before = self._levels[last - 1] if last else NONE
        level = level_of(os.pread(self.file.fileno(), 200, self._starts[last]).partition(b"\n")[0], before)
        self.counts[self._levels[last]] -= 1
        self.counts[level] += 1
        self._levels[last] = level
        if self._judged > last:
            self._judged = last
            if self._chosen and self._chosen[-1] == last:
                self._chosen.pop()

    def _judge(self) -> None:
        """Judge the lines of about one block."""
        first = self._judged
        if not self.wanted.text:
            last = min(self.lines, first + 100_000)
            self._chosen.extend(line for line in range(first, last) if self._has_level(line))
            self._judged = last
            return
        needle = self.wanted.text.casefold()
        for line, text in self._texts(first):
            if self._has_level(line) and needle in text.casefold():
                self._chosen.append(line)
            self._judged = line + 1

    def _texts(self, first: int) -> Iterator[tuple[int, str]]:
        """Yield number and text of lines from `first` on, as many as one block holds, and one at least."""
        start = self._starts[first]
        block = os.pread(self.file.fileno(), max(BLOCK, MAX_LINE), start)
        for line in range(first, self.lines):
            begin = self._starts[line] - start
            end = (self._starts[line + 1] if line + 1 < self.lines else self._read) - start
            if end > len(block) and line > first:
                return
            yield line, block[begin : min(end, begin + MAX_LINE)].decode("utf-8", "replace")

    def _has_level(self, line: int) -> bool:
        if not self.wanted.levels:
            return True
        level = self._levels[line]
        return level < NONE and LEVELS[level] in self.wanted.levels

    def number(self, row: int) -> int:
        """Return the number, from 0, of the line that is shown in a row."""
        return row if self.wanted.everything else self._chosen[row]

    def text(self, line: int) -> str:
        """Return a line without its end, cut after `MAX_LINE` bytes."""
        start = self._starts[line]
        end = self._starts[line + 1] if line + 1 < self.lines else self._read
        raw = os.pread(self.file.fileno(), min(end - start, MAX_LINE), start)
        return raw.decode("utf-8", "replace").rstrip("\r\n")

    def level(self, line: int) -> str:
        """Return a line's level; empty where none was named yet."""
        level = self._levels[line]
        return LEVELS[level] if level < NONE else ""

    def rows(self, start: int, count: int) -> list[int]:
        """Return the numbers of the lines in some rows, as far as there are such."""
        return [self.number(row) for row in range(max(0, start), max(0, min(start + count, self.shown)))]

    def find(self, text: str, start: int, step: int, for_s: float) -> tuple[int | None, int | None]:
        """Look for the next row that contains a text.

        Args:
            text: in small or capital letters.
            start: the row to begin with; the search ends at the last row, or the first.
            step: 1 forwards, -1 backwards.
            for_s: how long to look.

        Returns:
            The row, or None; and where to go on when the time was up, or None.
        """
        until, needle = self.now() + for_s, text.casefold()
        stop = self.shown if step > 0 else -1
        for row in range(start, stop, step):
            if needle in self.text(self.number(row)).casefold():
                return row, None
            if self.now() >= until:
                return None, row + step
        return None, None
