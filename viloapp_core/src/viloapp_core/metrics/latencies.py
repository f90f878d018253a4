"""How long calls took: a histogram of bounded size whose quantiles are never far from the exact ones.

A value below 64 ns has a bucket of its own. Above, each power of two is divided into 32 buckets of one
width, so a bucket is at most 1/32 of any value in it, and its middle at most 1/64 (1.6 %) off. 1,216 buckets
reach to 73 minutes; what took longer counts as that, and is known exactly only as the longest.

Source: the scheme of HdrHistogram with five bits of precision.
"""

from collections.abc import Iterable

__all__ = ["MOST_NS", "Latencies"]

_BITS = 5
_PARTS = 1 << _BITS
_EXACT = 2 * _PARTS
_TOP = 42
MOST_NS = (1 << _TOP) - 1
"""The longest that is told apart: 73 minutes."""
_BUCKETS = (_TOP - _BITS - 1) * _PARTS + _EXACT


class Latencies:
    """Durations in nanoseconds, counted.

    Attributes:
        count: how many.
        total_ns: their exact sum.
        longest_ns: the longest, exactly.
    """

    __slots__ = ("_buckets", "count", "longest_ns", "total_ns")

    def __init__(self) -> None:
        self.count = 0
        self.total_ns = 0
        self.longest_ns = 0
        self._buckets = [0] * _BUCKETS

    def record(self, ns: int) -> None:
        """Count one duration; a negative one, of a clock that is not monotonic, counts as none."""
        if _EXACT <= ns <= MOST_NS:
            shift = ns.bit_length() - _BITS - 1
            self._buckets[(shift << _BITS) + (ns >> shift)] += 1
        elif ns < _EXACT:
            ns = max(ns, 0)
            self._buckets[ns] += 1
        else:
            self._buckets[-1] += 1
        self.count += 1
        self.total_ns += ns
        if ns > self.longest_ns:
            self.longest_ns = ns

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
        return sum(self._buckets[: (exponent - _BITS + 1) * _PARTS])

    def _middle(self, index: int) -> float:
        if index == _BUCKETS - 1:
            return self.longest_ns
        if index < _EXACT:
            return index
        shift = (index >> _BITS) - 1
        lowest = ((index & (_PARTS - 1)) + _PARTS) << shift
        return min(lowest + ((1 << shift) - 1) / 2, self.longest_ns)


def _rank(share: float, count: int) -> int:
    """Return the place, from 1, of a quantile among ``count`` sorted values (nearest rank)."""
    whole = int(share * count)
    return whole if whole >= share * count else whole + 1
