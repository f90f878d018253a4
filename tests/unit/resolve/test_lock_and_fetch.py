"""The real pip, with no network: what it locks, what it may not do."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.fixtures.wheels import forge
from viloapp_core.resolve import (
    Interpreter,
    OwnNameError,
    Pip,
    PipError,
    Resolution,
    Sources,
    Target,
    UnsatisfiableError,
    candidates,
    fetch,
    lock,
)

Lock = Callable[..., Resolution]


@pytest.fixture
def host(tmp_path: Path) -> Interpreter:
    """The interpreter of these tests."""
    return next(candidates(None, SpecifierSet(), cache=tmp_path / "cache"))


@pytest.fixture
def locked(tmp_path: Path, host: Interpreter) -> Lock:
    """Return a function that locks from a folder of wheels, offline."""
    sdk = forge(tmp_path / "wheelhouse", "viloapp-sdk", "1.0.0", {"viloapp_sdk.py": ""})

    def run(requirement: str, folder: Path, *interpreters: Interpreter, **environ: str) -> Resolution:
        scratch = tmp_path / f"scratch-{len(list(tmp_path.iterdir()))}"
        scratch.mkdir()
        return lock(
            Target(requirement.split("=")[0].split("<")[0], requirement),
            interpreters=interpreters or (host,),
            sources=Sources(find_links=(str(folder),), offline=True),
            wheels={"viloapp-sdk": sdk},
            pip=Pip({**os.environ, **environ}, scratch),
        )

    return run


def test_a_set_of_wheels_with_their_hashes(tmp_path: Path, locked: Lock) -> None:
    """The plugin, what it imports, and the SDK from the wheelhouse."""
    folder = tmp_path / "wheels"
    hello = forge(folder, "hello", "0.1", {"hello.py": ""}, requires=["viloapp-sdk>=1,<2", "dep"])
    forge(folder, "dep", "2", {"dep.py": ""})
    forge(folder, "viloapp-sdk", "1.9", {"viloapp_sdk.py": "raise SystemExit"})
    resolution = locked("hello", folder)
    assert [(p.name, p.version) for p in resolution.packages] == [
        *(("hello", "0.1"), ("dep", "2"), ("viloapp-sdk", "1.0.0"))
    ]
    assert resolution.plugin.sha256 == hashlib.sha256(hello.read_bytes()).hexdigest()
    assert resolution.notes == ()


@pytest.mark.parametrize("asked", ["viloapp-sdk>=2", "viloapp-core", "viloxterm"])
def test_our_names_are_not_taken_from_elsewhere(tmp_path: Path, locked: Lock, asked: str) -> None:
    """A folder that offers them is as little believed as an index."""
    folder = tmp_path / "wheels"
    forge(folder, "hello", "0.1", {"hello.py": ""}, requires=[asked])
    for name in ("viloapp-sdk", "viloapp-core", "viloxterm"):
        forge(folder, name, "99", {f"{name.replace('-', '_')}.py": ""})
    with pytest.raises(OwnNameError):
        locked("hello", folder)


def test_the_users_pip_settings_do_not_leak(tmp_path: Path, locked: Lock) -> None:
    """A package that only PIP_FIND_LINKS or a configuration file offers is not found."""
    folder, other = tmp_path / "wheels", tmp_path / "other"
    folder.mkdir()
    forge(other, "hello", "9", {"hello.py": ""})
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nfind-links = {other}\n")
    home = tmp_path / "home" / ".config" / "pip"
    home.mkdir(parents=True)
    (home / "pip.conf").write_text(config.read_text())
    with pytest.raises(UnsatisfiableError, match="hello"):
        locked(
            "hello",
            folder,
            PIP_FIND_LINKS=str(other),
            PIP_CONFIG_FILE=str(config),
            HOME=str(tmp_path / "home"),
        )


def test_nothing_is_ever_built(tmp_path: Path, locked: Lock) -> None:
    """A dependency by URL on a source archive, which pip would build, is refused before its code runs."""
    trace = tmp_path / "code-was-run"
    sdist = tmp_path / "evil-1.tar.gz"
    setup = f"open({str(trace)!r}, 'w')\nfrom setuptools import setup\nsetup(name='evil', version='1')\n"
    project = '[build-system]\nrequires = []\nbuild-backend = "setup"\nbackend-path = ["."]\n'
    with tarfile.open(sdist, "w:gz") as archive:
        for name, text in (("evil-1/setup.py", setup), ("evil-1/pyproject.toml", project)):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    folder = tmp_path / "wheels"
    forge(folder, "hello", "0.1", {"hello.py": ""}, requires=[f"evil @ {sdist.as_uri()}"])
    with pytest.raises(PipError, match="not a wheel"):
        locked("hello", folder)
    assert not trace.exists()


def test_the_next_interpreter_when_one_has_no_wheel(tmp_path: Path, locked: Lock, host: Interpreter) -> None:
    """A wheel for another series only: the first is passed over and the choice is explained."""
    every = list(candidates(None, SpecifierSet(), cache=tmp_path / "cache"))
    if len(every) < 2:
        pytest.skip("this machine has one series of Python")
    last = every[-1]
    folder = tmp_path / "wheels"
    wheel = forge(folder, "hello", "0.1", {"hello.py": ""})
    tag = f"cp{last.series.replace('.', '')}"
    wheel.rename(folder / f"hello-0.1-{tag}-none-any.whl")
    resolution = locked("hello", folder, *every)
    assert resolution.python == last
    assert last.version in resolution.notes[0]
    assert host.version in resolution.notes[0]


def test_an_unsatisfiable_requirement_has_pips_reason(tmp_path: Path, locked: Lock) -> None:
    """What was asked, what there is, and which interpreters were tried."""
    folder = tmp_path / "wheels"
    forge(folder, "hello", "0.1", {"hello.py": ""})
    with pytest.raises(UnsatisfiableError) as caught:
        locked("hello==7", folder)
    assert "hello==7" in caught.value.detail
    assert "0.1" in caught.value.detail
    assert "tried Python" in caught.value.hint


def test_files_of_this_machine_need_no_fetching(tmp_path: Path, locked: Lock) -> None:
    """They are used where they are."""
    folder = tmp_path / "wheels"
    hello = forge(folder, "hello", "0.1", {"hello.py": ""})
    resolution = locked("hello", folder)
    found = fetch(
        resolution, resolution.packages, sources=Sources(offline=True), pip=Pip({}, tmp_path / "none")
    )
    assert found == {resolution.plugin.sha256: hello}


def test_all_versions_that_there_are(tmp_path: Path, host: Interpreter) -> None:
    """Pre-releases and those for another Python too; none of what there is not."""
    folder = tmp_path / "wheels"
    for version in ("1.0", "1.10", "1.9", "2.0rc1"):
        forge(folder, "hello", version, {"hello.py": ""})
    sources = Sources(find_links=(str(folder),), offline=True)
    pip = Pip(os.environ, tmp_path)
    assert pip.versions(host, "hello", sources) == ["2.0rc1", "1.10", "1.9", "1.0"]
    assert pip.versions(host, "nothing", sources) == []
