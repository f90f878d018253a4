"""Benchmarks, side by side with their peers in one run: ``nox -s bench -- [install] [list] [--quick]``.

Rounds are interleaved, so that whatever else the machine does meets all alike, and only ratios and
differences within one run are held against the targets. What was measured last is in
``docs/performance.md``.
"""
