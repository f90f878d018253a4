"""The limits of one plugin: the defaults, what its manifest asks for, what the person set.

Source: the specification's ``resource_limits``; `processes`, `disk_mb` and `startup_time` are ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

__all__ = ["BOUNDS", "INTEGERS", "LIMIT_NAMES", "Limits", "above_defaults", "asks", "effective"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one plugin may use.

    Args:
        memory_mb: megabytes (2**20 bytes) of the worker and its children together.
        cpu_percent: percent of one processor, averaged over 60 s.
        file_handles: descriptors that are open at once in one process, the runtime's own among them.
        processes: processes and threads at once.
        disk_mb: megabytes in the plugin's data folder, and of one file anywhere.
        execution_time: seconds that one command may take.
        startup_time: seconds from the start to the first answer.
    """

    memory_mb: float = 100
    cpu_percent: float = 25
    file_handles: int = 50
    processes: int = 64
    disk_mb: float = 1024
    execution_time: float = 30
    startup_time: float = 30


LIMIT_NAMES = tuple(field.name for field in fields(Limits))
INTEGERS = ("file_handles", "processes")
BOUNDS: Mapping[str, tuple[float, float]] = {
    "memory_mb": (1, 1_048_576),
    "cpu_percent": (1, 6400),
    "file_handles": (16, 1_048_576),
    "processes": (4, 65_536),
    "disk_mb": (1, 16_777_216),
    "execution_time": (0.1, 86_400),
    "startup_time": (0.1, 86_400),
}
"""Least and greatest value of each, as the manifest's schema has them (a test compares the two)."""


def effective(manifest: Mapping[str, float], person: Mapping[str, float]) -> Limits:
    """Return the limits that hold: the person's where they set one, else the manifest's, else the default.

    A value that is no number within its bounds counts as not given: a receipt may have been written by
    another version, and a plugin's own word never widens what it may use beyond the bounds.
    """
    values = {}
    for source in (manifest, person):
        for name in LIMIT_NAMES:
            value = source.get(name)
            if _usable(name, value):
                assert value is not None
                values[name] = int(value) if name in INTEGERS else float(value)
    return replace(Limits(), **values)  # type: ignore[arg-type]  # integers where integers belong


def above_defaults(manifest: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Return ``{name: (default, asked for)}`` of each limit that a manifest raises: it needs consent."""
    asked, defaults = effective(manifest, {}), Limits()
    return {
        name: (getattr(defaults, name), getattr(asked, name))
        for name in LIMIT_NAMES
        if getattr(asked, name) > getattr(defaults, name)
    }


def asks(manifest: Mapping[str, float], accepted: Limits) -> list[str]:
    """Return a line for a person about each limit that a manifest raises beyond what was accepted before."""
    return [
        f"{_UNITS[name].format(_plain(asked))} (others have {_plain(default)})"
        for name, (default, asked) in above_defaults(manifest).items()
        if asked > getattr(accepted, name)
    ]


_UNITS = {
    "memory_mb": "{} MB of memory",
    "cpu_percent": "{} % of a processor",
    "file_handles": "{} open files",
    "processes": "{} processes and threads",
    "disk_mb": "{} MB of disk",
    "execution_time": "{} s for one command",
    "startup_time": "{} s to start",
}


def _plain(value: float) -> str:
    return f"{value:.10g}"


def _usable(name: str, value: object) -> bool:
    least, greatest = BOUNDS[name]
    return isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= greatest
