"""The format of bundles, tried with what nobody would write by accident."""

from __future__ import annotations

import json
import stat
import string
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import tomli_w
import tomllib
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.operations import bundle_format
from viloapp_core.operations.bundle_format import FormatError, Label
from viloapp_core.resolve import Package

names = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?", fullmatch=True)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def _package(name: str, sha256: str, version: str = "1.0") -> Package:
    filename = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    return Package(name, version, filename, f"wheels/{filename}", sha256)


@st.composite
def sets(draw: st.DrawFn) -> list[Package]:
    """Draw a plugin and what it imports."""
    found = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    return [_package(name, draw(hashes)) for name in found]


def _member(name: str, content: bytes = b"", **changes: Any) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.file_size = info.compress_size = len(content)
    info.header_offset = 0
    for key, value in changes.items():
        setattr(info, key, value)
    return info


GOOD = [_member(".viloplugin"), _member("pylock.toml"), _member("wheels/hello-1.0-py3-none-any.whl", b"x")]


@given(st.text(), st.text(), st.integers(min_value=0))
def test_a_label_comes_back(plugin_id: str, version: str, created_at: int) -> None:
    """What is written is what is read, and it is the JSON that the specification names."""
    label = Label(plugin_id, version, created_at)
    data = bundle_format.encode_label(label)
    assert bundle_format.decode_label(data) == label
    assert set(json.loads(data)) == {"format_version", "created_at", "plugin_id", "plugin_version"}


@given(st.binary() | anything.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_label_is_refused_with_a_reason(data: bytes) -> None:
    """Whatever the bytes are, the answer is a `FormatError`."""
    with pytest.raises(FormatError) as caught:
        bundle_format.decode_label(data)
    assert caught.value.issues


def test_every_fault_of_a_label_is_told() -> None:
    """Unknown keys, wrong types and another format."""
    with pytest.raises(FormatError) as caught:
        bundle_format.decode_label(b'{"format_version": "1.0", "created_at": -1, "plugin_id": 1, "more": 2}')
    assert len(caught.value.issues) == 4
    with pytest.raises(FormatError, match=r"format_version is '2\.0'"):
        bundle_format.decode_label(b'{"format_version": "2.0"}')


@given(sets(), st.permutations(range(5)))
def test_a_lock_comes_back_whatever_the_order(packages: list[Package], order: list[int]) -> None:
    """The plugin is first, the others by name; the bytes depend on the set alone."""
    sizes = {package.filename: 1 for package in packages}
    environments = ['sys_platform == "linux"']

    def encode(some: list[Package]) -> bytes:
        return bundle_format.encode_lock(packages[0].name, "3.11", environments, some, sizes)

    shuffled = [packages[at] for at in order if at < len(packages)]
    data = encode(packages)
    assert encode(shuffled) == data
    lock = bundle_format.decode_lock(data)
    assert lock.plugin == packages[0]
    assert set(lock.packages) == set(packages)
    assert (str(lock.requires_python), lock.environments) == ("==3.11.*", tuple(environments))


@given(
    st.binary()
    | st.dictionaries(st.text(string.ascii_letters), st.integers()).map(lambda v: tomli_w.dumps(v).encode())
)
def test_what_is_no_lock_is_refused_with_a_reason(data: bytes) -> None:
    """Whatever the bytes are, the answer is a `FormatError`."""
    with pytest.raises(FormatError) as caught:
        bundle_format.decode_lock(data)
    assert caught.value.issues


def _changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    packages = [_package("hello", "0" * 64), _package("dep", "1" * 64)]
    sizes = {package.filename: 1 for package in packages}
    value = tomllib.loads(bundle_format.encode_lock("hello", "3.11", [], packages, sizes).decode())
    change(next(item for item in value["packages"] if item["name"] == "dep"))
    return tomli_w.dumps(value).encode()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"path": "../dep-1.0-py3-none-any.whl"}, "has to be a file of wheels/"),
        ({"path": "wheels/../../dep-1.0-py3-none-any.whl"}, "has to be a file of wheels/"),
        ({"path": "/etc/dep-1.0-py3-none-any.whl"}, "has to be a file of wheels/"),
        ({"path": "wheels/a/dep-1.0-py3-none-any.whl"}, "has to be a file of wheels/"),
        ({"url": "https://example.org/dep-1.0-py3-none-any.whl"}, "has to be a file of wheels/"),
        ({"path": "wheels/other-1.0-py3-none-any.whl"}, "is not the wheel of dep 1.0"),
        ({"path": "wheels/dep-2.0-py3-none-any.whl"}, "is not the wheel of dep 1.0"),
        ({"path": "wheels/dep.whl"}, "no file name of a wheel"),
        ({"name": "dep-1.0-py2-none-any.whl"}, "is also called"),
        ({"hashes": {"md5": "0" * 32}}, "has no SHA-256"),
        ({"hashes": {"sha256": "0" * 63}}, "has no SHA-256"),
    ],
)
def test_a_locked_wheel_is_a_file_of_the_bundle_with_a_hash(changes: dict[str, Any], reason: str) -> None:
    """No path leads out, no address is followed, no name stands for another."""
    with pytest.raises(FormatError, match=reason):
        bundle_format.decode_lock(_changed(lambda item: item["wheels"][0].update(changes)))


