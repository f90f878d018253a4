"""How permissions are asked for."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import pytest

from viloapp_core.cli.consent import Prompt, question
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.output import Output
from viloapp_core.cli.progress import Silent
from viloapp_core.manifest import PluginDescription

from .conftest import OnTerminal

ASKING = """
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from viloapp_core.manifest import EntryPoint, Manifest, Permission, PluginDescription
plugin = PluginDescription(
    plugin_id="hello", name="hello", version=Version("1.0"), summary="", author="", license="",
    requires_python=SpecifierSet(), requires_dist=(), entry_point=EntryPoint("hello", "hello:Hello"),
    manifest=Manifest("1.0", permissions=(
        Permission("process.spawn.terminal", "run your shell"),
        Permission("network.connect.example.com", "x\\nhello 1.0 asks for nothing \\x1b[2J"),
    )),
)
"""
PERMISSIONS = ["process.spawn.terminal", "network.connect.example.com"]
PROMPT = f"""{ASKING}
from viloapp_core.cli.consent import Prompt
from viloapp_core.cli.output import Output
from viloapp_core.cli.progress import view
output = Output.of_process()
with view(output) as shown:
    print("answer:", Prompt(output, shown, accept=False).ask(plugin, {PERMISSIONS!r}))
"""


@pytest.fixture
def plugin() -> PluginDescription:
    """Return a plugin that asks for two permissions."""
    names: dict[str, PluginDescription] = {}
    exec(ASKING, names)
    return names["plugin"]


def test_the_question_says_who_asks_for_what_and_why(plugin: PluginDescription) -> None:
    """Each permission has its line and its reason; a reason cannot pose as another line."""
    assert question(plugin, PERMISSIONS) == [
        "hello 1.0 asks for:",
        '  process.spawn.terminal: open terminals in which your own shell runs — it says: "run your shell"',
        "    a terminal runs with your full authority: this permission allows everything that you can do",
        "  network.connect.example.com: connect to example.com"
        r' — it says: "x hello 1.0 asks for nothing \x1b[2J"',
    ]


def test_reasons_are_told_in_the_persons_language_and_permissions_in_the_hosts(
    plugin: PluginDescription, capsys: pytest.CaptureFixture[str]
) -> None:
    """A catalogue changes the reason alone: neither what is asked for nor what that allows."""
    texts = {
        "manifest.permission.process.spawn.terminal.reason": "harmlos",
        "manifest.permission.process.spawn.terminal.id": "ui.read.active_widget",
        "may.process.spawn.terminal": "nothing",
    }
    german = dataclasses.replace(plugin, translations={"de": texts})
    prompt = Prompt(Output.of_process(), Silent(), accept=True, locale="de-AT")
    assert prompt.ask(german, PERMISSIONS[:1])
    told = capsys.readouterr().err
    assert 'process.spawn.terminal: open terminals in which your own shell runs — it says: "harmlos"' in told
    assert german.manifest == plugin.manifest, "what is written down at an installation stays"


def test_what_changed_since_the_installed_version_is_said(plugin: PluginDescription) -> None:
    """What is new is marked, and what it does without from now on has its line."""
    lines = question(plugin, PERMISSIONS, [PERMISSIONS[0], "ui.open.other"])
    assert lines[1].startswith("  process.spawn.terminal")
    assert lines[3].startswith("  new: network.connect.example.com")
    assert lines[-1] == "  no more: ui.open.other"


@pytest.mark.parametrize(("typed", "answer"), [("y\n", "True"), ("n\n", "False"), ("\n", "False")])
def test_a_person_answers(on_terminal: Callable[..., OnTerminal], typed: str, answer: str) -> None:
    """Only yes is yes; the bar steps aside for the question."""
    command = on_terminal(code=PROMPT)
    command.until("Install hello? [y/N]")
    command.type(typed)
    assert command.end() == 0, command.shown
    assert f"answer: {answer}" in command.shown


def test_nobody_to_ask_is_a_refusal_that_names_the_flag(plugin: PluginDescription) -> None:
    """Without a terminal nothing is accepted by silence."""
    output = Output(None, io.StringIO(), {})
    with pytest.raises(CliError) as raised:
        Prompt(output, Silent(), accept=False).ask(plugin, PERMISSIONS)
    assert raised.value.code == "needs_consent"
    assert "--yes" in raised.value.hint


def test_yes_accepts_and_still_tells(plugin: PluginDescription) -> None:
    """`--yes` asks nothing, and the permissions are in the log of whoever used it."""
    stream = io.StringIO()
    assert Prompt(Output(None, stream, {}), Silent(), accept=True).ask(plugin, PERMISSIONS)
    assert "process.spawn.terminal" in stream.getvalue()
