"""Conflicts between enabled plugins, against their definition."""

from __future__ import annotations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from viloapp_core.resolve import Relations, check_conflicts

IDS = "abcdefg"
TESTS = {
    "<": int.__lt__,
    "<=": int.__le__,
    "==": int.__eq__,
    "!=": int.__ne__,
    ">": int.__gt__,
    ">=": int.__ge__,
}
PYTHONS = {"3.10.1": 10, "3.11.7": 11, "3.13.0": 13}

# A conflict: the name, a comparison with the major version, a comparison with the Python of who says it.
Clause = tuple[str, tuple[str, int] | None, tuple[str, int] | None]
CLAUSES = st.tuples(
    st.sampled_from(IDS),
    st.none() | st.tuples(st.sampled_from(sorted(TESTS)), st.integers(0, 3)),
    st.none() | st.tuples(st.sampled_from(sorted(TESTS)), st.integers(9, 14)),
)


def _text(clause: Clause) -> str:
    name, version, python = clause
    text = name.upper() + (f"{version[0]}{version[1]}" if version else "")
    return text + (f'; python_version {python[0]} "3.{python[1]}"' if python else "")


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(IDS),
            st.integers(0, 3),
            st.sampled_from(sorted(PYTHONS)),
            st.lists(CLAUSES, max_size=3),
        ),
        unique_by=lambda row: row[0],
        max_size=7,
    )
)
def test_pairs_are_those_that_the_definition_gives(
    rows: list[tuple[str, int, str, list[Clause]]],
) -> None:
    """Every pair of enabled plugins is looked at; numbers are compared as numbers here."""
    majors = {row[0]: row[1] for row in rows}
    expected = sorted(
        {
            (plugin_id, other)
            for plugin_id, _, python, clauses in rows
            for other, major in majors.items()
            if other != plugin_id
            for name, version, marker in clauses
            if name == other
            and (version is None or TESTS[version[0]](major, version[1]))
            and (marker is None or TESTS[marker[0]](PYTHONS[python], marker[1]))
        }
    )
    event("conflicts" if expected else "none")
    plugins = [
        Relations(plugin_id, str(major), python, conflicts=tuple(map(_text, clauses)))
        for plugin_id, major, python, clauses in rows
    ]
    assert check_conflicts(plugins) == check_conflicts(reversed(plugins)) == expected


@pytest.mark.parametrize(
    ("conflict", "version", "clash"),
    [
        ("b", "1", True),
        ("b<2", "1.9", True),
        ("b<2", "2", False),
        ("b<2", "1.0rc1", True),
        ("b~=1.4", "1.10", True),
        ("b~=1.4", "2.0", False),
        ("b===1.0+local", "1.0+local", True),
        ("b==1.*", "1.10.2", True),
        ("b!=1.5", "1.5", False),
        ("c", "1", False),
    ],
)
def test_every_kind_of_specifier(conflict: str, version: str, clash: bool) -> None:
    """PEP 440, with pre-releases as versions like any other."""
    pairs = check_conflicts([Relations("a", "1", conflicts=(conflict,)), Relations("b", version)])
    assert pairs == ([("a", "b")] if clash else [])


def test_both_say_so() -> None:
    """Then both pairs are there."""
    plugins = [Relations("a", "1", conflicts=("b",)), Relations("b", "1", conflicts=("a",))]
    assert check_conflicts(plugins) == [("a", "b"), ("b", "a")]
