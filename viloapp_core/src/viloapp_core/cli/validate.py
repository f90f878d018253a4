"""`viloapp validate`: a project judged before it is built, for authors and their CI."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viloapp_core.cli import options
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.text import one_line

if TYPE_CHECKING:
    from viloapp_core.devtools import Finding


@click.command("validate", cls=options.ViloCommand)
@options.project
@click.option("--fail-on-excess", is_flag=True, help="Fail on permissions that nothing seems to use, too.")
@click.option(
    "--learned",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What `viloapp permissions learn --json` printed: then that decides what is used.",
)
@options.sarif_file
@options.json_output
@pass_invocation
def validate_command(
    invocation: Invocation, path: Path, fail_on_excess: bool, learned: Path | None, sarif_file: Path | None
) -> None:
    """Check the project in PATH before it is built; nothing of it is run.

    Manifest, entry point, source and catalogues have to agree; what an index and people are told has to be
    there; permissions that the source uses have to be declared, and no more. A permission that only a library
    uses looks like excess: `--learned` is exact for what was run. Errors fail, warnings do not.
    """
    from viloapp_core.devtools.sarif import sarif
    from viloapp_core.devtools.validation import validate_project
    from viloapp_core.foundation.files import write_atomic

    plugin_id, findings = validate_project(path, _report(learned) if learned else None)
    failed = [
        each for each in findings if each.level == "error" or (fail_on_excess and each.kind == "excess")
    ]
    if sarif_file is not None:
        write_atomic(sarif_file, json.dumps(sarif(findings), indent=1).encode() + b"\n", 0o644)
    output = invocation.output
    if output.as_json:
        rows = [asdict(each) for each in findings]
        output.json({"plugin": plugin_id, "ok": not failed, "findings": rows})
    for each in () if output.as_json else findings:
        output.line(one_line(_shown(each)))
    if not findings:
        output.note(f"{plugin_id}: nothing is wrong")
    if failed:
        click.get_current_context().exit(1)


def _shown(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    about = f"{finding.permission}: " if finding.kind == "excess" else ""
    level = "" if finding.level == "error" else f"{finding.level}: "
    return f"{place}: {level}{finding.kind}: {about}{finding.message}"


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
