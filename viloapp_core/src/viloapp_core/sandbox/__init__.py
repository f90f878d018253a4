"""Confinement of workers: what one may see, what works on this machine, how one is started.

    from viloapp_core.sandbox import Request, launch_plan, probe

    plan = launch_plan(request, probe(), allow_unsandboxed=False, fds=(read_end, write_end, bulk_end))
    child = spawner.spawn(plan.argv, env=plan.env, cwd=plan.cwd, pass_fds=plan.pass_fds)
    plan.close()
    plan.label               # "bubblewrap"; "landlock" or "none" where the person allowed that

What a worker sees is decided by `profile` and said to bubblewrap; what it may still ask the kernel, by
`landlock` and `seccomp`, prepared here and applied inside by `bootstrap`, a file that runs before any code of
the plugin does. Without bubblewrap those two alone are the backend ``landlock``. There is none for other
systems than Linux yet: `probe` says so.
"""

from viloapp_core.sandbox.errors import (
    FolderRefusedError,
    SandboxError,
    SandboxTooWeakError,
    SandboxUnavailableError,
)
from viloapp_core.sandbox.forking import IGNORING, Forking, fits, open_python, open_server, server_command
from viloapp_core.sandbox.launch import Launch, launch_plan, program_plan
from viloapp_core.sandbox.levels import Level, enough
from viloapp_core.sandbox.probing import Probe, probe, probed
from viloapp_core.sandbox.profile import Profile
from viloapp_core.sandbox.request import RealDisk, Request
from viloapp_core.sandbox.shared import why_never

__all__ = [
    "IGNORING",
    "FolderRefusedError",
    "Forking",
    "Launch",
    "Level",
    "Probe",
    "Profile",
    "RealDisk",
    "Request",
    "SandboxError",
    "SandboxTooWeakError",
    "SandboxUnavailableError",
    "enough",
    "fits",
    "launch_plan",
    "open_python",
    "open_server",
    "probe",
    "probed",
    "program_plan",
    "server_command",
    "why_never",
]
