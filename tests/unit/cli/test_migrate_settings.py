"""`viloapp migrate settings`: shown, asked, copied, done, and in force."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from viloapp_core.cli.main import main
from viloapp_core.host import SyncHost
from viloapp_core.store import InstalledPlugin, Store

from .conftest import OnTerminal, Ran, die_at

FIXTURES = Path(__file__).parents[2] / "fixtures" / "settings"
TERMINAL = {
    "fontSize": {"type": "integer", "default": 14, "minimum": 6, "maximum": 72},
    "shell": {"type": "string", "default": "auto"},
    "fontFamily": {"type": "string", "default": "monospace"},
    "cursorStyle": {"type": "string", "default": "block", "enum": ["block", "underline", "bar"]},
    "scrollback": {"type": "integer", "default": 1000},
    "theme": {"type": "string", "default": "auto"},
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The old application's file."""
    return Path(shutil.copy(FIXTURES / "nested-1.0.json", tmp_path / "settings.json"))


def test_the_font_really_changes(
    old: Path, viloapp: Callable[..., Ran], installed: Callable[..., InstalledPlugin]
) -> None:
    """What was set there is set here; the old file is beside the new one; a second run has nothing to do."""
    installed("viloxterm", configuration=TERMINAL)
    before = old.read_bytes()
    ran = viloapp("migrate", "settings", str(old), "--yes", "--json")
    assert ran.code == 0
    copy = old.with_suffix(".backup")
    assert ran.json["log"] == ["Migrated from 1.0", "Migrated from 2.0", f"Backup created at {copy}"]
    assert (ran.json["from"], ran.json["to"], ran.json["migrated"]) == ("1.0", "3.0", True)
    assert {"key": "viloxterm.fontSize", "before": 14, "after": 16} in ran.json["changes"]
    assert viloapp("config", "get", "viloxterm.fontSize").out == "16\n"
    assert viloapp("config", "get", "core.theme").out == "dark\n"
    assert copy.read_bytes() == before
    assert json.loads(old.read_bytes())["version"] == "3.0"

    viloapp("config", "set", "viloxterm.fontSize", "20")
    migrated = old.read_bytes()
    again = viloapp("migrate", "settings", str(old), "--yes", "--json")
    assert (again.code, again.json["migrated"], again.json["log"]) == (0, False, [])
    assert viloapp("config", "get", "viloxterm.fontSize").out == "20\n"
    assert old.read_bytes() == migrated
    assert sorted(path.name for path in old.parent.iterdir()) == ["settings.backup", "settings.json"]


def test_a_plugin_that_comes_later_finds_its_settings(
    old: Path, viloapp: Callable[..., Ran], installed: Callable[..., InstalledPlugin]
) -> None:
    """Moving in does not depend on what is installed first."""
    assert viloapp("migrate", "settings", str(old), "-y").code == 0
    assert viloapp("config", "get", "viloxterm.fontSize").code == 1
    installed("viloxterm", configuration=TERMINAL)
    assert viloapp("config", "get", "viloxterm.fontSize").out == "16\n"


def test_a_running_host_takes_them_at_once(
    old: Path, viloapp: Callable[..., Ran], installed: Callable[..., InstalledPlugin], store: Store
) -> None:
    """Its pages hear of every change, and its theme is the migrated one."""
    installed("viloxterm", configuration=TERMINAL)
    old.write_text('{"terminal": {"font_size": 30}, "theme": "light"}')
    heard: list[Any] = []
    with SyncHost(store.root) as host:
        host.subscribe(lambda name, data: heard.append(data) if name == "settings.changed" else None)
        assert viloapp("migrate", "settings", str(old), "-y").code == 0
        assert viloapp("config", "get", "viloxterm.fontSize").out == "30\n"
    assert {"key": "viloxterm.fontSize", "value": 30} in heard
    assert {"key": "core.theme", "value": "light"} in heard


