"""Compile modules into other folders: ``python -I -S _compile.py PARENT FROM TO…``, any Python 3.10 and up.

`python -m compileall` would do, but its processes outlive a killed parent and go on writing to a folder that
is being removed, and it writes beside the sources. Tests that wheels ship are left out: they are half of
numpy and nobody imports them.
"""

import concurrent.futures
import contextlib
import importlib.util
import multiprocessing
import os
import py_compile
import runpy
import sys
from collections.abc import Iterator

end_with_parent = runpy.run_path(os.path.join(os.path.dirname(__file__), "..", "foundation", "leash.py"))[
    "end_with_parent"
]
Job = tuple[str, str, str]


def jobs(source: str, target: str) -> "Iterator[Job]":
    """Yield each module worth compiling: its file, where its bytecode goes, and its path in the wheel."""
    for parent, children, names in os.walk(source):
        children[:] = sorted(child for child in children if child not in ("tests", "test", "__pycache__"))
        for name in names:
            if name.endswith(".py"):
                path = os.path.relpath(os.path.join(parent, name), source)
                cached = importlib.util.cache_from_source(os.path.join(target, path))
                yield os.path.join(parent, name), cached, path


def compile_one(job: "Job") -> None:
    """Compile one module; one that cannot be is left out.

    The cache is never checked against the source, for neither ever changes. The path in it is relative, so
    that the same wheel gives the same bytes; importing replaces it.
    """
    path, cached, shown = job
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    # Templates for another Python, say; `import` would say why.
    with contextlib.suppress(py_compile.PyCompileError, ValueError, RecursionError, MemoryError):
        py_compile.compile(path, cached, shown, doraise=True, invalidation_mode=mode)


def main(folders: "list[str]") -> int:
    """Compile with as many processes as there are processors."""
    pairs = zip(folders[::2], folders[1::2], strict=True)
    found = [job for source, target in pairs for job in jobs(source, target)]
    if len(found) < 32:
        for job in found:
            compile_one(job)
        return 0
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    with concurrent.futures.ProcessPoolExecutor(
        mp_context=context, initializer=end_with_parent, initargs=(os.getpid(),)
    ) as pool:
        list(pool.map(compile_one, found, chunksize=32))
    return 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    end_with_parent(int(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
