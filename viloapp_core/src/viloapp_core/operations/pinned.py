"""Plans from exact wheels, where nothing is left to resolve: what a bundle or a workspace lock names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from viloapp_core.operations.workshop import Workshop
from viloapp_core.resolve import InterpreterError, Package, UnsatisfiableError, candidates, own_names
from viloapp_core.resolve.compatibility import holds_here, misfits
from viloapp_core.resolve.interpreters import Interpreter, known_versions
from viloapp_core.store import archives as archive

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


def choose_python(
    plugin_id: str,
    requires_python: SpecifierSet,
    environments: Sequence[str],
    packages: Sequence[Package],
    workshop: Workshop,
) -> Interpreter:
    """Return an interpreter that all of the wheels fit.

    Args:
        plugin_id: whose wheels they are.
        requires_python: what they were chosen for.
        environments: markers of where they were chosen for.
        packages: the wheels.
        workshop: has the user's choice of an interpreter.

    Raises:
        UnsatisfiableError: they are for another platform.
        InterpreterError: this machine lacks the Python that they are for.
    """
    again = "make it again on a machine like this one"
    if not holds_here(environments):
        raise UnsatisfiableError(f"{plugin_id}: made for where {' or '.join(environments)}", again)
    cache = workshop.store.layout.cache / "interpreters"
    unfit: list[str] = []
    for python in candidates(workshop.options.python, requires_python, cache=cache, environ=workshop.environ):
        unfit = misfits(python.series, [package.filename for package in packages])
        if not unfit:
            return python
    if unfit:
        raise UnsatisfiableError(f"{plugin_id}: no wheel for this platform: {', '.join(unfit)}", again)
    found = ", ".join(known_versions(cache, workshop.environ))
    raise InterpreterError(
        f"{plugin_id}: its wheels are for Python {requires_python}, which is not on this machine",
        f"there are: {found}; install that Python, or {again}",
    )


def check_own_names(plugin_id: str, packages: Sequence[Package], workshop: Workshop, *, named: bool) -> None:
    """Refuse a set of wheels in which one of our names is not our wheel.

    Args:
        plugin_id: whose wheels they are.
        packages: the wheels.
        workshop: has the wheelhouse.
        named: the user named the file that has the plugin's own wheel.

    Raises:
        OwnNameError: one is another, which happens too where it was made with another version of the core.
    """
    hashes = {name: archive.sha256_of(wheel) for name, wheel in workshop.wheels.items()}
    pairs = [(package.name, package.sha256) for package in packages]
    own_names.check(plugin_id, pairs, workshop.wheels, hashes, plugin_id if named else None)
