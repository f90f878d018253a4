"""Bundles made and installed for real, and bundles that lie."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.wheels import forge
from tests.unit.operations.conftest import Person, Plugin
from viloapp_core.operations import InstallOptions, InstallOutcome, PackageOutcome, package
from viloapp_core.operations.errors import BundleError, SpecError
from viloapp_core.resolve import InterpreterError, OwnNameError, UnsatisfiableError
from viloapp_core.store import Store, UnsafeWheelError

Run = Callable[..., list[InstallOutcome]]
Make = Callable[..., PackageOutcome]


@pytest.fixture
def make(tmp_path: Path, folder: Path, run: Run) -> Make:
    """Return `package --bundle` with the folder of wheels as the only source, in a store of its own."""
    carried = {"viloapp-sdk": tmp_path / "wheelhouse" / "viloapp_sdk-1.0.0-py3-none-any.whl"}
    options = InstallOptions(offline=True, find_links=(str(folder),))

    def call(what: object, output: str = "out", store: Store | None = None, **environ: str) -> PackageOutcome:
        return package(
            store or Store(tmp_path / "author"),
            str(what),
            tmp_path / output,
            options=options,
            environ={**os.environ, **environ},
            wheels=carried,
        )

    return call


def _untouched(store: Store) -> None:
    """Check that nothing is installed and nothing is left of an attempt."""
    assert dict(store.plugins()) == {}
    files = [path.relative_to(store.root) for path in store.root.rglob("*") if path.is_file()]
    assert [path for path in files if path.suffix != ".lock" and path.parts[0] != "cache"] == []


def _rewrite(
    bundle: Path, changes: Mapping[str, bytes | None], *, add: Mapping[str, bytes] | None = None, **info: Any
) -> Path:
    """Write a bundle anew with other members; None leaves one out."""
    target = bundle.with_name(f"changed-{bundle.name}")
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(target, "w") as archive:
        content = {name: source.read(name) for name in source.namelist()}
        content |= {name: data for name, data in changes.items() if data is not None}
        for name, data in [*content.items(), *(add or {}).items()]:
            if changes.get(name, b"") is not None:
                member = zipfile.ZipInfo(name)
                for key, value in info.items() if name in (add or {}) else ():
                    setattr(member, key, value)
                archive.writestr(member, data)
    return target


def test_a_bundle_is_the_same_every_time(
    tmp_path: Path, plugin: Plugin, make: Make, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the wheel, the requirement and the installed plugin, whatever umask and clock; members stored."""
    forge(folder, "dep", "2", {"dep.py": ""})
    wheel = plugin(requires=["viloapp-sdk", "dep"])
    first = make(wheel)
    assert first.path == tmp_path / "out" / "hello-0.1.viloplugin"
    assert first.packages == ("hello==0.1", "dep==2", "viloapp-sdk==1.0.0")
    before = os.umask(0o077)
    try:
        os.utime(wheel, (1, 1))
        again = make("hello", "again")
    finally:
        os.umask(before)
    assert again.path.read_bytes() == first.path.read_bytes()
    with zipfile.ZipFile(first.path) as archive:
        infos = archive.infolist()
        assert json.loads(archive.read(".viloplugin"))["created_at"] == 315532800
    assert [info.filename for info in infos] == sorted(info.filename for info in infos)
    assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}
    assert {(info.date_time, info.external_attr >> 16) for info in infos} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644)
    }


def test_source_date_epoch_is_what_is_written(plugin: Plugin, make: Make) -> None:
    """And nothing else changes; what is no time is refused."""
    wheel = plugin()
    made = make(wheel, SOURCE_DATE_EPOCH="1700000000")
    with zipfile.ZipFile(made.path) as archive:
        assert json.loads(archive.read(".viloplugin"))["created_at"] == 1700000000
    with pytest.raises(SpecError, match="SOURCE_DATE_EPOCH"):
        make(wheel, SOURCE_DATE_EPOCH="yesterday")


def test_a_bundle_is_installed_from_itself_alone(
    store: Store, plugin: Plugin, make: Make, run: Run, folder: Path, person: Person
) -> None:
    """Without index and folders; permissions are asked for as ever."""
    forge(folder, "dep", "2", {"dep.py": ""})
    made = make(plugin(requires=["dep"], permissions=[{"id": "ui.open.x", "reason": "to show"}]))
    for wheel in folder.glob("*.whl"):
        wheel.unlink()
    (outcome,) = run(made.path, offline=False, find_links=(), index_url="http://127.0.0.1:1/simple")
    assert (outcome.status, outcome.source, outcome.version) == ("installed", "bundle", "0.1")
    assert outcome.packages == ("hello==0.1", "dep==2")
    assert person.asked == [("hello", ("ui.open.x",))]
    assert run(made.path)[0].status == "unchanged"
    assert store.receipt("hello")["index_url"] is None


