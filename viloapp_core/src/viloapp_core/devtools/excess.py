"""Whether a plugin declares what it uses, and no more."""

from collections.abc import Sequence
from pathlib import Path

from viloapp_core.devtools.findings import UNREADABLE, Finding, unreadable
from viloapp_core.devtools.hints import Hint, hints
from viloapp_core.manifest import PluginDescription
from viloapp_core.permissions import Permission, PermissionSyntaxError, allows
from viloapp_sdk.manifest.project import packages, read_pyproject

__all__ = ["judge", "project_findings"]


def judge(
    declared: Sequence[Permission],
    found: Sequence[Hint],
    lines: dict[str, int],
    learned: Sequence[Permission] | None = None,
) -> list[Finding]:
    """Compare what is declared with what is used.

    Args:
        declared: of the manifest.
        found: in the source.
        lines: of the declarations in ``pyproject.toml``, by id.
        learned: of `viloapp permissions learn`: then what it did not see is excess, whatever the source says.
    """
    findings = []
    asked = [hint.permission for hint in found if hint.asked and hint.permission is not None]
    for hint in found:
        needed = hint.permission
        if needed is not None and not hint.asked and not allows([*declared, *asked], needed):
            message = f"{hint.what} needs {needed}, which is neither declared nor asked for"
            findings.append(Finding("missing", str(needed), hint.path, hint.line, message))
    for needed in learned or ():
        if not allows([*declared, *asked], needed):
            message = f"it was seen to use {needed}, which is not declared"
            findings.append(Finding("missing", str(needed), "pyproject.toml", 0, message))
    for each in declared:
        used = any(hint.uses(each) for hint in found)
        if learned is not None:
            used = any(each.covers(one) for one in learned)
        if not used:
            where = "was seen to use it" if learned is not None else "in the source looks like a use of it"
            findings.append(
                Finding(
                    *("excess", str(each), "pyproject.toml", lines.get(str(each), 0), f"nothing {where}"),
                    level="warning",
                )
            )
    return findings


def project_findings(
    folder: Path, plugin: PluginDescription, learned: Sequence[str] | None = None
) -> list[Finding]:
    """Judge a project folder by its source and, if there is one, a report of learning."""
    own = frozenset(str(entry["id"]) for entry in (*plugin.manifest.commands, *plugin.manifest.widgets))
    required = frozenset(
        f"plugins.call.{each.partition('>')[0].strip()}" for each in plugin.manifest.requires_plugins
    )
    found: list[Hint] = []
    findings: list[Finding] = []
    for module in _modules(folder):
        path = str(module.relative_to(folder)) if module.is_relative_to(folder) else str(module)
        try:
            found += hints(module.read_text("utf-8"), path, plugin.plugin_id, own)
        except UNREADABLE as error:
            findings.append(unreadable(path, error))
    found = [hint for hint in found if str(hint.permission) not in required]
    declared = [Permission.parse(entry.id) for entry in plugin.manifest.permissions]
    used = None if learned is None else [each for text in learned if (each := _parsed(text)) is not None]
    return findings + judge(declared, found, _declaration_lines(folder), used)


def _modules(folder: Path) -> list[Path]:
    """Return every module that the wheel would have."""
    modules: list[Path] = []
    for package in packages(folder, read_pyproject(folder)):
        modules += sorted(package.rglob("*.py")) if package.is_dir() else [package]
    return modules


def _declaration_lines(folder: Path) -> dict[str, int]:
    """Return the line of each text in quotes in ``pyproject.toml``."""
    found: dict[str, int] = {}
    for number, line in enumerate((folder / "pyproject.toml").read_text("utf-8").splitlines(), 1):
        for text in line.replace("'", '"').split('"')[1::2]:
            found.setdefault(text, number)
    return found


def _parsed(text: str) -> Permission | None:
    try:
        return Permission.parse(text)
    except PermissionSyntaxError:
        return None
