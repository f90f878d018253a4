"""Everything that speaks against a change of the set of plugins, and nothing that it did not touch."""

from __future__ import annotations

import pytest

from viloapp_core.resolve import Relations, dependents, refusals


def _after(*plugins: Relations) -> dict[str, Relations]:
    return {plugin.plugin_id: plugin for plugin in plugins}


A = Relations("a", "1.0")
NEEDS_2 = Relations("b", "1.0", requires_plugins=("A>=2",))
NEEDS_1 = Relations("c", "3.0", requires_plugins=("a<2",))


@pytest.mark.parametrize(
    ("plugins", "touched", "told"),
    [
        ([NEEDS_2], {"b"}, ["b 1.0 requires A>=2, which is not installed"]),
        ([A, NEEDS_2], {"b"}, ["b 1.0 requires A>=2, and a is 1.0"]),
        ([A, NEEDS_2], {"a", "b"}, ["no version of a suits all: b 1.0 requires a>=2; tried 1.0"]),
        ([A, NEEDS_2, NEEDS_1], {"c"}, []),
        (
            [A, NEEDS_2, NEEDS_1],
            {"a"},
            ["no version of a suits all: b 1.0 requires a>=2; c 3.0 requires a<2; tried 1.0"],
        ),
        ([Relations("d", "1", conflicts=("a<2",)), A], {"a"}, ["d and a cannot be enabled together"]),
        ([Relations("d", "1", conflicts=("a>2",)), A], {"a", "d"}, []),
        ([Relations("d", "1", load_after=("a",), load_before=("a",)), A], {"a"}, ["wait for each other"]),
        ([Relations("d", "1", load_after=("a",), load_before=("a",)), A, NEEDS_1], {"c"}, []),
        ([Relations("d", "1", requires_plugins=("not one",))], {"d"}, ["'not one' is not a requirement"]),
    ],
)
def test_what_speaks_against_it(plugins: list[Relations], touched: set[str], told: list[str]) -> None:
    """Each refusal names the plugins; what is wrong elsewhere already is not this change's business."""
    after = _after(*plugins)
    found = [str(refusal) for refusal in refusals(after, enabled=set(after), touched=touched)]
    assert len(found) == len(told)
    assert all(text in said for text, said in zip(told, found, strict=True))


def test_all_at_once() -> None:
    """Not one refusal after the other."""
    plugins = _after(
        Relations("b", "1", requires_plugins=("x", "y>=1")), A, Relations("d", "1", conflicts=("a",))
    )
    assert [error.code for error in refusals(plugins, enabled=set(plugins), touched=set(plugins))] == [
        *("unmet_requirement", "unmet_requirement", "plugin_conflict")
    ]


def test_disabled_plugins() -> None:
    """They conflict with nobody and order nothing, but have a say in versions and may have to be enabled."""
    rival = Relations("d", "1", conflicts=("a",), load_after=("a",), load_before=("a",))
    assert refusals(_after(rival, A), enabled={"a"}, touched={"a"}) == []
    (error,) = refusals(_after(A, NEEDS_2), enabled={"a"}, touched={"a"})
    assert error.code == "no_version_fits"
    needy = _after(A, Relations("b", "1", requires_plugins=("a",)))
    assert refusals(needy, enabled={"b"}, touched={"b"}) == []
    (error,) = refusals(needy, enabled={"b"}, touched={"b"}, strict=True)
    assert error.detail == "b 1 requires a, which is disabled"
    assert "viloapp enable a b" in error.hint


def test_who_depends_on_what_goes() -> None:
    """Those that go with it do not; nor those whose marker is false."""
    plugins = _after(
        A, NEEDS_1, NEEDS_2, Relations("d", "1", "3.12.0", requires_plugins=('a; python_version < "3.12"',))
    )
    assert dependents({"a"}, plugins) == {"a": ["b", "c"]}
    assert dependents({"a", "b"}, plugins) == {"a": ["c"]}
    assert dependents({"a", "b", "c"}, plugins) == {}
    assert dependents({"b"}, plugins) == {}