def test_a_dry_run_shows_and_changes_nothing(old: Path, viloapp: Callable[..., Ran], store: Store) -> None:
    """The diff has the settings of the workspace and the lines of the file."""
    before = old.read_bytes()
    ran = viloapp("migrate", "settings", str(old), "--dry-run")
    assert ran.code == 0
    assert "viloxterm.fontSize: not set → 16" in ran.out.splitlines()
    assert f"--- {old}" in ran.out.splitlines()
    assert '+   "fontSize": 16,' in ran.out.splitlines()
    assert "kept: terminal.bell: it has no place any more" in ran.err
    assert "renamed: plugins.viloxterm.cursorStyle: line is called bar now" in ran.err
    assert old.read_bytes() == before
    assert [path.name for path in old.parent.iterdir()] == [old.name]
    assert not (store.root / "settings.json").exists()


def test_nobody_to_ask(old: Path, viloapp: Callable[..., Ran], store: Store) -> None:
    """Without a terminal and without --yes nothing is done."""
    before = old.read_bytes()
    ran = viloapp("migrate", "settings", str(old))
    assert (ran.code, ran.err.count("error: ")) == (1, 1)
    assert "--dry-run" in ran.err
    assert old.read_bytes() == before
    assert not (store.root / "settings.json").exists()


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_a_person_is_asked_after_the_diff(
    old: Path, on_terminal: Callable[..., OnTerminal], answer: str, code: int
) -> None:
    """The answer decides; no is the default."""
    before = old.read_bytes()
    command = on_terminal("migrate", "settings", str(old))
    shown = command.until("[y/N]")
    assert "viloxterm.fontSize: not set → 16" in shown
    command.type(answer)
    assert command.end() == code
    assert (old.read_bytes() == before) is (code == 1)


def test_a_backup_is_never_overwritten(old: Path, viloapp: Callable[..., Ran]) -> None:
    """Taken names are passed over, a link too; what holds the same is used again."""
    old.with_suffix(".backup").write_text("mine")
    old.with_suffix(".backup-2").symlink_to(old.parent / "nowhere")
    before = old.read_bytes()
    assert viloapp("migrate", "settings", str(old), "-y").code == 0
    assert old.with_suffix(".backup").read_text() == "mine"
    assert not (old.parent / "nowhere").exists()
    third = old.with_suffix(".backup-3")
    assert third.read_bytes() == before
    old.write_bytes(before)
    assert viloapp("migrate", "settings", str(old), "-y", "--json").json["backup"] == str(third)


def test_modes_and_links_stay(old: Path, viloapp: Callable[..., Ran], tmp_path: Path) -> None:
    """Who may not read the original may read neither copy nor result; a link stays one."""
    old.chmod(0o600)
    link = tmp_path / "dotfiles.json"
    link.symlink_to(old)
    assert viloapp("migrate", "settings", str(link), "-y").code == 0
    assert link.is_symlink()
    assert json.loads(old.read_bytes())["version"] == "3.0"
    assert old.stat().st_mode & 0o777 == old.with_suffix(".backup").stat().st_mode & 0o777 == 0o600


def test_the_stores_own_file(viloapp: Callable[..., Ran], store: Store) -> None:
    """Without FILE it is the settings of the workspace that are brought up to date."""
    store.root.mkdir()
    own = store.root / "settings.json"
    shutil.copy(FIXTURES / "specification-2.0.json", own)
    assert viloapp("config", "get", "core.worker_nice").out == "7\n"
    ran = viloapp("migrate", "settings", "-y", "--json")
    assert (ran.code, ran.json["file"], ran.json["log"][:1]) == (0, str(own), ["Migrated from 2.0"])
    assert json.loads(own.read_bytes())["kept"]["2.0"]["core"]["layout"] == {"sidebar": True}
    viloapp("config", "set", "core.worker_nice", "8")
    document = json.loads(own.read_bytes())
    assert (document["version"], document["core"]["worker_nice"]) == ("3.0", 8)
    assert document["kept"]["2.0"]["core"]["layout"] == {"sidebar": True}
    assert viloapp("migrate", "settings", "-y", "--json").json["migrated"] is False


