"""Which names a new plugin can have, and what follows from one.

>>> project_name("Hello_World")
ProjectName(name='hello-world', package='hello_world', class_name='HelloWorld')
"""

from __future__ import annotations

import keyword
import re
import sys
from dataclasses import dataclass

from viloapp_core.devtools.errors import NameRefusedError

__all__ = ["ProjectName", "project_name"]

# Source: PEP 508, `identifier`. Longer than the limit, and the project's lines would not fit its own style.
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_MAX_LENGTH = 32
# Folders of the project, and what every plugin's virtualenv has already.
_TAKEN_PACKAGES = frozenset({"tests", "src", "msgpack", "pip", "setuptools", "conftest"})


@dataclass(frozen=True, slots=True)
class ProjectName:
    """A name and what follows from it.

    Args:
        name: of the distribution, normalized: the plugin's id.
        package: that is imported.
        class_name: what the names of its classes begin with.
    """

    name: str
    package: str
    class_name: str


def project_name(text: str) -> ProjectName:
    """Return what a name stands for.

    Raises:
        NameRefusedError: no plugin can be called so, and why.
    """
    from packaging.utils import InvalidName

    from viloapp_core.manifest.reader import plugin_name
    from viloapp_core.resolve.own_names import OWN_NAMES

    if "/" in text or "\\" in text or text in (".", ".."):
        raise NameRefusedError(
            f"{text!r} is a path; a name was expected",
            "-o names the folder that gets it",
        )
    if not text.isascii() or not _NAME.fullmatch(text) or len(text) > _MAX_LENGTH:
        raise NameRefusedError(
            f"{_shown(text)} is no name for a plugin: ASCII letters and digits, and '-', '_' and '.' between"
            f" them, at most {_MAX_LENGTH} characters",
            "such as hello-world",
        )
    try:
        name = plugin_name(text)
    except InvalidName as error:
        raise NameRefusedError(str(error)) from error
    package = name.replace("-", "_")
    if name in OWN_NAMES or package.startswith("viloapp_"):
        raise NameRefusedError(f"{name!r} is ViloApp's own name", "take another")
    if not package.isidentifier() or keyword.iskeyword(package):
        raise NameRefusedError(
            f"{text!r} makes no Python package: {package!r} "
            + ("begins with a digit" if package[0].isdigit() else "is a keyword of Python"),
            f"such as my-{name}",
        )
    if package in sys.stdlib_module_names or package in _TAKEN_PACKAGES:
        raise NameRefusedError(
            f"{text!r} would hide the module {package!r} that is there already", f"such as my-{name}"
        )
    return ProjectName(name, package, "".join(word.capitalize() for word in name.split("-")))


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:60] + "…")
