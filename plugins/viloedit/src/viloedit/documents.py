r"""Bytes on disk and the text of an editor: there and back without losing anything.

An editor in a page knows one line ending and no byte order mark; a file may have either, or several. A
`Document` remembers what the file had, so that saving an edited line changes that line alone.

    >>> document = decode(b"\xef\xbb\xbfone\r\ntwo\r\n")
    >>> document.text
    'one\ntwo\n'
    >>> encode("one\n2\n", document)
    b'\xef\xbb\xbfone\r\n2\r\n'
"""

import hashlib
import re
from typing import NamedTuple

from viloedit.errors import NotTextError

__all__ = ["EMPTY", "Document", "decode", "digest", "encode"]

_BOM = b"\xef\xbb\xbf"
_ENDING = re.compile("\r\n|\r|\n")  # what the page's editor splits lines at


class Document(NamedTuple):
    r"""The text of a file and what is needed to write it back.

    Attributes:
        text: with ``\n`` at every line's end.
        endings: what each line of the file ended with, in order.
        bom: whether the file began with a UTF-8 byte order mark.
        digest: SHA-256 of the file's bytes, in hexadecimal; empty for a text that has no file.
    """

    text: str
    endings: tuple[str, ...]
    bom: bool
    digest: str

    @property
    def newline(self) -> str:
        """The ending that new lines get: the most frequent one."""
        return max(("\n", "\r\n", "\r"), key=self.endings.count)


EMPTY = Document("", (), False, "")


def digest(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def decode(data: bytes, name: str = "the file") -> Document:
    """Return the document that ``data`` holds.

    Raises:
        NotTextError: it is binary, or text in another encoding than UTF-8.
    """
    if b"\0" in data:
        raise NotTextError(
            f"{name} is binary, and this editor shows text", "open it with a program of its own kind"
        )
    bom = data.startswith(_BOM)
    try:
        raw = data[len(_BOM) :].decode("utf-8") if bom else data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotTextError(
            f"{name} is not UTF-8 text: byte {error.start} is 0x{error.object[error.start]:02x}",
            "convert it first, for example: iconv -f latin1 -t utf-8",
        ) from error
    endings = tuple(_ENDING.findall(raw))
    text = raw if set(endings) <= {"\n"} else _ENDING.sub("\n", raw)
    return Document(text, endings, bom, digest(data))


def encode(text: str, like: Document) -> bytes:
    """Return the bytes of ``text`` with the line endings and the mark that ``like`` had.

    Lines before the first and after the last difference keep their own endings; the lines between, and
    all lines of a file with one kind of ending, get the most frequent one. That takes one pass from
    either end, where a true difference of two long texts would be quadratic.
    """
    lines = _ENDING.sub("\n", text).split("\n")
    kinds = set(like.endings)
    if len(kinds) <= 1:
        body = like.newline.join(lines)
    else:
        body = "".join(
            line + ending for line, ending in zip(lines, [*_endings(lines, like), ""], strict=True)
        )
    return (_BOM if like.bom else b"") + body.encode("utf-8")


def _endings(lines: list[str], like: Document) -> list[str]:
    """Return the ending of each line but the last, which has none."""
    old = like.text.split("\n")
    count, had = len(lines) - 1, len(old) - 1
    head = 0
    while head < min(count, had) and lines[head] == old[head]:
        head += 1
    tail = 0
    while tail < min(count, had) - head and lines[-1 - tail] == old[-1 - tail]:
        tail += 1
    # The ending before a kept tail line belongs to the line above it: keep as many as there are tail lines.
    middle = [like.newline] * (count - head - tail)
    return [*like.endings[:head], *middle, *like.endings[had - tail :]]
