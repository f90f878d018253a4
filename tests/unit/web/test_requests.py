"""What the page sends is checked whole before anything acts on it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.web.errors import InvalidRequestError
from viloapp_core.web.requests import Field, Fields, Request, decode

FIELDS = Fields(Field("id", "string"), Field("many", "strings", []), Field("arguments", "object", {}))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def test_every_fault_is_reported_at_once() -> None:
    """One look at the message shows all that is wrong with it."""
    with pytest.raises(InvalidRequestError) as caught:
        FIELDS.check("command.run", {"many": [1], "argumens": {}, "arguments": []})
    assert set(caught.value.issues) == {
        "argumens: is not known; did you mean arguments?",
        "id: is missing",
        "many: must be strings, not list",
        "arguments: must be object, not list",
    }
    assert caught.value.detail.startswith("command.run: ")


def test_defaults_are_filled_in() -> None:
    """A method sees every key that it declares."""
    assert FIELDS.check("x", {"id": "a"}) == {"id": "a", "many": [], "arguments": {}}


@pytest.mark.parametrize(("kind", "value"), [("integer", True), ("boolean", 1), ("string", None)])
def test_kinds_are_not_confused(kind: Any, value: object) -> None:
    """Python's True is an integer; the wire's is not."""
    with pytest.raises(InvalidRequestError):
        Fields(Field("key", kind)).check("x", {"key": value})


@given(st.text() | JSON.map(json.dumps))
def test_decode_gives_a_request_or_says_why_not(text: str) -> None:
    """Whatever arrives, the outcome is one of two."""
    issues: tuple[str, ...] = ()
    request: Request | None = None
    try:
        request = decode(text)
    except InvalidRequestError as error:
        issues = error.issues
    assert bool(issues) != (request is not None)


@given(JSON)
def test_decode_takes_any_parameters(params: Any) -> None:
    """The envelope is checked here, its content by each method."""
    text = json.dumps({"id": 3, "method": "m", "params": {"p": params}})
    assert decode(text) == Request(3, "m", {"p": params})


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"id": -1, "method": "m"}',
        '{"id": 9007199254740993, "method": "m"}',
        '{"id": 1.5, "method": "m"}',
        '{"id": 1, "method": "m", "params": []}',
        '{"id": 1, "method": "m", "extra": 0}',
    ],
)
def test_hostile_envelopes_are_refused(text: str) -> None:
    """Deep nesting and ids that a page could not tell apart are refused like any other fault."""
    with pytest.raises(InvalidRequestError):
        decode(text)
