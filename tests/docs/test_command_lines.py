"""The command lines in docs/ are ones that `viloapp` takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from viloapp_core.cli.invocation import Invocation
from viloapp_core.cli.root import root

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.M | re.S)


def _lines() -> list[tuple[str, str]]:
    found = []
    for page in sorted([*DOCS.glob("how-to/*.md"), DOCS / "reference" / "bundle.md"]):
        for block in BLOCK.findall(page.read_text("utf-8")):
            lines = (line.removeprefix("$ ") for line in block.splitlines())
            found += [(page.name, line) for line in lines if line.startswith("viloapp ")]
    return found


@pytest.mark.parametrize(("page", "line"), _lines())
def test_the_line_is_understood(page: str, line: str) -> None:
    """Command, options and number of arguments; nothing is run."""
    name, *arguments = shlex.split(line, comments=True)[1:]
    with click.Context(root, info_name="viloapp", obj=Invocation()) as parent:
        command = root.get_command(parent, name)
        assert command is not None, f"{page}: {line}"
        command.make_context(name, arguments, parent=parent)
