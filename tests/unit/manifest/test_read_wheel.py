"""Reading a wheel: what a good one says, and every way in which a hostile one is refused."""

from __future__ import annotations

import json
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from viloapp_core.manifest import ManifestError, read_wheel

WheelMaker = Callable[..., Path]
INFO = "hello-0.1.0.dist-info"


def _issues(path: Path) -> tuple[object, ...]:
    try:
        read_wheel(path)
    except ManifestError as error:
        return error.issues
    return ()


def issues_of(path: Path) -> dict[str, str]:
    """Return path to message of what is wrong with a wheel."""
    with pytest.raises(ManifestError) as caught:
        read_wheel(path)
    assert caught.value.issues, "an error without an issue says nothing"
    return {issue.path: issue.message for issue in caught.value.issues}


def test_a_good_wheel_is_described_completely(wheel: WheelMaker) -> None:
    """Core metadata, the entry point and the manifest arrive in one description."""
    found = read_wheel(wheel())
    assert (found.plugin_id, str(found.version), found.summary) == ("hello", "0.1.0", "Says hello")
    assert (found.author, found.license, str(found.requires_python)) == ("Ada", "MIT", ">=3.10")
    assert [requirement.name for requirement in found.requires_dist] == ["viloapp-sdk", "rich"]
    assert found.entry_point.value == "hello.plugin:Hello"
    assert found.manifest.permissions[0].id == "process.spawn.terminal"
    assert found.manifest.permissions[0].reason == "run your shell"


def test_reading_runs_none_of_the_plugin(wheel: WheelMaker) -> None:
    """The plugin's module, which raises when it is run, is not imported."""
    read_wheel(wheel())
    assert not [name for name in sys.modules if name == "hello" or name.startswith("hello.")]


def test_other_backends_may_keep_the_manifest_in_the_package(wheel: WheelMaker) -> None:
    """`<package>/plugin.json` counts where the dist-info has none."""
    content = json.dumps({"schema": 1, "api_version": "1.0", "limits": {"memory_mb": 7}})
    path = wheel({f"{INFO}/plugin.json": None, "hello/plugin.json": content})
    assert read_wheel(path).manifest.limits == {"memory_mb": 7}


def test_the_dist_info_wins_over_the_package(wheel: WheelMaker) -> None:
    """A data file of the same name in the package does not replace the manifest."""
    assert read_wheel(wheel({"hello/plugin.json": "{}"})).manifest.api_version == "1.0"


@pytest.mark.parametrize(
    ("member", "content", "path", "message"),
    [
        ("entry_points.txt", None, "entry_points.txt [viloapp.plugins]", "no entry point"),
        ("entry_points.txt", "", "entry_points.txt [viloapp.plugins]", "no entry point"),
        (
            "entry_points.txt",
            "[console_scripts]\nhello = hello.plugin:Hello\n",
            "entry_points.txt [viloapp.plugins]",
            "'console_scripts'",
        ),
        (
            "entry_points.txt",
            "[viloapp.plugins]\na = hello:A\nb = hello:B\n",
            "entry_points.txt [viloapp.plugins]",
            "has 2 entry points ('a', 'b')",
        ),
        (
            "entry_points.txt",
            "[viloapp.plugins]\na = hello:A\na = hello:B\n",
            "entry_points.txt [viloapp.plugins]",
            "has 2 entry points",
        ),
        ("entry_points.txt", "[viloapp.plugins]\nhello\n", "entry_points.txt", "no 'name ="),
        (
            "entry_points.txt",
            "[viloapp.plugins]\nhello = hello.plugin\n",
            "entry_points.txt [viloapp.plugins]",
            "not of the form",
        ),
        (
            "entry_points.txt",
            "[viloapp.plugins]\nhello = ..hello:x\n",
            "entry_points.txt [viloapp.plugins]",
            "not of the form",
        ),
        ("entry_points.txt", b"\xff\xfe", "entry_points.txt", "not UTF-8"),
        ("METADATA", None, "METADATA", "is missing"),
        ("METADATA", b"Name: h\xff", "METADATA", "not UTF-8"),
        ("METADATA", "", None, ""),
        ("METADATA", "Name: hello\nVersion: one\n", "METADATA Version", "one"),
        ("METADATA", "Version: 0.1.0\n", "METADATA Name", "is missing"),
        ("METADATA", "Name: hello\nName: evil\nVersion: 0.1.0\n", "METADATA Name", "more than once"),
        ("METADATA", "Name: evil\nVersion: 0.1.0\n", "METADATA Name", "is evil, and the folder"),
        ("METADATA", "Name: hello\nVersion: 9\n", "METADATA Version", "is 9, and the folder"),
        (
            "METADATA",
            "Name: hello\nVersion: 0.1.0\nRequires-Dist: a\nRequires-Dist: ===\n",
            "METADATA Requires-Dist[1]",
            "",
        ),
        (
            "METADATA",
            "Name: hello\nVersion: 0.1.0\nRequires-Python: yes\n",
            "METADATA Requires-Python",
            "yes",
        ),
        ("plugin.json", None, "plugin.json", "is missing"),
        ("plugin.json", b"\xff{}", "plugin.json", "not UTF-8: byte 0"),
        ("plugin.json", "", "plugin.json:1:1", "is no JSON"),
        ("plugin.json", '{\n "schema": 1 2}', "plugin.json:2:14", "is no JSON"),
        ("plugin.json", "[]", "plugin.json", "must be a table, not an array"),
        ("plugin.json", '{"schema": 1, "schema": 2}', "plugin.json", "'schema' twice"),
        ("plugin.json", '{"schema": NaN}', "plugin.json", "NaN"),
        ("plugin.json", f'{{"schema": {"9" * 5000}}}', "plugin.json", "too long"),
        ("plugin.json", "[" * 200_000, "plugin.json", "too deep"),
        ("plugin.json", " " * (1 << 20) + "{}", "plugin.json", "larger than"),
    ],
)
def test_a_broken_member_is_named_with_what_is_wrong(
    wheel: WheelMaker, member: str, content: bytes | str | None, path: str | None, message: str
) -> None:
    """Each sin is refused under the path of the file, or of the field, that commits it."""
    found = issues_of(wheel({f"{INFO}/{member}": content}))
    if path is not None:
        assert message in found[path]


