"""The commands of the terminal plugin."""

from typing import Any

from viloapp_sdk import Plugin, PluginContext, PluginEvent, command
from viloxterm.errors import NoTerminalError
from viloxterm.terminal import APPEARANCE, Terminal

__all__ = ["ViloXterm"]


class ViloXterm(Plugin):
    """Terminals in the workspace."""

    widgets = (Terminal,)

    def initialize(self, context: PluginContext) -> None:
        """Follow the settings, so that a new font size shows at once."""
        super().initialize(context)
        context.settings.subscribe(self._on_setting)

    @command("viloxterm.new", title="Terminal: New")
    def new_terminal(self, cwd: str = "", profile: str = "", name: str = "") -> dict[str, Any]:
        """Open a terminal in a new tab, in the workspace folder unless `cwd` names another."""
        instance = self.context.services.workspace.add_widget(
            Terminal.id, {"cwd": cwd, "profile": profile, "name": name}
        )
        return self._describe(Terminal.opened[instance])

    @command("viloxterm.list", title="Terminal: List")
    def list_terminals(self) -> list[dict[str, Any]]:
        """Return the open terminals: `terminal`, `instance`, `title`, `cwd`, `profile`, `alive`."""
        return [self._describe(terminal) for terminal in Terminal.opened.values()]

    @command("viloxterm.rename", title="Terminal: Rename")
    def rename_terminal(self, name: str, terminal: str = "") -> dict[str, Any]:
        """Show `name` on a terminal's tab; without `terminal`, on the active one."""
        chosen = self._choose(terminal)
        chosen.rename(name)
        return self._describe(chosen)

    @command("viloxterm.close", title="Terminal: Close")
    def close_terminal(self, terminal: str = "") -> dict[str, Any]:
        """End a terminal and close its tab; without `terminal`, the active one."""
        chosen = self._choose(terminal)
        self.context.services.workspace.remove_widget(chosen.instance_id)
        return {"terminal": chosen.terminal, "instance": chosen.instance_id}

    def _choose(self, terminal: str) -> Terminal:
        """Return the terminal with this id or instance id, or the active one when it is empty.

        Raises:
            NoTerminalError: there is none.
        """
        opened = Terminal.opened
        if terminal:
            for candidate in opened.values():
                if terminal in (candidate.terminal, candidate.instance_id):
                    return candidate
            raise NoTerminalError(
                f"no open terminal is called {terminal!r}", "see: viloapp call viloxterm.list"
            )
        active = self.context.services.workspace.get_active_widget()
        if active and active["instance"] in opened:
            return opened[active["instance"]]
        if len(opened) == 1:
            return next(iter(opened.values()))
        if not opened:
            raise NoTerminalError("no terminal is open", "open one with: viloapp call viloxterm.new")
        raise NoTerminalError("no terminal has the focus", "name one: see viloapp call viloxterm.list")

    def _describe(self, terminal: Terminal) -> dict[str, Any]:
        living = {one["id"]: one for one in self.context.services.terminals.list()}
        now = living.get(terminal.terminal, {})
        return {
            "terminal": terminal.terminal,
            "instance": terminal.instance_id,
            "title": terminal.get_title(),
            "cwd": now.get("cwd") or terminal.cwd,
            "pid": now.get("pid"),
            "profile": terminal.profile,
            "alive": bool(now),
        }

    def _on_setting(self, event: PluginEvent) -> None:
        if event.data.get("name") in APPEARANCE:
            for terminal in Terminal.opened.values():
                terminal.update(terminal.data())
