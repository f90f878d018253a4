"""`viloapp manifest`: plugin.json as a file of the package, for build backends other than setuptools."""

from __future__ import annotations

import os
from pathlib import Path

import click

from viloapp_core.cli import options
from viloapp_core.cli.invocation import Invocation, pass_invocation


@click.group("manifest", cls=options.ViloGroup)
def manifest_command() -> None:
    """Write or check `plugin.json` in the package of a plugin's project.

    With setuptools nobody needs it: the SDK writes the file into the wheel. For hatchling, flit, pdm and
    others it is a file of the package, beside the code, that the build takes along.
    """


@manifest_command.command("write", cls=options.ViloCommand)
@options.project
@options.json_output
@pass_invocation
def write_command(invocation: Invocation, path: Path) -> None:
    """Write the manifest of the project in PATH into its package; not beside broken catalogues of texts."""
    from viloapp_core.devtools.manifest_file import differences, manifest_file
    from viloapp_core.foundation.files import write_atomic
    from viloapp_core.manifest import check_catalogues

    check_catalogues(path)
    target, text = manifest_file(path)
    changed = differences(target, text)
    if changed:
        write_atomic(target, text.encode(), 0o644)
    if invocation.output.as_json:
        invocation.output.json({"path": str(target), "written": bool(changed)})
        return
    invocation.output.line(os.fspath(target))
    if not changed:
        invocation.output.note("  it was right already")


@manifest_command.command("check", cls=options.ViloCommand)
@options.project
@options.json_output
@pass_invocation
def check_command(invocation: Invocation, path: Path) -> None:
    """Fail when the manifest in the package of the project in PATH is not what the project says.

    Or when its catalogues of texts, `locales/*.json`, are broken.
    """
    from viloapp_core.devtools.manifest_file import differences, manifest_file
    from viloapp_core.manifest import check_catalogues

    check_catalogues(path)
    target, text = manifest_file(path)
    found = differences(target, text)
    if invocation.output.as_json:
        invocation.output.json({"path": str(target), "ok": not found, "differences": found})
    for each in () if invocation.output.as_json else found:
        invocation.output.line(f"{target}: {each}")
    if found:
        invocation.output.note(f"write it anew: viloapp manifest write {path}")
        click.get_current_context().exit(1)
    invocation.output.note(f"{target} is what the project says")
