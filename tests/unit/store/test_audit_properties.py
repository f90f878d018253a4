"""Wheels at random: good ones pass; of a changed one, everybody reads the same or it is refused."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.fixtures.hostile_wheels import Entry, Sin, pack, plugin, seal
from viloapp_core.store import UnsafeWheelError
from viloapp_core.store.audit import Finding, audit
from viloapp_core.store.audit.names import folded, name_issues, shown

# Few letters, so that names meet; some that case or Unicode fold, none that alone makes a name special.
_PARTS = st.text(alphabet="abcXYZ019_-éßÅ大", min_size=1, max_size=6)
_PATHS = st.lists(_PARTS, min_size=1, max_size=4).map(lambda parts: "pkg/" + "/".join(parts) + ".txt")


def _apart(paths: list[str]) -> bool:
    """Whether no two of the paths are one on some file system."""
    keys = [folded(path) for path in paths]
    return len(set(keys)) == len(keys) and not any(
        other.startswith(f"{key}/") for key in keys for other in keys
    )


@st.composite
def _entries(draw: st.DrawFn) -> list[Entry]:
    """Draw a good plugin with a few files, packed or not, written as a stream or not."""
    extra = []
    for path in draw(st.lists(_PATHS, max_size=4).filter(_apart)):
        data = draw(st.binary(max_size=40)) * draw(st.integers(1, 20))
        entry = Entry(path, data, method=draw(st.sampled_from([0, 8])))
        if draw(st.booleans()):
            true = entry.header({})
            behind = struct.pack("<4s3I", b"PK\7\x08", true["crc"], true["packed"], true["size"])
            local = {"crc": 0, "packed": 0, "size": 0, "flags": true["flags"] | 8}
            central = {"flags": true["flags"] | 8}
            entry = Entry(path, data, entry.method, local=local, central=central, behind=behind)
        extra.append(entry)
    if draw(st.booleans()):
        extra.append(Entry("pkg/", attributes=0o040755 << 16))
    return seal(plugin(*extra))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all examples."""
    return tmp_path_factory.mktemp("wheels")


def _audited(folder: Path, data: bytes) -> Finding | None:
    """Return the finding, or None where the wheel is refused; any other outcome is a failure."""
    try:
        return audit(Sin(lambda: data, "").wheel(folder), own=True)
    except UnsafeWheelError:
        return None


def _content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


@given(entries=_entries())
@settings(max_examples=80)
def test_a_good_wheel_passes(folder: Path, entries: list[Entry]) -> None:
    """Whatever its files are called and hold."""
    finding = _audited(folder, pack(entries))
    assert finding is not None
    assert set(finding.names) == {entry.name for entry in entries if not entry.name.endswith("/")}


@given(entries=_entries(), data=st.data())
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_one_changed_byte_is_refused_or_harmless(
    folder: Path, entries: list[Entry], data: st.DataObject
) -> None:
    """Flipped, inserted or removed anywhere: what passes unpacks to the very same files."""
    good = pack(entries)
    at = data.draw(st.integers(0, len(good) - 1), label="at")
    kind = data.draw(st.sampled_from(["flip", "insert", "remove"]), label="kind")
    byte = data.draw(st.integers(1, 255), label="byte")
    if kind == "flip":
        changed = good[:at] + bytes([good[at] ^ byte]) + good[at + 1 :]
    elif kind == "insert":
        changed = good[:at] + bytes([byte]) + good[at:]
    else:
        changed = good[:at] + good[at + 1 :]
    assume(changed != good)
    finding = _audited(folder, changed)
    if finding is not None:
        assert kind == "flip"
        assert _content(folder / finding.wheel) == {entry.name: entry.data for entry in entries}


@given(entries=_entries(), data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_one_changed_member_is_refused(folder: Path, entries: list[Entry], data: st.DataObject) -> None:
    """Removed, doubled, renamed, or with other content, and with an archive that is itself in order."""
    files = [n for n, entry in enumerate(entries) if not entry.name.endswith("/")]
    at = data.draw(st.sampled_from(files), label="at")
    entry = entries[at]
    bare = Entry(entry.name, entry.data, entry.method)
    changed = {
        "removed": [],
        "doubled": [bare, bare],
        "renamed": [Entry(f"pkg/other/{entry.name}", entry.data, entry.method)],
        "other content": [Entry(entry.name, entry.data + b"#", entry.method)],
    }
    kind = data.draw(st.sampled_from(sorted(changed)), label="kind")
    assert _audited(folder, pack([*entries[:at], *changed[kind], *entries[at + 1 :]])) is None


@given(entries=_entries(), before=st.binary(max_size=30), behind=st.binary(max_size=30))
@settings(max_examples=60)
def test_nothing_is_hidden_around_the_members(
    folder: Path, entries: list[Entry], before: bytes, behind: bytes
) -> None:
    """An archive with bytes that belong to no member is two archives for somebody."""
    assume(before or behind)
    assert _audited(folder, pack(entries, before=before, behind=behind)) is None


@given(name=st.text(max_size=300))
def test_any_name_is_shown_on_one_line(name: str) -> None:
    """And judged without an exception, whatever it is."""
    assert shown(name).isprintable()
    assert len(shown(name)) <= 163
    list(name_issues(name))


@given(name=st.text(max_size=20))
def test_folding_is_settled(name: str) -> None:
    """Folding twice changes nothing, and neither does the case or form of what is folded."""
    assert folded(folded(name)) == folded(name)
