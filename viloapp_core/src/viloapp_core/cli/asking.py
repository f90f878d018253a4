"""The person at a terminal while a command of a plugin runs: told of denials, asked for permissions."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable
from typing import Any

from viloapp_core.cli.output import Output
from viloapp_core.cli.text import one_line

_ANSWERS = {"o": "once", "r": "run", "a": "always", "d": "deny", "": "deny"}
_LOOK_S = 0.1


class TerminalPerson:
    """Implements `viloapp_core.host.session.Person`.

    Args:
        output: where it is told.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._told: set[tuple[str, str, str]] = set()
        self._turn = threading.Lock()

    @property
    def present(self) -> bool:
        """Whether questions can be put: standard input and error are a terminal."""
        return bool(sys.stdin and sys.stdin.isatty() and self._output.on_terminal())

    def denied(self, told: dict[str, str]) -> None:
        """Tell of a denial, each once."""
        key = (str(told.get("plugin")), str(told.get("permission")), str(told.get("call")))
        if key not in self._told:
            self._told.add(key)
            self._output.warning(one_line(str(told.get("message"))))
            self._output.note(f"allow it: {one_line(str(told.get('command')))}")

    def rolled_back(self, told: dict[str, Any]) -> None:
        """Tell that an update was rolled back."""
        self._output.warning(one_line(str(told.get("message"))))

    def limited(self, told: dict[str, Any]) -> None:
        """Tell that the plugin is held; what ends it or is refused to it is the command's error."""
        if told.get("action") == "throttled":
            self._output.warning(one_line(f"{told.get('message')}; {told.get('hint')}"))

    def ask(self, question: dict[str, Any], interrupted: Callable[[], bool]) -> str:
        """Put one question at a time; an answer that is none is asked for again."""
        with self._turn:
            for line in question_lines(question):
                self._output.say(line)
            while True:
                self._output.say("[o]nce, for this [r]un, [a]lways, or [d]eny? (deny)")
                typed = read_line(interrupted)
                if typed is None:
                    return ""
                if (answer := _ANSWERS.get(typed.strip().lower()[:1])) is not None:
                    return answer


def question_lines(question: dict[str, Any]) -> list[str]:
    """Return a question as a person reads it; what a plugin says cannot pose as another line."""
    text = {key: one_line(str(question.get(key, ""))) for key in ("plugin", "words", "permission", "reason")}
    lines = [f"{text['plugin']} asks to {text['words']}  ({text['permission']})"]
    if question.get("warning"):
        lines.append(f"  {one_line(str(question['warning']))}")
    lines.append(f'  it says: "{text["reason"]}"' if text["reason"] else "  it gives no reason")
    return lines


def read_line(interrupted: Callable[[], bool]) -> str | None:
    """Read a line that is typed; None when it is not wanted any more, empty at the end of the input."""
    descriptor = sys.stdin.fileno()
    while not interrupted():
        if select.select([descriptor], [], [], _LOOK_S)[0]:
            return os.read(descriptor, 1024).decode(errors="replace")
    return None
