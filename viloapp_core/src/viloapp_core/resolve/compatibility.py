"""Whether wheels that were chosen elsewhere fit here: a lock holds for one platform and one Python."""

from __future__ import annotations

from collections.abc import Iterable

# The markers that the choice of a dependency may hang on and that wheels' tags need not tell.
_MARKERS = ("implementation_name", "platform_machine", "sys_platform")


def environment() -> str:
    """Return a marker that is true where this machine's locks hold.

    >>> environment()                                           # doctest: +SKIP
    'implementation_name == "cpython" and platform_machine == "x86_64" and sys_platform == "linux"'

    Source: PEP 751, `environments`; PEP 508.
    """
    from packaging.markers import default_environment

    here = default_environment()
    # Only CPython is ever chosen for a plugin, whatever runs the host.
    values = {**here, "implementation_name": "cpython"}
    return " and ".join(f'{name} == "{values[name]}"' for name in _MARKERS)


def holds_here(markers: Iterable[str]) -> bool:
    """Whether one of the markers is true for CPython on this machine; no markers are true everywhere.

    Args:
        markers: valid ones.
    """
    from packaging.markers import Marker

    parsed = [Marker(text) for text in markers]
    return not parsed or any(marker.evaluate({"implementation_name": "cpython"}) for marker in parsed)


def misfits(series: str, filenames: Iterable[str]) -> list[str]:
    """Return the wheels that a CPython on this machine cannot have.

    Args:
        series: such as ``3.11``.
        filenames: valid names of wheels.

    Source: the platform compatibility tags of packaging.python.org.
    """
    from packaging.tags import compatible_tags, cpython_tags, platform_tags
    from packaging.utils import parse_wheel_filename

    major, minor = (int(part) for part in series.split("."))
    platforms = list(platform_tags())
    known = set(cpython_tags((major, minor), platforms=platforms))
    known |= set(compatible_tags((major, minor), f"cp{major}{minor}", platforms))
    return [name for name in filenames if not known & parse_wheel_filename(name)[3]]
