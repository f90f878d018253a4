"""What no wheel may do."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import tracemalloc
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.hostile_wheels import INFO as SINNER
from tests.fixtures.hostile_wheels import SINS, Entry, Sin, pack, plugin, seal
from tests.fixtures.wheels import forge
from viloapp_core.store import UnsafeWheelError
from viloapp_core.store.audit import audit, entry_point_issues

INFO = "hello-1.dist-info"


def _wheel(folder: Path, files: dict[str, str], **options: str) -> Path:
    return forge(folder, "hello", "1", {"hello/__init__.py": "x = 1\n", **files}, **options)


def _raw(folder: Path, members: Iterable[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    """Write a wheel member by member, in whatever order and number, with a RECORD that is true."""
    path = folder / "hello-1-py3-none-any.whl"
    rows = ""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{INFO}/METADATA", "Metadata-Version: 2.1\nName: hello\nVersion: 1\n")
        archive.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        for member, data in members:
            archive.writestr(member, data)
        for info in archive.infolist():
            digest = base64.urlsafe_b64encode(hashlib.sha256(archive.read(info)).digest()).rstrip(b"=")
            rows += f"{info.filename},sha256={digest.decode()},{info.file_size}\n"
        archive.writestr(f"{INFO}/RECORD", f"{rows}{INFO}/RECORD,,\n")
    return path


def test_a_good_wheel_passes(tmp_path: Path) -> None:
    """Packages, data of packages, scripts and headers are what wheels have."""
    wheel = _wheel(
        tmp_path,
        {
            "hello/data.pth": "only data, in a package",
            "hello-1.data/scripts/hello-tool": "#!python\n",
            "hello-1.data/data/share/man/hello.1": "",
            "hello-1.data/headers/hello.h": "",
            "hello/sitecustomize.py": "",
            "sitecustomize_tools/__init__.py": "",
        },
        entry_points="[console_scripts]\nhello = hello:main\n[viloapp.plugins]\npython = hello:Hello\n",
    )
    finding = audit(wheel, own=True)
    assert "hello/__init__.py" in finding.names
    assert finding.notes == ()


@pytest.mark.parametrize(
    "member",
    [
        "../outside.py",
        "/abs.py",
        "hello/../../outside.py",
        "hello\\..\\x.py",
        "sitecustomize.py",
        "usercustomize.py",
        "sitecustomize/__init__.py",
        "hello-1.data/purelib/sitecustomize.py",
        "hello-1.data/data/pyvenv.cfg",
        "hello-1.data/data/bin/python",
        "hello-1.data/data/lib/python3.11/site-packages/x.py",
        "hello-1.data/scripts/python",
        "hello-1.data/scripts/python3.13",
        "hello-1.data/scripts/activate",
        "start.pth",
        "hello-1.data/platlib/start.pth",
    ],
)
def test_places_that_no_file_may_take(tmp_path: Path, member: str) -> None:
    """Each is refused, by its name in the wheel."""
    with pytest.raises(UnsafeWheelError) as caught:
        audit(_wheel(tmp_path, {member: "x"}), own=True)
    assert any(issue.startswith(member) for issue in caught.value.issues)


@pytest.mark.parametrize("name", ["python", "python3", "../../escape", "activate", "pythonw.exe"])
def test_scripts_that_no_wheel_may_ask_for(tmp_path: Path, name: str) -> None:
    """A script in the place of the interpreter is refused, and only in the sections that make scripts."""
    wheel = _wheel(tmp_path, {}, entry_points=f"[console_scripts]\n{name} = hello:main\n")
    with pytest.raises(UnsafeWheelError, match="script"):
        audit(wheel, own=False)


def test_a_start_file_is_refused_reported_or_wanted(tmp_path: Path) -> None:
    """A `.pth`: refused in the plugin's own wheel, told of a dependency, needed by an editable one."""
    wheel = _wheel(tmp_path, {"hello.pth": "import hello\n"})
    with pytest.raises(UnsafeWheelError, match=r"hello\.pth"):
        audit(wheel, own=True)
    assert "hello.pth" in audit(wheel, own=False).notes[0]
    assert audit(wheel, own=True, dev=True).notes == ()


