"""What plugins say of each other: markers, names, and what is no requirement."""

from __future__ import annotations

import pytest

from viloapp_core.resolve import RelationError, Relations
from viloapp_core.resolve.relations import names, requirements


@pytest.mark.parametrize(
    ("text", "python_version", "holds"),
    [
        ("a", "", True),
        ('a; python_version < "3.12"', "3.11.7", True),
        ('a; python_version < "3.12"', "3.12.0", False),
        ('a; python_version < "3.9"', "3.10.4", False),
        ('a; python_full_version >= "3.11.8"', "3.11.7", False),
        ('a; implementation_name == "cpython"', "3.13.1", True),
        ('a; extra == "gui"', "3.11.7", False),
        ('a; extra == "gui"', "", False),
        ('a; sys_platform == "no-such-platform"', "3.11.7", False),
    ],
)
def test_markers_are_for_the_plugins_own_interpreter(text: str, python_version: str, holds: bool) -> None:
    """Not for the host's, which may be another."""
    plugin = Relations("b", "1", python_version)
    assert bool(requirements(plugin, [text])) is holds


def test_names_are_normalized() -> None:
    """As the index does it."""
    plugin = Relations("b", "1")
    assert [name for name, _ in requirements(plugin, ["Some_Plugin.X >=1"])] == ["some-plugin-x"]
    assert names(["Some_Plugin.X"]) == ["some-plugin-x"]


@pytest.mark.parametrize("text", ["", "a b", "a>>1", 'a; nonsense == "1"'])
def test_what_is_no_requirement_is_named(text: str) -> None:
    """With the plugin that says it."""
    with pytest.raises(RelationError, match=r"^b: ") as caught:
        requirements(Relations("b", "1"), [text])
    assert repr(text) in caught.value.detail
