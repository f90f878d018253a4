#!/usr/bin/env python3
"""Set up this clone and use it. Needs Python 3.11 or newer and nothing else.

    python3 dev.py run [ARGUMENTS]     set up, install both plugins from the clone, open the workspace;
                                       the arguments are those of `viloapp run`
    python3 dev.py test [SESSIONS]     set up and pass the tests; the sessions are nox's
    python3 dev.py viloapp ARGUMENTS   set up and run any `viloapp` command on the store that `run` uses
    python3 dev.py setup               set up only

Everything made stays inside the clone: `.venv/`, `.nox/`, and the store `.viloapp/` (elsewhere if
VILOAPP_HOME is set). The second time is quick: what is there and still right is not made again.
"""

# Kept readable for older Pythons down to 3.7, so that one of them can find a newer one instead of showing a
# syntax error.
from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

CLONE = Path(__file__).resolve().parent
VENV = CLONE / ".venv"
MINIMUM = (3, 11)
NEWEST = (3, 15)
PLUGINS = ("viloxterm", "viloedit")
TOOLS = ["pip>=26", "setuptools>=77", "nox>=2025.5"]
SUMMARY = re.compile(
    r"^=+ (?P<counts>.*\b(?:passed|failed|errors?|skipped|no tests ran)\b.*) in (?P<seconds>[\d.]+)s.*=+$"
)
COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?)")


class SetupError(Exception):
    """Something is missing on this machine; the message says what to do."""


def main(arguments: list[str]) -> int:
    """Run one of the commands; returns the exit code."""
    commands: dict[str, Callable[[Sequence[str]], int]] = {
        "run": run,
        "test": test,
        "viloapp": viloapp,
        "setup": setup,
    }
    if not arguments or arguments[0] not in commands:
        asked = arguments[:1] in (["-h"], ["--help"])
        print(__doc__, file=sys.stdout if asked else sys.stderr)
        if arguments and not asked:
            print(f"error: no such command {arguments[0]!r}", file=sys.stderr)
        return 0 if asked else 2
    try:
        if sys.version_info < MINIMUM:
            return restart_with_newer(arguments)
        return commands[arguments[0]](arguments[1:])
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


# --- Pythons of this machine


def interpreters(minimum: tuple[int, int] = MINIMUM) -> dict[tuple[int, int], Path]:
    """Return the working Pythons from `minimum` up, oldest first.

    Each is run once: a pyenv shim is on the path for versions that are installed but not selected, and
    then only fails.
    """
    found = {}
    for minor in range(minimum[1], NEWEST[1] + 1):
        for candidate in _candidates(f"python3.{minor}"):
            real = _base_executable(candidate)
            if real is not None and real[0] == (3, minor):
                found[(3, minor)] = real[1]
                break
    return found


def _candidates(name: str) -> list[Path]:
    folders = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    # The one that runs this may be on no path; sys.executable may be a virtualenv's, which leads to it.
    folders.append(Path(sys.executable).parent)
    homes = {Path.home()}
    try:
        import pwd

        homes.add(Path(pwd.getpwuid(os.getuid()).pw_dir))  # HOME may have been set to something empty
    except (ImportError, KeyError):
        pass
    roots = [home / ".pyenv" for home in homes] + [
        folder.parent for folder in folders if folder.name == "shims"
    ]
    for root in roots:
        folders += sorted(root.glob("versions/*/bin"), reverse=True)
    for home in homes:
        folders += sorted(home.glob(".local/share/uv/python/*/bin"), reverse=True)
    return [
        folder / name
        for folder in folders
        if folder.name != "shims" and os.access(str(folder / name), os.X_OK)
    ]


