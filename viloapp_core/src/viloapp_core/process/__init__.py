"""Long-lived children of the host: starting them, their end, pseudo-terminals.

    from viloapp_core.process import Spawner

    spawner = Spawner()
    child = await spawner.spawn_async(["sleep", "9"], env={"PATH": "/bin"}, cwd=Path("/"))
    status = await child.stop(grace_s=1.0)      # "killed by SIGTERM"
    spawner.close()

Nothing here touches SIGCHLD, a child watcher or a signal handler: those belong to the embedding program.
"""

from viloapp_core.process.child import Child
from viloapp_core.process.errors import ForkServerError, ProcessError, SpawnerClosedError, SpawnError
from viloapp_core.process.exit_status import ExitStatus
from viloapp_core.process.fork_server import Forked, ForkServer
from viloapp_core.process.pty import PtyChild, open_pty
from viloapp_core.process.session import signal_session
from viloapp_core.process.spawner import Spawner

__all__ = [
    "Child",
    "ExitStatus",
    "ForkServer",
    "ForkServerError",
    "Forked",
    "ProcessError",
    "PtyChild",
    "SpawnError",
    "Spawner",
    "SpawnerClosedError",
    "open_pty",
    "signal_session",
]
