"""The settings of terminal and editor that the monolithic application had, and what they became.

Source: the specification, Settings Migration: names, order and defaults. The bounds are those that today's
viloxterm and viloedit declare; a test compares them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["SECTIONS", "THEMES", "Field"]

THEMES: Mapping[str, str] = {
    "vscode-dark": "dark",
    "vscode_dark": "dark",
    "vscode-light": "light",
    "vscode_light": "light",
    "high_contrast": "high-contrast",
}
"""What the old application called a theme that there still is."""

_KINDS: Mapping[str, tuple[type, ...]] = {"text": (str,), "number": (int,), "yes or no": (bool,)}


@dataclass(frozen=True, slots=True)
class Field:
    """One setting.

    Attributes:
        old: its name in 1.0.
        new: its name from 2.0 on.
        kind: what it holds: ``text``, ``number`` or ``yes or no``.
        default: stands where nothing is said.
        least, most: of a number, from 3.0 on.
        choices: the values that there are from 3.0 on; none when any will do.
        renamed: values of before and what they are called now.
    """

    old: str
    new: str
    kind: str
    default: Any
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    def wrong_type(self, value: object) -> str:
        """Return why a value is not of this kind; empty when it is."""
        fits = isinstance(value, _KINDS[self.kind]) and (self.kind == "yes or no") is isinstance(value, bool)
        return "" if fits else f"it has to be {_ARTICLE[self.kind]}"

    def problem(self, value: object) -> str:
        """Return why a value cannot stand in 3.0; empty when it can."""
        if problem := self.wrong_type(value):
            return problem
        if isinstance(value, int) and self.kind == "number" and not self.least <= value <= self.most:
            return f"it has to be from {self.least} to {self.most}"
        if self.choices and value not in self.choices:
            return f"there are {', '.join(self.choices)}"
        return ""


_ARTICLE = {"text": "text", "number": "a whole number", "yes or no": "true or false"}
_COLOURS = ("auto", "dark", "light", "high-contrast")
_CURSORS = {"line": "bar", "beam": "bar"}

SECTIONS: Mapping[str, tuple[str, tuple[Field, ...]]] = {
    "terminal": (
        "viloxterm",
        (
            Field("shell", "shell", "text", "auto"),
            Field("font_size", "fontSize", "number", 14, 6, 72),
            Field("font_family", "fontFamily", "text", "monospace"),
            Field("theme", "theme", "text", "dark", choices=_COLOURS, renamed=THEMES),
            Field(
                "cursor_style",
                "cursorStyle",
                "text",
                "block",
                choices=("block", "underline", "bar"),
                renamed=_CURSORS,
            ),
            Field("scrollback", "scrollback", "number", 1000, 0, 100000),
        ),
    ),
    "editor": (
        "viloedit",
        (
            Field("font_size", "fontSize", "number", 14, 6, 72),
            Field("font_family", "fontFamily", "text", "monospace"),
            Field("tab_size", "tabSize", "number", 4, 1, 16),
            Field("word_wrap", "wordWrap", "yes or no", False),
            Field("line_numbers", "lineNumbers", "yes or no", True),
            Field("theme", "theme", "text", "dark", choices=_COLOURS, renamed=THEMES),
        ),
    ),
}
"""Section of 1.0 → plugin and fields."""
