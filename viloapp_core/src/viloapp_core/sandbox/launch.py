"""The command that starts a worker, confined as far as this machine can and the person allows."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from viloapp_core.sandbox import bubblewrap, landlocked, ownership
from viloapp_core.sandbox.environment import environment
from viloapp_core.sandbox.errors import SandboxTooWeakError, SandboxUnavailableError
from viloapp_core.sandbox.first_code import BOOTSTRAP_FILE, start
from viloapp_core.sandbox.forking import FDS, IGNORING, NOTHING, SITE, Forking
from viloapp_core.sandbox.landlock import ruleset
from viloapp_core.sandbox.levels import Level, enough
from viloapp_core.sandbox.masks import within
from viloapp_core.sandbox.observing.filters import watch
from viloapp_core.sandbox.outcome import Probe
from viloapp_core.sandbox.profile import (
    BOOTSTRAP,
    ROOT_ONLY,
    SCRIPT,
    Inside,
    Mount,
    MountKind,
    Profile,
    profile,
)
from viloapp_core.sandbox.request import RealDisk, Request
from viloapp_core.sandbox.seccomp import Openness, seccomp_filter
from viloapp_core.sandbox.stage2 import Stage2, open_plan

__all__ = ["Launch", "launch_plan", "program_plan"]

_IDENTITY_MAP_FILE = Path(__file__).with_name("identity_map.py")


@dataclass(frozen=True, slots=True)
class Launch:
    """What to hand to `viloapp_core.process.Spawner.spawn`, and how the person is told of it.

    Args:
        argv: the command line.
        env: the whole environment.
        cwd: the working folder.
        label: what confines it.
        pass_fds: the descriptors to pass on under these numbers: those of the caller, and the plan's.
        observed: what the worker sees of the disk, where it has the host told of system calls; else None.
        forking: how it is forked instead, where that was asked for and can be: `viloapp_core.process` has the
            fork server. There is no command line then.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    label: Literal["bubblewrap", "landlock", "none"]
    pass_fds: tuple[int, ...]
    observed: Profile | None = None
    forking: Forking | None = None

    def close(self) -> None:
        """Give back the plan's own descriptor, once the process is started or was not."""
        if self.forking is None:
            os.close(self.pass_fds[-1])


@dataclass(frozen=True, slots=True)
class _Work:
    """What runs after stage 2: the SDK, or a script of the core's; in learn mode, who hears of its calls.

    With the folder of the SDK, it is forked.
    """

    fds: tuple[int, ...]
    script: Path | None = None
    arguments: tuple[str, ...] = ()
    watch: int | None = None
    sdk: Path | None = None


def launch_plan(
    request: Request,
    probe: Probe,
    *,
    allow_unsandboxed: bool,
    fds: tuple[int, ...],
    minimum: Level = "enforced",
    environ: Mapping[str, str] | None = None,
    watch: int | None = None,
    sdk: Path | None = None,
) -> Launch:
    """Decide how the worker of ``request`` is started. Makes the plugin's data folder when it is missing.

    Args:
        request: the worker.
        probe: what works here, from `viloapp_core.sandbox.probe`.
        allow_unsandboxed: whether the person accepts less than ``minimum``, down to a worker with their full
            authority.
        fds: the descriptors that the SDK's worker is given, in its order.
        minimum: the least that has to be enforced.
        environ: the host's environment; ``os.environ`` by default.
        watch: in learn mode the socket over which the host gets to hear of system calls, see
            `viloapp_core.sandbox.observing`.
        sdk: have it forked under bubblewrap, see `viloapp_core.sandbox.forking.fits`; None to start it.

    Raises:
        SandboxUnavailableError: nothing works here and ``allow_unsandboxed`` is False.
        SandboxTooWeakError: what works is less than ``minimum`` and ``allow_unsandboxed`` is False.
        FolderRefusedError: see `viloapp_core.sandbox.profile`.
    """
    work = _Work(fds, watch=watch, sdk=sdk if watch is None else None)
    return _plan(request, probe, allow_unsandboxed, minimum, work, os.environ if environ is None else environ)


