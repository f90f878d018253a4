"""The grammar of permissions and what covers what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.permissions import CATEGORIES, Permission, PermissionSyntaxError, allows

part = st.text("abcdefghijklmnop_-", min_size=1, max_size=8)
permissions = st.builds(
    Permission, st.sampled_from(CATEGORIES), part, st.lists(part, min_size=1).map(".".join)
)


@given(permissions)
def test_text_and_value_are_the_same_thing(permission: Permission) -> None:
    """What is printed can be read again, dots of the resource included."""
    assert Permission.parse(str(permission)) == permission
    assert len({permission, Permission.parse(str(permission))}) == 1


@given(permissions, permissions)
def test_a_permission_without_a_star_covers_itself_alone(one: Permission, other: Permission) -> None:
    """Nothing is granted by resemblance."""
    assert one.covers(other) == (one == other)


@pytest.mark.parametrize(
    "text", ["", "network", "network.connect", "network..x", "web.read.x", ".a.b", "a.b."]
)
def test_what_is_no_permission_is_refused(text: str) -> None:
    """The error quotes the text and says what is wrong with it."""
    with pytest.raises(PermissionSyntaxError, match="is no permission"):
        Permission.parse(text)


@pytest.mark.parametrize(
    ("granted", "wanted", "allowed"),
    [
        ("filesystem.read.*", "filesystem.read.workspace", True),
        ("filesystem.*.workspace", "filesystem.write.workspace", True),
        ("filesystem.read.*", "filesystem.write.workspace", False),
        ("network.connect.api.example.*", "network.connect.api.example.com", True),
        ("network.connect.api.example.*", "network.connect.api.other.com", False),
        ("filesystem.*.*", "network.connect.example.com", False),
        ("process.spawn.terminal", "process.spawn.*", False),
    ],
)
def test_a_star_covers_scopes_and_ends_of_resources(granted: str, wanted: str, allowed: bool) -> None:
    """A wildcard never reaches into another category, and asking for one needs one."""
    assert allows([Permission.parse(granted)], Permission.parse(wanted)) is allowed


def test_nothing_granted_allows_nothing() -> None:
    """The default is no."""
    assert not allows([], Permission("ui", "show", "dialog"))
