"""Names of distributions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from viloapp_core.foundation.names import normalized


@given(st.text("abzAZ09-_.", max_size=20))
def test_it_is_the_name_that_packaging_gives(name: str) -> None:
    """The short way and the library agree."""
    assert normalized(name) == canonicalize_name(name)
