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
