"""Compile the modules below folders; a script: ``python -I -S _compile.py FOLDER…``, any Python 3.10 and up.

`python -m compileall` would do, but its processes outlive a killed parent and go on writing to a folder that
is being removed. Tests that wheels ship are left out: they are half of numpy and nobody imports them.
"""

import compileall
import concurrent.futures
import multiprocessing
import os
import py_compile
import runpy
import sys
from collections.abc import Iterator

end_with_parent = runpy.run_path(os.path.join(os.path.dirname(__file__), "..", "foundation", "leash.py"))[
    "end_with_parent"
]


def modules(folders: "list[str]") -> "Iterator[str]":
    """Yield the path of every module worth compiling."""
    for folder in folders:
        for parent, children, names in os.walk(folder):
            children[:] = sorted(child for child in children if child not in ("tests", "test", "__pycache__"))
            yield from (os.path.join(parent, name) for name in names if name.endswith(".py"))


def compile_one(path: str) -> bool:
    """Compile one module. The cache is never checked against the source: a generation does not change."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    return bool(compileall.compile_file(path, quiet=2, invalidation_mode=mode))


def main(folders: "list[str]") -> int:
    """Compile with as many processes as there are processors; return 1 when some module has an error."""
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    with concurrent.futures.ProcessPoolExecutor(mp_context=context, initializer=end_with_parent) as pool:
        return 0 if all(list(pool.map(compile_one, modules(folders), chunksize=32))) else 1


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main(sys.argv[1:]))
