"""A run of several programs."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as program
from benchmarks.report import Outcome


def test_a_program_that_fails_takes_no_other_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the others measured is printed and kept; which failed, and why, is told."""

    def works(folder: Path, **options: Any) -> Outcome:
        return Outcome("What works")

    def fails(folder: Path, **options: Any) -> Outcome:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(program, "BENCHMARKS", {"fails": fails, "works": works})
    monkeypatch.setattr(program, "other_sdk", lambda: False)
    file = tmp_path / "out.json"
    assert program.main(["--json", str(file)]) == 1
    assert list(json.loads(file.read_text("utf-8"))["benchmarks"]) == ["works"]
    told = capsys.readouterr()
    assert "What works" in told.out
    assert "no such thing" in told.err
    assert told.err.endswith("failed, as told above: fails\n")
