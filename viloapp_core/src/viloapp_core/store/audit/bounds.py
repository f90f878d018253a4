"""How large a wheel may be, generous enough for the largest that exist.

The largest wheels of public indexes, such as torch with CUDA, have up to 4 GiB in 20,000 files, unpack to
less than three times their size, and hold single libraries of 2 GiB; numpy has 70 MiB in 1,500 files.
Archives inside a wheel are data: nothing ever unpacks them, so what is nested in them is not counted.
"""

from __future__ import annotations

__all__ = [
    "DIRECTORY_BYTES",
    "FORM_BYTES",
    "ISSUES",
    "LEVELS",
    "MEMBERS",
    "MEMBER_BYTES",
    "METADATA_BYTES",
    "NAME_BYTES",
    "PATH_BYTES",
    "RATIO",
    "RATIO_FROM_BYTES",
    "RECORD_BYTES",
    "TAGS",
    "UNPACKED_BYTES",
]

MEMBERS = 100_000
"""Files and folders in one wheel."""
DIRECTORY_BYTES = 64 * 2**20
"""Bytes of the archive's directory, which has to fit into memory."""
MEMBER_BYTES = 8 * 2**30
"""Bytes of one file, unpacked."""
UNPACKED_BYTES = 16 * 2**30
"""Bytes of all files of one wheel, unpacked."""
RATIO = 100
"""How many times its packed size a file, or a whole wheel, may have unpacked; deflate reaches 1,032."""
RATIO_FROM_BYTES = 64 * 2**20
"""Unpacked bytes from which `RATIO` counts: a small file of zeros is no bomb."""
RECORD_BYTES = 32 * 2**20
"""Bytes of RECORD: `MEMBERS` rows of 300."""
METADATA_BYTES = 8 * 2**20
"""Bytes of METADATA, which is read into memory and has the project's whole description."""
FORM_BYTES = 256 * 2**10
"""Bytes of WHEEL and of entry_points.txt, which are read into memory and parsed."""
TAGS = 10_000
"""Tags in WHEEL: one line can multiply three lists into any number."""
NAME_BYTES = 255
"""Bytes of one part of a path, in UTF-8. Source: NAME_MAX of Linux' file systems."""
PATH_BYTES = 1024
"""Bytes of a path in a wheel, in UTF-8: PATH_MAX is 4096, and the store's own path comes before it."""
LEVELS = 64
"""Parts of a path."""
ISSUES = 50
"""Issues that are told of one wheel; the rest is counted."""
