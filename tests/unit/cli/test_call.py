"""What `viloapp call` takes and how it says no; calls that reach a plugin are in e2e."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.cli.call import parse_arguments
from viloapp_core.cli.shapes import encode

from .conftest import Ran


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans() | st.none()))
def test_any_object_is_taken(arguments: dict[str, Any]) -> None:
    """What JSON can say by name arrives."""
    assert parse_arguments(json.dumps(arguments)) == arguments


@given(st.text(st.characters(exclude_characters="{")) | st.integers().map(str))
def test_anything_else_is_wrong_usage(text: str) -> None:
    """No other text does anything but raise a usage error."""
    with pytest.raises(click.UsageError, match=r"^JSON"):
        parse_arguments(text)


@pytest.mark.parametrize("text", ["[1]", '"a"', "3", "true", "null", "{", "", "[" * 100_000])
def test_wrong_json_is_exit_code_2(viloapp: Callable[..., Ran], text: str) -> None:
    """One line, and nothing is started for it."""
    ran = viloapp("call", "hello.greet", text)
    assert (ran.code, ran.out, ran.err.count("error: JSON")) == (2, "", 1)


def test_arguments_come_from_standard_input(
    viloapp: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` reads them; here they are wrong, which shows that they were read."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("[1]"))
    assert "not an array" in viloapp("call", "hello.greet", "-").err


def test_an_unknown_command_is_refused(viloapp: Callable[..., Ran]) -> None:
    """Exit code 1, by a host that lives for this call alone."""
    ran = viloapp("call", "nothing.here")
    assert (ran.code, ran.out) == (1, "")
    assert "error: no enabled plugin has a command 'nothing.here'" in ran.err


def test_results_that_json_lacks_are_encoded() -> None:
    """Bytes and sets of a plugin's answer do not end the command."""
    assert json.loads(encode({"b": b"\xff", "s": {2, 1}})) == {"b": {"base64": "/w=="}, "s": [1, 2]}
