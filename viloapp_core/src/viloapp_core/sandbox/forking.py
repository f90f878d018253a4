"""Workers that are forked from an interpreter that has the SDK loaded, in place of starting one each.

Each takes less memory of its own, and starts sooner; docs/performance.md has how much. What it costs: all
workers of one fork server have their memory laid out alike and share stack canary and secret of `hash`,
also after a restart, so that a plugin that finds a fault in another's native code knows where what lies.
Namespaces, Landlock, the filter of system calls, limits and identity are those of every other worker. So it
is chosen by who runs the host (``core.supervise.start_method``).

Who can be forked is decided here: a plugin on the host's own interpreter, whose SDK has the very content of
the host's.

    python = open_python()                            # what is run as the fork server,
    server_command(open_server(control, python))      # and its command line
    fits(request)                                     # the plugin's SDK, where its worker can be forked
    Forking(...).open_plan(pid, None)                 # the plan of one, by a process in its namespaces

Source: ``multiprocessing``'s start method of the same name; ``setns(2)``, ``namespaces(7)``.
"""

import contextlib
import errno
import marshal
import os
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path

from viloapp_core.sandbox.environment import locale_of
from viloapp_core.sandbox.first_code import named
from viloapp_core.sandbox.profile import RUN
from viloapp_core.sandbox.request import Request
from viloapp_core.sandbox.stage2 import Stage2, open_bytes

__all__ = [
    "FDS",
    "IGNORING",
    "NOTHING",
    "SITE",
    "Forking",
    "fits",
    "open_python",
    "open_server",
    "server_command",
]

MODULES = (
    "viloapp_sdk",
    "viloapp_sdk.errors",
    "viloapp_sdk.context",
    "viloapp_sdk._signature",
    "viloapp_sdk.plugin",
    "viloapp_sdk._wire",
    "viloapp_sdk.worker",
    "viloapp_sdk.worker._broker",
    "viloapp_sdk.worker._channel",
    "viloapp_sdk.worker._first_frames",
    "viloapp_sdk.worker._imports",
    "viloapp_sdk.worker._runtime",
)
"""What every worker imports. `tests/unit/host/test_forked.py` holds it to what one does."""

FDS = (3, 4, 5)
"""The numbers that the descriptors of the SDK's worker have."""
SITE = RUN / "site"
"""A link to where the plugin's distributions are, which modules in memory say that they lie in."""
# Nobody waits in the sandbox for processes that lose their parent: the kernel does, where the first process
# ignores their ends. A program that is run keeps what was ignored before.
IGNORING = ("/usr/bin/env", "--ignore-signal=CHLD")
"""Before a command. Not by a shell: dash ignores this signal for itself alone."""
NOTHING = "/proc/none"
"""What bubblewrap would run once the host is gone, and that there never is: it ends, and all with it."""

# Beside them what `site` and the SDK import of the standard library.
_STANDARD = ("site", "faulthandler", "_ctypes", "_socket", "_signal", "gc")

_PROGRAMS = ("bootstrap", "fork_server")

# Source: the kernel's ``sched.h``.
_NAMESPACES = {
    "user": 0x10000000,
    "mnt": 0x00020000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "ipc": 0x08000000,
    "uts": 0x04000000,
    "cgroup": 0x02000000,
}

# The programs share a namespace of their own, which is frozen with all else that is there before the first
# fork: nothing of it is ever collected, and so its pages stay those of all workers.
_SERVER = """\
import sys, marshal, gc
gc.disable()
plan = marshal.loads(open(int(sys.argv.pop(), 16), "rb").read())
space = {"__name__": "fork_server"}
for code in plan["programs"]:
    exec(marshal.loads(code), space)
finder = space["Preloaded"](plan["modules"])
sys.meta_path.insert(0, finder)
for name in (*plan["standard"], *plan["modules"]):
    __import__(name)
sys.meta_path.remove(finder)
server = space["server"] = space["Server"](plan["control"], plan["python"])
del plan, code, name, finder
gc.freeze()
fds = space["main"](server.serve(), server.libc)
del space, server, marshal
gc.enable()
import site
site.main()
from viloapp_sdk.worker import main
main(*fds)
"""


