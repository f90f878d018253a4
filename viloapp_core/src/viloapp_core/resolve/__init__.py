"""Finding and fetching what a plugin needs, with the host's own pip: one interpreter, wheels only, one index.

>>> resolution = lock(Target("hello", "hello>=0.1"), interpreters=..., sources=Sources(), wheels=..., pip=...)
>>> resolution.python.version, len(resolution.packages)
('3.11.7', 6)
"""

from viloapp_core.resolve.editable import build_editable
from viloapp_core.resolve.errors import (
    BuildError,
    IndexUnreachableError,
    InterpreterError,
    OwnNameError,
    PipError,
    ResolveError,
    UnsatisfiableError,
)
from viloapp_core.resolve.fetch import ByteCounter, fetch
from viloapp_core.resolve.interpreters import Interpreter, candidates
from viloapp_core.resolve.lock import Package, Resolution, Target, lock, to_pylock
from viloapp_core.resolve.own_names import CORE, OWN_NAMES, wheelhouse
from viloapp_core.resolve.pip import DEFAULT_INDEX, Pip, Sources

__all__ = [
    "BuildError",
    "ByteCounter",
    "CORE",
    "DEFAULT_INDEX",
    "IndexUnreachableError",
    "Interpreter",
    "InterpreterError",
    "OWN_NAMES",
    "OwnNameError",
    "Package",
    "Pip",
    "PipError",
    "Resolution",
    "ResolveError",
    "Sources",
    "Target",
    "UnsatisfiableError",
    "build_editable",
    "candidates",
    "fetch",
    "lock",
    "to_pylock",
    "wheelhouse",
]