def test_what_bounds_plugins_never_comes_with_a_file(
    tmp_path: Path, viloapp: Callable[..., Ran], installed: Callable[..., InstalledPlugin]
) -> None:
    """A file that lowers the sandbox or raises limits is taken without that, and it is told."""
    installed("hello", configuration={"size": {"type": "integer", "default": 1}})
    file = tmp_path / "from_the_net.json"
    core = {"minimum.permissions": "none", "minimum.limits": "none", "theme": "light"}
    plugins = {
        "hello": {"limits.memory_mb": 5000, "size": 2, "none": 1},
        "../../x": {"a": 1},
        "later": {"limits.memory_mb": 4000, "a": 1},
    }
    file.write_text(json.dumps({"version": "2.0", "core": core, "plugins": plugins}))
    ran = viloapp("migrate", "settings", str(file), "-y", "--json")
    assert sorted(ran.json["refused"]) == [
        "../../x.a",
        "core.minimum.limits",
        "core.minimum.permissions",
        "hello.limits.memory_mb",
        "hello.none",
        "later.limits.memory_mb",
    ]
    assert viloapp("config", "get", "core.minimum.permissions").out == "enforced\n"
    assert viloapp("config", "get", "hello.size").out == "2\n"
    stored = json.loads(Path(os.environ["VILOAPP_HOME"], "settings.json").read_bytes())
    assert stored["plugins"] == {"hello": {"size": 2}, "later": {"a": 1}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"version": "9.0"}', "knows up to 3.0"),
        (b'{"version": "soon"}', "is no version"),
        (b"[1]", "one JSON object"),
        (b'{"a": 1', "not JSON"),
        (b'{"a": 1, "a": 2}', "has twice: a"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"", "not JSON"),
        (b"font_size 16\n", "no INI file"),
        (b"[" * 100_000, "JSON"),
    ],
)
def test_refusals_name_the_file_and_change_nothing(
    tmp_path: Path, viloapp: Callable[..., Ran], content: bytes, said: str
) -> None:
    """One line, exit code 1, and the file as it was."""
    file = tmp_path / "old.json"
    file.write_bytes(content)
    ran = viloapp("migrate", "settings", str(file), "-y")
    assert (ran.code, ran.out, ran.err.count("error: ")) == (1, "", 1)
    assert said in ran.err
    assert str(file) in ran.err
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("old.json", content)]


def test_half_a_character_is_refused_before_anything_is_done(
    tmp_path: Path, viloapp: Callable[..., Ran], store: Store
) -> None:
    """Python's JSON has it for a byte that is no text; no file can hold it."""
    file = tmp_path / "old.json"
    document = {"terminal": {"shell": "/bin/\udcff"}}
    file.write_text(json.dumps(document))
    ran = viloapp("migrate", "settings", str(file), "--yes")
    assert ran.code == 1
    assert f"error: {file}: it has half a character, \\udcff, after " in ran.err
    assert os.listdir(tmp_path).count("old.backup") == 0
    assert not store.layout.settings.exists()


def test_files_that_are_none(tmp_path: Path, viloapp: Callable[..., Ran]) -> None:
    """A missing one, a folder and a pipe are refused at once; a usage error is 2."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", ".", "pipe"):
        assert viloapp("migrate", "settings", str(tmp_path / name), "-y").code == 1
    assert viloapp("migrate", "settings", "--no-such-option").code == 2
    assert viloapp("migrate", "nothing").code == 2


def test_what_cannot_be_copied_is_not_begun(
    old: Path, viloapp: Callable[..., Ran], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk at the copy leaves the settings of the workspace alone."""

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    before = old.read_bytes()
    monkeypatch.setattr("os.link", full)
    monkeypatch.setattr("os.replace", full)
    ran = viloapp("migrate", "settings", str(old), "-y")
    assert ran.code == 1
    assert "No space left" in ran.err
    assert old.read_bytes() == before
    assert not (store.root / "settings.json").exists()


