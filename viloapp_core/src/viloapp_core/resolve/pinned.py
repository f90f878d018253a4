"""Fetch wheels that are known by name, version and hash, from wherever they are offered."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from viloapp_core.foundation.files import write_atomic
from viloapp_core.foundation.paths import first_free
from viloapp_core.resolve.errors import PipError, UnsatisfiableError
from viloapp_core.resolve.fetch import ByteCounter
from viloapp_core.resolve.interpreters import Interpreter
from viloapp_core.resolve.lock import Package
from viloapp_core.resolve.pip import Pip, Sources

# What pip says of a file with another hash. Source: pip's exceptions, HashMismatch.
_OTHER_HASH = re.compile(r"DO NOT MATCH THE HASHES|HashMismatch|Expected sha256")


def fetch_pinned(
    python: Interpreter,
    packages: Sequence[Package],
    *,
    sources: Sources,
    pip: Pip,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> dict[str, Path]:
    """Have pip download exactly these wheels and return where each is, by its hash.

    pip is given ``name==version`` with the hash of each, takes no other file, and resolves nothing.

    Args:
        python: for which interpreter.
        packages: the wheels; their URLs are not used.
        sources: the index and folders to ask.
        pip: how to run pip.
        progress: told a file's name, and how many of how many bytes are there; 0 of 0 when unknown.

    Raises:
        UnsatisfiableError: one is not offered, or only with another hash.
        IndexUnreachableError, PipError: it could not be fetched.
    """
    if not packages:
        return {}
    folder = first_free(pip.scratch, f"pinned-{packages[0].name}")
    folder.mkdir()
    lines = [f"{item.name}=={item.version} --hash=sha256:{item.sha256}" for item in packages]
    write_atomic(folder / "requirements.txt", ("\n".join(lines) + "\n").encode())
    arguments = [
        "--no-deps",
        "--require-hashes",
        "-r",
        str(folder / "requirements.txt"),
        "--dest",
        str(folder),
    ]
    try:
        replace(pip, on_line=ByteCounter(progress).line).run(python, "download", sources, arguments)
    except PipError as error:
        if _OTHER_HASH.search(error.detail):
            raise UnsatisfiableError(error.detail, "what is offered is not what was locked") from error
        raise
    found = {item.sha256: folder / item.filename for item in packages}
    if missing := [path.name for path in found.values() if not path.is_file()]:
        raise PipError(f"pip fetched other files than {', '.join(missing)}")
    return found
