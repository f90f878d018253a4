"""The reference of the manifest says what the code does: its tables are compared, its example is read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from viloapp_sdk.manifest import fields, from_project, schema, validate
from viloapp_sdk.manifest.shapes import (
    AnyJson,
    Array,
    Choice,
    Dictionary,
    Exactly,
    Flag,
    Number,
    Shape,
    Table,
    Text,
)

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "manifest.md"
TABLES = {
    "Top level": fields.MANIFEST,
    "permissions[]": fields.PERMISSION,
    "limits": fields.LIMITS,
    "restart": fields.RESTART,
    "configuration.*": fields.SETTING,
    "settings": fields.SETTINGS,
    "settings.steps[]": fields.STEP,
    "keybindings[]": fields.KEYBINDING,
    "menus[]": fields.MENU,
    "commands[]": fields.COMMAND,
    "commands[].parameters[]": fields.PARAMETER,
    "widgets[]": fields.WIDGET,
}


def kind(shape: Shape) -> str:
    """Return the words of a table's second column."""
    if isinstance(shape, Array):
        return f"array of {kind(shape.item)}"
    if isinstance(shape, Dictionary):
        return f"table of {kind(shape.value)}"
    if isinstance(shape, Number):
        word = "integer" if shape.integer else "number"
        return word if shape.minimum is None else f"{word}, {shape.minimum:g} to {shape.maximum}"
    if isinstance(shape, Choice):
        return ", ".join(f"`{value}`" for value in shape.values)
    if isinstance(shape, Exactly):
        return f"`{shape.value}`"
    if isinstance(shape, Text):
        return "string"
    return {Flag: "boolean", AnyJson: "any", Table: "table"}[type(shape)]


def rows(table: Table) -> str:
    """Return a table of the reference as Markdown."""
    lines = ["| key | type | meaning |", "|---|---|---|"]
    for field in table.fields:
        name = f"**`{field.name}`**" if field.required else f"`{field.name}`"
        lines.append(f"| {name} | {kind(field.shape)} | {field.about} |")
    return "\n".join(lines)


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of the reference in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", REFERENCE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("title", TABLES)
def test_each_table_is_the_one_of_the_code(title: str) -> None:
    """Copy the expected text from this failure into the reference when a field changes."""
    assert f"### {title}\n\n{rows(TABLES[title])}\n" in REFERENCE.read_text("utf-8")


def test_no_table_of_the_code_is_missing() -> None:
    """Every table that the schema reaches has its place above."""

    def reached(shape: Shape) -> list[Table]:
        if isinstance(shape, Table):
            return [shape, *(table for field in shape.fields for table in reached(field.shape))]
        if isinstance(shape, Array):
            return reached(shape.item)
        return reached(shape.value) if isinstance(shape, Dictionary) else []

    assert [table for table in reached(fields.MANIFEST) if table not in TABLES.values()] == []


def test_the_example_gives_the_manifest_that_is_shown(tmp_path: Path) -> None:
    """The project, the source and the `plugin.json` of the reference belong together."""
    (pyproject,), (source,), (shown, *_) = blocks("toml"), blocks("python"), blocks("json")
    (tmp_path / "src" / "hello").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(pyproject, "utf-8")
    (tmp_path / "src" / "hello" / "plugin.py").write_text(source, "utf-8")
    assert from_project(tmp_path) == json.loads(shown)
    assert validate(json.loads(shown)) == []
    assert set(json.loads(shown)) <= set(schema()["properties"])
