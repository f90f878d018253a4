"""`viloapp call`: one command of a plugin, headless."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from viloapp_core.cli import confinement, options, signals
from viloapp_core.cli.asking import TerminalPerson
from viloapp_core.cli.completion import command_ids
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.shapes import encode


@click.command("call", cls=options.ViloCommand)
@click.argument("command", metavar="COMMAND", shell_complete=command_ids)
@click.argument("arguments", metavar="[JSON]", default="{}")
@click.option(
    "--timeout",
    "timeout_s",
    type=options.Seconds(0, above_least=True),
    metavar="SECONDS",
    help="Give up after this long without a result, or without more of one that streams.  [default: the "
    "plugin's execution_time]",
)
@options.allow_unsandboxed
@options.json_output
@pass_invocation
def call_command(
    invocation: Invocation, command: str, arguments: str, timeout_s: float | None, allow_unsandboxed: bool
) -> None:
    """Run a plugin's COMMAND and print its result as JSON.

    A command that streams writes its bytes to standard output as they come, and not with --json.
    JSON is an object of the command's arguments by name, as in '{"name": "Ann"}'; - reads it from standard
    input. The host that runs on this store is used; without one, a host is started for this call alone.
    """
    from viloapp_core.host.session import Streamed, call_once

    given = parse_arguments(sys.stdin.read() if arguments == "-" else arguments)
    if allow_unsandboxed:
        confinement.warn_without(invocation.output, allowed=True)
    result = call_once(
        invocation.store().root,
        command,
        given,
        timeout_s=timeout_s,
        allow_unsandboxed=allow_unsandboxed,
        person=TerminalPerson(invocation.output),
        sink=None if invocation.output.as_json else invocation.output.bytes,
        run=signals.run,
    )
    if isinstance(result, Streamed):
        return
    if invocation.output.as_json:
        invocation.output.json({"command": command, "result": result})
    else:
        # Control characters are escaped by JSON itself, all of them but DEL and C1.
        invocation.output.line(encode(result, indent=2))


def parse_arguments(text: str) -> dict[str, Any]:
    """Return the arguments of a call.

    Raises:
        click.UsageError: the text is not JSON, or no object.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"JSON: {error}", click.get_current_context(silent=True)) from error
    if not isinstance(value, dict):
        raise click.UsageError(
            f"JSON must be an object of arguments by name, not {_kind(value)}",
            click.get_current_context(silent=True),
        )
    return value


def _kind(value: Any) -> str:
    """Return what JSON calls a value that is no object."""
    kinds = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
