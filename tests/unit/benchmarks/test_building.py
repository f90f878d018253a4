"""What a benchmark measures is what is here."""

import zipfile
from pathlib import Path

import pytest

import viloapp_sdk
from benchmarks.building import other_sdk


@pytest.mark.parametrize(("added", "other"), [(b"", False), (b"\n", True)])
def test_an_sdk_that_is_not_what_is_here_is_noticed(tmp_path: Path, added: bytes, other: bool) -> None:
    """Plugins get a wheel that was built at the last set-up: one byte of one module is enough."""
    here, wheel = Path(viloapp_sdk.__file__).parent, tmp_path / "sdk.whl"
    with zipfile.ZipFile(wheel, "w") as written:
        for each in here.rglob("*.py"):
            name = each.relative_to(here.parent).as_posix()
            written.writestr(name, each.read_bytes() + (added if name == "viloapp_sdk/_wire.py" else b""))
    assert other_sdk(wheel) == other
