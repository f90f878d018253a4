"""Which command belongs to which plugin."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Self

from viloapp_sdk.errors import UnknownCommandError

__all__ = ["Command", "Commands"]

# Ids have at most 128 characters. To look for what is close to a name takes time by the square of its length,
# and the name may come from a plugin.
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Command:
    """A command as palettes show it."""

    id: str
    plugin_id: str
    title: str
    description: str = ""
    parameters: tuple[Mapping[str, Any], ...] = ()
    keybinding: str = ""
    idempotent: bool = False
    """Whether it may be run again when the process of its plugin is lost in the middle."""

    @classmethod
    def from_json(cls, plugin_id: str, row: Mapping[str, Any], keybinding: str) -> Self:
        """Read a command of a manifest, or of what a worker offers at run time."""
        return cls(
            id=row["id"],
            plugin_id=plugin_id,
            title=str(row.get("title") or row["id"]),
            description=str(row.get("description") or ""),
            parameters=tuple(row.get("parameters") or ()),
            keybinding=keybinding,
            idempotent=bool(row.get("idempotent")),
        )

    def to_json(self) -> dict[str, Any]:
        """Return ``{"id", "plugin", "title", "description", "parameters", "keybinding"}``."""
        return {
            "id": self.id,
            "plugin": self.plugin_id,
            "title": self.title,
            "description": self.description,
            "parameters": [dict(parameter) for parameter in self.parameters],
            "keybinding": self.keybinding,
        }


class Commands:
    """The commands of all enabled plugins; the first to register an id keeps it."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}
        self._known: dict[str, tuple[str, str, bool]] = {}  # what `known` says of each: every call asks

    def register(self, commands: Iterable[Command]) -> None:
        """Add commands; an id that another plugin holds stays with that one."""
        for command in commands:
            known = self._commands.get(command.id)
            if known is None or known.plugin_id == command.plugin_id:
                self._commands[command.id] = command
                self._known[command.id] = (command.plugin_id, command.id, command.idempotent)

    def forget(self, plugin_id: str) -> None:
        """Drop every command of a plugin."""
        self._commands = {id: known for id, known in self._commands.items() if known.plugin_id != plugin_id}
        self._known = {id: self._known[id] for id in self._commands}

    def known(self, name: str) -> tuple[str, str, bool] | None:
        """Return plugin id, command id, whether it may be run twice; of ``command`` or ``plugin-id:command``.

        None when nobody has registered it.
        """
        if (found := self._known.get(name)) is not None:
            return found
        plugin_id, colon, id = name.partition(":")
        if colon and any(known.plugin_id == plugin_id for known in self._commands.values()):
            return plugin_id, id, self.idempotent(id)
        return None

    def find(self, name: str) -> tuple[str, str, bool]:
        """Return what `known` does.

        Raises:
            UnknownCommandError: nobody has it; the hint names what is close.
        """
        if (known := self.known(name)) is not None:
            return known
        shown = name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}…"
        close = get_close_matches(name, self._commands, n=3, cutoff=0.5) if shown == name else []
        hint = (
            f"did you mean {' or '.join(close)}?"
            if close
            else "`viloapp list` shows what is installed and enabled"
        )
        raise UnknownCommandError(f"no enabled plugin has a command {shown!r}", hint)

    def idempotent(self, id: str) -> bool:
        """Return whether a command of that id may be run twice."""
        return id in self._commands and self._commands[id].idempotent

    def all(self) -> list[Command]:
        """Return every command, by id."""
        return [self._commands[id] for id in sorted(self._commands)]
