"""What a plugin may learn of the machine is what is so when it asks."""

import os

import pytest

from viloapp_core.host.machine import Environment

NAME = "VILOAPP_TEST_VARIABLE"


def test_a_variable_is_what_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set, changed, changed to one of the same length, removed, set again: whatever was asked before."""
    environment = Environment()
    monkeypatch.delenv(NAME, raising=False)
    assert environment.get(NAME) is None
    for value in ("a", "b", "x" * 65_536, "y" * 65_536, ""):
        monkeypatch.setenv(NAME, value)
        assert [environment.get(NAME), environment.get(NAME)] == [value, value]
        assert os.environ[NAME] == value
    monkeypatch.delenv(NAME)
    assert environment.get(NAME) is None
    monkeypatch.setenv(NAME, "a")
    assert environment.get(NAME) == "a"


@pytest.mark.parametrize("value", [b"caf\xc3\xa9", b"\xff\xfe", b"\xed\xa0\x80"])
def test_a_variable_is_decoded_as_python_does(monkeypatch: pytest.MonkeyPatch, value: bytes) -> None:
    """Also one that is no UTF-8, and one whose name is none."""
    environment, name = Environment(), os.fsdecode(b"VILOAPP_TEST_\xff")
    monkeypatch.setitem(os.environb, os.fsencode(name), value)
    assert environment.get(name) == os.environ[name] == os.fsdecode(value)
    assert environment.get(name) == os.fsdecode(value)


def test_a_large_variable_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is another."""
    environment = Environment()
    monkeypatch.setenv(NAME, "x" * 65_536)
    assert environment.get(NAME) is environment.get(NAME)
