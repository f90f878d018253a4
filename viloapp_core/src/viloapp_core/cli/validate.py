"""`viloapp validate`: a project judged before it is built, for authors and their CI."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from viloapp_core.cli import options
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.text import one_line


@click.command("validate", cls=options.ViloCommand)
@click.argument(
    "path", metavar="[PATH]", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--fail-on-excess", is_flag=True, help="Fail on permissions that nothing seems to use, too.")
@click.option(
    "--learned",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What `viloapp permissions learn --json` printed: then that decides what is used.",
)
@options.json_output
@pass_invocation
def validate_command(invocation: Invocation, path: Path, fail_on_excess: bool, learned: Path | None) -> None:
    """Check the manifest of the project in PATH, and whether it declares what its source uses, and no more.

    The source is read and not run, so a permission that only a library uses looks like excess: `--learned`
    is exact for what was run.
    """
    from viloapp_core.devtools import project_findings
    from viloapp_core.manifest import read_source

    plugin = read_source(path)
    findings = project_findings(path, plugin, _report(learned) if learned else None)
    failed = [each for each in findings if each.kind != "excess" or fail_on_excess]
    output = invocation.output
    if output.as_json:
        output.json(
            {"plugin": plugin.plugin_id, "ok": not failed, "findings": [asdict(each) for each in findings]}
        )
    for each in () if output.as_json else findings:
        place = f"{each.path}:{each.line}" if each.line else each.path
        about = f"{each.permission}: " if each.kind == "excess" else ""
        output.line(one_line(f"{place}: {each.kind}: {about}{each.message}"))
    if not findings:
        output.note(f"{plugin.plugin_id}: what it declares is what it uses")
    if failed:
        click.get_current_context().exit(1)


def _report(path: Path) -> list[str]:
    """Return the permissions of a report.

    Raises:
        CliError: it is none.
    """
    try:
        value: Any = json.loads(path.read_text("utf-8"))
        found = value["permissions"]
        if isinstance(found, list) and all(isinstance(text, str) for text in found):
            return found
    except (ValueError, OSError, KeyError, TypeError):
        pass
    raise CliError(
        "bad_report", f"{path} is no report", "write one: viloapp permissions learn ID --json -- …"
    )
