"""Which names a plugin can have."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.devtools.errors import NameRefusedError
from viloapp_core.devtools.project_name import ProjectName, project_name


def test_what_follows_from_a_name() -> None:
    """The distribution's name is normalized, the package is its identifier, classes begin with it."""
    assert project_name("Hello_World") == ProjectName("hello-world", "hello_world", "HelloWorld")
    assert project_name("x") == ProjectName("x", "x", "X")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is no name"),
        ("-x", "is no name"),
        ("x.", "is no name"),
        ("a b", "is no name"),
        ("x\n", "is no name"),
        ("héllo", "is no name"),
        ("x" * 33, "is no name"),
        ("../x", "is a path"),
        ("a/b", "is a path"),
        ("a\\b", "is a path"),
        ("..", "is a path"),
        ("3d-view", "begins with a digit"),
        ("class", "is a keyword"),
        ("Lambda", "is a keyword"),
        ("json", "would hide the module 'json'"),
        ("tests", "would hide"),
        ("msgpack", "would hide"),
        ("settings", "host's own name"),
        ("theme", "host's own name"),
        ("viloterm-sdk/x", "is a path"),
        ("viloapp-sdk", "ViloApp's own name"),
        ("ViloApp_Core", "ViloApp's own name"),
        ("viloxterm", "ViloApp's own name"),
        ("viloapp-extra", "ViloApp's own name"),
    ],
)
def test_a_bad_name_is_one_line(name: str, why: str) -> None:
    """That says why."""
    with pytest.raises(NameRefusedError, match=why) as caught:
        project_name(name)
    assert caught.value.code == "bad_name"
    assert "\n" not in caught.value.detail


@given(st.text(max_size=40) | st.from_regex(r"[A-Za-z0-9._-]{1,34}", fullmatch=True))
def test_what_is_taken_is_usable(text: str) -> None:
    """Whatever is typed is refused or makes an importable package and a class."""
    try:
        made = project_name(text)
    except NameRefusedError:
        return
    assert made.package.isidentifier()
    assert made.package.isascii()
    assert not keyword.iskeyword(made.package)
    assert f"{made.class_name}Plugin".isidentifier()
