"""Confinement of workers: what one may see, what works on this machine, how one is started.

    from viloapp_core.sandbox import Request, launch_plan, probe

    fds = (read_end, write_end, bulk_end)
    plan = launch_plan(request, probe(), allow_unsandboxed=False, fds=fds)
    child = spawner.spawn(plan.argv, env=plan.env, cwd=plan.cwd, pass_fds=fds)
    plan.label               # "bubblewrap", or "none" when the person allowed that

On Linux the backend is bubblewrap. The worker's own part is `bootstrap`, a file that runs before any code of
the plugin does. There is no backend for other systems yet: `probe` says so.
"""

from viloapp_core.sandbox.errors import SandboxError, SandboxUnavailableError, WorkspaceRefusedError
from viloapp_core.sandbox.launch import Launch, launch_plan
from viloapp_core.sandbox.probing import Probe, probe
from viloapp_core.sandbox.profile import Profile
from viloapp_core.sandbox.request import Request

__all__ = [
    "Launch",
    "Probe",
    "Profile",
    "Request",
    "SandboxError",
    "SandboxUnavailableError",
    "WorkspaceRefusedError",
    "launch_plan",
    "probe",
]
