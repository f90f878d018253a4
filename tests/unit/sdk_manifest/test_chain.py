"""Versions of a plugin's settings, and which steps lead from one to the other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_sdk.manifest import validate
from viloapp_sdk.manifest.chain import chain_issues, declared, later, major, objections, parse, steps_from


def table(version: str, *steps: tuple[str, str]) -> dict[str, Any]:
    """Return the ``settings`` of a manifest; each step's function is named for where it leads."""
    rows = [{"from": begin, "to": end, "run": f"m:to_{end.replace('.', '_')}"} for begin, end in steps]
    return {"version": version, "steps": rows}


def runs(settings: dict[str, Any], stored: str) -> list[str]:
    """Return which functions run."""
    return [step.run.partition(":")[2] for step in steps_from(settings, stored)]


FOUR = table("4", ("1", "2"), ("2", "3"), ("3", "4"))


@pytest.mark.parametrize(
    ("settings", "stored", "expected"),
    [
        (FOUR, "1", ["to_2", "to_3", "to_4"]),
        (FOUR, "1.7", ["to_2", "to_3", "to_4"]),
        (FOUR, "3", ["to_4"]),
        (FOUR, "4", []),
        (FOUR, "4.2", []),
        (FOUR, "5", []),
        (table("2.10", ("1", "2"), ("2", "2.9"), ("2.9", "2.10")), "1", ["to_2", "to_2_9", "to_2_10"]),
        (table("2.10", ("1", "2"), ("2", "2.9"), ("2.9", "2.10")), "2.9", ["to_2_10"]),
        (table("2", ("1.1", "2")), "1", ["to_2"]),
        (table("10", ("1", "9"), ("9", "10")), "1", ["to_9", "to_10"]),
        ({}, "1", []),
        (table("1.3"), "1", []),
    ],
)
def test_the_steps_run_in_order_and_none_is_left_out(
    settings: dict[str, Any], stored: str, expected: list[str]
) -> None:
    """By number: ten comes after nine; several versions are gone through one by one; nothing leads back."""
    assert runs(settings, stored) == expected
    assert list(chain_issues(settings)) == []


@pytest.mark.parametrize(
    ("settings", "path", "words"),
    [
        (table("3", ("1", "2")), "settings.steps", "no step leads from 2 on to 3"),
        (table("3", ("2", "3")), "settings.steps", "no step leads from 1 on to 3"),
        (table("2"), "settings.steps", "no step leads from 1 on to 2"),
        (table("2", ("1", "3")), "settings.steps[0].to", "3 comes after settings.version, 2"),
        (table("2", ("1", "2"), ("2.0", "1")), "settings.steps[1].to", "1 does not come after 2.0"),
        (table("2", ("1", "2"), ("1.0", "2")), "settings.steps[1].from", "settings.steps[0] begins already"),
        ({"version": "1.x"}, "settings.version", "is not a version"),
        ({"version": "0"}, "settings.version", "is not a version"),
        ({"version": "2", "steps": [{"from": "1", "to": "2", "run": "x"}]}, "settings.steps[0].run", "form"),
        ({"steps": []}, "settings.version", "is missing"),
    ],
)
def test_a_chain_with_a_gap_is_no_manifest(settings: dict[str, Any], path: str, words: str) -> None:
    """So a wheel that was built leads from every version; the path says where it does not."""
    found = validate({"schema": 1, "api_version": "1.0", "settings": settings})
    assert any(issue.path == path and words in issue.message for issue in found), found


VERSIONS = st.tuples(st.integers(1, 6), st.integers(0, 3)).map(lambda each: f"{each[0]}.{each[1]}")


@given(st.lists(st.tuples(VERSIONS, VERSIONS), max_size=8), VERSIONS, VERSIONS)
def test_a_chain_without_issues_leads_there_from_everywhere(
    steps: list[tuple[str, str]], version: str, stored: str
) -> None:
    """Whatever is stored: each step takes the major version that the one before made, and goes forward."""
    settings = table(version, *steps)
    if list(chain_issues(settings)):
        return
    at = parse(stored)
    for step in steps_from(settings, stored):
        assert step.begin[0] == at[0]
        assert at < step.end <= parse(version)
        at = step.end
    begins = {1, *(parse(begin)[0] for begin, _ in steps)}
    if at[0] < major(version):
        assert major(stored) not in begins  # a version that the author never had


def test_what_is_not_declared_is_1() -> None:
    """Without the table, and of two versions the later one by number."""
    assert declared({}) == declared({"settings": {}}) == "1"
    assert declared({"settings": {"version": "2.1"}}) == "2.1"
    assert later("2.9", "2.10") == later("2.10", "2.9") == "2.10"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("size", 3, ""),
        ("size", "3", "of type integer"),
        ("size", 100, "at most 9"),
        ("other", {"kept": [1, None]}, ""),
        ("limits.memory_mb", 1, "no name of a setting"),
        ("", 1, "no name of a setting"),
        ("a\nb", 1, "no name of a setting"),
        ("x", float("nan"), "nothing that JSON has"),
        ("x", b"bytes", "nothing that JSON has"),
        ("x", {1: 2}, "nothing that JSON has"),
        ("x", "y" * 2**20, "more than"),
    ],
)
def test_what_a_step_made_is_judged(name: str, value: object, words: str) -> None:
    """By what is declared; what is not is kept for code of other versions."""
    found = objections(name, value, {"size": {"type": "integer", "maximum": 9}})
    assert words in found
    assert bool(found) == bool(words)
