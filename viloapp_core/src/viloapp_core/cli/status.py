"""`viloapp status`: what runs and what it uses, in one table, once or again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import confinement, options, resources
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.output import Output
from viloapp_core.cli.shapes import SCHEMA, encode
from viloapp_core.cli.text import one_line, table

if TYPE_CHECKING:
    from viloapp_core.store import Store

TOKEN_FILE = "metrics.token"
"""As `viloapp_core.web.openmetrics` has it, which takes a web server to import; a test compares."""
_HEADER = (
    "plugin",
    "version",
    "state",
    "pid",
    "signature",
    "sandbox",
    "memory",
    "cpu %",
    "calls",
    "p50",
    "p99",
    "errors",
    "restarts",
    "active",
    "open",
    "limits reached",
    "detail",
)


@click.command("status", cls=options.ViloCommand)
@click.option("-w", "--watch", is_flag=True, help="Go on showing it, until Ctrl-C.")
@click.option(
    "--interval",
    "interval_s",
    type=options.Seconds(0.2),
    metavar="SECONDS",
    default=5.0,
    show_default=True,
    help="With --watch: between two looks. What plugins use is sampled every 5 s.",
)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="With --watch: end after N looks.")
@click.option(
    "--metrics-url",
    is_flag=True,
    help="Print where a monitoring system finds the metrics, and in which file the token that it needs is.",
)
@options.json_output
@pass_invocation
def status_command(
    invocation: Invocation, watch: bool, interval_s: float, count: int | None, metrics_url: bool
) -> None:
    """Show whether ViloApp runs on this store, and the state of each plugin and what it uses.

    With --watch the table is drawn again in its place; into a file or a pipe tables follow each other, and
    with --json one object a line.
    """
    store = invocation.store()
    if metrics_url:
        _show_metrics_url(invocation.output, _look(invocation, store), str(store.root))
        return
    if not watch:
        _show_once(invocation.output, _look(invocation, store), str(store.root))
        return
    with _shown(invocation.output, str(store.root)) as show:
        left = count
        while True:
            show(_look(invocation, store))
            if left is not None:
                left -= 1
                if not left:
                    return
            time.sleep(interval_s)


def _look(invocation: Invocation, store: Store) -> dict[str, Any]:
    client = invocation.running_host(store)
    if client is None:
        return {
            "running": False,
            "pid": None,
            "address": None,
            "metrics_url": None,
            "plugins": _stopped(store),
        }
    with client:
        found: dict[str, Any] = {"running": True, **client.request("status", {})}
    # The token opens the workspace, and a status is what people paste into a report; `run` prints it.
    found["address"] = (found["address"] or "").partition("#")[0] or None
    found["metrics_url"] = f"{found['address']}metrics" if found["address"] else None
    return found


def _stopped(store: Store) -> list[dict[str, Any]]:
    """Return the rows that a host gives, of plugins that no host runs."""
    from viloapp_core.operations import listing

    idle = {"pid": None, "sandbox": confinement.backend(), "start_method": "", "detail": "", "held": False}
    known = store.plugins()
    return [
        {
            **plugin,
            **idle,
            "on_probation": plugin["id"] in known and store.on_probation(known[plugin["id"]]),
            **resources.idle(store, plugin["id"]),
            **resources.unmeasured(plugin["id"]),
        }
        for plugin in listing(store)
        if plugin["managed"]
    ]


# -- showing -----------------------------------------------------------------------------------------


def _show_once(output: Output, found: Mapping[str, Any], root: str) -> None:
    if output.as_json:
        output.json(found)
        return
    output.line(_host(found, root))
    output.table(_HEADER, [_row(plugin) for plugin in found["plugins"]])


def _show_metrics_url(output: Output, found: Mapping[str, Any], root: str) -> None:
    """Print where metrics are.

    Raises:
        CliError: no workspace runs, and so nobody would answer.
    """
    url, token_file = found["metrics_url"], f"{root}/{TOKEN_FILE}"
    if url is None:
        raise CliError("no_workspace", f"no workspace runs on {root}, and only one answers", "viloapp run")
    if output.as_json:
        output.json({"metrics_url": url, "token_file": token_file})
        return
    output.line(url)
    output.note(f"It answers who bears the token in {token_file}: Authorization: Bearer TOKEN")


@contextmanager
def _shown(output: Output, root: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Yield what shows one look after the other: in one place on a terminal, else below each other."""
    if output.as_json:
        yield lambda found: output.raw(encode({"schema": SCHEMA, **found}))
    elif output.stdout is None or not output.stdout.isatty():
        yield lambda found: _show_once(output, found, root)
    else:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        console = Console(file=output.stdout, highlight=False, no_color=bool(output.environ.get("NO_COLOR")))
        with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
            yield lambda found: live.update(
                Text("\n".join(lines(found, root)), no_wrap=True, overflow="ellipsis"), refresh=True
            )


def lines(found: Mapping[str, Any], root: str) -> list[str]:
    """Return the host's line and the table, safe for a terminal."""
    return [one_line(_host(found, root)), *table(_HEADER, [_row(plugin) for plugin in found["plugins"]])]


def _host(found: Mapping[str, Any], root: str) -> str:
    if not found["running"]:
        return f"ViloApp does not run on {root}"
    address = found.get("address")
    return f"ViloApp runs (process {found.get('pid')}) on {root}" + (f", at {address}" if address else "")


def _row(plugin: Mapping[str, Any]) -> list[str]:
    state = plugin["state"] if plugin["enabled"] else "held back" if plugin.get("held") else "disabled"
    if plugin["health"] == "unhealthy":
        state = f"{state}, unhealthy"
    calls = plugin["command_count"]
    cells = (
        plugin["id"],
        plugin["version"],
        state,
        plugin["pid"],
        plugin["signature"],
        plugin["sandbox"],
        resources.memory(plugin),
        f"{plugin['cpu_percent']:.1f}" if plugin["pid"] is not None else "",
        calls or "",
        resources.seconds(plugin["command_p50_time"]) if calls else "",
        resources.seconds(plugin["command_p99_time"]) if calls else "",
        plugin["error_count"] or "",
        plugin["restarts"] or "",
        resources.seconds(plugin["active_time"]) if plugin["active_time"] else "",
        resources.lent(plugin),
        resources.reached(plugin),
        plugin["detail"] or plugin["reason"] or plugin.get("rolled_back", ""),
    )
    return ["" if cell is None else str(cell) for cell in cells]
