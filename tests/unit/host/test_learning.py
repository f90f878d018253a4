"""From what was seen to the least permissions."""

from pathlib import Path

import pytest

from viloapp_core.host.learning import Learned, blind, least, never, permission_for
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
            ["write", "/srv/data/__pycache__", False],
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


def test_each_permission_has_its_witnesses() -> None:
    """The three who look are merged; a permission for a folder has those of all the files in it."""
    learned = Learned()
    learned.add("network.connect.192.0.2.7:443")
    learned.observe([["read", "/srv/data/a", False]], [], PLACES, exists=lambda path: True)
    kernel = [
        ["read", "/srv/data/a", False],
        ["read", "/srv/data/b", False],
        ["read", "/srv/data/c", False],
        ["connect", "192.0.2.7:443", True],
        ["connect", "[2001:db8::1]:80", True],
        ["resolve", "10.0.0.1", True],
    ]
    learned.observe(kernel, [], PLACES, exists=lambda path: True, source="kernel")
    assert {str(each): learned.seen_by(each) for each in least(learned.used)} == {
        "filesystem.read./srv/data": ["python", "kernel"],
        "network.connect.192.0.2.7:443": ["host", "kernel"],
        "network.connect.[2001:db8::1]:80": ["kernel"],
    }


def test_where_a_program_was_looked_for_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search along PATH ends at the program that is there, which has its name, whatever link led to it."""
    (tmp_path / "usr").mkdir()
    program = tmp_path / "usr/tool"
    program.touch(0o755)
    (tmp_path / "bin").symlink_to("usr")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    learned = Learned()
    rows = [["execute", str(tmp_path / place / "tool"), False] for place in ("local", "usr", "bin")]
    learned.observe(rows, [], PLACES, source="kernel")
    assert list(map(str, learned.used)) == ["process.execute.tool"]


def test_what_was_not_seen_is_said() -> None:
    """Whether the kernel told, and if it did not, why."""
    assert not any("native code does by itself" in text for text in blind(True))
    assert blind(False, ["no filter"])[0] == "what native code does by itself: no filter"
    assert "no process of the plugin ran" in blind(False)[0]
    assert any("other commands" in text for text in blind(True))


def test_what_nobody_gets_is_told_apart(tmp_path: Path) -> None:
    """A plugin that was granted such a path would not be started any more, so the block must not have it."""
    home, store = tmp_path / "home", tmp_path / "home/.store"
    used = [
        Permission.parse(f"filesystem.{text}")
        for text in (
            "read./etc/hostname",
            "write./usr",
            "read.~/.ssh/id_ed25519",
            f"read.{store}/ledger.json",
            f"read.{tmp_path}/data",
            "read.~/notes",
            "read.workspace",
        )
    ] + [Permission.parse("network.connect.localhost")]
    assert {str(each): why for each, why in never(used, home=home, store=store).items()} == {
        "filesystem.read./etc/hostname": "it is the machine's own",
        "filesystem.write./usr": "it is the machine's own",
        "filesystem.read.~/.ssh/id_ed25519": "it holds secrets",
        f"filesystem.read.{store}/ledger.json": "it is part of the store",
    }
