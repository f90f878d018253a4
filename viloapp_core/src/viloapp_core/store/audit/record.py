"""RECORD: every file of the wheel, once, with its size and a strong hash, and nothing else.

Source: "Recording installed projects" and "Binary distribution format", packaging.python.org.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from viloapp_core.store.audit import bounds
from viloapp_core.store.audit.names import shown

__all__ = ["Row", "Rows", "new_hash", "parse", "row_issues", "is_digest"]

# sha256 or better, as the specification has it; md5 and sha1 it forbids.
_ALGORITHMS: Mapping[str, Callable[[], hashlib._Hash]] = {
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
    "sha3_256": hashlib.sha3_256,
    "sha3_384": hashlib.sha3_384,
    "sha3_512": hashlib.sha3_512,
}
# Signatures of RECORD cannot be in it.
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")

Row = tuple[str, str]
"""Hash, as ``algorithm=digest``, and size."""
Rows = dict[str, Row]


def parse(data: bytes) -> tuple[Rows, list[str]]:
    """Return RECORD's rows by path, and what is wrong with its form."""
    rows: Rows = {}
    issues = []
    try:
        # More rows than a wheel can have members say nothing new.
        reader = csv.reader(io.StringIO(data.decode("utf-8"), newline=""))
        lines = list(islice(reader, bounds.MEMBERS + 1))
    except (UnicodeDecodeError, csv.Error) as error:
        return {}, [f"RECORD: cannot be read: {error}"]
    if len(lines) > bounds.MEMBERS:
        return {}, [f"RECORD: has more than {bounds.MEMBERS} rows"]
    for number, line in enumerate(lines, start=1):
        if len(line) != 3:
            issues.append(f"RECORD: row {number} has not path, hash and size")
        elif line[0] in rows:
            issues.append(f"{shown(line[0])}: is in RECORD twice")
        else:
            rows[line[0]] = (line[1], line[2])
    return rows, issues


def row_issues(rows: Rows, files: Mapping[str, int], dist_info: str) -> Iterator[str]:
    """Yield where RECORD is silent, weak, or speaks of what is not there; hashes are compared elsewhere.

    Args:
        rows: of RECORD.
        files: size in bytes by path.
        dist_info: name of the wheel's ``.dist-info``.
    """
    record = f"{dist_info}/RECORD"
    unlisted = {f"{dist_info}/{name}" for name in _SIGNATURES}
    for name in sorted(rows.keys() - files.keys()):
        yield f"{shown(name)}: is in RECORD, but not in the wheel"
    for name, size in files.items():
        row = rows.get(name)
        if row is None:
            if name not in unlisted:
                yield f"{shown(name)}: is not in RECORD"
        elif name == record:
            if row != ("", ""):
                yield f"{shown(name)}: has a hash or a size of its own"
        elif name in unlisted:
            yield f"{shown(name)}: is in RECORD, which it signs"
        elif new_hash(row[0]) is None:
            algorithm = row[0].partition("=")[0]
            told = f"has the hash {shown(algorithm)}, which is not strong" if algorithm else "has no hash"
            yield f"{shown(name)}: {told} in RECORD: it takes sha256 or better"
        elif row[1] != str(size):
            yield f"{shown(name)}: has {size} bytes, not the {shown(row[1]) or 'missing number'} of RECORD"


def new_hash(told: str) -> hashlib._Hash | None:
    """Return a hash of a row's algorithm, to be fed; None where it is not strong."""
    maker = _ALGORITHMS.get(told.partition("=")[0])
    return maker() if maker is not None else None


def is_digest(told: str, digest: bytes) -> bool:
    """Whether a row's hash is that digest."""
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return told.partition("=")[2].rstrip("=") == expected
