"""The editor widget: one tab, one text, and the file it came from, if any."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any, ClassVar

from viloapp_sdk import Widget
from viloedit.buffers import from_buffer
from viloedit.documents import EMPTY, Document
from viloedit.errors import EditorError, NoPathError, NoSuchFileError
from viloedit.files import Folder
from viloedit.languages import LANGUAGES, language_of

__all__ = ["APPEARANCE", "Editor"]

APPEARANCE = ("fontSize", "fontFamily", "tabSize", "wordWrap", "lineNumbers", "theme")
"""The settings that the page draws with; a change reaches every open editor at once."""

_START = {"line": 1, "column": 1}


class Editor(Widget):
    """A text editor in a tab."""

    id = "viloedit.editor"
    title = "Untitled"
    icon = "file"
    kind = "editor"
    position = "main"

    opened: ClassVar[dict[str, "Editor"]] = {}
    """The open tabs of this worker by instance id, for the commands that act on one of them."""

    def __init__(self) -> None:
        self.path: str | None = None
        self.text = ""
        self.cursor: dict[str, int] = dict(_START)
        self.selection: dict[str, dict[str, int]] | None = None
        self.syntax = ""  # the language of a text without a file
        self.document: Document = EMPTY
        self._told = False  # that the file was changed on disk
        self._unfollow: Callable[[], None] = lambda: None
        self._state: dict[str, Any] = {}

    @property
    def folder(self) -> Folder:
        """The workspace folder as it is now."""
        return Folder(self.context.services.workspace.get_folder())

    @property
    def modified(self) -> bool:
        """Whether the text differs from what was read or saved last."""
        return self.text != self.document.text or (self.path is not None and not self.document.digest)

    @property
    def language(self) -> str:
        """The file's language, or the one that a text without a file had."""
        return self.syntax if not self.path and self.syntax in LANGUAGES else language_of(self.path or "")

    def get_title(self) -> str:
        """Return the file's name; what a text without one is called, in the person's language."""
        return PurePath(self.path).name if self.path else self.context.i18n.t("untitled")

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take back path, unsaved text and cursor, or a ``buffer`` of before; called before `create`."""
        self._state = dict(state)

    def _of_buffer(self, buffer: dict[str, Any]) -> dict[str, Any]:
        """Return the state for a buffer of the application before this one.

        Its file may be outside the workspace folder, or gone, and the text that was kept is then all there
        is: it comes as a text without a file, or as one that was not saved.
        """
        state = from_buffer(buffer)
        path, content = state["path"], state["content"]
        if not path:
            return state | {"text": content}
        try:
            document = self.folder.read(self.folder.locate(path))
        except NoSuchFileError:
            return state | {"text": content} if content or state["modified"] else state
        except EditorError as error:
            if not content:
                return state  # and `create` says why it cannot be shown
            told = self.context.i18n.t("text_kept", problem=error.detail)
            self.context.services.notifications.show(told, "warning")
            return state | {"path": None, "text": content}
        if state["modified"] and content != document.text:
            # Nobody knows what it was typed over, so that saving it asks.
            self._told = True
            return state | {"text": content, "base": ""}
        return state

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        """Show the file of ``params`` or of the restored state, with the unsaved text of that state.

        Args:
            params: ``{"path"?, "text"?}``.

        Raises:
            EditorError: the file cannot be shown.
        """
        state, self._state = self._state, {}
        if isinstance(state.get("buffer"), dict):
            state = self._of_buffer(state["buffer"])
        path = state.get("path") or params.get("path")
        unsaved = state.get("text")
        if path:
            self.path = self.folder.locate(str(path))
            self._read(optional=unsaved is not None)
        self.text = self.document.text if unsaved is None else str(unsaved)
        if not path and unsaved is None:
            self.text = str(params.get("text") or "")
        self.cursor = _cursor(state.get("cursor"))
        self.selection = _selection(state.get("selection"))
        self.syntax = str(state.get("syntax") or "")
        self.opened[self.instance_id] = self
        if not self.path:
            self._unfollow = self.context.i18n.on_change(lambda locale: self.update(title=self.get_title()))
        if unsaved is not None and path and state.get("base", "") != self.document.digest:
            # Unsaved text that was typed over other bytes than these: saving it has to ask.
            self.document = self.document._replace(digest=str(state.get("base", "")))
            self._tell()
        return self.data()

    def _read(self, *, optional: bool = False) -> None:
        assert self.path is not None
        try:
            self.document = self.folder.read(self.path)
        except NoSuchFileError:
            if not optional:
                raise
            self.document = EMPTY

    def data(self) -> dict[str, Any]:
        """Return everything that the page draws."""
        return {
            "path": self.path,
            "text": self.text,
            "language": self.language,
            "modified": self.modified,
            "cursor": self.cursor,
            **({"selection": self.selection} if self.selection else {}),
            **self.appearance(),
        }

    def appearance(self) -> dict[str, Any]:
        """Return the settings that the page draws with."""
        values = self.context.settings.as_dict()
        return {name: values[name] for name in APPEARANCE if name in values}

    def handle_command(self, command: str, args: dict[str, Any]) -> Any:
        """Answer the page.

        ``save`` {"text", "path"?, "overwrite"?} → {"path", "bytes"}; ``changed`` {"text", "cursor",
        "selection"?} → {"modified", "changedOnDisk"}; ``reload`` {} → the data.
        """
        if command == "save":
            self.text = str(args.get("text", self.text))
            return self.save(str(args.get("path") or ""), overwrite=args.get("overwrite") is True)
        if command == "changed":
            return self._changed(args)
        if command == "reload":
            return self.reload()
        return super().handle_command(command, args)

    def _changed(self, args: dict[str, Any]) -> dict[str, Any]:
        self.text = str(args.get("text", self.text))
        self.cursor = _cursor(args.get("cursor", self.cursor))
        self.selection = _selection(args.get("selection"))
        stale = self._stale()
        if stale:
            self._tell()
        return {"modified": self.modified, "changedOnDisk": stale}

    def _stale(self) -> bool:
        return bool(self.path and self.document.digest and self.folder.changed(self.path, self.document))

    def _tell(self) -> None:
        """Say once that somebody else wrote the file."""
        if not self._told:
            self._told = True
            told = self.context.i18n.t("changed_on_disk", path=self.path)
            self.context.services.notifications.show(told, "warning")

    def save(self, path: str = "", *, overwrite: bool = False) -> dict[str, Any]:
        """Write the text to its file, or to ``path``, which becomes its file.

        Raises:
            EditorError: there is no path, or the file cannot or must not be written.
        """
        folder = self.folder
        target = folder.locate(path) if path else self.path
        if target is None:
            raise NoPathError("this text has no file yet", "save it with a path")
        same = target == self.path
        like = self.document if same else self.document._replace(digest="")
        self.document, length = folder.write(target, self.text, like, overwrite=overwrite)
        self.text = self.document.text
        self._told = False
        if not same:
            self.path = target
            self.update(
                {"path": target, "language": language_of(target), "modified": False}, title=self.get_title()
            )
        return {"path": target, "bytes": length}

    def reload(self) -> dict[str, Any]:
        """Take the text of the file as it is on disk now; unsaved text is given up.

        Raises:
            EditorError: there is no file, or it cannot be shown.
        """
        if self.path is None:
            raise NoPathError("this text has no file to reload", "save it with a path")
        self._read()
        self.text = self.document.text
        self._told = False
        return self.data()

    def get_state(self) -> dict[str, Any]:
        """Return path, cursor and, when there is unsaved text, that text and what it was typed over."""
        state: dict[str, Any] = {"path": self.path, "cursor": self.cursor}
        if self.selection:
            state["selection"] = self.selection
        if self.syntax and not self.path:
            state["syntax"] = self.syntax
        if self.modified:
            state |= {"text": self.text, "base": self.document.digest}
        return state

    def destroy(self) -> None:
        """Forget the tab."""
        self._unfollow()
        self.opened.pop(self.instance_id, None)


def _cursor(value: object) -> dict[str, int]:
    """Return a cursor whatever the page or an old state sent; lines and columns count from 1."""
    given = value if isinstance(value, dict) else {}
    return {key: max(1, int(given.get(key) or 1)) for key in ("line", "column")}


def _selection(value: object) -> dict[str, dict[str, int]] | None:
    """Return a selection whatever was sent: from ``anchor`` to ``head``, where the cursor is."""
    given = value if isinstance(value, dict) else {}
    anchor, head = (_cursor(given.get(key)) for key in ("anchor", "head"))
    return {"anchor": anchor, "head": head} if anchor != head else None