def program_plan(
    request: Request,
    script: Path,
    arguments: tuple[str, ...],
    probe: Probe,
    *,
    allow_unsandboxed: bool,
    fds: tuple[int, ...] = (),
    minimum: Level = "enforced",
    environ: Mapping[str, str] | None = None,
) -> Launch:
    """Decide how a script of the core's is started in the sandbox of ``request``, in place of its worker.

    Args:
        request: whose sandbox; with ``programs`` the system's programs are there.
        script: a file that needs the standard library alone; it runs on the plugin's interpreter.
        arguments: of the script.
        probe: see `launch_plan`; likewise the rest.
        allow_unsandboxed: see there.
        fds: descriptors that it inherits.
        minimum: see there.
        environ: see there.

    Raises:
        SandboxError: see `launch_plan`.
    """
    work = _Work(fds, script, arguments)
    return _plan(request, probe, allow_unsandboxed, minimum, work, os.environ if environ is None else environ)


def _plan(
    request: Request, probe: Probe, allowed: bool, minimum: Level, work: _Work, environ: Mapping[str, str]
) -> Launch:
    if not allowed and probe.backend == "none" and minimum != "none":
        raise SandboxUnavailableError(request.plugin_id, probe.reason, probe.remedy)
    if not allowed and not enough(probe.level, minimum):
        raise SandboxTooWeakError(request.plugin_id, probe.level, minimum, probe.reason, probe.remedy)
    request.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    changes = probe.backend == "bubblewrap" and not probe.user_namespace and request.uid is not None
    if os.geteuid() == 0:
        # To root itself, too, where a plugin runs as that without its powers: the last time it may not have.
        ownership.give(request.data_dir, request.uid if changes and request.uid is not None else 0)
    variables = environment(request, environ)
    if probe.backend == "none":
        plan = Stage2(work.fds, host=_host(), rlimits=request.rlimits, nice=request.nice, confine=False)
        return _started(request, probe, work, plan, variables)
    home = Path(environ.get("HOME") or os.path.expanduser("~"))
    if probe.backend == "bubblewrap":
        return _mounted(request, probe, work, variables, home)
    return _landlocked(request, probe, work, variables, home)


def _mounted(request: Request, probe: Probe, work: _Work, variables: Mapping[str, str], home: Path) -> Launch:
    """Under bubblewrap; as root with an identity of the plugin's own."""
    changes = request.uid is not None and not probe.user_namespace
    if request.uid is not None and changes:
        ownership.open_to_all(request.generation, request.python.parent.parent / "lib")
    inside = Inside(BOOTSTRAP_FILE, ownership.root_only_file(request.store) if changes else None, work.script)
    seen = profile(
        request,
        environment=variables,
        inside=inside,
        home=home,
        user_namespace=probe.user_namespace,
        disk=RealDisk(),
    )
    if work.sdk is not None:
        seen = replace(seen, mounts=(*seen.mounts, Mount(MountKind.LINK, SITE, str(work.sdk))))
    if not probe.bounded_scratch:
        seen = replace(seen, scratch_bytes=None)
    plan = replace(
        _stage2(request, probe, work, seen, mounted=True),
        uid=request.uid if changes else None,
        root_only=str(ROOT_ONLY) if changes else None,
        folder=str(request.data_dir),
        script=str(SCRIPT) if work.script else None,
    )

    def command(inside: Sequence[str], waits: tuple[int, int] | None = None) -> tuple[str, ...]:
        assert probe.bwrap is not None
        argv = bubblewrap.argv(seen, inside, probe.bwrap, changes_identity=changes, waits=waits)
        return tuple(_as_owner(request, seen, argv) if changes else argv)

    if work.sdk is not None:
        forking = Forking(
            # Bubblewrap's own child would have no capability; this one comes with all.
            replace(plan, fds=FDS[: len(work.fds)], drop=not changes),
            sandbox=lambda *waits: (*IGNORING, *command((NOTHING,), waits)),
            python=request.python,
            arguments=start(request.python, BOOTSTRAP, 0)[:-1],
            environment=seen.environment,
            folder="/" if changes else str(request.data_dir),
            user_namespace=probe.user_namespace,
        )
        return Launch((), variables, request.data_dir, "bubblewrap", (), forking=forking)
    fd = open_plan(plan)
    observed = seen if plan.watch is not None else None
    argv = command(start(request.python, BOOTSTRAP, fd))
    return Launch(argv, variables, request.data_dir, "bubblewrap", _inherited(plan, fd), observed)


