"""What a plugin is confined by on this machine, as listings and installations tell it."""

from __future__ import annotations

from viloapp_core.cli.output import Output


def backend() -> str:
    """Return the sandbox that works here, ``none`` without one; it is tried, which takes ten milliseconds."""
    from viloapp_core.sandbox import probe

    return probe().backend


def warn_without(output: Output, *, allowed: bool = False) -> None:
    """Say plainly that there is no sandbox, or only a part of one, where that is so.

    Args:
        output: where to.
        allowed: the person allowed plugins to run without one.
    """
    from viloapp_core.sandbox import probe

    found = probe()
    if found.backend == "none" or found.level != "enforced":
        meaning = "start only with --allow-unsandboxed"
        if allowed:
            part = "are confined in part (viloapp doctor)"
            meaning = "can do everything that you can" if found.backend == "none" else part
        output.warning(f"sandbox: {found.backend} ({found.reason}); plugins {meaning}")
        if found.remedy:
            output.note(found.remedy)
