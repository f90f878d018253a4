"""A worker's log when its disk is not as it should be."""

import shutil
from pathlib import Path

from viloapp_core.supervise.log import MAX_BYTES, RotatingLog


def test_a_file_that_cannot_be_made_loses_lines_and_nothing_else(tmp_path: Path) -> None:
    """Neither a start nor an end of a process waits for its log; it goes on once that can be written."""
    folder = tmp_path / "log"
    folder.write_text("a file where the folder belongs")
    log = RotatingLog(folder)
    log.write(b"lost\n")
    folder.unlink()
    log.write(b"kept\n")
    log.close()
    assert log.path.read_bytes() == b"kept\n"
    assert log.tail(2) == ["lost", "kept"]


def test_a_log_that_could_not_be_rotated_goes_on(tmp_path: Path) -> None:
    """Its next line comes to a new file, however the change of files went."""
    folder = tmp_path / "log"
    log = RotatingLog(folder)
    shutil.rmtree(folder)
    folder.write_text("a file where the folder belongs")
    log.write(b"x" * (MAX_BYTES + 1))
    log.write(b"lost\n")
    folder.unlink()
    log.write(b"kept\n")
    log.close()
    assert log.path.read_bytes() == b"kept\n"
