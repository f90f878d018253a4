"""What a plugin is confined by on this machine, as listings and installations tell it."""

from __future__ import annotations

from viloapp_core.cli.output import Output


def backend() -> str:
    """Return the sandbox that works here, ``none`` without one; it is tried, which takes ten milliseconds."""
    from viloapp_core.sandbox import probe

    return probe().backend


def warn_without(output: Output, *, allowed: bool = False) -> None:
    """Say plainly that there is no sandbox, where there is none.

    Args:
        output: where to.
        allowed: the person allowed plugins to run without one.
    """
    from viloapp_core.sandbox import probe

    found = probe()
    if found.backend == "none":
        meaning = "can do everything that you can" if allowed else "start only with --allow-unsandboxed"
        output.warning(f"sandbox: none ({found.reason}); plugins {meaning}")
        if found.remedy:
            output.note(found.remedy)
