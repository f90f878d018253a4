"""`viloapp profile`: where a running plugin spends its time, as a flame graph."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import options
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.output import Output
from viloapp_core.foundation.names import normalized

if TYPE_CHECKING:
    from viloapp_core.host.control import ControlClient
    from viloapp_core.profiling import Profile

_ENDINGS = {"svg": "svg", "speedscope": "speedscope.json"}
_HOTTEST = 5
_TICK_S = 0.2


@click.command("profile", cls=options.ViloCommand)
@click.argument("plugin", metavar="ID", shell_complete=plugin_ids)
@click.option(
    "--seconds",
    type=options.Seconds(0.5, most=600),
    metavar="N",
    default=10.0,
    show_default=True,
    help="For how long to look; the plugin goes on working.",
)
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write there; - is standard output.  [default: ID.svg or ID.speedscope.json here]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_ENDINGS)),
    default="svg",
    show_default=True,
    help="svg is a picture; speedscope is what https://www.speedscope.app opens.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=1, max=1000),
    metavar="HZ",
    default=100.0,
    show_default=True,
    help="Looks a second.",
)
@click.option(
    "--sampler",
    type=click.Choice(["auto", "py-spy", "sdk"]),
    default="auto",
    show_default=True,
    help="py-spy looks from outside; the SDK's, from inside, is there without installing anything.",
)
@options.json_output
@pass_invocation
def profile_command(
    invocation: Invocation,
    plugin: str,
    seconds: float,
    target: Path | None,
    form: str,
    rate: float,
    sampler: str,
) -> None:
    """Write where a plugin of the running workspace spends its time, as a flame graph.

    The plugin is not stopped and not restarted. What it is looked at with is py-spy where that is installed
    and may, else a sampler of the SDK, which starts in the plugin's process for this and ends with it. Times
    in which a thread waits for something to do are left out.
    """
    store = invocation.store()
    plugin_id = store.plugin(normalized(plugin)).plugin_id
    to_stdout = target is not None and str(target) == "-"
    file = target or Path(f"{plugin_id}.{_ENDINGS[form]}")
    if not to_stdout and not file.absolute().parent.is_dir():
        raise CliError("no_such_folder", f"{file} cannot be written: there is no folder {file.parent}")
    client = invocation.running_host(store)
    if client is None:
        raise CliError("not_running", f"ViloApp does not run on {store.root}", "viloapp run")
    params = {"plugin": plugin_id, "seconds": seconds, "rate": rate, "sampler": sampler}
    with client:
        answer = _ask(invocation.output, client, params)
    taken = _profile(answer)
    if answer["note"]:
        invocation.output.note(f"{answer['note']}; the SDK's sampler looked instead")
    text = _drawn(taken, form)
    if to_stdout:
        invocation.output.raw(text.rstrip("\n"))
    else:
        _write(file, text)
    _tell(invocation.output, taken, None if to_stdout else file)


def _ask(output: Output, client: ControlClient, params: Mapping[str, Any]) -> Any:
    """Ask the host, and show meanwhile how long it still takes."""
    found: list[Any] = []
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            found.append(client.request("profile", params))
        except BaseException as error:
            failed.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    _show_progress(output, asking, str(params["plugin"]), float(params["seconds"]))
    if failed:
        raise failed[0]
    return found[0]


def _show_progress(output: Output, asking: threading.Thread, plugin_id: str, seconds: float) -> None:
    text = f"looking at {plugin_id} for {seconds:g} s"
    if output.verbosity < 0 or not output.on_terminal():
        output.note(text)
        while asking.is_alive():  # in turns, so that Ctrl-C is heard
            asking.join(_TICK_S)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(file=output.stderr, no_color=not output.colored(), highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=24))
    with Progress(*columns, console=console, transient=True) as bar:
        task, began = bar.add_task(text, total=seconds), time.monotonic()
        while asking.is_alive():
            asking.join(_TICK_S)
            bar.update(task, completed=min(seconds, time.monotonic() - began))


def _profile(answer: Mapping[str, Any]) -> Profile:
    from viloapp_core.profiling import Profile

    stacks = {tuple(stack): seen for stack, seen in answer["stacks"]}
    return Profile(
        answer["plugin"], answer["sampler"], answer["seconds"], answer["rate"], stacks, answer["idle"]
    )


def _drawn(taken: Profile, form: str) -> str:
    from viloapp_core.profiling.flame_graph import flame_graph
    from viloapp_core.profiling.speedscope import speedscope

    return flame_graph(taken) if form == "svg" else speedscope(taken) + "\n"


def _write(file: Path, text: str) -> None:
    """Write the file whole or not at all.

    Raises:
        CliError: it cannot be written.
    """
    from viloapp_core.foundation.errors import FoundationError
    from viloapp_core.foundation.files import write_atomic

    try:
        write_atomic(file.absolute(), text.encode(), mode=0o644)
    except FoundationError as error:
        raise CliError("not_written", error.detail, "-o FILE writes elsewhere") from error


def _tell(output: Output, taken: Profile, file: Path | None) -> None:
    hottest = [{"function": name, "share": round(share, 4)} for name, share in taken.hottest(_HOTTEST)]
    if file is not None and output.as_json:
        output.json(
            {
                "plugin": taken.plugin_id,
                "sampler": taken.sampler,
                "seconds": taken.seconds,
                "samples": taken.samples,
                "idle": taken.idle,
                "hottest": hottest,
                "file": str(file),
            }
        )
        return
    if file is not None:
        output.line(str(file))
    if not taken.samples:
        output.note("the plugin waited for something to do the whole time")
    for row in hottest:
        output.note(f"{row['share']:6.1%}  {row['function']}")
