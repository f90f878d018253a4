"""What is told of a request that does not fit."""

from __future__ import annotations

import pytest

from viloapp_core.host.dispatch import _checked
from viloapp_sdk.errors import InvalidArgumentsError


def test_the_parameter_that_does_not_fit_is_the_one_that_is_named() -> None:
    """Also where another one is the same object."""
    text = "twice"
    with pytest.raises(InvalidArgumentsError, match=r"events\.emit: parameter 2 is a str"):
        _checked("events.emit", [text, text], (str, dict))
