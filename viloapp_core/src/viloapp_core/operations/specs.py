"""What the user named: a requirement, a wheel or a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from viloapp_core.operations.errors import SpecError
from viloapp_core.resolve import CORE
from viloapp_sdk.errors import ViloError


@dataclass(frozen=True)
class Spec:
    """One thing to install.

    Args:
        text: what the user wrote.
        kind: where it comes from.
        path: the wheel, bundle or folder, absolute; None for a requirement.
        requirement: the requirement in normal form; empty otherwise.
        plugin_id: the normalized name of a requirement; empty otherwise.
    """

    text: str
    kind: Literal["index", "wheel", "bundle", "dev"]
    path: Path | None = None
    requirement: str = ""
    plugin_id: str = ""


def parse(texts: Sequence[str], *, dev: bool) -> tuple[list[Spec], list[ViloError]]:
    """Return what the texts mean, and what is wrong with the others."""
    specs: list[Spec] = []
    problems: list[ViloError] = []
    for text in texts:
        try:
            specs.append(_parse_one(text.strip(), dev=dev))
        except SpecError as error:
            problems.append(error)
    if not texts:
        problems.append(SpecError("nothing to install was named"))
    return specs, problems


def _parse_one(text: str, *, dev: bool) -> Spec:
    path = Path(os.path.expanduser(text)).absolute()
    looks_like_path = os.sep in text or text.startswith((".", "~"))
    if dev:
        if not path.is_dir():
            raise SpecError(f"{text} is not a folder", "--dev takes the folder of a plugin's source")
        return Spec(text, "dev", path=path.resolve())
    if "://" in text:
        raise SpecError(
            f"{text} names an address",
            "download the wheel and install it by its path, so that it can be seen",
        )
    if text.endswith(".whl"):
        if not path.is_file():
            raise SpecError(f"there is no wheel {text}", "check the path")
        return Spec(text, "wheel", path=path)
    if text.endswith(".viloplugin"):
        if not path.is_file():
            raise SpecError(f"there is no bundle {text}", "check the path")
        return Spec(text, "bundle", path=path)
    # A folder may be called like a plugin; only what is written as a path means the folder.
    if path.is_dir() and looks_like_path:
        raise SpecError(
            f"{text} is a folder", f"install it from its source with: viloapp install --dev {text}"
        )
    if looks_like_path and " @ " not in text:
        what = "is neither a wheel nor a folder" if path.exists() else "does not exist"
        raise SpecError(f"{text} {what}", "name a requirement, a .whl file, or a folder with --dev")
    return _requirement(text)


def _requirement(text: str) -> Spec:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise SpecError(
            f"{text!r} is not a requirement: {reason}",
            "a requirement is like hello or 'hello>=0.1'; a wheel is a path that ends with .whl",
        ) from error
    if requirement.url:
        raise SpecError(f"{text} names a file", "install the wheel by its path alone")
    if requirement.marker is not None:
        raise SpecError(f"{text} has a marker", "leave out what follows the semicolon")
    name = canonicalize_name(requirement.name)
    if name == CORE:
        raise SpecError(f"{CORE} is what installs plugins, not a plugin", "update it with pip")
    return Spec(text, "index", requirement=str(requirement), plugin_id=name)