def test_every_issue_at_once(tmp_path: Path) -> None:
    """One reading tells all that is wrong."""
    wheel = _wheel(tmp_path, {"sitecustomize.py": "", "a.pth": "", "../b": ""})
    with pytest.raises(UnsafeWheelError) as caught:
        audit(wheel, own=True)
    assert len(caught.value.issues) == 3


def test_a_record_that_lies_or_is_silent(tmp_path: Path) -> None:
    """Wrong bytes and unlisted files are refused."""
    wheel = _wheel(tmp_path, {})
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("unlisted.py", "")
    with pytest.raises(UnsafeWheelError, match="unlisted"):
        audit(wheel, own=False)
    other = _wheel(tmp_path, {"hello/a.py": "x = 1\n"})
    data = other.read_bytes()
    content = {}
    with zipfile.ZipFile(other) as archive:
        content = {info.filename: archive.read(info) for info in archive.infolist()}
    assert data
    with zipfile.ZipFile(other, "w") as archive:
        for name, body in content.items():
            archive.writestr(name, b"x = 2\n" if name == "hello/a.py" else body)
    with pytest.raises(UnsafeWheelError, match=r"hello/a\.py"):
        audit(other, own=False)


def test_one_name_twice_and_links(tmp_path: Path) -> None:
    """What tools read differently is refused: duplicates, and links in the archive."""
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = _raw(tmp_path, [("hello.py", b"a"), ("hello.py", b"b")])
    with pytest.raises(UnsafeWheelError, match="twice"):
        audit(twice, own=False)
    link = zipfile.ZipInfo("hello.py")
    link.external_attr = 0o120777 << 16
    with pytest.raises(UnsafeWheelError, match="is a link"):
        audit(_raw(tmp_path, [(link, b"/etc/passwd")]), own=False)


@pytest.mark.parametrize("sin", SINS.values(), ids=SINS)
def test_every_sin_is_refused_with_its_reason(tmp_path: Path, sin: Sin) -> None:
    """In lines that name what they are about, none of which a terminal would obey."""
    with pytest.raises(UnsafeWheelError) as caught:
        audit(sin.wheel(tmp_path), own=True)
    assert any(sin.told in issue for issue in caught.value.issues), caught.value.issues
    assert sin.filename in caught.value.detail
    assert all(issue.isprintable() for issue in caught.value.issues)


def test_the_same_wheel_without_a_sin_passes(tmp_path: Path) -> None:
    """So that each of the above is refused for its sin alone."""
    path = Sin(lambda: pack(seal(plugin())), "").wheel(tmp_path)
    finding = audit(path, own=True)
    assert finding.wheel == path.name
    assert set(finding.landings) == {f"site-packages/{name}" for name in finding.names}


def test_what_wheels_of_the_world_do(tmp_path: Path) -> None:
    """Folders, names of the whole world, libraries and programs in `.data`, strong hashes, `activate-…`."""
    members = plugin(
        Entry("sinner-1.data/", attributes=0o040755 << 16),
        Entry("pkg/", attributes=(0o040755 << 16) | 0x10),
        Entry("pkg/__pycache__/", attributes=0o040755 << 16),
        Entry("pkg/__pycache__/a.cpython-311.pyc", b"x"),
        Entry("pkg/größe, 大.py", b"x = 1\n" * 50, method=8),
        Entry("pkg/_vendor/six-1.0.dist-info/METADATA", b"x"),
        Entry("pkg/start.pth", b"only data"),
        Entry("sinner-1.data/data/lib/libmkl.so.2", b"x"),
        Entry("sinner-1.data/data/bin/mkl-link", b"x"),
        Entry("sinner-1.data/data/share/python/x", b"x"),
        Entry("sinner-1.data/scripts/activate-global-python-argcomplete", b"#!python\n"),
        Entry(f"{SINNER}/RECORD.jws", b"{}"),
        scripts="[console_scripts]\npython-tool = sinner:Sinner\n",
    )
    sealed = seal(members, algorithm="sha512", change=lambda rows: [row for row in rows if ".jws" not in row])
    finding = audit(Sin(lambda: pack(sealed), "").wheel(tmp_path), own=True)
    assert "bin/python-tool" in finding.landings
    assert "lib/libmkl.so.2" in finding.landings
    assert not [path for path in finding.landings if path.endswith(("/", ".pyc"))]


