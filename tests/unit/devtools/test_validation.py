"""What `viloapp validate` says of projects with one fault each, made from a good one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from viloapp_core.devtools.findings import KINDS, Finding
from viloapp_core.devtools.project_name import project_name
from viloapp_core.devtools.sarif import sarif
from viloapp_core.devtools.scaffold import KINDS as TEMPLATES
from viloapp_core.devtools.scaffold import Project, create_project
from viloapp_core.devtools.toml_lines import line_of
from viloapp_core.devtools.validation import validate_project

Edit = Callable[[Path], None]
LOCALES = "src/hello/locales/"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with nothing wrong."""
    project = Project(project_name("hello"), "basic", "Somebody", "", "Greets.")
    # Without Git it is made sooner, and the file of the answers is not asked for here.
    return create_project(project, tmp_path_factory.mktemp("good"), {"PATH": ""})


def _replace(file: str, old: str, new: str) -> Edit:
    def edit(folder: Path) -> None:
        text = (folder / file).read_text("utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new), "utf-8")

    return edit


def _write(file: str, text: str) -> Edit:
    def edit(folder: Path) -> None:
        (folder / file).write_text(text, "utf-8")

    return edit


def _remove(file: str) -> Edit:
    return lambda folder: (folder / file).unlink()


def _steps(run: str, begin: str = "1", end: str = "2") -> Edit:
    table = f'[tool.viloapp.settings]\nversion = "{end}"\n\n[[tool.viloapp.settings.steps]]\n'
    text = f'{table}from = "{begin}"\nto = "{end}"\nrun = "{run}"\n'

    def edit(folder: Path) -> None:
        (folder / TOML).write_text((folder / TOML).read_text("utf-8") + "\n" + text, "utf-8")

    return edit


TOML = "pyproject.toml"
CODE = "src/hello/plugin.py"
FAULTS: list[tuple[Edit, str, str, str, str]] = [
    # what is done to the project; then kind, file, a text on the line that is named, words of the message
    (_replace(TOML, "[project]", "[project"), "manifest", TOML, "[project", "TOML|Expected"),
    (_replace(TOML, 'name = "hello"', 'name = "core"'), "manifest", TOML, 'name = "core"', "host's own name"),
    (
        _replace(TOML, 'version = "0.1.0"', 'version = "one"'),
        "manifest",
        TOML,
        'version = "one"',
        "Invalid version",
    ),
    (_replace(TOML, "api_version =", "api_versoin ="), "manifest", TOML, "api_versoin", "did you mean"),
    (_replace(CODE, '"hello.greet"', "ID"), "manifest", CODE, "@command(ID", "id"),
    (_replace(TOML, "plugin:HelloPlugin", "plugin:Nothing"), "entry-point", CODE, '"""The', "no Nothing"),
    (
        _replace(TOML, "hello.plugin:", "hello.other:"),
        "entry-point",
        TOML,
        "entry-points",
        "no module hello.other",
    ),
    (
        _replace(TOML, 'readme = "README.md"\n', ""),
        "metadata",
        TOML,
        "[project]",
        "project.readme: is missing",
    ),
    (_remove("README.md"), "metadata", TOML, "readme", "README.md is not there"),
    (_write("README.md", " \n"), "metadata", TOML, "readme", "is empty"),
    (_replace(TOML, 'license = "MIT"\n', ""), "metadata", TOML, "[project]", "project.license: is missing"),
    (_replace(TOML, '"MIT"', '"Mine"'), "metadata", TOML, 'license = "Mine"', "SPDX"),
    (_remove("LICENSE"), "metadata", TOML, "license-files", "no file is called LICENSE"),
    (_replace(TOML, "3 - Alpha", "3 - Alfa"), "metadata", TOML, "classifiers", "is no classifier"),
    (
        _replace(TOML, '"Typing :: Typed"', '"License :: OSI Approved"'),
        "metadata",
        TOML,
        "classif",
        "repeats license",
    ),
    (
        _replace(TOML, 'description = "Greets."', 'description = ""'),
        "metadata",
        TOML,
        "description",
        "is missing",
    ),
    (
        _replace(TOML, 'dependencies = ["viloapp-sdk>=1,<2"]', "dependencies = []"),
        "metadata",
        TOML,
        "dep",
        "lacks",
    ),
    (
        _replace(TOML, '"setuptools>=77", "viloapp-sdk>=1,<2"', '"setuptools>=77"'),
        "build",
        TOML,
        "requires",
        "lacks",
    ),
    (
        _write("src/hello/plugin.json", "{}"),
        "build",
        "src/hello/plugin.json",
        "",
        "not what the project says",
    ),
    (
        _replace(CODE, 'get("greeting")', 'get("greting")'),
        "reference",
        CODE,
        "greting",
        "'greting' is not declared",
    ),
    (
        _replace(
            TOML,
            'api_version = "1.0"\n',
            'api_version = "1.0"\nmenus = [{ menu = "m", command = "hello.x" }]\n',
        ),
        *("reference", TOML, "menus", "no source declares hello.x"),
    ),
    (
        _write(f"{LOCALES}en.json", '{"hello": "Hi"}'),
        *("catalogue", CODE, '"greeting"', "no en.json has 'greeting'"),
    ),
    (
        _replace(CODE, "word=word, ", ""),
        *("catalogue", CODE, '"greeting"', "no value for word"),
    ),
    (_write(f"{LOCALES}de.json", "[]"), "catalogue", f"{LOCALES}de.json", "[]", "is no object"),
    (_write(f"{LOCALES}de.json", "{"), "catalogue", f"{LOCALES}de.json", "{", "is no JSON"),
    (_write(f"{LOCALES}deutsch.json", "{}"), "catalogue", f"{LOCALES}deutsch.json", "", "is no language"),
    (
        _write(f"{LOCALES}de.json", '{\n"hello.greet":\n{"x": "y"}}'),
        *("catalogue", f"{LOCALES}de.json", "hello.greet", "is no text"),
    ),
    (
        _write(f"{LOCALES}de.json", '{"hello.greet": "a",\n"hello.greet": "b"}'),
        *("catalogue", f"{LOCALES}de.json", "hello.greet", "twice"),
    ),
    (
        _write(f"{LOCALES}de.json", '{"hello.greet": "{n, plural, one {#}}"}'),
        *("catalogue", f"{LOCALES}de.json", "plural", "needs a case `other"),
    ),
    (
        _write(f"{LOCALES}de.json", '{\n"greeting": "Sag {x}"\n}'),
        *("catalogue", f"{LOCALES}de.json", "Sag", "other placeholders than en.json: name, word, x"),
    ),
    (
        _write(CODE.replace("plugin.py", "steps.py"), "def to_3(settings, data):\n    return settings\n"),
        *("", "", "", ""),
    ),
    (_steps("hello.plugin:to_2"), "reference", CODE, '"""The', r"no to_2, which settings.steps\[0\] names"),
    (_steps("hello.other:to_2"), "reference", TOML, "hello.other:to_2", "no module hello.other for"),
    (
        _steps("hello.plugin:HelloPlugin", begin="2", end="3"),
        *("manifest", TOML, "[[tool.viloapp.settings.steps]]", "no step leads from 1 on to 3"),
    ),
    (
        _steps("hello.plugin:HelloPlugin", begin="1", end="1.0"),
        *("manifest", TOML, "to =", "1.0 does not come after 1"),
    ),
    (_remove(f"{LOCALES}en.json"), "catalogue", "src/hello/locales", "", "there is no en.json"),
]


@pytest.mark.parametrize(("edit", "kind", "file", "on_line", "words"), FAULTS)
def test_each_fault_is_found_where_it_is(
    edit: Edit, kind: str, file: str, on_line: str, words: str, good: Path, tmp_path: Path
) -> None:
    """With kind, file and line; a project that only does without something optional has none."""
    import re

    folder = tmp_path / "hello"
    shutil.copytree(good, folder)
    edit(folder)
    errors = [each for each in validate_project(folder)[1] if each.level == "error"]
    if not kind:
        assert errors == []
        return
    found = [each for each in errors if each.kind == kind and re.search(words, each.message)]
    assert found, errors
    assert found[0].path == file
    if not on_line:
        assert found[0].line == 0
        return
    assert on_line in (folder / file).read_text("utf-8").splitlines()[found[0].line - 1]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_what_create_plugin_makes_has_nothing_wrong(kind: str, tmp_path: Path) -> None:
    """Not even a warning."""
    project = Project(project_name("hello"), kind, "Somebody", "", "Greets.")
    folder = create_project(project, tmp_path, {"PATH": ""})
    assert validate_project(folder) == ("hello", [])


@pytest.mark.parametrize(
    ("edit", "warned"),
    [
        (_replace(TOML, '"locales/*.json", ', ""), True),
        (_replace(TOML, '"locales/*.json"', '"locales/en.json"'), True),
        (_replace(TOML, 'hello = ["py.typed", "locales/*.json"', '"*" = ["*.json", "py.typed"'), False),
        (_replace(TOML, '"locales/*.json"', '"**/*.json"'), False),
    ],
    ids=["no pattern", "one language", "each folder a package", "everywhere"],
)
def test_catalogues_that_the_wheel_would_not_have(
    edit: Edit, warned: bool, good: Path, tmp_path: Path
) -> None:
    """Named with the line of the table, as a warning; not where a line of MANIFEST.in may take them."""
    folder = tmp_path / "hello"
    shutil.copytree(good, folder)
    edit(folder)
    found = [each for each in validate_project(folder)[1] if "the wheel gets no" in each.message]
    assert bool(found) == warned
    if warned:
        assert (found[0].level, found[0].path) == ("warning", TOML)
        line = (folder / TOML).read_text("utf-8").splitlines()[found[0].line - 1]
        assert line == "[tool.setuptools.package-data]"
        assert "hello/locales/de.json" in found[0].message
        (folder / "MANIFEST.in").write_text("recursive-include src *.json\n")
        assert not [each for each in validate_project(folder)[1] if "the wheel gets no" in each.message]


def test_everything_is_told_at_once(good: Path, tmp_path: Path) -> None:
    """A bad manifest does not hide what else is wrong."""
    shutil.copytree(good, tmp_path / "hello")
    (tmp_path / "hello/README.md").unlink()
    _replace(TOML, "api_version =", "api =")(tmp_path / "hello")
    assert {each.kind for each in validate_project(tmp_path / "hello")[1]} == {"manifest", "metadata"}


def test_lines_of_keys() -> None:
    """Headers, dotted and quoted keys, the nearest table where the key is missing."""
    text = '# x\n[project]\nname = "a"\n[project.entry-points."a.b"]\nc.d = 1\n[[tool.x]]\ny = [\n]\n'
    wanted = {
        "project.name": 3,
        "project.none": 2,
        'project.entry-points."a.b"': 4,
        'project.entry-points."a.b".c.d': 5,
        "tool.x[0].y[3]": 7,
        "other": 0,
    }
    assert {path: line_of(text, path) for path in wanted} == wanted


def test_sarif_is_what_the_standard_requires() -> None:
    """Version, tool with a name, results with a message, rules that exist, places that are relative URIs."""
    given = [
        Finding("missing", "process.execute.git", "src/a b/ü.py", 7, "it needs it"),
        Finding("excess", "x", TOML, 0, "nothing uses it", "warning"),
    ]
    log = json.loads(json.dumps(sarif(given)))
    assert log["version"] == "2.1.0"
    assert log["$schema"].startswith("https://")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    assert [rule["id"] for rule in driver["rules"]] == list(KINDS)
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    for finding, result in zip(given, run["results"], strict=True):
        assert result["message"]["text"] == finding.message
        assert result["level"] in ("none", "note", "warning", "error")
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.kind
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
        assert not place["artifactLocation"]["uri"].startswith("/")
        assert place["artifactLocation"]["uri"].isascii()
        assert place.get("region", {"startLine": 1})["startLine"] >= 1
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 7}
    assert "region" not in run["results"][1]["locations"][0]["physicalLocation"]


def test_the_same_finding_has_the_same_fingerprint_on_another_line() -> None:
    """So that code scanning does not open it anew when a line is written above it."""
    one, two = (sarif([Finding("missing", "p", "a.py", line, "m")]) for line in (1, 9))
    prints = [each["runs"][0]["results"][0]["partialFingerprints"] for each in (one, two)]
    assert prints[0] == prints[1]
    assert os.environ["HOME"] not in json.dumps(one)
