"""A spawner that leaves nothing behind."""

from collections.abc import Iterator

import pytest

from viloapp_core.process import Spawner


@pytest.fixture
def spawner() -> Iterator[Spawner]:
    """A spawner, closed after the test."""
    one = Spawner()
    yield one
    one.close()
