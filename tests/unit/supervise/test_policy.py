"""What the settings and a plugin's limits say of how its channel waits."""

import pytest

from viloapp_core.limits import Limits
from viloapp_core.supervise.policy import Awake, awake_of


@pytest.mark.parametrize(
    ("micros", "percent", "processors", "expected"),
    [
        (100, 100, 2, Awake(1e-4, 1e-4)),
        (100, 25, 2, Awake(1e-4, 0.0)),  # it would be held sooner for having waited
        (100, 100, 1, Awake()),  # who waits awake keeps the other side from running
        (0, 400, 8, Awake()),
    ],
)
def test_who_stays_awake(micros: int, percent: float, processors: int, expected: Awake) -> None:
    """The host where there is more than one processor; a plugin only where it may use a whole one."""
    assert awake_of({"awake_us": micros}.__getitem__, Limits(cpu_percent=percent), processors) == expected
