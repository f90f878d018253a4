"""From what was seen to the least permissions."""

from pathlib import Path

import pytest

from viloapp_core.host.learning import Learned, least, permission_for
from viloapp_core.permissions import Permission, Places

PLACES = Places("/home/me", {"workspace": "/home/me/desk", "plugin_data": "/home/me/.store/hello"})


@pytest.mark.parametrize(
    ("kind", "what", "permission"),
    [
        ("read", "/home/me/desk/src/app.py", "filesystem.read.workspace"),
        ("write", "/home/me/desk", "filesystem.write.workspace"),
        ("read", "/home/me/desktop/a", "filesystem.read.~/desktop/a"),
        ("read", "/home/me", "filesystem.read.home_directory"),
        ("read", "/srv/data/x", "filesystem.read./srv/data/x"),
        ("write", "/home/me/.store/hello/notes", None),
        ("read", "/tmp/x", "filesystem.read./tmp/x"),
        ("read", "/proc/self/maps", None),
        ("execute", "git", "process.execute.git"),
        ("execute", "/opt/tool/run", "process.execute./opt/tool/run"),
        ("connect", "API.example.com:443", "network.connect.api.example.com:443"),
        ("connect", "*:1", None),
        ("else", "x", None),
    ],
)
def test_what_was_seen_has_a_name(kind: str, what: str, permission: str | None) -> None:
    """Named places before paths; what is free, or cannot be named, is none."""
    found = permission_for(kind, what, PLACES)
    assert (str(found) if found else None) == permission


def test_only_what_was_refused_or_is_held_counts(tmp_path: Path) -> None:
    """A file of the system that everybody reads is no use of a permission; what nobody has is none either."""
    learned = Learned()
    held = [Permission.parse("filesystem.read.workspace")]
    there = {"/srv/data/x", "/srv/data", "/etc/hosts"}
    learned.observe(
        [
            ["read", "/home/me/desk/a", True],
            ["read", "/etc/hosts", True],
            ["read", "/srv/data/x", False],
            ["write", "/srv/data/new", False],
            ["read", "/srv/nothing", False],
            ["write", "/tmp/own", True],
            ["write", "/srv/nowhere/new", False],
            "nonsense",
            [1, 2],
        ],
        held,
        PLACES,
        exists=there.__contains__,
    )
    assert sorted(map(str, learned.used)) == [
        "filesystem.read./srv/data/x",
        "filesystem.read.workspace",
        "filesystem.write./srv/data/new",
    ]


def test_the_least_is_small() -> None:
    """Many files are their folder, and what another permission covers is left out."""
    texts = [
        "filesystem.read.~/notes/a",
        "filesystem.read.~/notes/b",
        "filesystem.read.~/notes/c",
        "filesystem.read.~/other/a",
        "filesystem.read.workspace",
        "filesystem.write.workspace",
        "network.connect.example.com",
        "network.connect.example.com:443",
    ]
    assert list(map(str, least(map(Permission.parse, texts)))) == [
        "filesystem.read.~/notes",
        "filesystem.read.~/other/a",
        "filesystem.write.workspace",
        "network.connect.example.com",
    ]
