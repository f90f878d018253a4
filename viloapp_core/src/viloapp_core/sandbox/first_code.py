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

__all__ = ["BOOTSTRAP_FILE", "compiled", "named", "start"]

BOOTSTRAP_FILE = Path(__file__).with_name("bootstrap.py")
_NAME = "viloapp_core.sandbox.bootstrap"

# Short, since Python keeps the parsed form of what it is given with ``-c`` as long as that runs. The number
# is in base 16: for one in base 10 Python takes logarithms, and so pages of the library that has them.
_START = """\
import sys, marshal, _frozen_importlib_external as frozen
plan = marshal.loads(open(int(sys.argv.pop(), 16), "rb").read())
fits = plan["magic"] == frozen.MAGIC_NUMBER
exec(marshal.loads(plan["steps"]) if fits else compile(plan["source"], "<string>", "exec"))
"""

# A plugin that looks at the arguments of the program finds a program without any. The bootstrap has a
# namespace of its own: processes that a plugin starts by multiprocessing do not run it again. It is emptied,
# and what it left in cycles collected while that is quick, so that the SDK lies where the bootstrap did.
_STEPS = """\
import gc
gc.disable()
path = sys.argv[1]
sys.argv[:] = [path]
if fits:
    code = marshal.loads(plan["bootstrap"])
else:
    with open(path, "rb") as stream:
        code = compile(stream.read(), path, "exec")
    del stream
space = {"__name__": "bootstrap"}
exec(code, space)
fds = space["main"](plan)
if fds:
    space.clear()
    del path, plan, fits, code, space, marshal, frozen
    gc.collect(0)
    gc.enable()
    import site
    site.main()
    from viloapp_sdk.worker import main
    main(*fds)
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
    return (str(python), "-I", "-S", "-c", before + _START, str(bootstrap), f"{plan:x}")


@cache
def compiled() -> dict[str, bytes | str]:
    """Return what `start` needs in a plan: the bootstrap and what runs it, as bytecode.

    With the number that an interpreter must have for that, and the source for one that has another.
    """
    spec = find_spec(_NAME)
    code = spec.loader.get_code(_NAME) if spec is not None and spec.loader is not None else None  # type: ignore[attr-defined]  # one of files has it
    steps: dict[str, bytes | str] = {
        "source": _STEPS,
        "steps": marshal.dumps(compile(_STEPS, "<string>", "exec")),
    }
    if code is None:
        return {**steps, "magic": b"", "bootstrap": b""}  # no interpreter has that number
    return {**steps, "magic": MAGIC_NUMBER, "bootstrap": marshal.dumps(named(code, BOOTSTRAP_FILE.name))}


def named(code: types.CodeType, file: str) -> types.CodeType:
    """Return code that says it is of ``file``, not in which folder it lies, which a worker cannot see."""
    constants = tuple(
        named(each, file) if isinstance(each, types.CodeType) else each for each in code.co_consts
    )
    return code.replace(co_filename=file, co_consts=constants)
