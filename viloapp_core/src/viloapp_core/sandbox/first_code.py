"""How a worker's interpreter comes to run the bootstrap: compiled ahead, where it is of the host's kind.

Compiling the bootstrap takes a third of the time in which an interpreter starts, and it would be done at each
start, since Python keeps bytecode of modules alone. So the host's own goes with the plan, in the same sealed
memory; a plugin on another Python compiles the file.
"""

import marshal
import types
from functools import cache
from importlib.util import MAGIC_NUMBER, find_spec
from pathlib import Path

__all__ = ["BOOTSTRAP_FILE", "compiled", "start"]

BOOTSTRAP_FILE = Path(__file__).with_name("bootstrap.py")
_NAME = "viloapp_core.sandbox.bootstrap"

# A plugin that looks at the arguments of the program finds a program without any. The bootstrap has a
# namespace of its own: processes that a plugin starts by multiprocessing do not run it again.
_START = """\
import sys, marshal, _frozen_importlib_external
path, fd = sys.argv[1:]
sys.argv[:] = [path]
with open(int(fd), "rb") as stream:
    plan = marshal.loads(stream.read())
magic, code = plan["bootstrap"]
if magic == _frozen_importlib_external.MAGIC_NUMBER:
    code = marshal.loads(code)
else:
    with open(path, "rb") as stream:
        code = compile(stream.read(), path, "exec")
space = {"__name__": "bootstrap"}
exec(code, space)
del path, fd, stream, magic, code
space["main"](plan)
"""


def start(python: Path, bootstrap: Path, plan: int, before: str = "") -> tuple[str, ...]:
    """Return the command line of a worker.

    Args:
        python: the plugin's interpreter, where the worker sees it.
        bootstrap: the file of the bootstrap, likewise.
        plan: a descriptor of `viloapp_core.sandbox.stage2.open_plan`.
        before: code that comes first.
    """
    # ``-I -S``: the virtualenv's `site`, and with it every .pth file, is not to run before the bootstrap.
    return (str(python), "-I", "-S", "-c", before + _START, str(bootstrap), str(plan))


@cache
def compiled() -> tuple[bytes, bytes]:
    """Return the bootstrap's bytecode, and the number that an interpreter must have to run it."""
    spec = find_spec(_NAME)
    code = spec.loader.get_code(_NAME) if spec is not None and spec.loader is not None else None  # type: ignore[attr-defined]  # one of files has it
    if code is None:
        return b"", b""  # no interpreter has that number
    return MAGIC_NUMBER, marshal.dumps(_named(code))


def _named(code: types.CodeType) -> types.CodeType:
    """Return code that does not say in which folder the core is installed, which a worker cannot see."""
    constants = tuple(_named(each) if isinstance(each, types.CodeType) else each for each in code.co_consts)
    return code.replace(co_filename=BOOTSTRAP_FILE.name, co_consts=constants)
