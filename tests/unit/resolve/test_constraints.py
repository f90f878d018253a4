"""What all dependents accept, against trying every version."""

from __future__ import annotations

import operator
from collections.abc import Callable

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from viloapp_core.resolve import Demand, NoVersionFitsError, Relations, accept, demands_on, newest

Number = tuple[int, int]


def _compatible(version: Number, bound: Number) -> bool:
    return version >= bound and version[0] == bound[0]


TESTS: dict[str, Callable[[Number, Number], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "~=": _compatible,
}
NUMBERS = st.tuples(st.integers(0, 3), st.integers(0, 12))
CLAUSES = st.lists(st.tuples(st.sampled_from(sorted(TESTS)), NUMBERS), max_size=2)


def _version(number: Number) -> str:
    return f"{number[0]}.{number[1]}"


def _accepts(clauses: list[tuple[str, Number]], version: Number) -> bool:
    return all(TESTS[sign](version, bound) for sign, bound in clauses)


@settings(max_examples=400, deadline=None)
@given(
    versions=st.lists(NUMBERS, max_size=8),
    dependents=st.lists(CLAUSES, max_size=4),
    pre=st.sampled_from(["", "rc1", ".dev3", "b2"]),
)
def test_the_newest_is_what_trying_every_version_finds(
    versions: list[Number], dependents: list[list[tuple[str, Number]]], pre: str
) -> None:
    """Each dependent is asked for each version; pre-releases of a higher one do not tempt."""
    texts = ["t" + ",".join(f"{sign}{_version(bound)}" for sign, bound in each) for each in dependents]
    plugins = [
        Relations(f"p{number}", "1", requires_plugins=(text, "other<9")) for number, text in enumerate(texts)
    ]
    fitting = [version for version in versions if all(_accepts(clauses, version) for clauses in dependents)]
    demands = demands_on("t", plugins)
    assert len(demands) == len(plugins)
    for version in versions:
        assert accept(demands, _version(version)) is (version in fitting)
    event("one fits" if fitting else "none fits")
    candidates = [_version(version) for version in versions]
    if fitting and pre:
        candidates.append(f"99.0{pre}")
    assert newest(candidates, demands) == (_version(max(fitting)) if fitting else None)


@pytest.mark.parametrize(
    ("candidates", "specifiers", "expected"),
    [
        (["1.0", "2.0rc1"], [">=1"], "1.0"),
        (["1.0", "2.0rc1"], [">=2.0rc1"], "2.0rc1"),
        (["2.0rc1", "2.0rc2"], [">=1", "<3"], "2.0rc2"),
        (["1.0", "1.0.post1"], ["==1.*"], "1.0.post1"),
        (["1!1.0", "2.0"], [""], "1!1.0"),
        (["1.9", "1.10"], ["<2"], "1.10"),
        (["1.0", "not a version"], [""], "1.0"),
        ([], [""], None),
    ],
)
def test_pre_releases_epochs_and_oddities(
    candidates: list[str], specifiers: list[str], expected: str | None
) -> None:
    """As PEP 440 has them."""
    demands = [Demand(f"p{number}", "1", "t", text) for number, text in enumerate(specifiers)]
    assert newest(candidates, demands) == expected


def test_markers_and_one_self_are_left_out() -> None:
    """A requirement for another Python is none, and no plugin depends on itself."""
    plugins = [
        Relations("b", "1", "3.12.0", requires_plugins=('t<1; python_version < "3.12"', "T>=2")),
        Relations("t", "2", requires_plugins=("t<1",)),
    ]
    assert demands_on("t", plugins) == [Demand("b", "1", "t", ">=2")]


def test_the_error_names_everyone() -> None:
    """Each plugin, its specifier, and the versions that were tried; the person too."""
    needy = Relations("b", "1.0", requires_plugins=("a>=2",))
    told = [str(demand) for demand in (*demands_on("a", [needy]), Demand("", "", "a", "<2"))]
    error = NoVersionFitsError("a", told, [f"0.{number}" for number in range(40, 0, -1)])
    start = "no version of a suits all: b 1.0 requires a>=2; you asked for a<2; tried 0.40, 0.39"
    assert error.detail.startswith(start)
    assert error.detail.endswith("0.11 and 10 older")
    assert error.code == "no_version_fits"
    assert "no version of it at all" in NoVersionFitsError("a", told, []).detail
