"""Which texts a source asks for."""

from __future__ import annotations

import contextlib
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.devtools.extraction import uses

ALIASES = """
from viloapp_sdk.i18n import PluginI18n as Texts
from . import t as shared

TITLE = "title"
other = print

class Hello(Plugin):
    def initialize(self, context):
        self.texts = context.i18n
        self._t = self.texts.t
        own = Texts(context.resource_path)
        own.t("own", n=1)
        tr = own.t
        tr("followed")

    def greet(self, **values):
        self.context.i18n.t("plain", name="x", **values)
        self._t("by attribute")
        self.texts.t(TITLE)
        self.texts.t("yes" if values else "no", a=1, b=2)
        other("nothing of ours")
        self.table.t("nothing either")
        "x".t("nor this")
"""


def test_what_is_followed() -> None:
    """Attributes, aliases of them, a class by another name, constants and both ends of a condition."""
    found = uses(ALIASES, "a.py")
    assert [(use.key, use.arguments) for use in found] == [
        ("own", {"n"}),
        ("followed", set()),
        ("plain", None),
        ("by attribute", set()),
        ("title", set()),
        ("yes", {"a", "b"}),
        ("no", {"a", "b"}),
    ]
    assert all(ALIASES.splitlines()[use.line - 1].strip() for use in found)
    assert found[0].line == 13


@pytest.mark.parametrize(
    ("call", "keys"),
    [
        ('i18n.t(f"state.{name}")', ["state.*"]),
        ('i18n.t("state." + name)', ["state.*"]),
        ('i18n.t(f"{kind}.{name}.title")', ["*.*.title"]),
        ('i18n.t(PREFIX + ".title")', ["app.title"]),
        ("i18n.t(name)", [None]),
        ("i18n.t(names[0])", [None]),
        ("i18n.t(name)  # i18n: state.*, other", ["state.*", "other"]),
        ("i18n.t(\n    name,  # i18n: one\n    x=1,\n)", ["one"]),
        ("i18n.t()", []),
    ],
)
def test_a_key_that_is_put_together(call: str, keys: list[str | None]) -> None:
    """It is a pattern as far as it is written, and what a comment says of it."""
    found = uses(f'PREFIX = "app"\n{call}', "a.py")
    assert [use.key for use in found] == keys
    assert all(use.line == 2 for use in found)


@pytest.mark.parametrize(
    "other",
    [
        "def f(KEY): i18n.t(KEY)",
        "f = lambda *KEY: i18n.t(KEY)",
        "for KEY in names: i18n.t(KEY)",
        "[i18n.t(KEY) for KEY in names]",
        "KEY += name; i18n.t(KEY)",
        "KEY, n = names; i18n.t(KEY)",
        "with names as KEY: i18n.t(KEY)",
        "try: f()\nexcept OSError as KEY: i18n.t(KEY)",
        "from .names import KEY; i18n.t(KEY)",
        "from .names import *; i18n.t(KEY)",
        "import a as KEY; i18n.t(KEY)",
        "def KEY(): i18n.t(KEY)",
        "class KEY: i18n.t(KEY)",
        "def f():\n  global KEY\n  i18n.t(KEY)",
        "del KEY; i18n.t(KEY)",
        "match n:\n  case [*KEY]: i18n.t(KEY)",
        "match n:\n  case {**KEY}: i18n.t(KEY)",
        "match n:\n  case str() as KEY: i18n.t(KEY)",
        "i18n.t(names.KEY)",
        "class A(B):\n  def f(self): i18n.t(self.KEY)",
        "i18n.t(f'{KEY!r}')",
    ],
)
def test_a_name_that_may_be_something_else(other: str) -> None:
    """Its key cannot be told: bound in another way, or of another thing."""
    assert [use.key for use in uses(f'KEY = "zz"\n{other}', "a.py")] == [None]


@pytest.mark.parametrize(
    ("call", "keys"),
    [
        ("i18n.t(Keys.ONE)", ["one"]),
        ('i18n.t(f"{Keys.ONE}.x")', ["one.x"]),
        ("i18n.t(Other.ONE)", [None]),
        ("i18n.t(Keys.TWO)", [None]),
        ("Keys.ONE = name; i18n.t(Keys.ONE)", [None]),
        ("class Keys: pass\ni18n.t(Keys.ONE)", [None]),
        ("def f(Keys): i18n.t(Keys.ONE)", [None]),
        # A class of another module may give its own.
        ("class A:\n  one = 'x'\n  def f(self): i18n.t(self.one)", [None]),
    ],
)
def test_a_constant_of_a_class(call: str, keys: list[str | None]) -> None:
    """By the class's name, where both are given once."""
    source = f'class Keys:\n  ONE = "one"\n  TWO = "two"\nTWO = "zz"\n{call}'
    assert [use.key for use in uses(source, "a.py")] == keys


def test_names_that_are_given_together() -> None:
    """Each what stands in its place; one that takes the rest takes what is not known."""
    assert [use.key for use in uses('n, tr = 1, i18n.t\ntr("a")', "a.py")] == ["a"]
    assert [use.key for use in uses('(A, B), c = ("a", "b"), 1\ni18n.t(B)', "a.py")] == ["b"]
    assert [use.key for use in uses('A, *B = "a", "b"\ni18n.t(A)', "a.py")] == [None]


@pytest.mark.parametrize("before", ["\f", "x = 'a\u2028b'  # \x85\x1c", "a\r\nb", "a\rb"])
def test_the_comment_is_of_the_line_that_python_counts(before: str) -> None:
    """Whatever else separates lines elsewhere."""
    found = uses(f"{before}\ni18n.t(name)  # i18n: one\r\ni18n.t(n)  # i18n: two", "a.py")
    assert [use.key for use in found] == ["one", "two"]


def test_t_that_a_function_is_given() -> None:
    """By name; what is called t and was made otherwise is not ours."""
    assert [use.key for use in uses('def f(t):\n    return t("a")', "a.py")] == ["a"]
    assert [use.key for use in uses('from .texts import t\nt("a")', "a.py")] == ["a"]
    assert uses('import time\nt = time.time\nt("a")', "a.py") == []


def test_which_keys_a_pattern_means() -> None:
    """Stars are anything, everything else is itself."""
    (use,) = uses('i18n.t(f"a.{x}(b)")', "a.py")
    assert [use.means(key) for key in ("a.1(b)", "a.(b)", "ax1(b)", "a.1b")] == [True, True, False, False]


@given(st.text(max_size=60))
def test_no_source_breaks_it(text: str) -> None:
    """It is Python, or an error that says so."""
    with warnings.catch_warnings(), contextlib.suppress(SyntaxError, ValueError):
        warnings.simplefilter("ignore")  # Python's own, of what it reads
        assert [use.key for use in uses(f"i18n.t({text!r})", "a.py")] == [text]
        uses(f"i18n.t({text}", "a.py")
