"""What is wrong with a manifest: every issue at once, each with its path.

>>> print(Issue("permissions[0].id", "must be a string"))
permissions[0].id: must be a string
>>> print(ManifestError([Issue("api_version", "is missing")], "plugin.json of hello"))
plugin.json of hello: 1 issue
  api_version: is missing
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from viloapp_sdk.errors import ViloError

# More lines than this help nobody; `ManifestError.issues` still has them all.
_MAX_SHOWN = 50


@dataclass(frozen=True)
class Issue:
    """One thing that is wrong.

    Args:
        path: where, such as ``permissions[0].id`` or ``src/hello/plugin.py:12``.
        message: what is wrong there, and what would be right.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class ManifestError(ViloError):
    """A manifest, or the project or wheel it is read from, is not as it has to be.

    Args:
        issues: everything that is wrong.
        subject: what was read, for the first line of the detail.
        hint: what to do next.
    """

    def __init__(self, issues: Iterable[Issue], subject: str = "plugin.json", hint: str = "") -> None:
        self.issues: tuple[Issue, ...] = tuple(issues)
        self.subject = subject
        count = len(self.issues)
        lines = [f"{subject}: {count} issue{'' if count == 1 else 's'}"]
        lines += [f"  {issue}" for issue in self.issues[:_MAX_SHOWN]]
        if count > _MAX_SHOWN:
            lines.append(f"  and {count - _MAX_SHOWN} more")
        super().__init__("invalid_manifest", "\n".join(lines), hint)
