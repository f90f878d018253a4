"""The examples in the docstrings of `viloapp_sdk.manifest` are run."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["", ".errors", ".shapes", ".source"])
def test_the_examples_of_a_module_are_true(name: str) -> None:
    """There is at least one, and what it shows is what happens."""
    result = doctest.testmod(import_module(f"viloapp_sdk.manifest{name}"))
    assert result.attempted > 0
    assert result.failed == 0
