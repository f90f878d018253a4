"""The terminal plugin: which program it asks for, and which terminal a tab comes back to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from viloxterm.errors import NoTerminalError, ProfileError
from viloxterm.plugin import ViloXterm
from viloxterm.profiles import Profile, choose
from viloxterm.terminal import Terminal

if TYPE_CHECKING:
    from tests.unit.plugins.conftest import Desk, MakeDesk

SETTINGS: dict[str, Any] = {
    "shell": "auto",
    "profiles": {"build": {"shell": "/bin/sh -e", "args": ["-l"], "cwd": "src", "env": {"CI": "1"}}},
    "fontSize": 14,
    "fontFamily": "monospace",
    "cursorStyle": "block",
    "scrollback": 1000,
    "theme": "auto",
}


@pytest.fixture
def desk(make_desk: MakeDesk) -> Iterator[Desk]:
    """A workspace with the terminal plugin."""
    yield make_desk(ViloXterm(), SETTINGS)
    Terminal.opened.clear()


def test_auto_leaves_the_shell_to_the_host() -> None:
    """The default profile names no program, so that the person's login shell runs."""
    assert choose("", shell="auto", profiles={}) == Profile("", None, "", {}, "")


def test_shell_setting_is_a_command_line() -> None:
    """Quotes and arguments in the setting are understood as a shell would."""
    assert choose("", shell="'/opt/my shell' -l", profiles={}).argv == ("/opt/my shell", "-l")


def test_unknown_profile_suggests_the_nearest() -> None:
    """A typing error in a profile's name is answered with the name that was meant."""
    with pytest.raises(ProfileError) as caught:
        choose("biuld", shell="auto", profiles=SETTINGS["profiles"])
    assert "'build'" in caught.value.hint


def test_all_faults_of_a_profile_are_told_at_once() -> None:
    """One look at the error is enough to mend the whole profile."""
    with pytest.raises(ProfileError) as caught:
        choose("x", shell="auto", profiles={"x": {"shel": "sh", "args": "-l", "env": []}})
    for fault in ("'shel'", "args", "env"):
        assert fault in caught.value.detail


@pytest.mark.parametrize(
    "entry", ["sh", {"args": ["-l"]}, {"shell": "sh", "env": {"A": 1}}, {"shell": "'unclosed"}]
)
def test_a_profile_that_cannot_start_is_refused(entry: object) -> None:
    """Nothing that could not be started reaches the host."""
    with pytest.raises(ProfileError):
        choose("x", shell="auto", profiles={"x": entry})


def test_new_opens_a_terminal_as_the_profile_says(desk: Desk) -> None:
    """Program, folder and variables of the profile reach the host; the tab has its name."""
    made = desk.call("viloxterm.new", profile="build")
    argv, options = desk.opened[0]
    assert argv == ["/bin/sh", "-e", "-l"]
    assert (options["cwd"], options["env"]) == (str(desk.folder / "src"), {"CI": "1"})
    assert made["title"] == "build"


def test_explicit_folder_wins_over_the_profile(desk: Desk) -> None:
    """`cwd` of the command is nearer than `cwd` of the profile."""
    desk.call("viloxterm.new", profile="build", cwd="docs")
    assert desk.opened[0][1]["cwd"] == str(desk.folder / "docs")
    desk.call("viloxterm.new", cwd="/tmp")
    assert desk.opened[1][1]["cwd"] == "/tmp"


def test_data_has_the_terminal_and_its_looks(desk: Desk) -> None:
    """The page gets the id to attach to and the settings to draw with, and nothing else."""
    terminal, data = desk.open("viloxterm.terminal")
    looks = {key: SETTINGS[key] for key in ("fontSize", "fontFamily", "cursorStyle", "scrollback", "theme")}
    assert data == {"terminal": terminal.terminal, **looks}


def test_restored_tab_finds_its_living_terminal(desk: Desk) -> None:
    """A tab that comes back shows the shell that still runs, and starts no second one."""
    first, _ = desk.open("viloxterm.terminal")
    again, data = desk.open("viloxterm.terminal", state=first.get_state())
    assert data["terminal"] == first.terminal
    assert len(desk.opened) == 1
    assert again.get_title() == first.get_title()


def test_restored_tab_opens_anew_where_the_ended_terminal_was(desk: Desk) -> None:
    """When the shell is gone, its like starts in the folder it was in last, with profile and name."""
    first, _ = desk.open("viloxterm.terminal", {"profile": "build", "name": "mine"})
    desk.terminals[first.terminal]["cwd"] = "/elsewhere"
    state = first.get_state()
    desk.terminals.clear()
    again, data = desk.open("viloxterm.terminal", state=state)
    assert data["terminal"] != first.terminal
    assert desk.opened[1][1]["cwd"] == "/elsewhere"
    assert desk.opened[1][0] == ["/bin/sh", "-e", "-l"]
    assert again.get_title() == "mine"


def test_rename_and_back(desk: Desk) -> None:
    """The active tab takes the name; an empty name brings the program's title back."""
    made = desk.call("viloxterm.new")
    assert desk.call("viloxterm.rename", name=" logs ")["title"] == "logs"
    assert desk.updates[-1] == (made["instance"], None, "logs")
    assert desk.call("viloxterm.rename", name="")["title"] == "bash"