def test_all_issues_of_all_files_come_at_once(wheel: WheelMaker) -> None:
    """One edit is enough: metadata, entry points and each field of the manifest are reported together."""
    broken = {
        "schema": 0,
        "permissions": [{"id": "disk.read.x"}, {"id": "network.connect.*", "why": ""}],
        "limit": {},
    }
    path = wheel(
        {f"{INFO}/entry_points.txt": "", f"{INFO}/METADATA": "Name: hello\nVersion: x\n"}, manifest=broken
    )
    found = issues_of(path)
    assert set(found) == {
        "METADATA Version",
        "entry_points.txt [viloapp.plugins]",
        "schema",
        "api_version",
        "permissions[0].id",
        "permissions[1].why",
        "limit",
    }
    assert "did you mean 'limits'" in found["limit"]


@pytest.mark.parametrize(
    ("newer", "path", "says"),
    [
        ({"schema": 2, "api_version": {"needs": "2"}}, "schema", "reads 1: update viloapp-core"),
        ({"schema": 1, "api_version": "1.9"}, "api_version", "speaks 1.0: update viloapp-core"),
    ],
)
def test_of_a_newer_manifest_that_alone_is_said(
    wheel: WheelMaker, newer: dict[str, Any], path: str, says: str
) -> None:
    """Its keys may be ones that nobody here knows; they are no mistakes of the author's."""
    found = issues_of(wheel(manifest={**newer, "news": {}, "limits": {"gpu_mb": 7}}))
    assert list(found) == [path]
    assert says in found[path]


@pytest.mark.parametrize(("version", "advice"), [("2.0", "update viloapp-core"), ("0.9", "a newer version")])
def test_an_api_version_that_this_core_does_not_speak_is_refused(
    wheel: WheelMaker, version: str, advice: str
) -> None:
    """The issue says on which side to update."""
    found = issues_of(wheel(manifest={"schema": 1, "api_version": version}))
    assert advice in found["api_version"]


def test_requirements_on_plugins_are_read_as_packaging_reads_them(wheel: WheelMaker) -> None:
    """What the SDK's grammar lets through is still checked: versions, and that a plugin needs another."""
    manifest = {
        "schema": 1,
        "api_version": "1.0",
        "requires_plugins": ["viloxterm>=1", "other>=1.*", "Hello"],
    }
    assert set(issues_of(wheel(manifest=manifest))) == {"requires_plugins[1]", "requires_plugins[2]"}


def test_two_dist_infos_are_refused(wheel: WheelMaker) -> None:
    """A second distribution in the wheel could be the one that an installer takes."""
    found = issues_of(wheel({"other-1.dist-info/METADATA": "Name: other\nVersion: 1\n"}))
    assert "'hello-0.1.0.dist-info', 'other-1.dist-info'" in found["*.dist-info"]


