"""The group `viloapp`: which module has which command, and what a bare `viloapp` means."""

from __future__ import annotations

import os
from importlib import import_module

import click

from viloapp_core.cli.options import verbosity

COMMANDS = {
    "Use": {
        "run": "run",
        "call": "call",
        "status": "status",
        "doctor": "doctor",
        "bisect": "bisect",
        "logs": "logs",
        "config": "config",
        "completion": "completion",
    },
    "Plugins": {
        "install": "install",
        "uninstall": "uninstall",
        "update": "update",
        "rollback": "rollback",
        "list": "show",
        "info": "show",
        "enable": "switch",
        "disable": "switch",
        "lock": "lock",
        "sync": "sync",
        "gc": "gc",
        "repair": "repair",
    },
    "Trust": {
        "permissions": "permissions",
        "audit": "audit",
        "verify": "verify",
        "trust": "trust",
    },
    "Author": {
        "create-plugin": "create_plugin",
        "dev": "dev",
        "test": "test",
        "docs": "docs",
        "validate": "validate",
        "i18n": "i18n",
        "profile": "profile",
        "manifest": "manifest",
        "package": "package",
        "publish": "publish",
        "sign": "sign",
    },
    "Move": {
        "migrate": "migrate",
    },
}
"""Heading → command → module of this package whose attribute ``<command>_command`` it is, ``_`` for ``-``."""

_MODULES = {name: module for commands in COMMANDS.values() for name, module in commands.items()}
_EAGER = ("--help", "-h", "--version")


class Root(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None when there is none of this name."""
        if cmd_name not in _MODULES:
            return None
        module = import_module(f"viloapp_core.cli.{_MODULES[cmd_name]}")
        command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        assert isinstance(command, click.Command)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with ``run`` put in where no command is named: ``viloapp``, ``viloapp FOLDER``."""
        # While a shell completes the line, the command is what is still to come.
        return super().parse_args(ctx, args if ctx.resilient_parsing else with_default_command(args))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command.

        Raises:
            click.UsageError: there is none of this name; the nearest is suggested.
        """
        if args[0] not in _MODULES and not ctx.resilient_parsing:
            raise click.UsageError(_no_such_command(args[0]), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings."""
        for heading, commands in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl([(name, self._summary(ctx, name)) for name in commands])

    def _summary(self, ctx: click.Context, name: str) -> str:
        command = self.get_command(ctx, name)
        return command.get_short_help_str(limit=200) if command else ""


def with_default_command(args: list[str]) -> list[str]:
    """Return the arguments with ``run`` before the first that belongs to it.

    >>> with_default_command(["-v", "--no-browser"])
    ['-v', 'run', '--no-browser']
    >>> with_default_command(["list"])
    ['list']
    """
    for at, arg in enumerate(args):
        if arg in _EAGER:
            return args
        if _is_verbosity(arg):
            continue
        if arg.startswith("-") or (arg not in _MODULES and _is_folder(arg)):
            return [*args[:at], "run", *args[at:]]
        return args
    return [*args, "run"]


def _is_verbosity(arg: str) -> bool:
    return arg in ("--quiet", "--verbose") or (arg[:1] == "-" and arg[1:] != "" and set(arg[1:]) <= set("qv"))


def _is_folder(arg: str) -> bool:
    return os.sep in arg or os.path.isdir(arg)


def _no_such_command(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, _MODULES, n=1)
    return f"no such command '{name}'" + (f"; did you mean '{near[0]}'?" if near else "")


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from viloapp_core.foundation.version import __version__

    click.echo(f"viloapp {__version__}")
    ctx.exit()


root = Root(
    "viloapp",
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Print the version.",
        ),
        *verbosity(),
    ],
    subcommand_metavar="[COMMAND] [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Without a command: run. A FOLDER alone opens the workspace there.",
    help="A workspace in the browser whose plugins are ordinary pip wheels, each in a virtualenv "
    "and a process of its own.",
)
