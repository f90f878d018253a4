"""The environment of a worker: enough to run, nothing of the person's."""

import os
from collections.abc import Mapping

from viloapp_core.sandbox.request import Request

__all__ = ["environment", "locale_of"]

_KEPT = ("LANG", "LANGUAGE", "TZ")


def environment(request: Request, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of the worker. Language and time zone come from ``environ``, no more."""
    return {
        # Text is UTF-8 even where the host was started without any locale.
        "LANG": "C.UTF-8",
        **locale_of(environ),
        **request.variables,
        "HOME": str(request.data_dir),
        "TMPDIR": "/tmp",
        "PATH": os.pathsep.join((str(request.python.parent), "/usr/local/bin", "/usr/bin", "/bin")),
        "VIRTUAL_ENV": str(request.python.parent.parent),
    }


def locale_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what an environment says of language and time zone."""
    return {name: environ[name] for name in environ if name in _KEPT or name.startswith("LC_")}
