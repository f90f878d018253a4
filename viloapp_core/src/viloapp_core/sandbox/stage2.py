"""What the bootstrap is to do inside, before any code of the plugin's: prepared here, applied there.

The host decides everything and says it in plain numbers and bytes, in a sealed piece of memory that the
worker inherits: nothing that a plugin could have written is read on the way.
"""

import fcntl
import marshal
import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from viloapp_core.sandbox.first_code import compiled
from viloapp_core.sandbox.landlock import Ruleset
from viloapp_core.sandbox.observing.filters import Watch

__all__ = ["Stage2", "open_bytes", "open_plan"]

# What older Pythons than the host's read too. Source: the documentation of `marshal`.
_MARSHAL_VERSION = 2


@dataclass(frozen=True, slots=True)
class Stage2:
    """The steps, in the order in which they are applied.

    Args:
        fds: what the SDK's worker is given.
        host: the host's process, for a worker that is to end with it; None where bubblewrap sees to that.
        keeper: leave a process outside that ends the worker's whole group.
        rlimits: ``(name, soft, hard)``.
        nice: added to the priority's number.
        uid: whom to become, None to stay who one is.
        drop: give up root's capabilities without becoming somebody else.
        root_only: a file that must not be readable afterwards.
        folder: where to go then, with a uid.
        landlock: rules for files, None where the kernel has no Landlock.
        seccomp: the filter of system calls, None where there is none.
        watch: in learn mode, what has the host told of some; None in every other.
        script: what to run in place of the SDK, a file.
        arguments: of that.
        code: what to run in place of the SDK, where no file can be opened any more.
        confine: False for a worker with the person's full authority, who asked for that.
    """

    fds: tuple[int, ...]
    host: int | None = None
    keeper: bool = False
    rlimits: tuple[tuple[str, int, int], ...] = ()
    nice: int = 0
    uid: int | None = None
    drop: bool = False
    root_only: str | None = None
    folder: str | None = None
    landlock: Ruleset | None = None
    seccomp: bytes | None = None
    watch: Watch | None = None
    script: str | None = None
    arguments: tuple[str, ...] = ()
    code: str | None = None
    confine: bool = True

    def encoded(self, fork: Mapping[str, Any] | None = None) -> bytes:
        """Return the plan as the bootstrap reads it.

        Args:
            fork: what comes before, for a worker that is forked and so has the bootstrap already; see
                `viloapp_core.sandbox.forking`.
        """
        rules = self.landlock
        plan = {
            **(compiled() if fork is None else {"fork": dict(fork)}),
            "fds": self.fds,
            "host": self.host,
            "keeper": self.keeper,
            "rlimits": [(name, getattr(resource, f"RLIMIT_{name}"), *most) for name, *most in self.rlimits],
            "nice": self.nice,
            "uid": self.uid,
            "drop": self.drop,
            "root_only": self.root_only,
            "folder": self.folder,
            "landlock": rules and (rules.filesystem, rules.network, rules.scopes, rules.rules),
            "seccomp": self.seccomp,
            "watch": self.watch and tuple(self.watch),
            "script": self.script,
            "arguments": self.arguments,
            "code": self.code,
            "confine": self.confine,
        }
        return marshal.dumps(plan, _MARSHAL_VERSION)


def open_plan(plan: Stage2) -> int:
    """Return a descriptor that the plan can be read from, once, and nobody can change. Close it."""
    return open_bytes(plan.encoded())


def open_bytes(content: bytes) -> int:
    """Return a descriptor that ``content`` can be read from, once, and nobody can change. Close it."""
    if not hasattr(os, "memfd_create"):
        import tempfile  # brings random and more, which nobody needs who has the call

        with tempfile.TemporaryFile() as stream:
            stream.write(content)
            stream.seek(0)
            return os.dup(stream.fileno())
    fd = os.memfd_create("viloapp-plan", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd
