"""Commands and widgets from source: what is found, what is a namesake, what cannot be read statically."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from viloapp_sdk.manifest import Contributions, scan

PLUGIN = "from viloapp_sdk import Plugin, Widget, command\n"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return an empty package's folder."""
    (tmp_path / "hello").mkdir()
    return tmp_path / "hello"


def scanned(package: Path, source: str, name: str = "plugin.py") -> Contributions:
    """Return what a package with one module declares."""
    (package / name).parent.mkdir(parents=True, exist_ok=True)
    (package / name).write_text(source, "utf-8")
    return scan([package])


def command_of(package: Path, signature: str, kind: str = "def") -> dict[str, Any]:
    """Return the one command of a method with this signature."""
    body = f"class P(Plugin):\n    @command('a.b')\n    {kind} f(self{signature}): ...\n"
    found = scanned(package, PLUGIN + body)
    assert found.issues == ()
    return found.commands[0]


def test_a_method_becomes_a_command(package: Path) -> None:
    """Id, title, description, whether it is async and the parameters are read."""
    found = scanned(
        package,
        PLUGIN
        + '''
class Hello(Plugin):
    @command("hello.greet", title="Say hello")
    async def greet(self, name: str = "world", *, times: int) -> str:
        """Return a greeting
        for `name`.

        More of it.
        """
''',
    )
    assert found.issues == ()
    assert found.commands == (
        {
            "id": "hello.greet",
            "title": "Say hello",
            "description": "Return a greeting for `name`.",
            "async": True,
            "parameters": [
                {"name": "name", "type": "string", "required": False, "default": "world"},
                {"name": "times", "type": "integer", "required": True},
            ],
        },
    )


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("str", "string"),
        ("int", "integer"),
        ("float", "number"),
        ("bool", "boolean"),
        ("list", "array"),
        ("list[str]", "array"),
        ("tuple[int, ...]", "array"),
        ("dict[str, int]", "object"),
        ("typing.Mapping[str, int]", "object"),
        ("'str'", "string"),
        ("str | None", "string"),
        ("Optional[int]", "integer"),
        ("Union[int, None]", "integer"),
        ("int | str", "any"),
        ("Annotated[str, 'x']", "string"),
        ("Path", "any"),
        ("'not python ('", "any"),
    ],
)
def test_annotations_become_types(package: Path, annotation: str, expected: str) -> None:
    """What JSON has a type for gets it, anything else is `any`."""
    assert command_of(package, f", x: {annotation}")["parameters"][0]["type"] == expected


@pytest.mark.parametrize(
    ("default", "expected"),
    [("None", None), ("-1", -1), ("(1, 2)", [1, 2]), ("{'a': [True]}", {"a": [True]}), ("'é'", "é")],
)
def test_defaults_that_json_can_say_are_kept(package: Path, default: str, expected: object) -> None:
    """The palette can show what a call without the argument would use."""
    assert command_of(package, f", x={default}")["parameters"][0]["default"] == expected


@pytest.mark.parametrize(
    "default", ["b'x'", "1j", "...", "{1: 2}", "1e999", "Path()", "{1, 2}", "10**3", "2 + 'x'"]
)
def test_other_defaults_only_make_it_optional(package: Path, default: str) -> None:
    """A default that only Python can say is not guessed at."""
    parameter = command_of(package, f", x={default}")["parameters"][0]
    assert (parameter["required"], "default" in parameter) == (False, False)


def test_keywords_of_any_name_are_no_parameter(package: Path) -> None:
    """`**options` takes what is not named; there is nothing to list."""
    assert command_of(package, ", **options")["parameters"] == []


@pytest.mark.parametrize(
    "source",
    [
        "import viloapp_sdk\nclass P:\n    @viloapp_sdk.command('a.b')\n    def f(self): ...\n",
        "import viloapp_sdk as v\nclass P:\n    @v.command('a.b')\n    def f(self): ...\n",
        "import viloapp_sdk.plugin\nclass P:\n    @viloapp_sdk.plugin.command('a.b')\n    def f(self): ...\n",
        "from viloapp_sdk import command as c\nclass P:\n    @c(id='a.b')\n    def f(self): ...\n",
        "from viloapp_sdk.plugin import command\n@command('a.b')\ndef f(): ...\n",
        "from viloapp_sdk import *\nclass P:\n    @command('a.b')\n    def f(self): ...\n",
        "from .sdk import command\nclass P:\n    @command('a.b')\n    def f(self): ...\n",
        "from viloapp_sdk import command\nID = 'a.b'\nclass P:\n    @command(ID)\n    def f(self): ...\n",
        "from viloapp_sdk import command\nclass P:\n"
        "    @staticmethod\n    @command('a.b')\n    def f(): ...\n",
    ],
)
def test_every_way_to_name_the_decorator_is_read(package: Path, source: str) -> None:
    """However the decorator was imported, the command is found, and `self` is no parameter."""
    found = scanned(package, source)
    assert found.issues == ()
    assert [(entry["id"], entry["title"], entry["parameters"]) for entry in found.commands] == [
        ("a.b", "a.b", [])
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import click\n@click.command('a.b')\ndef f(): ...\n",
        "from click import command\n@command('a.b')\ndef f(): ...\n",
        "def command(x): ...\n@command('a.b')\ndef f(): ...\n",
        "from textual.widget import Widget\nclass A(Widget):\n    id = 'a.w'\n",
        "from viloapp_sdk import Widget\nclass Panel(Widget): ...\n"
        "from rich.panel import Panel as Panel\nclass A(Panel):\n    id = 'a.w'\n",
    ],
)
def test_namesakes_from_elsewhere_are_left_alone(package: Path, source: str) -> None:
    """Another library's `command` and `Widget` are not ours."""
    found = scanned(package, source)
    assert (found.commands, found.widgets, found.issues) == ((), (), ())


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_generator_is_a_command_as_any_other(package: Path, kind: str) -> None:
    """That a command streams is nothing of the manifest's: older cores read it as well."""
    found = scanned(
        package,
        PLUGIN
        + f"""
class Hello(Plugin):
    @command("hello.follow", title="Follow")
    {kind} follow(self, lines: int = 10):
        yield b"x"
""",
    )
    assert found.issues == ()
    assert [(row["id"], row["title"]) for row in found.commands] == [("hello.follow", "Follow")]
    assert set(found.commands[0]) <= {"id", "title", "description", "async", "parameters"}


@pytest.mark.parametrize(("given", "noted"), [("True", {"idempotent": True}), ("False", {})])
def test_what_may_be_run_twice_is_noted(package: Path, given: str, noted: dict[str, bool]) -> None:
    """The manifest has the word only where it means something."""
    body = f"class P(Plugin):\n    @command('a.b', idempotent={given})\n    def f(self): ...\n"
    found = scanned(package, PLUGIN + body)
    assert found.issues == ()
    assert {key: value for key, value in found.commands[0].items() if key == "idempotent"} == noted


@pytest.mark.parametrize(
    ("decorator", "signature", "message"),
    [
        ("command(ID)", "", "@command's id must be a literal string"),
        ("command(f'a.{x}')", "", "@command's id must be a literal string"),
        ("command('a.b', title=_('x'))", "", "@command's title must be a literal string"),
        ("command", "", "@command needs an id"),
        ("command()", "", "@command has no id"),
        ("command('a.b', 'c')", "", "@command takes an id, title=… and idempotent=…, not more"),
        ("command('a.b', name='c')", "", "not name"),
        ("command('a.b', **k)", "", "not **"),
        ("command('a.b', idempotent=x())", "", "idempotent must be True or False"),
        ("command('a.b', idempotent=1)", "", "idempotent must be True or False"),
        ("command('a b')", "", "command id: 'a b' is not an id"),
        ("command('a.b')", ", x, /", "which x does not take"),
        ("command('a.b')", ", *x", "which *x does not take"),
        ("command('a.b')", ", x: int = 'y'", "command parameters[0].default: must be of type integer"),
    ],
)
def test_what_cannot_be_read_is_an_issue_at_its_line(
    package: Path, decorator: str, signature: str, message: str
) -> None:
    """The author is led to the line of the decorator."""
    found = scanned(package, f"{PLUGIN}class P(Plugin):\n    @{decorator}\n    def f(self{signature}): ...\n")
    assert [issue.path for issue in found.issues] == ["hello/plugin.py:3"]
    assert message in found.issues[0].message


def test_a_widget_class_becomes_a_widget(package: Path) -> None:
    """Literal class attributes and the docstring are read; absent ones have the SDK's defaults."""
    source = (
        PLUGIN
        + 'class Panel(Widget):\n    """A panel."""\n'
        + '    id = "a.w"\n    title: str = "W"\n    kind = "editor"\n'
    )
    assert scanned(package, source).widgets == (
        {
            "id": "a.w",
            "title": "W",
            "icon": "",
            "kind": "editor",
            "position": "main",
            "description": "A panel.",
        },
    )


def test_widgets_are_found_through_classes_of_the_plugin(package: Path) -> None:
    """A base of the plugin's own, in another file and declared later, makes a widget; it is none itself."""
    scanned(package, "from viloapp_sdk import IWidget\nclass Base(IWidget): ...\n", "zz.py")
    found = scanned(package, "from hello.zz import Base\nclass A(Base):\n    id = 'a.w'\n", "aa.py")
    assert [entry["id"] for entry in found.widgets] == ["a.w"]
    assert found.issues == ()


def test_a_computed_widget_id_is_an_issue(package: Path) -> None:
    """An id that exists only at run time would be a widget that nobody can open."""
    found = scanned(package, PLUGIN + "class A(Widget):\n    id = 'a' + X\n")
    assert [issue.path for issue in found.issues] == ["hello/plugin.py:3"]


def test_an_id_that_is_declared_twice_is_an_issue(package: Path) -> None:
    """Both places are named."""
    scanned(package, f"{PLUGIN}@command('a.b')\ndef f(): ...\n", "one.py")
    found = scanned(package, f"{PLUGIN}@command('a.b')\ndef g(): ...\n", "two.py")
    assert [str(issue) for issue in found.issues] == [
        "hello/two.py:2: command 'a.b' is declared already at hello/one.py:2"
    ]


def test_a_file_counts_once_however_it_is_named(package: Path) -> None:
    """A package and a subpackage of it, as setuptools lists them, do not double anything."""
    scanned(package, f"{PLUGIN}@command('a.b')\ndef f(): ...\n", "sub/mod.py")
    found = scan([package, package / "sub", package / "sub" / "mod.py"])
    assert (len(found.commands), found.issues) == (1, ())


def test_a_file_that_does_not_parse_matters_when_it_could_declare_something(package: Path) -> None:
    """A template is no error; a broken plugin is, with its line."""
    scanned(package, "{{ template }} x y\n", "template.py")
    found = scanned(package, f"{PLUGIN}class P(\n")
    assert len(found.issues) == 1
    assert found.issues[0].path.startswith("hello/plugin.py:")
    assert "does not parse" in found.issues[0].message


def test_reading_is_not_running(package: Path, tmp_path: Path) -> None:
    """A module that would write a file has not written it."""
    scanned(package, f"{PLUGIN}open({str(tmp_path / 'ran')!r}, 'w')\n@command('a.b')\ndef f(): ...\n")
    assert not (tmp_path / "ran").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    st.one_of(
        st.binary(max_size=120),
        st.text(max_size=120).map(lambda text: f"@command({text})".encode("utf-8", "replace")),
    )
)
def test_any_file_has_an_answer(package: Path, content: bytes) -> None:
    """Whatever stands in a source file, scanning ends with contributions or issues."""
    (package / "plugin.py").write_bytes(content)
    assert isinstance(scan([package]), Contributions)


def test_deep_nesting_has_an_answer(package: Path) -> None:
    """Expressions nested beyond the parser's limits are an issue, not a crash."""
    found = scanned(package, f"{PLUGIN}x = {'(' * 5000}{')' * 5000}\n")
    assert "does not parse" in found.issues[0].message
    deep = scanned(package, f"{PLUGIN}@command({'-' * 3000}1)\ndef f(): ...\n")
    assert deep.issues