def test_close_ends_terminal_and_tab(desk: Desk) -> None:
    """A closed tab leaves no shell behind."""
    made = desk.call("viloxterm.new")
    desk.call("viloxterm.close", terminal=made["terminal"])
    assert not desk.terminals
    assert not desk.widgets
    assert desk.call("viloxterm.list") == []


def test_worker_that_ends_leaves_the_shells_of_open_tabs(desk: Desk) -> None:
    """An update of the plugin destroys its widgets in the old process; their shells go on."""
    desk.call("viloxterm.new")
    (widget,) = desk.widgets.values()
    widget.destroy()
    assert len(desk.terminals) == 1


def test_close_after_the_shell_has_ended(desk: Desk) -> None:
    """Closing the tab of a shell that said `exit` is no error."""
    made = desk.call("viloxterm.new")
    desk.terminals.clear()
    assert desk.call("viloxterm.list")[0]["alive"] is False
    desk.call("viloxterm.close", terminal=made["instance"])
    assert not desk.widgets


def test_which_terminal_is_never_guessed(desk: Desk) -> None:
    """With several terminals and no focus, a command asks instead of closing one of them."""
    with pytest.raises(NoTerminalError):
        desk.call("viloxterm.close")
    desk.call("viloxterm.new")
    desk.call("viloxterm.new")
    desk.active = None
    with pytest.raises(NoTerminalError):
        desk.call("viloxterm.close")
    with pytest.raises(NoTerminalError):
        desk.call("viloxterm.close", terminal="t99")
    assert len(desk.terminals) == 2


def test_changed_looks_reach_open_terminals(desk: Desk) -> None:
    """A new font size shows without reopening; a setting that is not drawn sends nothing."""
    made = desk.call("viloxterm.new")
    desk.set("fontSize", 20)
    assert desk.updates[-1][0] == made["instance"]
    assert desk.updates[-1][1]["fontSize"] == 20
    before = len(desk.updates)
    desk.set("shell", "/bin/zsh")
    assert len(desk.updates) == before


SESSION: dict[str, Any] = {
    "id": "t/../1",
    "title": "Server",
    "cwd": "/opt/app",
    "shell": "/bin/bash -l",
    "environment": {"APP_ENV": "dev"},
    "history": ["git status", "echo '{not} %(a)s ${template}' \u00fc"],
}


def test_a_migrated_session_is_opened_as_it_was(desk: Desk, folder: Path) -> None:
    """Its folder, title, shell and environment, and its history where the shell looks for it."""
    terminal, _ = desk.open("viloxterm.terminal", state={"session": SESSION})
    ((argv, options),) = desk.opened
    assert argv is not None
    assert tuple(argv) == ("/bin/bash", "-l")
    assert (options["cwd"], options["title"]) == ("/opt/app", "Server")
    file = Path(options["env"].pop("HISTFILE"))
    assert options["env"] == {"APP_ENV": "dev"}
    assert file.parent == folder / "history"
    assert file.read_text("utf-8") == "git status\necho '{not} %(a)s ${template}' \u00fc\n"
    assert terminal.get_title() == "Server"

    file.write_text("newer\n")  # the shell has gone on
    state = terminal.get_state()
    desk.terminals.clear()
    again, _ = desk.open("viloxterm.terminal", state=state)
    argv, options = desk.opened[-1]
    assert argv is not None
    assert (tuple(argv), options["env"]["APP_ENV"]) == (("/bin/bash", "-l"), "dev")
    assert Path(options["env"]["HISTFILE"]).read_text() == "newer\n"
    assert again.get_state()["session"] == state["session"] == SESSION
    again.rename("")
    assert desk.open("viloxterm.terminal", state=again.get_state())[0].name == ""


@pytest.mark.parametrize("missing", ["/opt/app", "/bin/bash"])
def test_what_a_migrated_session_needs_and_is_not_here(desk: Desk, folder: Path, missing: str) -> None:
    """It opens in the workspace folder with the person's own shell, and says why; its history comes along."""
    desk.missing = {missing}
    desk.open("viloxterm.terminal", state={"session": SESSION})
    ((argv, options),) = desk.opened
    assert (argv, options["cwd"]) == (None, f"{folder}/")
    assert "HISTFILE" in options["env"]
    assert missing in desk.shown[0][0]


def test_a_migrated_session_that_holds_anything(desk: Desk, folder: Path) -> None:
    """What is not of the right kind is as if it were not there."""
    odd = {"id": 3, "shell": "'", "environment": ["a"], "history": "ls", "cwd": None, "title": None}
    sessions: list[dict[str, Any]] = [{}, odd, {"history": []}]
    for session in sessions:
        terminal, _ = desk.open("viloxterm.terminal", state={"session": session})
        assert desk.opened[-1][0] is None
        assert desk.opened[-1][1]["env"] == {}
        assert terminal.get_title()
    desk.open("viloxterm.terminal", state={"session": "x"})
    assert not (folder / "history").exists()