def test_a_file_that_cannot_be_rewritten_is_told_and_taken_once(
    old: Path, viloapp: Callable[..., Ran], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills up after the workspace has the settings: that is said, and a second run ends it."""
    before, replace = old.read_bytes(), os.replace

    def full(source: Path, target: Path, **directories: int) -> None:
        if Path(target) == old.resolve():
            raise OSError(28, "No space left on device")
        replace(source, target, **directories)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        ran = viloapp("migrate", "settings", str(old), "-y")
    assert ran.code == 1
    assert "in the workspace already" in ran.err
    assert old.read_bytes() == before
    adopted = (store.root / "settings.json").read_bytes()
    assert viloapp("migrate", "settings", str(old), "-y").code == 0
    assert (store.root / "settings.json").read_bytes() == adopted
    assert old.read_bytes() != before


def test_killed_at_every_step(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file is whole, here or in its copy; the next run finishes, with one copy alone."""
    content = old.read_bytes()
    main(["migrate", "settings", str(old), "-y", "-q"])  # loads every module: their files are no steps
    migrated = old.read_bytes()
    seen = set()
    for step in count(1):
        folder = tmp_path / f"at-{step}"
        folder.mkdir()
        file = folder / "settings.json"
        file.write_bytes(content)
        monkeypatch.setenv("VILOAPP_HOME", str(folder / "store"))
        died = die_at(step, ["migrate", "settings", str(file), "-y", "-q"])
        assert file.read_bytes() in (content, migrated), f"step {step}"
        copies = list(folder.glob("settings.backup*"))
        assert [copy.read_bytes() for copy in copies] in ([], [content]), f"step {step}"
        if file.read_bytes() == migrated:
            stored = json.loads((folder / "store" / "settings.json").read_bytes())
            assert stored["plugins"]["viloxterm"]["fontSize"] == 16, f"step {step}"
            assert copies, f"step {step}"
        seen.add(file.read_bytes() == migrated)
        assert main(["migrate", "settings", str(file), "-y", "-q"]) == 0
        assert file.read_bytes() == migrated, f"step {step}"
        assert [path.name for path in folder.glob("settings.backup*")] == ["settings.backup"], f"step {step}"
        if not died:
            break
    assert step > 8
    assert seen == {True, False}


@pytest.mark.parametrize("first", ["plugin", "settings"])
def test_settings_under_a_former_id(
    tmp_path: Path, viloapp: Callable[..., Ran], installed: Callable[..., InstalledPlugin], first: str
) -> None:
    """They are the plugin's that says so, in whichever order both come; what was set since stays."""
    file = tmp_path / "old.json"
    values = {"size": 2, "title": "old", "limits.memory_mb": 9000}
    file.write_text(
        json.dumps({"version": "2.0", "plugins": {"com.acme.Notes": values, "com.x.y": {"a": 1}}})
    )
    configuration = {
        "size": {"type": "integer", "default": 1},
        "title": {"type": "string", "default": "none"},
    }

    def install() -> None:
        installed("notes", configuration=configuration, formerly=["com.acme.Notes"])

    if first == "plugin":
        install()
        viloapp("config", "set", "notes.title", "mine")
        shown = viloapp("migrate", "settings", str(file), "--dry-run").out
        assert "notes.size: 1 → 2" in shown
        assert viloapp("migrate", "settings", str(file), "-y").code == 0
    else:
        assert viloapp("migrate", "settings", str(file), "-y").code == 0
        install()
        viloapp("config", "set", "notes.title", "mine")
        assert viloapp("config", "get", "notes.size").out == "1\n"
        assert "notes.size: 1 → 2" in viloapp("migrate", "settings", "--dry-run").out
        assert viloapp("migrate", "settings", "-y").code == 0
    assert viloapp("config", "get", "notes.size").out == "2\n"
    assert viloapp("config", "get", "notes.title").out == "mine\n"
    viloapp("config", "set", "notes.size", "3")
    assert viloapp("migrate", "settings", "-y", "--json").json["migrated"] is False
    assert viloapp("config", "get", "notes.size").out == "3\n"
