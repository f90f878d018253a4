"""The examples in docs/explanation, and in the docstrings of what they explain, give what they say."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

from viloapp_core.resolve import Relations

PAGES = Path(__file__).resolve().parents[2] / "docs" / "explanation"


@pytest.mark.parametrize("name", ["dependencies"])
def test_a_page(name: str) -> None:
    """Every example of it runs, and there are some."""
    result = doctest.testfile(str(PAGES / f"{name}.md"), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", ["coexistence", "conflicts", "constraints", "load_order"])
def test_a_docstring(name: str) -> None:
    """The example at the head of a module runs."""
    module = import_module(f"viloapp_core.resolve.{name}")
    result = doctest.testmod(module, extraglobs={"Relations": Relations})
    assert result.attempted > 0
    assert result.failed == 0
