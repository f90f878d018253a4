"""Which program a new terminal runs, decided from the settings alone.

>>> choose("build", shell="auto", profiles={"build": {"shell": "/bin/sh", "args": ["-l"], "cwd": "src"}})
Profile(name='build', argv=('/bin/sh', '-l'), cwd='src', env={}, title='build')
>>> choose("", shell="auto", profiles={}).argv is None
True
"""

import shlex
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from viloxterm.errors import ProfileError

__all__ = ["AUTO", "Profile", "choose", "split"]

AUTO = "auto"
"""The shell setting that leaves the choice to the host: the person's own login shell."""

_KEYS = {"shell": str, "args": list, "cwd": str, "env": dict, "title": str}
_HOW = 'profiles look like {"build": {"shell": "/bin/bash", "args": ["-l"], "cwd": "src"}}'


class Profile(NamedTuple):
    """How one terminal is started.

    Attributes:
        name: the profile's name; empty for the default one.
        argv: program and arguments; None lets the host take the person's own shell.
        cwd: folder to start in, relative to the workspace folder; empty for that folder.
        env: variables set on top of the host's.
        title: what the tab shows; empty lets the host choose.
    """

    name: str
    argv: tuple[str, ...] | None
    cwd: str
    env: dict[str, str]
    title: str


def choose(name: str, *, shell: str, profiles: Mapping[str, Any]) -> Profile:
    """Return the profile called ``name``, or the default one when ``name`` is empty.

    Args:
        name: a key of ``profiles``, or empty.
        shell: the setting ``shell``: `AUTO`, or a command line such as ``/bin/zsh -l``.
        profiles: the setting ``profiles``.

    Raises:
        ProfileError: there is no such profile, or it holds something that cannot be started.
    """
    if not name:
        return Profile("", split(shell, "the setting viloxterm.shell"), "", {}, "")
    if name not in profiles:
        raise ProfileError(f"there is no terminal profile {name!r}", _known(name, profiles))
    entry = profiles[name]
    problems = _problems(entry)
    if problems:
        raise ProfileError(f"terminal profile {name!r}: {'; '.join(problems)}", _HOW)
    argv = split(entry.get("shell", shell), f"the profile {name!r}")
    args = entry.get("args", [])
    if args and argv is None:
        raise ProfileError(
            f"terminal profile {name!r} has arguments but leaves the shell to the host",
            'name the program they are for: "shell": "/bin/bash"',
        )
    whole = None if argv is None else (*argv, *args)
    return Profile(name, whole, entry.get("cwd", ""), dict(entry.get("env", {})), entry.get("title", name))


def split(shell: str, where: str) -> tuple[str, ...] | None:
    """Return program and arguments of a command line; None where the choice is the host's.

    Raises:
        ProfileError: it is no command line; ``where`` says whose.
    """
    if shell.strip() in ("", AUTO):
        return None
    try:
        return tuple(shlex.split(shell))
    except ValueError as error:
        raise ProfileError(f"{where} is no command line: {shell!r} ({error})", _HOW) from error


def _problems(entry: object) -> list[str]:
    """Return everything that is wrong with one profile, so that one edit mends it."""
    if not isinstance(entry, Mapping):
        return ["it is not an object"]
    problems = [f"unknown key {key!r}" for key in entry if key not in _KEYS]
    for key, kind in _KEYS.items():
        if key in entry and not isinstance(entry[key], kind):
            problems.append(f"{key} has to be a {kind.__name__}")
    if not problems:
        texts = [*entry.get("args", []), *entry.get("env", {}).keys(), *entry.get("env", {}).values()]
        if not all(isinstance(text, str) for text in texts):
            problems.append("args and env hold strings only")
    return problems


def _known(name: str, profiles: Mapping[str, Any]) -> str:
    if not profiles:
        return "there are none yet; set them with: viloapp config set viloxterm.profiles '{…}'"
    close = get_close_matches(name, profiles, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(profiles))}"
