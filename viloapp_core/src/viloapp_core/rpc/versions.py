"""Why there is no speaking with a peer: no version of the wire is known to both.

docs/reference/versions.md has the rule.
"""

from collections.abc import Mapping
from typing import Any

from viloapp_core.foundation.version import __version__
from viloapp_sdk._wire import PROTOCOLS, in_words, spoken
from viloapp_sdk.errors import IncompatibleVersionsError
from viloapp_sdk.manifest.printable import make_safe

__all__ = ["refusal"]


def refusal(hello: Mapping[str, Any], about: str = "") -> IncompatibleVersionsError:
    """Return the error that names both sides, what each speaks, and which has to be updated.

    Args:
        hello: what the peer greeted with: a worker, a host, or a command that asks one.
        about: the id of the plugin whose worker it is.
    """
    oldest, newest = spoken(dict(hello))
    side = next((name for name in ("sdk", "core") if name in hello), "sdk" if about else "core")
    version = make_safe(str(hello.get(side, "of an older version")), 20)
    subject = f"{about} has viloapp-{side} {version}, which" if about else f"viloapp-{side} {version}"
    detail = f"{subject} speaks {in_words((oldest, newest))}; this viloapp-core {__version__} speaks "
    return IncompatibleVersionsError(detail + in_words(PROTOCOLS), _hint(about, oldest > PROTOCOLS[1]))


def _hint(about: str, theirs_is_newer: bool) -> str:
    if not about:
        return "end the workspace, and start it again with the viloapp that is installed now"
    again = f"viloapp install --force-reinstall {about}"
    if theirs_is_newer:
        return f"update viloapp-core; or have the SDK of this one laid beside the plugin: {again}"
    return f"have the SDK of this viloapp-core laid beside the plugin: {again}"
