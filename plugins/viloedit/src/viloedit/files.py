"""Files of the workspace folder: found, read, and written so that no moment shows half of them."""

import os
import secrets
import stat
from pathlib import Path

from viloedit.documents import EMPTY, Document, decode, digest, encode
from viloedit.errors import (
    ChangedOnDiskError,
    FileAccessError,
    FileExistsAlreadyError,
    NoSuchFileError,
    NotTextError,
    OutsideFolderError,
    TooLargeError,
)

__all__ = ["MAX_BYTES", "Folder"]

MAX_BYTES = 5 * 1024 * 1024
"""The largest file that is opened; beyond it the page's editor stops being pleasant."""


class Folder:
    """The workspace folder.

    Args:
        root: its path; symbolic links in it are followed.
    """

    def __init__(self, root: str) -> None:
        self._root = Path(os.path.realpath(root))

    def locate(self, path: str) -> str:
        """Return ``path``, absolute or relative to the folder, as the folder's own relative path.

        Raises:
            OutsideFolderError: it leads out of the folder, by ``..`` or through a link.
        """
        real = Path(os.path.realpath(self._root / path))
        if not real.is_relative_to(self._root):
            raise OutsideFolderError(
                f"{path} is outside the workspace folder {self._root}",
                f"open its folder as the workspace: viloapp {real.parent}",
            )
        return real.relative_to(self._root).as_posix()

    def read(self, path: str) -> Document:
        """Return the document at ``path``, a result of `locate`.

        Raises:
            NoSuchFileError: there is none.
            NotTextError: it is a folder, a device, binary or not UTF-8.
            TooLargeError: it has more than `MAX_BYTES` bytes.
            FileAccessError: the system refuses.
        """
        return decode(self._bytes(path), path)

    def changed(self, path: str, document: Document) -> bool:
        """Return whether the file at ``path`` has other bytes now than when ``document`` was read."""
        try:
            return digest(self._bytes(path)) != document.digest
        except NoSuchFileError:
            return True

    def write(
        self, path: str, text: str, like: Document = EMPTY, *, overwrite: bool = False
    ) -> tuple[Document, int]:
        """Replace the file at ``path`` in one step; its mode stays, a new file gets the usual one.

        Args:
            path: a result of `locate`.
            text: what the editor shows.
            like: the document that was read from this path; `EMPTY` when there was none.
            overwrite: whether a file that is not ``like`` any more may be replaced.

        Returns:
            The document as it is on disk now, and its length in bytes.

        Raises:
            ChangedOnDiskError: somebody else wrote the file since it was read.
            FileExistsAlreadyError: there is a file that was never read.
            NoSuchFileError: the folder for it does not exist.
            FileAccessError: the system refuses.
        """
        data = encode(text, like)
        if not overwrite:
            self._check_unchanged(path, like)
        try:
            _replace(self._root / path, data)
        except FileNotFoundError as error:
            raise NoSuchFileError(f"there is no folder for {path}", "create the folder first") from error
        except OSError as error:
            raise FileAccessError(f"{path} was not saved: {error.strerror}", _HINT) from error
        return decode(data, path), len(data)

    def _check_unchanged(self, path: str, like: Document) -> None:
        if not like.digest and (self._root / path).exists():
            raise FileExistsAlreadyError(
                f"{path} exists already", "choose another name, or save with overwrite"
            )
        if like.digest and (self._root / path).exists() and self.changed(path, like):
            raise ChangedOnDiskError(
                f"{path} was changed on disk by another program; it was not saved",
                "“Editor: Reload” takes the file's new text, “Editor: Overwrite” saves yours",
            )

    def _bytes(self, path: str) -> bytes:
        try:
            # Not blocking: opening a named pipe would otherwise wait for somebody to write to it.
            fd = os.open(self._root / path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                return _read_text_file(fd, path)
            finally:
                os.close(fd)
        except FileNotFoundError as error:
            raise NoSuchFileError(
                f"there is no file {path}", f"the workspace folder is {self._root}"
            ) from error
        except OSError as error:
            raise FileAccessError(f"{path} cannot be read: {error.strerror}", _HINT) from error


_HINT = "check its owner and mode: ls -l"


def _read_text_file(fd: int, path: str) -> bytes:
    """Return all bytes of an open file, one more than `MAX_BYTES` at most while it grows."""
    status = os.fstat(fd)
    if stat.S_ISDIR(status.st_mode):
        raise NotTextError(f"{path} is a folder", "open a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise NotTextError(f"{path} is no regular file", "open a file")
    if status.st_size > MAX_BYTES:
        raise _too_large(path, status.st_size)
    with open(fd, "rb", closefd=False) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _too_large(path, len(data))
    return data


def _too_large(path: str, size: int) -> TooLargeError:
    return TooLargeError(
        f"{path} has {size / 1e6:.1f} MB; the editor opens files up to {MAX_BYTES / 1e6:.1f} MB",
        "look at it in a terminal, for example with less",
    )


def _replace(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path`` and rename it over: readers see the old file or the new one."""
    try:
        before: os.stat_result | None = path.stat()
    except FileNotFoundError:
        before = None
    if before is not None and not os.access(path, os.W_OK):
        raise PermissionError(13, "the file is read-only")  # a rename would not ask
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600 if before else 0o666)
    try:
        with open(fd, "wb") as file:
            file.write(data)
            if before is not None:
                _take_after(file.fileno(), before)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _take_after(fd: int, before: os.stat_result) -> None:
    """Give the file the owner, where the system allows it, and the mode of the one that it replaces."""
    if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
        try:
            os.fchown(fd, before.st_uid, before.st_gid)
        except PermissionError:
            os.fchmod(fd, stat.S_IMODE(before.st_mode) & 0o777)  # never another's set-uid bit
            return
    os.fchmod(fd, stat.S_IMODE(before.st_mode))
