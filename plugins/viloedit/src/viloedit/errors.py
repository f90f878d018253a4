"""What can go wrong between a file and an editor."""

from viloapp_sdk.errors import ViloError

__all__ = [
    "ChangedOnDiskError",
    "EditorError",
    "FileAccessError",
    "FileExistsAlreadyError",
    "NoEditorError",
    "NoPathError",
    "NoSuchFileError",
    "NotTextError",
    "OutsideFolderError",
    "TooLargeError",
]


class EditorError(ViloError):
    """Root of this plugin's errors; each subclass fixes its ``CODE``."""

    CODE = "editor"

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(self.CODE, detail, hint)


class OutsideFolderError(EditorError):
    """The path leads out of the workspace folder."""

    CODE = "outside_workspace"


class NoSuchFileError(EditorError):
    """There is no file, or no folder for it, at the path."""

    CODE = "no_such_file"


class NotTextError(EditorError):
    """The file is binary, not UTF-8, or no regular file."""

    CODE = "not_text"


class TooLargeError(EditorError):
    """The file is larger than an editor in a page can hold."""

    CODE = "too_large"


class ChangedOnDiskError(EditorError):
    """Somebody else wrote the file since it was read."""

    CODE = "changed_on_disk"


class FileExistsAlreadyError(EditorError):
    """Saving would overwrite a file that the editor never showed."""

    CODE = "file_exists"


class FileAccessError(EditorError):
    """The system refused to read or write."""

    CODE = "file_access"


class NoPathError(EditorError):
    """The text has no file yet."""

    CODE = "no_path"


class NoEditorError(EditorError):
    """There is no open editor to do this to."""

    CODE = "no_editor"