@dataclass(frozen=True, slots=True)
class Forking:
    """How a worker is forked, where it is.

    Args:
        stage2: what confines it.
        sandbox: returns bubblewrap's command line, by the descriptor on which it waits when all is made, and
            the one on which it says which process that is.
        python: the plugin's interpreter, as it is to believe.
        arguments: the command line likewise.
        environment: its environment.
        folder: where it begins.
        user_namespace: whether the sandbox has one.
    """

    stage2: Stage2
    sandbox: Callable[[int, int], tuple[str, ...]]
    python: Path
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str
    user_namespace: bool

    @property
    def locale(self) -> dict[str, str]:
        """What its environment says of language and time zone; its interpreter has begun with that."""
        return locale_of(self.environment)

    def open_plan(self, pid: int, group: Path | None) -> int:
        """Return a descriptor that the plan can be read from, once, and nobody can change. Close it.

        Args:
            pid: a process in the sandbox's namespaces, which waits there.
            group: the file by which the kernel's group of the worker is entered.

        Raises:
            OSError: that process is gone, or cannot be looked at.
        """
        names = [name for name in _NAMESPACES if name != "user" or self.user_namespace]
        namespaces = {name: os.readlink(f"/proc/{pid}/ns/{name}") for name in names}
        root, ours = os.stat(f"/proc/{pid}/root/"), os.stat("/")
        shared = [name for name in names if namespaces[name] == os.readlink(f"/proc/self/ns/{name}")]
        if set(shared) - {"cgroup"} or (root.st_dev, root.st_ino) == (ours.st_dev, ours.st_ino):
            raise OSError(errno.EPERM, "bubblewrap has not made the sandbox")
        fork = {
            "flags": sum(_NAMESPACES[name] for name in names),
            "namespaces": namespaces,
            "root": (root.st_dev, root.st_ino),
            "group": str(group) if group is not None else "",
            "python": str(self.python),
            "prefix": str(self.python.parent.parent),
            "arguments": list(self.arguments),
            "environment": {**self.environment, "PWD": self.folder},
            "folder": self.folder,
        }
        return open_bytes(self.stage2.encoded(fork))


def fits(request: Request) -> Path | None:
    """Return the folder of a plugin's SDK where its worker can be forked, else None."""
    if request.base_executable != host_python():
        return None
    folder = (
        request.python.parent.parent / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    )
    return folder if _same_sdk(folder, request.generation) else None


@cache
def host_python() -> Path:
    """Return the interpreter that this process runs on, outside of any virtual environment."""
    return Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))


def server_command(plan: int) -> tuple[str, ...]:
    """Return the command line of the fork server, by a descriptor of `open_server`.

    What is run is `open_python`.
    """
    return (str(host_python()), "-I", "-S", "-c", _SERVER, f"{plan:x}")


def open_python() -> int:
    """Return a descriptor of a copy of the host's interpreter that nobody can change, to be run. Close it.

    ``/proc/self/exe`` of a worker leads to the file that was run. That of another worker lies on a mount of
    its sandbox, read only; the fork server's would be the file itself, as the host has it.

    Raises:
        OSError: there is no room, or it cannot be read.
    """
    return open_bytes(host_python().read_bytes())


def open_server(control: int, python: int) -> int:
    """Return a descriptor with what the fork server reads first. Close it.

    Args:
        control: the descriptor on which it gets requests.
        python: that of `open_python`, which it is to close.

    Raises:
        ImportError: this SDK's or this core's code cannot be read.
    """
    programs = [marshal.dumps(_code(f"viloapp_core.sandbox.{name}")) for name in _PROGRAMS]
    modules = {
        name: (file, package, marshal.dumps(code)) for name, (file, package, code, _) in _sdk().items()
    }
    plan = {
        "programs": programs,
        "standard": _STANDARD,
        "modules": modules,
        "control": control,
        "python": python,
    }
    return open_bytes(marshal.dumps(plan))


@cache
def _sdk() -> dict[str, tuple[str, bool, types.CodeType, bytes]]:
    """Return of each module its file in a sandbox, whether it is a package, its code and its source."""
    found = {}
    for name in MODULES:
        origin = Path(_origin(name))
        package = origin.name == "__init__.py"
        file = str(SITE / _file(name, package))
        found[name] = (file, package, named(_code(name), file), origin.read_bytes())
    return found


def _file(name: str, package: bool) -> Path:
    path = Path(*name.split("."))
    return path / "__init__.py" if package else path.with_suffix(".py")


def _code(name: str) -> types.CodeType:
    """Return a module's code, whatever loads it here: a debugger or a test may change what it loads."""
    code = SourceFileLoader(name, _origin(name)).get_code(name)
    if code is None:
        raise ImportError(f"no code of {name}", name=name)
    return code


def _origin(name: str) -> str:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ImportError(f"no module {name}", name=name)
    return spec.origin


_fitting: dict[Path, bool] = {}


def _same_sdk(folder: Path, generation: Path) -> bool:
    """Whether the SDK in a folder has the content of the host's; a generation never changes."""
    if generation not in _fitting:
        _fitting[generation] = False
        with contextlib.suppress(OSError, ImportError):
            _fitting[generation] = all(
                (folder / _file(name, package)).read_bytes() == source
                for name, (_, package, _, source) in _sdk().items()
            )
    return _fitting[generation]
