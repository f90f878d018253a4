"""How long calls took: a histogram of bounded size whose quantiles are never far from the exact ones.

A value below 64 ns has a bucket of its own. Above, each power of two is divided into 32 buckets of one
width, so a bucket is at most 1/32 of any value in it, and its middle at most 1/64 (1.6 %) off. 1,216 buckets
reach to 73 minutes; what took longer counts as that, and is known exactly only as the longest.

What was recorded last is sorted into its buckets some at a time, and whenever somebody asks: to note a
duration is on the path of every call.

Source: the scheme of HdrHistogram with five bits of precision.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from itertools import repeat
from operator import mul, rshift

__all__ = ["MOST_NS", "Latencies"]

_BITS = 5
_PARTS = 1 << _BITS
_EXACT = 2 * _PARTS
_TOP = 42
MOST_NS = (1 << _TOP) - 1
"""The longest that is told apart: 73 minutes."""
_BUCKETS = (_TOP - _BITS - 1) * _PARTS + _EXACT
_SORTED_AT = 256


class Latencies:
    """Durations, counted in nanoseconds. Of one thread: also who reads sorts what is new."""

    __slots__ = ("_buckets", "_count", "_longest_ns", "_recent", "_total_ns")

    def __init__(self) -> None:
        self._count = 0
        self._total_ns = 0
        self._longest_ns = 0
        self._buckets = [0] * _BUCKETS
        self._recent: list[float] = []  # not in any of those yet

    def record(self, seconds: float) -> None:
        """Count one duration; a negative one, of a clock that is not monotonic, counts as none."""
        self.record_all((seconds,))

    def record_all(self, seconds: Iterable[float]) -> None:
        """Count several durations, see `record`."""
        recent = self._recent
        recent.extend(seconds)
        if len(recent) >= _SORTED_AT:
            self._sort()

    def _sort(self) -> None:
        recent, self._recent = self._recent, []
        # In order, since all of one power of two lie side by side then, and each step is one for all of them.
        durations = sorted(map(round, map(mul, recent, repeat(1e9))))
        if not durations:
            return
        if durations[0] < 0:
            durations = [max(ns, 0) for ns in durations]
        buckets = self._buckets
        begin, end = 0, bisect_right(durations, MOST_NS)
        buckets[-1] += len(durations) - end
        while begin < end:
            shift = max(0, durations[begin].bit_length() - _BITS - 1)
            after = bisect_left(durations, _EXACT << shift, begin, end)
            first = shift << _BITS
            for place, count in Counter(map(rshift, durations[begin:after], repeat(shift))).items():
                buckets[first + place] += count
            begin = after
        self._count += len(durations)
        self._total_ns += sum(durations)
        self._longest_ns = max(self._longest_ns, durations[-1])

    @property
    def count(self) -> int:
        """How many."""
        return self._count + len(self._recent)

    @property
    def total_ns(self) -> int:
        """Their exact sum in nanoseconds."""
        self._sort()
        return self._total_ns

    @property
    def longest_ns(self) -> int:
        """The longest in nanoseconds, exactly."""
        self._sort()
        return self._longest_ns

    @property
    def mean_s(self) -> float:
        """The exact mean in seconds; 0 of none."""
        return self.total_ns / self.count / 1e9 if self.count else 0.0

    def quantile(self, share: float) -> float:
        """Return the seconds that a share of all durations did not exceed (nearest rank); 0 of none.

        Args:
            share: 0 to 1; 0.99 for the 99th percentile.
        """
        return self.quantiles([share])[0]

    def quantiles(self, shares: Iterable[float]) -> list[float]:
        """Return `quantile` of each share, which have to ascend, in one pass."""
        self._sort()
        found: list[float] = []
        buckets = enumerate(self._buckets)
        index, seen = -1, 0
        for share in shares:
            rank = max(1, _rank(share, self.count))
            while self.count and seen < rank:
                index, counted = next(buckets)
                seen += counted
            found.append(self._middle(index) / 1e9 if self.count else 0.0)
        return found

    def up_to(self, exponent: int) -> int:
        """Return how many took less than ``2**exponent`` nanoseconds, exactly.

        Args:
            exponent: 6 to 42.
        """
        self._sort()
        return sum(self._buckets[: (exponent - _BITS + 1) * _PARTS])

    def _middle(self, index: int) -> float:
        if index == _BUCKETS - 1:
            return self._longest_ns
        if index < _EXACT:
            return index
        shift = (index >> _BITS) - 1
        lowest = ((index & (_PARTS - 1)) + _PARTS) << shift
        return min(lowest + ((1 << shift) - 1) / 2, self._longest_ns)


def _rank(share: float, count: int) -> int:
    """Return the place, from 1, of a quantile among ``count`` sorted values (nearest rank)."""
    whole = int(share * count)
    return whole if whole >= share * count else whole + 1