def _as_owner(request: Request, seen: Profile, argv: list[str]) -> list[str]:
    """Have the plugin's user own what the person shares with it, and its author's own project."""
    project = request.dev_copy or request.dev_source
    folders = [*seen.shared, *([project.resolve()] if project else [])]
    if not folders:
        return argv
    kept = [
        own.resolve()
        for own in (request.generation, request.data_dir, ownership.root_only_file(request.store))
        if any(within(own.resolve(), folder) for folder in folders)
    ]
    mapping = [sys.executable, "-I", "-S", str(_IDENTITY_MAP_FILE), str(request.uid)]
    return [*mapping, str(len(folders)), *map(str, folders), str(len(kept)), *map(str, kept), *argv]


def _landlocked(
    request: Request, probe: Probe, work: _Work, variables: Mapping[str, str], home: Path
) -> Launch:
    """Without mounts and namespaces: the machine's folders, of which Landlock closes all but a few."""
    request = replace(request, dev_copy=None)
    whole = profile(
        request,
        environment=variables,
        inside=Inside(BOOTSTRAP_FILE),
        home=home,
        user_namespace=False,
        disk=RealDisk(),
    )
    seen = landlocked.without_mounts(request.plugin_id, whole)
    landlocked.scratch_folder(request.data_dir).mkdir(mode=0o700, exist_ok=True)
    plan = replace(
        _stage2(request, probe, work, seen, mounted=False), host=_host(), keeper=True, drop=os.geteuid() == 0
    )
    return _started(request, probe, work, plan, seen.environment, seen)


def _stage2(request: Request, probe: Probe, work: _Work, seen: Profile, *, mounted: bool) -> Stage2:
    alone = not seen.shared and request.dev_source is None
    machine = os.uname().machine
    openness = Openness(own_network=mounted, own_sockets=mounted and alone, own_processes=mounted)
    return Stage2(
        work.fds,
        rlimits=request.rlimits,
        nice=request.nice,
        landlock=ruleset(seen, probe.landlock_abi, mounted=mounted) if probe.landlock_abi else None,
        seccomp=seccomp_filter(machine, openness) if probe.seccomp else None,
        watch=watch(work.watch, machine) if work.watch is not None and probe.seccomp else None,
        script=str(work.script) if work.script else None,
        arguments=work.arguments,
    )


def _started(
    request: Request,
    probe: Probe,
    work: _Work,
    plan: Stage2,
    variables: Mapping[str, str],
    seen: Profile | None = None,
) -> Launch:
    """At the machine's own paths, without bubblewrap: there the script itself may be out of reach."""
    if work.script is not None:
        code = work.script.read_text("utf-8")
        plan = replace(plan, code=code, script=str(work.script), arguments=work.arguments)
    fd = open_plan(plan)
    argv = start(request.python, BOOTSTRAP_FILE, fd)
    observed = seen if plan.watch is not None else None
    return Launch(argv, variables, request.data_dir, probe.backend, _inherited(plan, fd), observed)


def _inherited(plan: Stage2, fd: int) -> tuple[int, ...]:
    return (*plan.fds, *((plan.watch.end,) if plan.watch is not None else ()), fd)


def _host() -> int | None:
    """This process, where the kernel can bind a worker's life to it."""
    return os.getpid() if sys.platform == "linux" else None