def test_an_installed_plugin_is_bundled_as_it_is(
    tmp_path: Path, store: Store, plugin: Plugin, make: Make, run: Run, folder: Path
) -> None:
    """Its own wheels, though a newer dependency is there meanwhile."""
    forge(folder, "dep", "2", {"dep.py": ""})
    first = make(plugin(requires=["dep"]))
    run("hello")
    forge(folder, "dep", "3", {"dep.py": ""})
    again = make("hello", "again", store)
    assert again.path.read_bytes() == first.path.read_bytes()
    assert make("hello>=0", "newer", store).packages == ("hello==0.1", "dep==3")


def test_a_bundle_of_a_refused_wheel_is_not_made(plugin: Plugin, make: Make, tmp_path: Path) -> None:
    """It is judged as for an installation."""
    with pytest.raises(UnsafeWheelError):
        make(plugin(files={"evil.pth": "import os\n"}))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({".viloplugin": None}, ".viloplugin: is missing"),
        ({"pylock.toml": None}, "pylock.toml: is missing"),
        ({"pylock.toml": b"["}, "pylock.toml: "),
        ({"wheels/hello-0.1-py3-none-any.whl": None}, "is in pylock.toml and missing"),
        ({"wheels/hello-0.1-py3-none-any.whl": b"other bytes"}, "has sha256"),
        ({"wheels/evil-1-py3-none-any.whl": b""}, "is not in pylock.toml"),
        ({"setup.py": b""}, "not a member"),
        ({"../../evil.whl": b""}, "not a member"),
        (
            {
                ".viloplugin": b'{"format_version": "1.0", "created_at": 1, "plugin_id": "viloxterm", '
                b'"plugin_version": "0.1"}'
            },
            ".viloplugin says 'viloxterm' '0.1', pylock.toml says hello 0.1",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)
def test_a_bundle_that_lies_is_refused(
    changes: dict[str, bytes | None], reason: str, store: Store, plugin: Plugin, make: Make, run: Run
) -> None:
    """Each with its reason, and nothing is left of it."""
    bundle = _rewrite(make(plugin()).path, changes)
    with pytest.raises(BundleError, match=r"Not a valid \.viloplugin file") as caught:
        run(bundle)
    assert reason in caught.value.detail
    _untouched(store)


