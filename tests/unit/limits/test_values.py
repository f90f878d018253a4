"""Which limits hold, and what the kernel is told of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.limits import (
    BOUNDS,
    LIMIT_NAMES,
    Limits,
    above_defaults,
    effective,
    rlimits,
    thread_environment,
)
from viloapp_sdk.manifest import fields, schema

anything = st.one_of(
    st.none(), st.booleans(), st.text(max_size=3), st.integers(), st.floats(allow_nan=True), st.just([])
)
given_limits = st.dictionaries(st.sampled_from((*LIMIT_NAMES, "memory", "nice")), anything)


def test_defaults_are_those_of_the_specification() -> None:
    """A plugin that asks for nothing has 100 MB, a quarter of a processor, 50 files and 30 s a command."""
    limits = effective({}, {})
    assert (limits.memory_mb, limits.cpu_percent, limits.file_handles, limits.execution_time) == (
        100,
        25,
        50,
        30,
    )


def test_bounds_and_names_are_those_of_the_manifest() -> None:
    """What a manifest may say, and what is taken from it, are one thing."""
    said = schema()["properties"]["limits"]["properties"]
    assert set(said) == set(LIMIT_NAMES) == {field.name for field in fields.LIMITS.fields}
    assert {name: (of["minimum"], of["maximum"]) for name, of in said.items()} == dict(BOUNDS)


def test_the_person_has_the_last_word() -> None:
    """Both ways: less than the manifest asks for, and more."""
    limits = effective({"memory_mb": 500, "cpu_percent": 50}, {"memory_mb": 80, "processes": 200})
    assert limits == Limits(memory_mb=80, cpu_percent=50, processes=200)


@given(given_limits, given_limits)
def test_whatever_is_given_there_are_limits(manifest: dict[str, float], person: dict[str, float]) -> None:
    """A receipt of another version, or a hand-edited file of settings, never lifts a limit."""
    limits = effective(manifest, person)
    for name, (least, greatest) in BOUNDS.items():
        assert least <= getattr(limits, name) <= greatest
    for name, soft, hard in rlimits(limits):
        assert isinstance(soft, int)
        assert soft == hard >= 0, name


def test_only_what_is_raised_needs_consent() -> None:
    """Asking for less than the default, or for the default, is nobody's concern."""
    assert above_defaults({"memory_mb": 100, "cpu_percent": 5}) == {}
    assert above_defaults({"memory_mb": 300, "execution_time": 31}) == {
        "memory_mb": (100, 300),
        "execution_time": (30, 31),
    }


@pytest.mark.parametrize(
    ("percent", "processors", "threads"), [(25, 64, "2"), (25, 1, "1"), (800, 64, "8"), (800, 4, "4")]
)
def test_numerical_libraries_get_threads_for_their_share(
    percent: float, processors: int, threads: str
) -> None:
    """A quarter of a processor needs no 64 threads."""
    assert thread_environment(Limits(cpu_percent=percent), processors)["OPENBLAS_NUM_THREADS"] == threads
