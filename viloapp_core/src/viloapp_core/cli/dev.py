"""`viloapp dev`: the workspace with a plugin from its source, reloaded whenever that is saved."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import confinement, options
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.logs import Log
from viloapp_core.cli.run import ending, loopback, run_to_the_end, server
from viloapp_core.cli.steps import Runner
from viloapp_core.cli.text import one_line

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from viloapp_core.host import Host
    from viloapp_core.operations import InstallOptions
    from viloapp_core.store import InstalledPlugin, Store

_LOG_LOOK_S = 0.2
# A plugin that is being written fails often, and that is no reason to disable it.
_SETTINGS: tuple[tuple[str, Any], ...] = (
    ("core.supervise.max_retries", 1000),
    # Nor to take back what was installed for it: what ran before is brought back by the reload itself.
    ("core.update.health_window", 0),
)


@click.command("dev", cls=options.ViloCommand)
@click.option("--plugin", "path", default=".", metavar="PATH", help="The folder of its source.  [default: .]")
@click.option(
    "--host",
    "bind",
    default="localhost",
    show_default=True,
    metavar="ADDRESS",
    callback=loopback,
    help="Listen on this loopback address.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=5000, show_default=True, help="Listen on this port."
)
@click.option(
    "--with", "more", multiple=True, metavar="SPEC", help="Install this plugin beside it; repeatable."
)
@options.index_url
@options.find_links
@options.offline
@click.option("--python", metavar="PYTHON", help="The interpreter to use: a path, or a version such as 3.12.")
@options.allow_unsigned
@options.yes
@options.allow_unsandboxed
@pass_invocation
def dev_command(
    invocation: Invocation,
    path: str,
    bind: str,
    port: int,
    more: tuple[str, ...],
    index_url: str | None,
    find_links: tuple[str, ...],
    offline: bool,
    python: str | None,
    allow_unsigned: tuple[str, ...],
    yes: bool,
    allow_unsandboxed: bool,
) -> None:
    """Open a workspace with the plugin in PATH, and reload it when its files are saved.

    The workspace has a store of its own, so that what you have installed is left alone. Only the plugin's
    process is replaced: its open widgets keep their state, its terminals go on. What cannot be loaded or
    initialized is shown, and what ran before goes on. A change of pyproject.toml installs the plugin anew.
    """
    from viloapp_core.devtools.deprecated import project_deprecations
    from viloapp_core.manifest import read_source
    from viloapp_core.operations import InstallOptions

    project = Path(path)
    if not project.is_dir():
        raise CliError("no_project", f"there is no folder {path}", "name the folder of a plugin's source")
    project = project.resolve()
    chosen = InstallOptions(
        index_url=index_url,
        find_links=find_links,
        offline=offline,
        python=python,
        allow_unsigned=allow_unsigned,
        yes=yes,
    )
    serve, plugin_id = server(), read_source(project).plugin_id
    for finding in project_deprecations(project):
        invocation.output.warning(one_line(f"{finding.path}:{finding.line}: {finding.message}"))
    store = _store(invocation, project)
    steps = Runner(store, allow_unsandboxed=allow_unsandboxed)
    plugin = _install(invocation, store, project, plugin_id, chosen, more, steps)
    confinement.warn_without(invocation.output, allowed=allow_unsandboxed)

    async def until_told() -> None:
        from viloapp_core.host import Host

        with ending(invocation) as stop:
            async with Host(store.root, workspace=Path.cwd(), allow_unsandboxed=allow_unsandboxed) as host:

                def ready(address: str) -> None:
                    host.address = address
                    invocation.output.line(address)
                    invocation.output.note(f"{plugin.plugin_id} from {project}; its store is {store.root}")
                    again = replace(chosen, force_reinstall=True)
                    host.in_background(
                        _reload(
                            invocation,
                            host,
                            project,
                            plugin,
                            stop,
                            lambda given_up: _install_quietly(invocation, host, project, again, given_up),
                        )
                    )
                    host.in_background(_follow(invocation, plugin))

                await serve(host, bind=bind, port=port, on_ready=ready, stop=stop)

    run_to_the_end(until_told)


def _store(invocation: Invocation, project: Path) -> Store:
    """Return the store of this project's workspace."""
    from viloapp_core.foundation.names import normalized
    from viloapp_core.services import Settings
    from viloapp_core.store import Store

    key = f"{normalized(project.name)}-{hashlib.sha256(str(project).encode()).hexdigest()[:12]}"
    store = Store(invocation.store().layout.cache / "dev" / key)
    store.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    store.recover()
    settings = Settings(store.root / "settings.json", dict)
    for name, value in _SETTINGS:
        if settings.get(name) != value:
            settings.set(name, value)
    return store


def _install(
    invocation: Invocation,
    store: Store,
    project: Path,
    plugin_id: str,
    chosen: InstallOptions,
    more: tuple[str, ...],
    steps: Runner,
) -> InstalledPlugin:
    from viloapp_core.cli.consent import prompt
    from viloapp_core.cli.progress import view
    from viloapp_core.operations import install

    with view(invocation.output) as shown:
        dev = replace(chosen, dev=True, yes=True)
        environ = invocation.environ
        install(store, [str(project)], options=dev, progress=shown, environ=environ, steps=steps)
        if more:
            consent = prompt(invocation.output, shown, store, accept=chosen.yes)
            install(
                store,
                more,
                options=chosen,
                progress=shown,
                consent=consent,
                environ=environ,
                steps=steps,
            )
    return store.plugin(plugin_id)


def _install_quietly(
    invocation: Invocation, host: Host, project: Path, chosen: InstallOptions, given_up: threading.Event
) -> None:
    from viloapp_core.host.steps import HostSteps
    from viloapp_core.operations import install

    dev = replace(chosen, dev=True, yes=True)
    install(
        host.store,
        [str(project)],
        options=dev,
        environ=invocation.environ,
        cancel=given_up,
        steps=HostSteps(host, given_up),
    )


async def _reload(
    invocation: Invocation,
    host: Host,
    project: Path,
    plugin: InstalledPlugin,
    stop: asyncio.Event,
    install: Callable[[threading.Event], None],
) -> None:
    from viloapp_core.devtools.reloading import Reloader, take_over
    from viloapp_core.devtools.watching import changes

    def tell(level: str, message: str) -> None:
        show = invocation.output.warning if level == "error" else invocation.output.note
        show(one_line(message))
        if level == "info":  # what does not run, the page shows until it does
            host.publish("notification", {"level": level, "message": message, "plugin": plugin.plugin_id})

    copies = host.store.root / "sources"
    reloader = Reloader(host, project, plugin.plugin_id, install, tell, copies)
    await asyncio.to_thread(reloader.begin)
    await take_over(changes(project, stop), reloader.saved)


async def _follow(invocation: Invocation, plugin: InstalledPlugin) -> None:
    """Show what the plugin prints, and the tracebacks of what it raises."""
    with Log(plugin.log_dir / "worker.log") as log:
        log.last(0)
        while True:
            for line in log.new():
                invocation.output.note(f"  {plugin.plugin_id} | {line}")
            await asyncio.sleep(_LOG_LOOK_S)
