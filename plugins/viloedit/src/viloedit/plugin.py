"""The commands of the editor plugin."""

from typing import Any

from viloapp_sdk import Plugin, PluginContext, PluginEvent, command
from viloedit.editor import APPEARANCE, Editor
from viloedit.errors import NoEditorError
from viloedit.files import Folder

__all__ = ["ViloEdit"]


class ViloEdit(Plugin):
    """Text editors in the workspace."""

    widgets = (Editor,)

    def initialize(self, context: PluginContext) -> None:
        """Follow the settings, so that a new font size shows at once."""
        super().initialize(context)
        context.settings.subscribe(self._on_setting)

    @command("viloedit.open", title="Editor: Open file")
    def open_file(self, path: str) -> dict[str, Any]:
        """Open a file of the workspace folder in a new tab; `path` is relative to that folder."""
        folder = Folder(self.context.services.workspace.get_folder())
        found = folder.locate(path)
        folder.read(found)  # what cannot be shown is refused here, before there is a tab
        return self._open({"path": found})

    @command("viloedit.new", title="Editor: New file")
    def new_file(self, text: str = "") -> dict[str, Any]:
        """Open an editor for a text that has no file yet."""
        return self._open({"text": text})

    @command("viloedit.save", title="Editor: Save")
    def save(self, path: str = "", instance: str = "") -> dict[str, Any]:
        """Save an editor's text, under `path` when given; without `instance`, the active editor's."""
        return self._save(instance, path, overwrite=False)

    @command("viloedit.overwrite", title="Editor: Overwrite the file on disk")
    def overwrite(self, path: str = "", instance: str = "") -> dict[str, Any]:
        """Save an editor's text even when the file was changed by another program or exists already."""
        return self._save(instance, path, overwrite=True)

    @command("viloedit.reload", title="Editor: Reload from disk")
    def reload(self, instance: str = "") -> dict[str, Any]:
        """Show the file as it is on disk now, giving up unsaved text."""
        editor = self._choose(instance)
        editor.update(editor.reload())
        return self._describe(editor)

    @command("viloedit.list", title="Editor: List")
    def list_editors(self) -> list[dict[str, Any]]:
        """Return the open editors: `instance`, `path`, `language`, `modified`, `cursor`."""
        return [self._describe(editor) for editor in Editor.opened.values()]

    def _open(self, params: dict[str, Any]) -> dict[str, Any]:
        instance = self.context.services.workspace.add_widget(Editor.id, params)
        return self._describe(Editor.opened[instance])

    def _save(self, instance: str, path: str, *, overwrite: bool) -> dict[str, Any]:
        editor = self._choose(instance)
        saved = editor.save(path, overwrite=overwrite)
        editor.update({"modified": False})
        return saved

    def _choose(self, instance: str) -> Editor:
        """Return the editor of this instance, or the active one when it is empty.

        Raises:
            NoEditorError: there is none.
        """
        opened = Editor.opened
        if instance:
            if instance not in opened:
                raise NoEditorError(f"no open editor is called {instance!r}", "viloapp call viloedit.list")
            return opened[instance]
        active = self.context.services.workspace.get_active_widget()
        if active and active["instance"] in opened:
            return opened[active["instance"]]
        if len(opened) == 1:
            return next(iter(opened.values()))
        if not opened:
            raise NoEditorError("no editor is open", "open one with: viloapp call viloedit.open")
        raise NoEditorError("no editor has the focus", "name one: see viloapp call viloedit.list")

    def _describe(self, editor: Editor) -> dict[str, Any]:
        shown = editor.data()
        wanted = ("path", "language", "modified", "cursor")
        return {"instance": editor.instance_id} | {key: shown[key] for key in wanted}

    def _on_setting(self, event: PluginEvent) -> None:
        if event.data.get("name") in APPEARANCE:
            for editor in Editor.opened.values():
                editor.update(editor.appearance())
