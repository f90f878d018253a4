"""`viloapp run`: the workspace in the browser, until Ctrl-C."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import confinement, options
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.signals import ENDING
from viloapp_core.cli.text import one_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    from viloapp_core.host import Host
    from viloapp_core.store import Store

_HANDOVER_S = 5.0
"""How long a host without a workspace may have the store before it is taken for one that stays."""
_RETRY_S = 0.05


def loopback(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    """Return the address; raises click.BadParameter for one that other machines reach."""
    try:
        address = "127.0.0.1" if value == "localhost" else value
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise click.BadParameter(
        f"{value!r} is not a loopback address; the workspace is a shell of yours, and no network gets one",
        ctx,
        parameter,
    )


@click.command("run", cls=options.ViloCommand)
@click.argument(
    "folder",
    default=".",
    metavar="[FOLDER]",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
)
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=0,
    help="Listen on this port.  [default: any that is free]",
)
@click.option(
    "--bind",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    callback=loopback,
    help="Listen on this loopback address.",
)
@click.option("--safe", is_flag=True, help="Start no plugin but those that ViloApp itself brings along.")
@options.allow_unsandboxed
@pass_invocation
def run_command(
    invocation: Invocation,
    folder: Path,
    no_browser: bool,
    port: int,
    bind: str,
    safe: bool,
    allow_unsandboxed: bool,
) -> None:
    """Open the workspace on FOLDER (default: this one) in the browser.

    The address is printed on standard output. Where ViloApp runs already, its address is printed and opened,
    and this command ends. Ctrl-C ends the workspace. After a start that never became ready, safe mode is
    offered: `viloapp enable ID` then starts one plugin after the other, and `viloapp bisect` finds the one
    that breaks a start.
    """
    from viloapp_core.host.holding import ONLY

    store = invocation.store()
    announce = _announcer(invocation, open_browser=not no_browser)
    limited = ONLY in invocation.environ  # `viloapp bisect` starts what is to fail, and asks itself
    chosen = _Chosen(safe, offered=limited)

    async def until_told() -> None:
        from viloapp_core.host import Host

        serve = server()
        confinement.warn_without(invocation.output, allowed=allow_unsandboxed)
        with ending(invocation) as stop:
            async with Host(
                store.root,
                workspace=folder,
                allow_unsandboxed=allow_unsandboxed,
                safe=chosen.safe,
                mark_start=not limited,
            ) as host:
                chosen.tell(invocation, host)
                host.subscribe(_teller(invocation))

                def ready(address: str) -> None:
                    host.address = address
                    announce(address)
                    host.in_background(host.started())

                await serve(host, bind=bind, port=port, on_ready=ready, stop=stop)

    address = _serve_or_find(invocation, store, until_told, lambda: chosen.offer(invocation, store))
    if address:
        where = "; end it first for safe mode" if safe else ""
        invocation.output.note(f"ViloApp runs already{where}; its workspace is at")
        announce(address)


class _Chosen:
    """Whether a run is in safe mode: asked for, or offered after a start that never became ready."""

    def __init__(self, safe: bool, *, offered: bool) -> None:
        self.safe = safe
        self._asked = safe or offered

    def offer(self, invocation: Invocation, store: Store) -> None:
        """Offer safe mode once, where the last start left its trace; say how where nobody can answer."""
        from viloapp_core.host.start_marker import StartMarker

        if self._asked or not StartMarker(store.root).left_over():
            return
        self._asked = True
        output, what = invocation.output, "the last start never became ready"
        if not (sys.stdin and sys.stdin.isatty() and output.on_terminal()):
            output.warning(
                f"{what}; without third-party plugins: viloapp run --safe; which one: viloapp bisect"
            )
            return
        output.say(f"{what[0].upper()}{what[1:]}. Start in safe mode, without third-party plugins? [Y/n]")
        self.safe = sys.stdin.readline().strip().lower() not in ("n", "no")

    def tell(self, invocation: Invocation, host: Host) -> None:
        """Say what is held back."""
        held = host.held()
        if self.safe:
            what = (
                f"held back: {', '.join(held)}; start one: viloapp enable ID"
                if held
                else "nothing to hold back"
            )
            invocation.output.note(f"Safe mode; {what}.")


def _serve_or_find(
    invocation: Invocation,
    store: Store,
    serve: Callable[[], Coroutine[Any, Any, None]],
    ask: Callable[[], None],
) -> str | None:
    """Serve to the end, or return the address of the workspace that runs on this store already.

    A host without a workspace is waited for: it is one that starts just now, or lives for one `viloapp call`.
    `ask` puts what there is to ask before serving.

    Raises:
        CliError: a host has the store for long, and serves no workspace.
    """
    from viloapp_core.host.errors import HostRunningError

    give_up = time.monotonic() + _HANDOVER_S
    while True:
        if client := invocation.running_host(store):
            with client:
                address = client.request("address", {})
            if address:
                return str(address)
        else:
            ask()  # not in the event loop, where Ctrl-C would end no reading
            with suppress(HostRunningError):
                run_to_the_end(serve)
                return None
        if time.monotonic() > give_up:
            raise CliError(
                "host_without_workspace",
                f"a program that embeds ViloApp has the store {store.root}, and it serves no workspace",
                "end that program, or set VILOAPP_HOME to another folder",
            )
        time.sleep(_RETRY_S)


def run_to_the_end(serve: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine to its end.

    Raises:
        KeyboardInterrupt: it was broken off by a second signal.
    """
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(serve())
    except asyncio.CancelledError as error:
        raise KeyboardInterrupt from error


def _teller(invocation: Invocation) -> Callable[[str, dict[str, Any]], None]:
    """Return what tells on standard error of an update that was rolled back; the page tells of the rest."""
    from viloapp_core.host.probation import ROLLED_BACK

    def tell(name: str, data: dict[str, Any]) -> None:
        if name == ROLLED_BACK:
            invocation.output.warning(one_line(str(data.get("message"))))

    return tell


def _announcer(invocation: Invocation, *, open_browser: bool) -> Callable[[str], None]:
    """Return what tells the address: on standard output, and to the browser."""

    def announce(address: str) -> None:
        from viloapp_core.cli import browser

        invocation.output.line(address)
        if open_browser and browser.available(invocation.environ):
            openers.append(browser.open_address(address))
        elif open_browser:
            invocation.output.note("No browser can be opened from here: open this address in yours.")

    openers: list[object] = []  # kept, for a Popen that is collected while it runs complains
    return announce


@contextmanager
def ending(invocation: Invocation) -> Iterator[asyncio.Event]:
    """Yield the event that the first Ctrl-C (or SIGTERM, SIGHUP) sets; the second breaks off at once."""
    loop, task, stop = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()

    def ask() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
            return
        stop.set()
        invocation.output.note("Stopping; once more to break off.")

    numbers = [
        number for number in (signal.SIGINT, *ENDING) if signal.getsignal(number) is not signal.SIG_IGN
    ]
    for number in numbers:
        loop.add_signal_handler(number, ask)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def server() -> Callable[..., Awaitable[None]]:
    """Return the workspace's server.

    Raises:
        CliError: the extra ``app`` is not installed.
    """
    try:
        from viloapp_core.web import serve
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] == "viloapp_core":
            raise
        raise CliError(
            "no_server",
            f"the workspace needs {error.name}, which is not installed",
            "pip install 'viloapp-core[app]'",
        ) from error
    return serve


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's where it is installed: a call then takes four fifths of the time."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
