"""`viloapp validate` as a CI runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from .conftest import Ran

PLUGINS = Path(__file__).parents[2] / "fixtures" / "plugins"
OWN = Path(__file__).parents[3] / "plugins"


def test_our_own_plugins_declare_what_they_use(viloapp: Callable[..., Ran]) -> None:
    """They are held to what others are."""
    for name in ("viloxterm", "viloedit"):
        ran = viloapp("validate", str(OWN / name), "--fail-on-excess", "--json")
        assert (ran.code, ran.json["ok"], ran.json["findings"]) == (0, True, [])


def test_what_is_missing_fails(viloapp: Callable[..., Ran]) -> None:
    """With file and line, as editors and CI understand it."""
    ran = viloapp("validate", str(PLUGINS / "looks_around"))
    assert ran.code == 1
    assert ran.out.startswith("looks_around.py:33: missing: services.terminals needs process.spawn.terminal")


def test_excess_fails_where_it_is_asked_to(viloapp: Callable[..., Ran], tmp_path: Path) -> None:
    """By the source it is a note; by the flag, or a report that saw no use of it, a failure."""
    project = str(PLUGINS / "reaches_out")
    report = tmp_path / "learned.json"
    found = ["plugins.read.installed", "services.read.commands"]
    report.write_text(json.dumps({"permissions": found}))
    ran = viloapp("validate", project, "--learned", str(report), "--json")
    kinds = {(each["kind"], each["permission"]) for each in ran.json["findings"]}
    assert ("excess", "ui.read.active_widget") in kinds
    assert viloapp("validate", project, "--learned", str(tmp_path / "nothing")).code == 2
    report.write_text("[]")
    assert "is no report" in viloapp("validate", project, "--learned", str(report)).err
    assert viloapp("validate", project, "--fail-on-excess").code == 1


def test_a_bad_manifest_is_told_at_once(viloapp: Callable[..., Ran]) -> None:
    """Every issue with the file that has it."""
    ran = viloapp("validate", str(PLUGINS / "broken_manifest"))
    assert ran.code == 1
    assert "broken_manifest/plugin.json: manifest: permissions[0].id: " in ran.out
    ran = viloapp("validate", str(PLUGINS / "manifest_is_no_json"))
    assert "manifest_is_no_json/plugin.json:2: manifest: is no JSON" in ran.out


def test_sarif_for_code_scanning(viloapp: Callable[..., Ran], tmp_path: Path) -> None:
    """The same findings as a file; the exit code is as ever."""
    target = tmp_path / "out.sarif"
    ran = viloapp("validate", str(PLUGINS / "looks_around"), "--sarif", str(target), "--json")
    assert ran.code == 1
    results = json.loads(target.read_text("utf-8"))["runs"][0]["results"]
    assert [each["message"]["text"] for each in results] == [each["message"] for each in ran.json["findings"]]
    assert viloapp("validate", str(OWN / "viloedit"), "--sarif", str(target)).code == 0
    assert json.loads(target.read_text("utf-8"))["runs"][0]["results"] == []