def _base_executable(python: Path) -> tuple[tuple[int, int], Path] | None:
    """Return version and path of the interpreter behind `python`; None if it does not start."""
    code = "import sys; print(*sys.version_info[:2], getattr(sys, '_base_executable', ''), sep='\\n')"
    try:
        answer = subprocess.run(
            [str(python), "-I", "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=True,
            encoding="utf-8",
        ).stdout.splitlines()
        return (int(answer[0]), int(answer[1])), Path(answer[2])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def restart_with_newer(arguments: list[str]) -> int:
    """Run this file again with a new enough Python of this machine.

    Raises:
        SetupError: If there is none.
    """
    found = interpreters()
    if not found:
        wanted, have = ".".join(map(str, MINIMUM)), ".".join(map(str, sys.version_info[:2]))
        raise SetupError(
            f"ViloApp needs Python {wanted} or newer; this is {have} and no newer one was found on "
            "PATH, in ~/.pyenv or in uv's folder\n"
            "hint: install one (https://www.python.org/downloads/) and run this file with it"
        )
    return subprocess.call([str(found[min(found)]), str(CLONE / "dev.py"), *arguments])


# --- Setting up


def setup(_arguments: Sequence[str] = ()) -> int:
    """Make `.venv` with the SDK and the core installed in place, unless it is there and still right."""
    projects = [CLONE / "viloapp_sdk/pyproject.toml", CLONE / "viloapp_core/pyproject.toml"]
    python = f"{sys.version} {sys.base_prefix} {CLONE}"
    installed = _digest(projects, python + " ".join(TOOLS))
    made_by, note = VENV / ".viloapp-python", VENV / ".viloapp-installed"
    if not (_python().exists() and made_by.is_file() and made_by.read_text("utf-8") == python):
        _make_venv()
        made_by.write_text(python, "utf-8")
    if not (note.is_file() and note.read_text("utf-8") == installed):
        say("installing the SDK, the core and nox into .venv (a minute or two, the first time)")
        _pip(*TOOLS)
        _pip("-e", str(CLONE / "viloapp_sdk"), "-e", f"{CLONE / 'viloapp_core'}[app,author]")
        note.write_text(installed, "utf-8")
    _refresh_generated()
    return 0


def _make_venv() -> None:
    if VENV.exists():
        shutil.rmtree(VENV)
    say(f"making .venv with Python {'.'.join(map(str, sys.version_info[:3]))}")
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        version = ".".join(map(str, sys.version_info[:2]))
        tail = "\n".join("  " + line for line in made.stdout.strip().splitlines()[-4:])
        raise SetupError(
            f"{sys.executable} cannot make a virtual environment:\n{tail}\n"
            f"hint: on Debian and Ubuntu `apt-get install python{version}-venv` (or python3-venv) adds what "
            "is missing; or run this file with another Python"
        )


def _refresh_generated() -> None:
    """Bring the page's bundle and the wheelhouse up to date; a fraction of a second when they are."""
    environ = {**os.environ, "PYTHONPATH": str(CLONE / "viloapp_core/build_backend")}
    build = [str(_python()), "-m", "viloapp_build"]
    needed = subprocess.run(
        [*build, "requirements"], env=environ, stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    if needed.returncode == 0 and needed.stdout.split():
        _pip(*needed.stdout.split())
    if needed.returncode != 0 or subprocess.call(build, env=environ) != 0:
        raise SetupError("the page's bundle or the wheelhouse could not be built; the reason is above")


def _pip(*arguments: str) -> None:
    command = [str(_python()), "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments]
    # pip takes over another environment's settings from these.
    environ = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PIP_TARGET", "PIP_PREFIX", "PIP_USER")
    }
    if subprocess.call(command, env=environ, cwd=str(CLONE)) != 0:
        raise SetupError(
            f"pip could not install {' '.join(arguments)}; its reason is above\n"
            "hint: the first set-up needs the package index; when that works again, the same command goes on"
        )


def _python() -> Path:
    return VENV / "Scripts" / "python.exe" if os.name == "nt" else VENV / "bin" / "python"


def _viloapp() -> Path:
    return _python().with_name("viloapp.exe" if os.name == "nt" else "viloapp")


# --- The commands


def run(arguments: Sequence[str]) -> int:
    """Open the workspace with both plugins installed from the clone."""
    setup()
    environ = _store_environ()
    _install_plugins(environ)
    return _become(["run", *arguments], environ)


def viloapp(arguments: Sequence[str]) -> int:
    """Run a `viloapp` command on the store of the clone."""
    setup()
    return _become(arguments, _store_environ())


def _store_environ() -> dict[str, str]:
    store = os.environ.get("VILOAPP_HOME") or str(CLONE / ".viloapp")
    return {**os.environ, "VILOAPP_HOME": store}


def _become(arguments: Sequence[str], environ: dict[str, str]) -> int:
    """Become the command, so that Ctrl-C and signals go straight to it."""
    command = [str(_viloapp()), *arguments]
    if os.name == "nt":
        return subprocess.call(command, env=environ)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, environ)


def _install_plugins(environ: dict[str, str]) -> None:
    """Install both plugins with `--dev`, unless the store has them from the present sources."""
    # A plugin's commands are read from its source when it is installed, and its virtualenv holds a copy of
    # the SDK.
    trees = [CLONE / "viloapp_sdk", *(CLONE / "plugins" / name for name in PLUGINS)]
    sources = [path for tree in trees for path in _sources(tree)]
    expected = _digest(sources, f"{CLONE} {sys.version}")
    store = Path(environ["VILOAPP_HOME"])
    note = store / "dev-plugins.json"
    if (
        note.is_file()
        and json.loads(note.read_text("utf-8")).get("sources") == expected
        and _installed(environ)
    ):
        return
    say("installing the plugins from the clone: " + ", ".join(PLUGINS))
    folders = [str(CLONE / "plugins" / name) for name in PLUGINS]
    if subprocess.call([str(_viloapp()), "install", "--yes", "--dev", *folders], env=environ) != 0:
        raise SetupError("the plugins could not be installed; the reason is above")
    note.write_text(json.dumps({"sources": expected}), "utf-8")


def _installed(environ: dict[str, str]) -> bool:
    listing = subprocess.run(
        [str(_viloapp()), "list", "--json"],
        env=environ,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    if listing.returncode != 0:
        return False
    plugins = json.loads(listing.stdout)["plugins"]
    return {each["id"] for each in plugins if each["source"] == "dev"} >= set(PLUGINS)


def test(arguments: Sequence[str]) -> int:
    """Run nox's sessions, by default those that noxfile.py names; the last line is pytest's summary."""
    setup()
    command = [str(_python()), "-m", "nox", "--noxfile", str(CLONE / "noxfile.py")]
    command += ["--session", *arguments] if arguments else []
    # The path of the environment that runs nox must not be seen by the sessions, nor an activated one.
    environ = {
        name: value
        for name, value in os.environ.items()
        if name not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    }
    environ["PYTHONUNBUFFERED"] = "1"
    process = subprocess.Popen(
        command,
        cwd=str(CLONE),
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    assert process.stdout is not None
    totals: dict[str, int] = {}
    seconds = 0.0
    try:
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            summary = SUMMARY.match(re.sub(r"\x1b\[[\d;]*m", "", line).strip())
            if summary:
                seconds += float(summary["seconds"])
                for number, kind in COUNT.findall(summary["counts"]):
                    totals[kind] = totals.get(kind, 0) + int(number)
        code = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if code != 0 and not totals.keys() & {"failed", "error", "errors"}:
        print("A session that runs no tests failed; see above.")
    if totals:
        counts = ", ".join(f"{number} {kind}" for kind, number in totals.items())
        print(f" {counts} in {seconds:.2f}s ".center(100, "="), flush=True)
    return code


# --- Small things


def say(message: str) -> None:
    """Tell what is being done, on stderr."""
    print(f"dev.py: {message}", file=sys.stderr, flush=True)


def _sources(tree: Path) -> list[Path]:
    return sorted(
        path
        for path in tree.rglob("*")
        if path.suffix in (".py", ".toml") and not {"build", "dist"} & set(path.relative_to(tree).parts)
    )


def _digest(files: list[Path], more: str) -> str:
    digest = hashlib.sha256(more.encode())
    for path in files:
        digest.update(path.relative_to(CLONE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