@pytest.mark.parametrize(
    "change",
    [
        lambda item: item.update(sdist={"path": "dep-1.0.tar.gz", "hashes": {"sha256": "0" * 64}}),
        lambda item: item.update(marker="sys_platform == 'win32'"),
        lambda item: (item.pop("wheels"), item.update(directory={"path": "."})),
        lambda item: item["wheels"].append(item["wheels"][0]),
        lambda item: item.pop("version"),
        lambda item: item.update(name="hello"),
    ],
    ids=["sdist", "marker", "directory", "two wheels", "no version", "twice"],
)
def test_a_lock_has_wheels_and_nothing_else(change: Callable[[dict[str, Any]], None]) -> None:
    """PEP 751 allows much that is never installed here."""
    with pytest.raises(FormatError):
        bundle_format.decode_lock(_changed(change))


def test_a_lock_names_its_plugin() -> None:
    """`[tool.viloapp]` has to be there, and to name one of the packages."""
    data = bundle_format.encode_lock(
        "other", "3.11", [], [_package("hello", "0" * 64)], {"hello-1.0-py3-none-any.whl": 1}
    )
    with pytest.raises(FormatError, match="'other' is not among the packages"):
        bundle_format.decode_lock(data)
    with pytest.raises(FormatError, match="does not name the plugin"):
        bundle_format.decode_lock(data.partition(b"[tool")[0])


def test_the_members_of_a_bundle_pass() -> None:
    """And a signature, which later versions write."""
    assert bundle_format.member_issues([*GOOD, _member("pylock.toml.sigstore.json")], 1) == []


@given(st.text(max_size=40))
def test_no_other_name_passes(name: str) -> None:
    """Neither a path that leads out, nor a folder, nor a name with bytes that end it early."""
    info = _member("x")
    info.filename = info.orig_filename = name
    known = {".viloplugin", "pylock.toml", "pylock.toml.sigstore.json"}
    if name in known or (name.startswith("wheels/") and name.endswith(".whl") and name.count("/") == 1):
        return
    assert bundle_format.member_issues([*GOOD, info], 1)


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (_member("../wheels/a.whl"), "not a member"),
        (_member("/wheels/a.whl"), "not a member"),
        (_member("wheels/../a.whl"), "not a member"),
        (_member("wheels/.a.whl"), "not a member"),
        (_member("wheels/a\\b.whl"), "not a member"),
        (_member("wheels/"), "not a member"),
        (_member("PYLOCK.TOML"), "not a member"),
        (_member("wheels/Hello-1.0-py3-none-any.whl"), "is there twice"),
        (_member("pylock.toml"), "is there twice"),
        (_member("wheels/a.whl", external_attr=(stat.S_IFLNK | 0o777) << 16), "no plain file"),
        (_member("wheels/a.whl", external_attr=(stat.S_IFIFO | 0o644) << 16), "no plain file"),
        (_member("wheels/a.whl", flag_bits=1), "encrypted"),
        (_member("wheels/a.whl", compress_type=zipfile.ZIP_DEFLATED), "compressed"),
        (_member("wheels/a.whl", file_size=1 << 20), "compressed"),
        (_member("wheels/a.whl", file_size=1 << 40, compress_size=1 << 40), "too large"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.filename,
)
def test_a_hostile_member_is_refused(hostile: zipfile.ZipInfo, reason: str) -> None:
    """Traversal, doubles that differ by case, links, pipes, bombs."""
    (issue,) = bundle_format.member_issues([*GOOD, hostile], 10)
    assert reason in issue


def test_members_cannot_overlap_or_abound() -> None:
    """Their sizes cannot add up to more than the file; the two that must be there are."""
    big = [_member(f"wheels/a{number}.whl", b"x" * 9) for number in range(3)]
    assert bundle_format.member_issues([*GOOD, *big], 20) == ["its members overlap"]
    assert bundle_format.member_issues(GOOD * 1000, 10**9) == ["has more than 2000 members"]
    (issue,) = bundle_format.member_issues([_member(".viloplugin", header_offset=9)], 100)
    assert "before its first member" in issue
    assert bundle_format.member_issues([], 0) == [".viloplugin: is missing", "pylock.toml: is missing"]


def test_label_lock_and_members_agree() -> None:
    """A swapped id, a wheel that nobody locked and a locked one that is missing are all told."""
    packages = [_package("hello", "0" * 64)]
    lock = bundle_format.decode_lock(
        bundle_format.encode_lock("hello", "3.11", [], packages, {packages[0].filename: 1})
    )
    members = [".viloplugin", "pylock.toml", packages[0].url]
    assert bundle_format.agreement_issues(Label("hello", "1.0"), lock, members) == []
    issues = bundle_format.agreement_issues(Label("viloxterm", "1.0"), lock, ["wheels/evil.whl"])
    assert len(issues) == 3
    assert "'viloxterm'" in issues[0]


@pytest.mark.parametrize(
    ("members", "older"),
    [
        (["plugin.json", "src/a.py", ".viloplugin"], True),
        (["hello/plugin.json", "hello/src/a.py"], True),
        (["plugin.json", "src/"], True),
        (["plugin.json", "pylock.toml", "src/a.py"], False),
        (["a/b/plugin.json", "a/b/src/c.py"], False),
        (["plugin.json"], False),
        (["x/plugin.json", "src/a.py"], False),
        ([], False),
    ],
)
def test_the_older_form_is_known(members: list[str], older: bool) -> None:
    """A manifest with a source tree beside it, and no lock."""
    assert bundle_format.is_of_older_form(members) is older