def test_a_dist_info_in_other_letters_is_a_second_one(wheel: WheelMaker) -> None:
    """On a file system that ignores case both would be one folder."""
    assert "*.dist-info" in issues_of(wheel({"HELLO-0.1.0.DIST-INFO/plugin.json": "{}"}))


def test_members_that_stand_twice_are_refused(wheel: WheelMaker) -> None:
    """Whichever of the two is read, another tool may read the other."""
    path = wheel()
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")  # zipfile warns of the duplicate that the test is about
        archive.writestr(f"{INFO}/plugin.json", "{}")
    assert "twice" in issues_of(path)[f"'{INFO}/plugin.json'"]


@pytest.mark.parametrize(
    "name", ["evil-0.1.0-py3-none-any.whl", "hello-9-py3-none-any.whl", "hello.whl", "hello.zip"]
)
def test_the_file_name_has_to_agree_with_what_is_inside(wheel: WheelMaker, name: str) -> None:
    """The installer chose the wheel by its name, so the name is part of what has to be true."""
    found = issues_of(wheel(name=name))
    assert any(path.startswith(("'hello-0.1.0.dist-info", f"'{name}")) for path in found)


def test_a_name_that_normalizes_to_the_same_is_the_same(wheel: WheelMaker) -> None:
    """`Hello` and `hello`, `1.0` and `1` are one (PEP 503, PEP 440)."""
    changed = {f"{INFO}/METADATA": "Name: HELLO\nVersion: 0.1\n"}
    found = read_wheel(wheel(changed))
    assert (found.plugin_id, found.name) == ("hello", "HELLO")


def test_a_bomb_is_not_unpacked(wheel: WheelMaker) -> None:
    """A gigabyte of zeros in a megabyte of wheel costs no more than the limit."""
    path = wheel({f"{INFO}/plugin.json": None})
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open(f"{INFO}/plugin.json", "w") as member,
    ):
        for _ in range(64):
            member.write(bytes(1 << 20))
    assert "larger than" in issues_of(path)["plugin.json"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_deflate_and_store_are_unpacked(tmp_path: Path, wheel: WheelMaker, method: int) -> None:
    """Python unpacks other methods by whole blocks, past any limit."""
    path = wheel({f"{INFO}/plugin.json": None})
    with zipfile.ZipFile(path, "a", method) as archive:
        archive.writestr(f"{INFO}/plugin.json", "{}")
    assert "neither deflate nor store" in issues_of(path)["plugin.json"]


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    """The message has the path that was given."""
    path = tmp_path / "hello-0.1.0-py3-none-any.whl"
    assert str(path) in issues_of(path)[path.name]
    path.mkdir()
    assert "there is no file" in issues_of(path)[path.name]


def test_what_is_printed_cannot_steer_a_terminal(wheel: WheelMaker) -> None:
    """Escape sequences are replaced in metadata, and refused where a person is asked to consent."""
    metadata = "Name: hello\nVersion: 0.1.0\nSummary: \x1b[2Jharmless \u202egnp\nAuthor: A\x07da\n"
    found = read_wheel(wheel({f"{INFO}/METADATA": metadata}))
    assert found.summary == "\ufffd[2Jharmless \ufffdgnp"
    assert found.author == "A\ufffdda"
    asks = [{"id": "process.spawn.terminal", "reason": "\x1b[1Anothing"}]
    manifest = {"schema": 1, "api_version": "1.0", "permissions": asks}
    assert "permissions[0].reason" in issues_of(wheel(manifest=manifest))


def test_the_error_lists_every_issue_under_the_name_of_the_wheel(wheel: WheelMaker) -> None:
    """The detail is what the command line prints."""
    with pytest.raises(ManifestError) as caught:
        read_wheel(wheel(manifest={"schema": 1}))
    assert caught.value.detail == "hello-0.1.0-py3-none-any.whl: 1 issue\n  api_version: is missing"
    assert "[tool.viloapp]" in caught.value.hint


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_damage_anywhere_is_an_error_and_never_a_crash(wheel: WheelMaker, data: st.DataObject) -> None:
    """Flip bytes of a wheel: it is read, or it is refused with issues."""
    path = wheel()
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    assert _issues(path) or read_wheel(path).plugin_id == "hello"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    member=st.sampled_from(["METADATA", "entry_points.txt", "plugin.json"]),
    content=st.one_of(
        st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
    ),
)
def test_any_content_of_any_member_is_an_error_and_never_a_crash(
    wheel: WheelMaker, member: str, content: bytes
) -> None:
    """Whatever bytes an author ships, the answer is a description or issues."""
    path = wheel({f"{INFO}/{member}": content})
    assert _issues(path) or read_wheel(path).plugin_id == "hello"
