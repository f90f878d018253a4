"""`viloapp bisect`: which plugin breaks a start."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from viloapp_core.cli import options, signals
from viloapp_core.cli.errors import FAILED, CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation

if TYPE_CHECKING:
    from viloapp_core.cli.trial_starts import Start
    from viloapp_core.operations import Search
    from viloapp_core.store import InstalledPlugin, Store


@click.command(
    "bisect",
    cls=options.ViloCommand,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("command", metavar="[COMMAND [ARGS]...]", nargs=-1, type=click.UNPROCESSED)
@click.option("--auto", is_flag=True, help="Ask nobody: good is when all plugins start and answer.")
@click.option(
    "--run", "by_command", is_flag=True, help="Ask nobody: good is when COMMAND ends with exit code 0."
)
@click.option(
    "--timeout",
    "timeout_s",
    type=options.Seconds(0, above_least=True),
    metavar="SECONDS",
    default=120.0,
    show_default=True,
    help="A start that takes longer is bad; with --auto and --run.",
)
@click.option("--no-browser", is_flag=True, help="Where you judge: print the address, and open no browser.")
@click.option("--one-start", is_flag=True, hidden=True)
@options.allow_unsandboxed
@options.json_output
@pass_invocation
def bisect_command(
    invocation: Invocation,
    command: tuple[str, ...],
    auto: bool,
    by_command: bool,
    timeout_s: float,
    no_browser: bool,
    one_start: bool,
    allow_unsandboxed: bool,
) -> None:
    """Find the plugin that breaks a start, or the plugins that do so only together.

    ViloApp is started with some of the enabled plugins, then with others: about twice as often as they can be
    halved. Each time you say whether it is good; with --auto, or --run COMMAND, nobody is asked. COMMAND sees
    $VILOAPP_ONLY, which every ViloApp that it starts obeys; exit code 125 means that it cannot tell.
    `viloapp bisect --run viloapp call hello.greet`. Nothing is enabled or disabled.
    """
    if one_start:
        _one_start(invocation, allow_unsandboxed)
        return
    if by_command != bool(command) or (auto and by_command):
        raise click.UsageError("--run takes a COMMAND, and goes without --auto", click.get_current_context())
    from viloapp_core.cli import trial_starts
    from viloapp_core.operations import search

    store = invocation.store()
    if client := invocation.running_host(store):
        client.close()
        raise CliError("host_running", "ViloApp runs on this store", "end it, then try again")
    items, requires = _ordered(store)
    ours = [sys.executable, "-m", "viloapp_core.cli.main"]
    unconfined = ["--allow-unsandboxed"] if allow_unsandboxed else []
    start: Start
    if by_command:
        start = trial_starts.of_command(command, timeout_s)
    elif auto:
        start = trial_starts.of_ours([*ours, "bisect", "--one-start", "--json", *unconfined], timeout_s)
    else:
        browser = ["--no-browser"] if no_browser else []
        start = trial_starts.judged(invocation, [*ours, "run", *browser, *unconfined])
    starts = trial_starts.Starts(invocation, start, items)
    _tell(invocation, search(items, starts.one, requires), starts.reasons)


def _ordered(store: Store) -> tuple[list[str], dict[str, list[str]]]:
    """Return the enabled plugins, those that are required first, and what each requires."""
    from viloapp_core.host.holding import Holding, only_in
    from viloapp_core.resolve import ResolveError, load_order, requirements

    holding = Holding(only=only_in(os.environ))
    enabled: dict[str, InstalledPlugin] = {
        key: plugin for key, plugin in store.plugins().items() if plugin.enabled and not holding.why(key)
    }
    if not enabled:
        raise CliError("nothing_to_bisect", "no plugin is enabled", "viloapp list shows what is installed")
    try:
        items = load_order(enabled.values())
        needed = {key: requirements(each, each.requires_plugins) for key, each in enabled.items()}
    except ResolveError:  # what is wrong with their words is told elsewhere; any order will do
        return sorted(enabled), {}
    return items, {key: [name for name, _ in found if name in enabled] for key, found in needed.items()}


def _tell(invocation: Invocation, found: Search, reasons: dict[str, str]) -> None:
    """Say what breaks a start, and what to do now.

    Raises:
        CliError: nothing was found.
    """
    if found.outcome != "found":
        detail, hint = {
            "nothing": ("it is good with all plugins: there is nothing to find", "viloapp run"),
            "not_a_plugin": ("it fails with no plugin at all, so none of them is at fault", "viloapp doctor"),
            "unclear": ("it cannot be said whether it fails with all plugins, or with none", "try --auto"),
        }[found.outcome]
        raise CliError(found.outcome, detail, hint)
    todo = f"viloapp disable {found.culprits[0]}"
    if invocation.output.as_json:
        told = {key: reasons[key] for key in found.culprits if key in reasons}
        invocation.output.json({**asdict(found), "reasons": told, "todo": todo})
        return
    names, several = " and ".join(found.culprits), len(found.culprits) > 1
    what = "break a start only together" if several else "breaks a start"
    invocation.output.line(f"{names} {what}; use: {todo}{' (or another of them)' if several else ''}")
    for key in found.culprits:
        if key in reasons:
            invocation.output.note(f"  {key}: {reasons[key]}")


def _one_start(invocation: Invocation, allow_unsandboxed: bool) -> None:
    """Start once in this process, print what is wrong as JSON, and end with 1 when something is."""
    from viloapp_core.foundation.leash import end_with_parent
    from viloapp_core.foundation.paths import store_root
    from viloapp_core.host.healthy_start import healthy_start

    end_with_parent()  # a bisect that is killed leaves no host behind
    root = store_root(invocation.environ)
    found = signals.run(healthy_start(root, workspace=Path.cwd(), allow_unsandboxed=allow_unsandboxed))
    invocation.output.json({"faults": found})
    if found:
        click.get_current_context().exit(FAILED)
