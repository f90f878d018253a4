"""How a plugin's process comes into being: what it sees, its pipes, its limits."""

import asyncio
import socket
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from viloapp_core.foundation.files import FileLock
from viloapp_core.foundation.processors import processors
from viloapp_core.limits import Limits, rlimits, thread_environment
from viloapp_core.process import Child, Forked, ForkServerError
from viloapp_core.process.cgroup import Group
from viloapp_core.process.pipes import pipe
from viloapp_core.rpc import Descriptors
from viloapp_core.sandbox import Launch, Probe, Profile, Request, fits, launch_plan, probe, probed
from viloapp_core.store import InstalledPlugin
from viloapp_core.supervise.limit_policy import check_limits, limits_tried
from viloapp_core.supervise.surroundings import Surroundings

if TYPE_CHECKING:  # ctypes and more, which only learn mode needs
    from viloapp_core.sandbox.observing.observer import Observer

__all__ = ["Launched", "launch", "request_of"]


@dataclass(frozen=True, slots=True)
class Launched:
    """A process that was just started, and the host's ends of what connects to it, owned by who has this.

    Args:
        child: the process.
        fd_in: where its frames come from.
        fd_out: where frames to it go.
        log: where what it prints comes from.
        bulk: the socket on which it is given descriptors.
        held: the lock on its generation.
        group: its group of the kernel's, where there is one.
        label: what confines it.
        observer: in learn mode what looks at its system calls, not yet begun.
        observed: what it sees of the disk, for that.
    """

    child: Child | Forked
    fd_in: int
    fd_out: int
    log: int
    bulk: socket.socket
    held: FileLock
    group: Group | None
    label: str
    observer: "Observer | None" = None
    observed: Profile | None = None


def request_of(plugin: InstalledPlugin, around: Surroundings, limits: Limits) -> Request:
    """Return what is asked of the sandbox for a process of the plugin."""
    return Request(
        plugin_id=plugin.plugin_id,
        python=plugin.python,
        generation=plugin.generation,
        base_prefix=plugin.base_prefix,
        base_executable=plugin.base_executable,
        data_dir=plugin.data_dir,
        dev_source=plugin.dev_source,
        dev_copy=around.dev_copy(plugin.plugin_id) if plugin.dev_source is not None else None,
        workspace=around.workspace,
        permissions=around.permissions(plugin.plugin_id),
        rlimits=rlimits(limits),
        nice=around.nice(),
        variables=thread_environment(limits, processors()),
        uid=around.user_of(plugin.plugin_id),
        scratch_bytes=int(limits.memory_mb) * 1024 * 1024,
    )


async def launch(plugin: InstalledPlugin, around: Surroundings, limits: Limits) -> Launched:
    """Start a process of the plugin.

    Raises:
        ViloError: it cannot be confined as it has to be, or the system refuses.
    """
    request = request_of(plugin, around, limits)
    if probed() and (around.allow_unsandboxed or limits_tried()):
        confinement = _confinement(plugin.plugin_id, around)  # from memory
    else:
        confinement = await asyncio.to_thread(_confinement, plugin.plugin_id, around)
    with ExitStack() as ours, ExitStack() as theirs:
        held = around.hold(plugin)
        ours.callback(held.release)
        theirs_in, ours_out = pipe(theirs, ours)
        ours_in, theirs_out = pipe(ours, theirs)
        log_out, log_in = pipe(ours, theirs)
        bulk, their_bulk = Descriptors.pair()
        ours.callback(bulk.close)
        theirs.callback(their_bulk.close)
        observer = _observer(plugin.plugin_id, around)
        if observer is not None:
            ours.callback(observer.close)
        fds = (theirs_in, theirs_out, their_bulk.fileno())

        def planned(sdk: Path | None) -> Launch:
            return launch_plan(
                request,
                confinement,
                allow_unsandboxed=around.allow_unsandboxed,
                fds=fds,
                minimum=around.minimum("permissions"),
                watch=observer.theirs if observer is not None else None,
                sdk=sdk,
            )

        plan = planned(_sdk(request, around, confinement))
        theirs.callback(plan.close)
        group = around.groups.make(plugin.plugin_id, limits) if around.groups is not None else None
        child: Child | Forked | None = None
        if plan.forking is not None and around.fork_server is not None:
            try:
                child = await around.fork_server.fork(
                    plan.forking,
                    cwd=plan.cwd,
                    fds=fds,
                    log=log_in,
                    enter=group.enter if group is not None else tuple,
                    group=group.entry if group is not None else None,
                )
            except ForkServerError as error:
                around.on_life(plugin.plugin_id, "not_forked", {"error": error.detail})
                plan = planned(None)
                theirs.callback(plan.close)
        if child is None:
            child = await around.spawner.spawn_async(
                group.enter(plan.argv) if group is not None else plan.argv,
                env=plan.env,
                cwd=plan.cwd,
                pass_fds=plan.pass_fds,
                stdin=subprocess.DEVNULL,
                stdout=log_in,
                stderr=log_in,
            )
        ours.pop_all()  # they are the caller's from here on
    label, observed = plan.label, plan.observed
    return Launched(child, ours_in, ours_out, log_out, bulk, held, group, label, observer, observed)


def _sdk(request: Request, around: Surroundings, confinement: Probe) -> Path | None:
    """Return the folder of the plugin's SDK where it is to be forked, and can be.

    Not without a filter of system calls: a process could make others beside it, where its limits find none.
    """
    if around.fork_server is None or around.supervision("start_method") != "forkserver":
        return None
    return fits(request) if confinement.seccomp else None


def _observer(plugin_id: str, around: Surroundings) -> "Observer | None":
    if around.observation is None:
        return None
    from viloapp_core.sandbox.observing.observer import Observer

    return Observer(around.observation(plugin_id))


def _confinement(plugin_id: str, around: Surroundings) -> Probe:
    """Find out what confines plugins here, and whether that is enough; the first time takes a while."""
    found = probe()
    if not around.allow_unsandboxed:
        check_limits(plugin_id, around.minimum("limits"), found)
    return found
