"""Which use ends a plugin's processes, and what the person is told."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.limits import LIMIT_NAMES, Breach, Limits, Usage, exceeded
from viloapp_core.limits.breaches import _SAYS, Action

usages = st.builds(
    Usage, memory_mb=st.floats(0, 5000), processes=st.integers(0, 500), disk_mb=st.floats(0, 5000)
)


@given(usages)
def test_within_the_limits_nothing_ends_and_beyond_them_something_does(usage: Usage) -> None:
    """The verdict names a limit that is really exceeded, and is there exactly when one is."""
    limits = Limits()
    breach = exceeded(limits, usage)
    over = [
        name for name in ("memory_mb", "processes", "disk_mb") if getattr(usage, name) > getattr(limits, name)
    ]
    assert (breach is not None) == bool(over)
    if breach is not None:
        assert breach.limit in over
        assert breach.used > breach.allowed


@pytest.mark.parametrize(("limit", "action"), sorted(_SAYS))
def test_every_breach_is_one_line_with_a_remedy(limit: str, action: Action) -> None:
    """Who, what, how much was allowed; and the command that allows more."""
    assert limit in LIMIT_NAMES
    assert action in get_args(Action)
    breach = Breach(limit, action, 191.4, 100)
    assert breach.message("hello").startswith("hello ")
    assert "\n" not in breach.message("hello")
    assert "100" in breach.message("hello")
    assert breach.hint("hello").endswith(f"to allow more: viloapp config set hello.limits.{limit} 200")
    assert ("viloapp info hello names its data folder" in breach.hint("hello")) is (
        (limit, action) == ("disk_mb", "ended")  # which ends it at every start until there is room
    )
