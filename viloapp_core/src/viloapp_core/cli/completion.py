"""`viloapp completion`, and what the shell is offered for plugins and commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.options import ViloCommand

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from viloapp_core.store import InstalledPlugin

SHELLS = ("bash", "zsh", "fish")


_HELP = """Print the script that makes a shell complete viloapp's commands, plugins and settings.

\b
bash: add to ~/.bashrc   eval "$(viloapp completion bash)"
zsh:  add to ~/.zshrc    eval "$(viloapp completion zsh)"
fish: viloapp completion fish > ~/.config/fish/completions/viloapp.fish
"""


@click.command("completion", cls=ViloCommand, help=_HELP)
@click.argument("shell", type=click.Choice(SHELLS))
@pass_invocation
def completion_command(invocation: Invocation, shell: str) -> None:
    """Print a shell's script."""
    from click.shell_completion import get_completion_class

    from viloapp_core.cli.root import root

    shell_class = get_completion_class(shell)
    assert shell_class is not None  # the choice is among click's own
    template = shell_class(root, {}, "viloapp", "_VILOAPP_COMPLETE")
    # Not source(): bash's asks the bash on PATH for its version, which need not be the one that reads this.
    invocation.output.raw(template.source_template % template.source_vars())


def plugin_ids(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return installed plugins for the shell, and the shell's own file names beside them."""
    from click.shell_completion import CompletionItem

    found = [
        CompletionItem(plugin_id, help=plugin.summary)
        for plugin_id, plugin in _installed(ctx).items()
        if plugin_id.startswith(incomplete)
    ]
    return found or [CompletionItem(incomplete, type="file")]


def command_ids(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the commands of installed plugins for the shell."""
    from click.shell_completion import CompletionItem

    return [
        CompletionItem(command["id"], help=command.get("title", ""))
        for plugin in _installed(ctx).values()
        for command in plugin.commands
        if plugin.enabled and command["id"].startswith(incomplete)
    ]


def setting_keys(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the settings of the workspace and of installed plugins for the shell."""
    from click.shell_completion import CompletionItem

    from viloapp_core.services.settings import CORE

    declared = {"core": CORE} | {owner: plugin.configuration for owner, plugin in _installed(ctx).items()}
    return [
        CompletionItem(key, help=schema.get("description", ""))
        for owner, configuration in declared.items()
        for name, schema in configuration.items()
        if (key := f"{owner}.{name}").startswith(incomplete)
    ]


def _installed(ctx: click.Context) -> dict[str, InstalledPlugin]:
    """Return the installed plugins; none when the store cannot be read: Tab must never print an error."""
    from viloapp_sdk.errors import ViloError

    invocation = ctx.find_object(Invocation) or Invocation()
    try:
        return dict(invocation.store().plugins())
    except (ViloError, OSError):
        return {}
