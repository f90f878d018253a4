"""A token that only this package has, so that nothing else can make what the store believes.

Python hides nothing: a caller that imports this module can forge. What it prevents is a path made by
mistake, and `tests/architecture` asserts that no module outside of this package names it.
"""

from __future__ import annotations

SEAL = object()


def check_seal(seal: object, made: type) -> None:
    """Refuse what was not made with the token.

    Raises:
        TypeError: it was made elsewhere.
    """
    if seal is not SEAL:
        raise TypeError(f"a {made.__name__} is made by viloapp_core.trust alone")
