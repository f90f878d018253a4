"""The reference of permissions says what the code does: its tables are compared."""

from pathlib import Path

from viloapp_sdk.manifest.vocabulary import SCOPES

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "permissions.md"


def table() -> str:
    """Return the table of the vocabulary as Markdown."""
    lines = ["| category.scope | resource | `*` stands for | allows to |", "|---|---|---|---|"]
    for row in SCOPES.values():
        name = f"`{row.category}.{row.name}`"
        star = row.star or "nothing"
        lines.append(f"| {name} | {row.resource} | {star} | {row.allows} |")
    return "\n".join(lines)


def test_the_table_is_the_one_of_the_code() -> None:
    """Copy the expected text from this failure into the reference when the vocabulary changes."""
    assert f"## All of them\n\n{table()}\n" in REFERENCE.read_text("utf-8")
