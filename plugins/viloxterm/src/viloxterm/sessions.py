"""A terminal of the application before this one: its shell, its environment and its history.

The host starts the shell, which reads its history by itself from the file that ``HISTFILE`` names: bash and
zsh do. That file is this plugin's, one for each session, and the shell goes on writing to it.
"""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

from viloxterm.errors import ProfileError
from viloxterm.profiles import split

__all__ = ["Session", "read_session"]


class Session(NamedTuple):
    """What is restored.

    Attributes:
        id: the old application's.
        title: for the tab.
        cwd: its folder; empty for the workspace folder.
        shell: its command line; empty for the one of the settings.
        environment: variables on top of the host's.
        history: commands, oldest first.
    """

    id: str
    title: str
    cwd: str
    shell: str
    environment: dict[str, str]
    history: tuple[str, ...]

    @property
    def argv(self) -> tuple[str, ...] | None:
        """Program and arguments; None for those of the settings, also where these are no command line."""
        try:
            return split(self.shell, f"the session {self.id}")
        except ProfileError:
            return None

    def variables(self, storage: Path) -> dict[str, str]:
        """Return the environment, with the history in a file where there is one.

        Args:
            storage: the plugin's own folder.
        """
        if not self.history:
            return dict(self.environment)
        # The id comes from a file that anybody may have written, and must not lead anywhere.
        name = hashlib.sha256(self.id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        file = storage / "history" / name
        if not file.exists():  # else the shell has written on
            file.parent.mkdir(mode=0o700, exist_ok=True)
            text = "".join(f"{command}\n" for command in self.history)
            file.write_bytes(text.encode("utf-8", "surrogatepass"))
        return {**self.environment, "HISTFILE": str(file)}

    def as_dict(self) -> dict[str, Any]:
        """Return what `read_session` takes."""
        return {**self._asdict(), "history": list(self.history)}


def read_session(value: object) -> Session | None:
    """Return the session of a state, whatever that holds; None when it has none.

    Source: the specification, State Migration: ``{"id", "title", "cwd", "shell", "environment", "history"}``.
    """
    if not isinstance(value, dict):
        return None
    environment, history = value.get("environment"), value.get("history")
    return Session(
        str(value.get("id") or ""),
        str(value.get("title") or ""),
        str(value.get("cwd") or ""),
        str(value.get("shell") or ""),
        {str(name): str(each) for name, each in environment.items()} if isinstance(environment, dict) else {},
        tuple(str(each) for each in history) if isinstance(history, list) else (),
    )
