"""What a wheel may not do, judged before any of it is unpacked.

pip lets a wrong RECORD, files over ``pyvenv.cfg`` and scripts named ``python`` through; this does not.
A ``.pth`` file runs code whenever the interpreter starts. In a plugin's own wheel it is refused; in a
dependency (setuptools and coverage ship one) it is reported, and runs only inside the sandbox.
"""

from __future__ import annotations

import posixpath
import re
import stat
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.store.errors import UnsafeWheelError

# Modules that the interpreter imports by itself at its start. Source: the documentation of `site`.
_START_MODULES = {"sitecustomize", "usercustomize"}
# Programs that the virtualenv has of its own.
_VENV_PROGRAM = re.compile(r"(python|pythonw|pypy)[0-9.]*t?(\.exe)?|activate.*", re.IGNORECASE)
_SCRIPT_LINE = re.compile(r"^\s*([^=\s\[][^=]*?)\s*=")


@dataclass(frozen=True)
class Finding:
    """What an audit says of an accepted wheel."""

    names: tuple[str, ...]
    """Every file in it."""
    notes: tuple[str, ...]
    """What a person should know, one line each."""


def audit(wheel: Path, *, own: bool, dev: bool = False) -> Finding:
    """Judge a wheel, reading it once in full.

    Args:
        wheel: the file, under its proper wheel file name.
        own: it is the plugin's own wheel, not a dependency's.
        dev: it was built from the user's own folder, where a ``.pth`` is what makes it editable.

    Raises:
        UnsafeWheelError: it may not be installed; has every reason.
    """
    from installer.sources import WheelFile  # reading metadata of plugins needs none of this

    try:
        with WheelFile.open(wheel) as source:
            with zipfile.ZipFile(wheel) as archive:
                infos = archive.infolist()
            issues = _entry_issues(infos, source.data_dir)
            if not issues:  # hostile names are reason enough, and confuse whoever reads further
                issues = _record_issues(source)
                if "entry_points.txt" in source.dist_info_filenames:
                    issues += _script_issues(source.read_dist_info("entry_points.txt"))
    except (zipfile.BadZipFile, ValueError, OSError, KeyError, NotImplementedError, RuntimeError) as error:
        raise UnsafeWheelError(wheel.name, [f"it cannot be read as a wheel: {error}"]) from error
    names = tuple(info.filename for info in infos if not info.is_dir())
    startup = [name for name in names if _lands_in_site(name, source.data_dir).endswith(".pth")]
    if own and not dev:
        issues += [f"{name}: a plugin's own wheel may not run code at interpreter start" for name in startup]
    if issues:
        raise UnsafeWheelError(wheel.name, issues)
    notes = [] if own else [f"{wheel.name} runs code at interpreter start ({name})" for name in startup]
    return Finding(names, tuple(notes))


def entry_point_issues(entry_point: str, names: Sequence[str]) -> list[str]:
    """Return why an entry point is not the plugin's own: its module must be a file of the plugin's wheel.

    Args:
        entry_point: ``package.module:Class``.
        names: the files of the plugin's wheel.
    """
    module = entry_point.partition(":")[0].strip().replace(".", "/")
    # Extension modules carry a tag between name and suffix, such as plugin.cpython-311-x86_64-linux-gnu.so.
    pattern = re.compile(
        rf"([^/]+\.data/(purelib|platlib)/)?{re.escape(module)}(/__init__)?\.(py|pyc|([^/]+\.)?(so|pyd))"
    )
    if any(pattern.fullmatch(name) for name in names):
        return []
    return [f"entry point {entry_point}: the wheel has no module {module.replace('/', '.')}"]


def _record_issues(source: object) -> list[str]:
    """Return what RECORD says wrongly, or does not say, of the wheel's files."""
    from installer.sources import WheelFile

    assert isinstance(source, WheelFile)
    try:
        source.validate_record(validate_contents=True)
    except WheelFile.validation_error as error:
        return [issue.partition(".whl, ")[2] or issue for issue in error.issues]
    return []


def _entry_issues(infos: Iterable[zipfile.ZipInfo], data_dir: str) -> list[str]:
    issues, seen = [], set[str]()
    for info in infos:
        name = info.filename
        if name.startswith("/") or "\\" in name or ".." in name.split("/") or "\0" in name:
            issues.append(f"{name}: leads outside")
            continue
        if posixpath.normpath(name) in seen:
            issues.append(f"{name}: is there twice")
        seen.add(posixpath.normpath(name))
        if stat.S_ISLNK(info.external_attr >> 16):
            issues.append(f"{name}: is a link")
        if info.is_dir():
            continue
        issues += _place_issues(name, data_dir)
    return issues


def _place_issues(name: str, data_dir: str) -> list[str]:
    """Judge where one file would land."""
    if name.startswith(f"{data_dir}/data/"):
        first, *rest = name.removeprefix(f"{data_dir}/data/").split("/")
        if first == "pyvenv.cfg" or (first == "bin" and rest) or first in ("lib", "lib64"):
            return [f"{name}: writes into the virtualenv itself"]
        return []
    if name.startswith(f"{data_dir}/scripts/"):
        script = name.removeprefix(f"{data_dir}/scripts/")
        return (
            [f"{name}: takes the place of the virtualenv's own program"] if _is_venv_program(script) else []
        )
    landing = _lands_in_site(name, data_dir)
    top = landing.split("/")[0]
    if top.partition(".")[0] in _START_MODULES and (landing != top or top.endswith((".py", ".pyc", ".so"))):
        return [f"{name}: is imported by every interpreter at its start"]
    return []


def _lands_in_site(name: str, data_dir: str) -> str:
    """Return a file's path below site-packages, or an empty string when it lands elsewhere.

    Only a ``.pth`` directly in site-packages is read at start; one in a package is data.
    """
    for scheme in ("purelib", "platlib"):
        name = name.removeprefix(f"{data_dir}/{scheme}/")
    if name.startswith(f"{data_dir}/"):
        return ""
    return "" if name.endswith(".pth") and "/" in name else name


def _script_issues(entry_points: str) -> list[str]:
    """Judge the names of the scripts that the wheel asks for; it is read as an INI file, line by line."""
    issues, section = [], ""
    for line in entry_points.splitlines():
        if line.strip().startswith("["):
            section = line.strip().strip("[]").strip()
        elif section in ("console_scripts", "gui_scripts") and (match := _SCRIPT_LINE.match(line)):
            name = match.group(1)
            if "/" in name or "\\" in name or name in (".", "..") or _is_venv_program(name):
                issues.append(f"script {name}: is not a name that a script may have")
    return issues


def _is_venv_program(name: str) -> bool:
    return _VENV_PROGRAM.fullmatch(name) is not None
