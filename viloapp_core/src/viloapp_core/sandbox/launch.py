"""The command that starts a worker, confined as far as this machine can and the person allows."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from viloapp_core.sandbox import bubblewrap
from viloapp_core.sandbox.environment import environment
from viloapp_core.sandbox.errors import SandboxUnavailableError
from viloapp_core.sandbox.probing import Probe
from viloapp_core.sandbox.profile import BOOTSTRAP, profile
from viloapp_core.sandbox.request import RealDisk, Request

__all__ = ["Launch", "launch_plan"]

_BOOTSTRAP_FILE = Path(__file__).with_name("bootstrap.py")


@dataclass(frozen=True, slots=True)
class Launch:
    """What to hand to `viloapp_core.process.Spawner.spawn`, and how the person is told of it."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    label: Literal["bubblewrap", "none"]


def launch_plan(
    request: Request,
    probe: Probe,
    *,
    allow_unsandboxed: bool,
    fds: tuple[int, ...],
    environ: Mapping[str, str] | None = None,
) -> Launch:
    """Decide how the worker of ``request`` is started. Makes the plugin's data folder when it is missing.

    Args:
        request: the worker.
        probe: what works here, from `viloapp_core.sandbox.probe`.
        allow_unsandboxed: whether the person accepts a worker with their full authority.
        fds: the descriptors that the worker reads from and writes to, then its bulk socket; pass them on
            under these numbers.
        environ: the host's environment; ``os.environ`` by default.

    Raises:
        SandboxUnavailableError: nothing works here and ``allow_unsandboxed`` is False.
        WorkspaceRefusedError: see `viloapp_core.sandbox.profile`.
    """
    host_environ = os.environ if environ is None else environ
    variables = environment(request, host_environ)
    request.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    start = (str(request.python), "-I", "-S")
    ends = ",".join(map(str, fds))
    if probe.bwrap is not None:
        confined = profile(
            request,
            environment=variables,
            bootstrap=_BOOTSTRAP_FILE,
            home=Path(host_environ.get("HOME") or os.path.expanduser("~")),
            user_namespace=probe.user_namespace,
            disk=RealDisk(),
        )
        command = bubblewrap.argv(confined, (*start, str(BOOTSTRAP), ends), probe.bwrap)
        return Launch(tuple(command), variables, request.data_dir, "bubblewrap")
    if not allow_unsandboxed:
        raise SandboxUnavailableError(request.plugin_id, probe.reason, probe.remedy)
    # The host's number, so that the worker notices a host that ended before it could ask to be told.
    command = [*start, str(_BOOTSTRAP_FILE), ends, str(os.getpid())]
    return Launch(tuple(command), variables, request.data_dir, "none")
