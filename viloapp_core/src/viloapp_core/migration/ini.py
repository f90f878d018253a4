r"""Settings of the old application where they are an INI file, as Qt's `QSettings` writes it.

>>> read_ini('[terminal]\nfont_size=16\nfont_family="Consolas, \\"Courier New\\""\n')
{'terminal': {'font_size': 16, 'font_family': 'Consolas, "Courier New"'}}

Keys of ``[General]`` are those without a group. Nothing is interpolated: a ``%`` or a ``$`` is a character.
Source: Qt's documentation of ``QSettings::IniFormat``.
"""

import re
from configparser import Error, RawConfigParser
from typing import Any
from urllib.parse import unquote

from viloapp_core.migration.errors import NotSettingsError

__all__ = ["read_ini"]

_QT_GENERAL = "General"
_ESCAPE = re.compile(r'\\(x[0-9A-Fa-f]{1,4}|[abfnrtv"\\0])')
_CHARACTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})")


def read_ini(text: str) -> dict[str, Any]:
    """Return the sections of an INI file as dicts, the keys without a section beside them.

    Whole numbers and ``true``/``false`` become what they say; anything else stays text.

    Raises:
        NotSettingsError: it is none; has the line.
    """
    parser = RawConfigParser(
        delimiters=("=",), comment_prefixes=(";", "#"), empty_lines_in_values=False, default_section="\0none"
    )
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # as the documentation says to do
    try:
        parser.read_string(text)
    except Error as error:
        # Without the section's header a file is no INI file, and neither is most text.
        raise NotSettingsError(f"it is no INI file: {' '.join(str(error).split())}") from None
    document: dict[str, Any] = {}
    for name in parser.sections():
        values = {unquote(key): _value(value) for key, value in parser.items(name)}
        if name == _QT_GENERAL:
            document |= {key: value for key, value in values.items() if key not in document}
        elif isinstance(document.setdefault(unquote(name), {}), dict):
            document[unquote(name)] |= values
        else:  # a key of [General] that is called as a section is
            raise NotSettingsError(f"it has {name} as a key and as a section", "rename one of them")
    return document


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.fullmatch(text):
        return int(text)
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return _ESCAPE.sub(_character, text[1:-1])
    return text


def _character(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if code[0] == "x" else _CHARACTERS.get(code, code)
