"""docs/how-to/translate-a-plugin.md is executed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).resolve().parents[2] / "docs/how-to/translate-a-plugin.md").read_text("utf-8")
BLOCK = re.compile(r"(?:^`(?P<file>[^`]+)`:\n\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
VILOAPP = Path(sys.executable).with_name("viloapp")


def test_once_round(tmp_path: Path) -> None:
    """Every command does what the page says; the one check of it finds what it says, and nothing else."""
    folder, said = tmp_path, {}
    for block in BLOCK.finditer(PAGE):
        if block["file"]:
            (folder / block["file"]).write_text(block["text"], "utf-8")
        elif block["language"] == "toml":
            toml = (folder / "pyproject.toml").read_text("utf-8")
            changed = toml.replace('dependencies = ["viloapp-sdk>=1,<2"]\n', block["text"])
            assert changed != toml
            (folder / "pyproject.toml").write_text(changed, "utf-8")
        for line in block["text"].splitlines() if not block["language"] else ():
            if line.startswith("cd "):
                folder = folder / line.removeprefix("cd ")
                continue
            words = [str(VILOAPP), *shlex.split(line)[1:]]
            done = subprocess.run(
                words, cwd=folder, capture_output=True, text=True, env=dict(os.environ), timeout=120
            )
            said[line] = (done.returncode, done.stdout + done.stderr)
    codes = {line: code for line, (code, _) in said.items() if code}
    assert codes == {"viloapp i18n check": 1}, said
    (finding,) = said["viloapp i18n check"][1].splitlines()
    assert re.fullmatch(r"src/hello/locales/de\.json:2: warning: again: is missing in de\.json", finding)
    assert "again  src/hello/plugin.py:16" in said["viloapp i18n extract"][1]
    assert not (folder / "src/hello/locales/en-XA.json").exists()
