"""Writes the reference of all commands from their declarations, so that it cannot drift from them.

python -m viloapp_core.cli.reference > docs/reference/cli.md
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import click

from viloapp_core.cli.root import COMMANDS, root

_INTRODUCTION = """\
<!-- Written by `python -m viloapp_core.cli.reference`; a test compares. -->

# The command line

Data goes to standard output; progress, notes and errors go to standard error. Every command takes `-q`
(no progress, no notes), `-v` (more; twice: everything, tracebacks too) and `-h`.

With `--json` a command prints one JSON object with the field `schema`, which is 1 and rises when a shape
changes incompatibly. When it fails, the object has the field `error`: `{"code", "detail", "hint"}`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | refused or failed; `error:` says why, and `hint:` what to do |
| 2 | wrong usage |
| 128 + n | signal n ended it: 130 is Ctrl-C, 141 a closed pipe |

| environment | meaning |
|---|---|
| `VILOAPP_HOME` | the store: where plugins, their data and the settings are; an absolute path |
| `NO_COLOR` | no colours |
| `BROWSER` | the browser that `viloapp` opens |
"""


def render() -> str:
    """Return the reference as Markdown."""
    lines = [_INTRODUCTION]
    with click.Context(root, info_name="viloapp") as ctx:
        lines += ["## viloapp\n", _usage(ctx), f"{root.help}\n", f"{root.epilog}\n"]
        lines += _options(root)
        for heading, names in COMMANDS.items():
            lines.append(f"## {heading}\n")
            for name in names:
                command = root.get_command(ctx, name)
                assert command is not None  # it is in the table
                lines += _command(command, ctx)
    return "\n".join(lines)


def _command(command: click.Command, parent: click.Context) -> Iterator[str]:
    """Yield the section of a command, then those of its subcommands."""
    with click.Context(command, parent, info_name=command.name) as ctx:
        yield f"### {ctx.command_path}\n"
        yield _usage(ctx)
        yield _help(command)
        yield from _options(command)
        if isinstance(command, click.Group):
            for name in command.list_commands(ctx):
                subcommand = command.get_command(ctx, name)
                assert subcommand is not None  # it was listed
                yield from _command(subcommand, ctx)


def _usage(ctx: click.Context) -> str:
    return f"```\n{' '.join([ctx.command_path, *ctx.command.collect_usage_pieces(ctx)])}\n```\n"


def _help(command: click.Command) -> str:
    """Return a command's help; a paragraph that click leaves as it is becomes a block of code."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    shown = (f"```\n{text[2:]}\n```" if text.startswith("\b\n") else text for text in paragraphs)
    return "\n\n".join(shown) + "\n"


def _options(command: click.Command) -> list[str]:
    """Return the table of a command's own options, without those that all have."""
    options = [option for option in command.params if isinstance(option, click.Option)]
    rows = [_row(option) for option in options if option.name not in ("quiet", "verbose")]
    return ["| option | |\n|---|---|", *rows, ""] if rows else []


def _row(option: click.Option) -> str:
    """Return a line of the table; not from click's own help, whose wording differs by version."""
    value = "" if option.is_flag or option.count else f" {option.metavar or 'TEXT'}"
    default = f" [default: {option.default}]" if option.show_default else ""
    return f"| `{', '.join(option.opts)}{value}` | {' '.join((option.help or '').split())}{default} |"


if __name__ == "__main__":
    sys.stdout.write(render())