def test_a_bundle_with_links_doubles_or_bombs_is_refused(
    store: Store, plugin: Plugin, make: Make, run: Run
) -> None:
    """What a zip can do and a bundle never does."""
    bundle = make(plugin()).path
    wheel = "wheels/hello-0.1-py3-none-any.whl"
    link = _rewrite(
        bundle, {}, add={"wheels/a.whl": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16
    )
    with pytest.raises(BundleError, match="no plain file"):
        run(link)
    with pytest.warns(UserWarning, match="Duplicate name"):
        double = _rewrite(bundle, {}, add={wheel: b"second"})
    with pytest.raises(BundleError, match="is there twice"):
        run(double)
    bomb = _rewrite(bundle, {}, add={"wheels/a.whl": bytes(10_000_000)}, compress_type=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 1_000_000
    with pytest.raises(BundleError, match="is compressed"):
        run(bomb)
    bundle.write_bytes(bundle.read_bytes()[:-30])
    with pytest.raises(BundleError, match="is cut off"):
        run(bundle)
    _untouched(store)


def test_a_swapped_id_is_not_believed(
    tmp_path: Path, store: Store, plugin: Plugin, make: Make, run: Run
) -> None:
    """Label and lock may agree on another name: the wheel's own metadata says who it is."""
    wheel = plugin("hello")
    disguise = tmp_path / "other-0.1-py3-none-any.whl"
    disguise.write_bytes(wheel.read_bytes())
    bundle = make(wheel).path
    with zipfile.ZipFile(bundle) as archive:
        lock = archive.read("pylock.toml").replace(b"hello", b"other")
        label = archive.read(".viloplugin").replace(b"hello", b"other")
    swapped = _rewrite(
        bundle,
        {
            "wheels/hello-0.1-py3-none-any.whl": None,
            "wheels/other-0.1-py3-none-any.whl": wheel.read_bytes(),
            "pylock.toml": lock,
            ".viloplugin": label,
        },
    )
    with pytest.raises(BundleError, match="is not the folder of other"):
        run(swapped)
    _untouched(store)


def test_our_own_names_are_held_to_our_own_wheels(
    tmp_path: Path, store: Store, plugin: Plugin, make: Make, run: Run, folder: Path
) -> None:
    """A bundle's `viloapp-sdk` has to be the core's, byte for byte."""
    bundle = make(plugin()).path
    sdk = "wheels/viloapp_sdk-1.0.0-py3-none-any.whl"
    evil = forge(tmp_path / "evil", "viloapp-sdk", "1.0.0", {"viloapp_sdk/__init__.py": "evil = 1"})
    with zipfile.ZipFile(bundle) as archive:
        old = hashlib.sha256(archive.read(sdk)).hexdigest().encode()
        lock = archive.read("pylock.toml")
    new = hashlib.sha256(evil.read_bytes()).hexdigest().encode()
    changed = _rewrite(bundle, {sdk: evil.read_bytes(), "pylock.toml": lock.replace(old, new)})
    with pytest.raises(OwnNameError, match="viloapp-sdk"):
        run(changed)
    _untouched(store)


def test_a_bundle_for_another_machine_says_so(store: Store, plugin: Plugin, make: Make, run: Run) -> None:
    """Another Python, another platform."""
    bundle = make(plugin()).path
    with zipfile.ZipFile(bundle) as archive:
        lock = archive.read("pylock.toml")
    line = next(line for line in lock.splitlines() if line.startswith(b"requires-python"))
    with pytest.raises(InterpreterError, match=r"for Python ==3\.99\.\*"):
        run(_rewrite(bundle, {"pylock.toml": lock.replace(line, b'requires-python = "==3.99.*"')}))
    elsewhere = lock.replace(b'sys_platform == \\"linux\\"', b'sys_platform == \\"plan9\\"')
    with pytest.raises(UnsatisfiableError, match="plan9"):
        run(_rewrite(bundle, {"pylock.toml": elsewhere}))
    _untouched(store)


def test_wheels_for_another_platform_are_named(plugin: Plugin, make: Make, run: Run, folder: Path) -> None:
    """The lock may say nothing of where it is for; the wheels' tags do."""
    forge(folder, "dep", "2", {"dep.py": ""})
    bundle = make(plugin(requires=["dep"])).path
    foreign = b"dep-2-cp39-cp39-win_amd64.whl"
    with zipfile.ZipFile(bundle) as archive:
        lock = archive.read("pylock.toml").replace(b"dep-2-py3-none-any.whl", foreign)
        data = archive.read("wheels/dep-2-py3-none-any.whl")
    changes = {"wheels/dep-2-py3-none-any.whl": None, f"wheels/{foreign.decode()}": data, "pylock.toml": lock}
    with pytest.raises(UnsatisfiableError, match=foreign.decode()):
        run(_rewrite(bundle, changes))


def test_the_older_form_is_pointed_to_its_way_on(tmp_path: Path, run: Run) -> None:
    """A source tree with a manifest was called .viloplugin once."""
    older = tmp_path / "hello.viloplugin"
    with zipfile.ZipFile(older, "w") as archive:
        archive.writestr("plugin.json", "{}")
        archive.writestr("src/hello.py", "")
        archive.writestr(".viloplugin", "{}")
    with pytest.raises(BundleError, match="older form") as caught:
        run(older)
    assert "create-plugin --from-legacy hello.viloplugin" in caught.value.hint


def test_what_cannot_be_bundled_says_why(tmp_path: Path, plugin: Plugin, make: Make, run: Run) -> None:
    """A bundle, a folder that is no plugin, what is not there."""
    bundle = make(plugin()).path
    with pytest.raises(SpecError, match="is a bundle already"):
        make(bundle)
    with pytest.raises(SpecError, match="not the folder of a plugin"):
        make(f"{tmp_path}/")
    with pytest.raises(SpecError, match="there is no bundle"):
        run(tmp_path / "none.viloplugin")


def test_where_to_is_made(tmp_path: Path, plugin: Plugin, make: Make) -> None:
    """The folder for what is made is made too, with its parents; a failure leaves none of them."""
    store, into = Store(tmp_path / "s"), tmp_path / "new" / "dist"
    with pytest.raises(SpecError, match="not the folder of a plugin"):
        package(store, f"{tmp_path}/", into)
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    for wrong, why in ((tmp_path / "file", "is not a folder"), (tmp_path / "file" / "x", "cannot be made")):
        with pytest.raises(SpecError, match=why):
            package(store, f"{tmp_path}/", wrong)
    kept = tmp_path / "kept"
    kept.mkdir()
    with pytest.raises(SpecError, match="not the folder of a plugin"):
        package(store, f"{tmp_path}/", kept)
    assert kept.is_dir()
    assert make(plugin(), "new/dist").path.parent == into