class _Unseekable:
    """Where `zipfile` cannot go back, so that it writes sizes behind the members."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
def test_archives_as_pythons_own_module_writes_them(tmp_path: Path, streamed: bool, wide: bool) -> None:
    """With descriptors behind the members, and with 64-bit sizes."""
    target = _Unseekable() if streamed else io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]  # writes only
        for entry in seal(plugin()):
            with archive.open(entry.name, "w", force_zip64=wide) as member:
                member.write(entry.data)
    data = target.data if isinstance(target, _Unseekable) else target.getvalue()
    assert audit(Sin(lambda: data, "").wheel(tmp_path), own=True).notes == ()


def test_a_wheel_that_was_renamed_for_another_platform(tmp_path: Path) -> None:
    """Is told of a dependency, where it is common; the plugin's own is refused for it."""
    path = SINS["other_platform"].wheel(tmp_path)
    (note,) = audit(path, own=False).notes
    assert "is for any, the file name says linux_x86_64" in note


def test_a_large_file_is_never_in_memory(tmp_path: Path) -> None:
    """Sizes below the bounds are unpacked in pieces, whatever the archive declares."""
    path = Sin(lambda: pack(seal(plugin(Entry("zeros.bin", b"\0" * 60 * 2**20, method=8)))), "").wheel(
        tmp_path
    )
    tracemalloc.start()
    try:
        audit(path, own=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2**20


def test_a_directory_beyond_memory_is_not_read(tmp_path: Path) -> None:
    """A file that is directory alone is refused by its end."""
    path = tmp_path / "sinner-1-py3-none-any.whl"
    with path.open("wb") as file:
        file.truncate(70 * 2**20)
        file.seek(0, 2)
        file.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, 70 * 2**20, 0, 0))
    with pytest.raises(UnsafeWheelError, match="its directory has 73400320 bytes"):
        audit(path, own=True)


def test_more_issues_than_one_can_read(tmp_path: Path) -> None:
    """Are counted."""
    members = [Entry(f"../{number}") for number in range(80)]
    with pytest.raises(UnsafeWheelError) as caught:
        audit(Sin(lambda: pack(seal(plugin(*members))), "").wheel(tmp_path), own=True)
    assert len(caught.value.issues) == 51
    assert caught.value.issues[-1] == "and 30 more"


@given(data=st.binary(max_size=300))
def test_rubbish_is_refused_as_such(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Whatever the bytes, the answer is our error."""
    path = tmp_path_factory.getbasetemp() / "hello-1-py3-none-any.whl"
    path.write_bytes(data)
    with pytest.raises(UnsafeWheelError):
        audit(path, own=True)


@pytest.mark.parametrize(
    ("names", "own"),
    [
        (["hello/plugin.py"], True),
        (["hello/plugin/__init__.py"], True),
        (["hello/plugin.cpython-311-x86_64-linux-gnu.so"], True),
        (["hello-1.data/purelib/hello/plugin.py"], True),
        (["hello/__init__.py", "other/hello/plugin.py"], False),
        (["hello/plugin.txt", "hello/pluginx.py"], False),
        ([], False),
    ],
)
def test_the_entry_points_module_is_the_wheels_own(names: list[str], own: bool) -> None:
    """A module of a dependency cannot be what the host starts as this plugin."""
    assert (entry_point_issues("hello.plugin:Hello", names) == []) is own
