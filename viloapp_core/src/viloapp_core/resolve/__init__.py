"""Finding and fetching what a plugin needs, with the host's own pip: one interpreter, wheels only, one index.

>>> resolution = lock(Target("hello", "hello>=0.1"), interpreters=..., sources=Sources(), wheels=..., pip=...)
>>> resolution.python.version, len(resolution.packages)
('3.11.7', 6)
"""

from viloapp_core.resolve.coexistence import dependents, refusals
from viloapp_core.resolve.conflicts import check_conflicts
from viloapp_core.resolve.constraints import Demand, accept, demands_on, newest
from viloapp_core.resolve.editable import build_editable
from viloapp_core.resolve.errors import (
    BuildError,
    ConflictError,
    DependencyCycleError,
    DependentsError,
    IndexUnreachableError,
    InterpreterError,
    NoVersionFitsError,
    OwnNameError,
    PipError,
    RelationError,
    ResolveError,
    UnmetRequirementError,
    UnsatisfiableError,
)
from viloapp_core.resolve.fetch import ByteCounter, fetch
from viloapp_core.resolve.interpreters import Interpreter, candidates
from viloapp_core.resolve.load_order import load_order, waits_for
from viloapp_core.resolve.lock import Package, Resolution, Target, lock, to_pylock
from viloapp_core.resolve.own_names import CORE, OWN_NAMES, wheelhouse
from viloapp_core.resolve.pip import Pip, Sources
from viloapp_core.resolve.provenance import fetch_provenance
from viloapp_core.resolve.relations import Related, Relations, requirements

__all__ = [
    "BuildError",
    "ByteCounter",
    "CORE",
    "ConflictError",
    "Demand",
    "DependencyCycleError",
    "DependentsError",
    "IndexUnreachableError",
    "Interpreter",
    "InterpreterError",
    "NoVersionFitsError",
    "OWN_NAMES",
    "OwnNameError",
    "Package",
    "Pip",
    "PipError",
    "RelationError",
    "Related",
    "Relations",
    "Resolution",
    "ResolveError",
    "Sources",
    "Target",
    "UnmetRequirementError",
    "UnsatisfiableError",
    "accept",
    "build_editable",
    "candidates",
    "check_conflicts",
    "demands_on",
    "dependents",
    "fetch",
    "load_order",
    "lock",
    "newest",
    "fetch_provenance",
    "refusals",
    "requirements",
    "to_pylock",
    "waits_for",
    "wheelhouse",
]
