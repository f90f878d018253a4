"""The checks of this project, each a session; `python3 dev.py test` runs the default ones in this order.

`nox -l` lists them; `nox -s unit-3.12 -- tests/unit/store -k journal` passes arguments on to pytest.
The tools' dependencies come from the groups in pyproject.toml, those of the code from its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import nox

CLONE = Path(__file__).resolve().parent
sys.path.insert(0, str(CLONE))

from dev import interpreters  # noqa: E402 - after the line that makes it importable

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = True

SDK, CORE = "viloapp_sdk", "viloapp_core"
DISTRIBUTIONS = (SDK, CORE, "plugins/viloxterm", "plugins/viloedit")
SDK_MINIMUM = (3, 10)
FOUND = interpreters(SDK_MINIMUM)
PYTHONS = [f"{major}.{minor}" for major, minor in FOUND if (major, minor) > SDK_MINIMUM]
SDK_PYTHONS = [f"{major}.{minor}" for major, minor in FOUND if (major, minor) == SDK_MINIMUM]
# The oldest Python runs most unit tests with the lowest versions (`minimums`), the newest all of them,
# those between them what depends on the Python; one alone does both. `nox -s unit` is the whole matrix.
BETWEEN = PYTHONS[1:-1]
SDK_UNIT = ["unit-sdk"] if SDK_PYTHONS else []  # nox knows no session that has no Python
CORE_UNIT = [*(f"unit-quick-{python}" for python in BETWEEN), f"unit-{PYTHONS[-1]}"]
UNIT = [*CORE_UNIT, *SDK_UNIT]
nox.options.sessions = ["lint", "types", *UNIT, "contract", "minimums", "package", "docs", "e2e"]
# The parts of the core that touch the event loop, signals, descriptors, the interpreter itself.
DEPENDS_ON_PYTHON = ("sdk", "sdk_manifest", "sdk_testing", "rpc", "process", "broker", "sandbox")
# What uses msgpack and hardly another distribution, and takes its time: `minimums` leaves it to the newest
# Python, and to the installed command, which `e2e` runs on the Python that runs nox.
ON_NO_VERSION = (
    *("benchmarks", "host", "ledger", "limits", "permissions", "plugins", "profiling", "supervise"),
    # Files, streams, pytest: of others' work no more than what the tests beside these use.
    *("store/test_belongings.py", "store/test_crashes.py", "store/test_probation.py"),
    *("cli/test_bisect.py", "cli/test_safe_mode.py", "cli/test_streaming_call.py"),
    "devtools/test_pytest_runs.py",
    # What is decided around an installation, which test_installing.py and test_dependencies.py make as well.
    *("operations/test_repairing.py", "operations/test_syncing.py"),
)
RED_TEAM = "tests/e2e/redteam"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# A pyenv shim may stand first on the path and only fail; the folders of the Pythons that work come before it.
# The one that runs nox stays first, so that `python3` keeps its meaning.
_this = FOUND.get(sys.version_info[:2])
_folders = [str(path.parent) for path in [_this, *FOUND.values()] if path is not None]
os.environ["PATH"] = os.pathsep.join([*dict.fromkeys(_folders), os.environ.get("PATH", os.defpath)])

# Brings loopback up in the new network namespace, where it is down, and becomes the tests.
# Source: netdevice(7), SIOCGIFFLAGS 0x8913, SIOCSIFFLAGS 0x8914, IFF_UP 1.
_LOOPBACK_THEN = """
import fcntl, os, socket, struct, sys
with socket.socket() as s:
    request = struct.pack("16sH14x", b"lo", 0)
    flags = struct.unpack("16sH14x", fcntl.ioctl(s, 0x8913, request))[1]
    fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", flags | 1))
os.execvp(sys.argv[1], sys.argv[1:])
"""


@nox.session
def lint(session: nox.Session) -> None:
    """Style and layers: ruff (rules and format), and import-linter's contracts."""
    _install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    # The contracts are over source files; nothing has to be installed, only found.
    session.run("lint-imports", "--no-cache", env=_sources_on_path())


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict, over everything including the tests and this file."""
    _in_place(session, "types", "browser")
    session.run("mypy")


@nox.session(python=PYTHONS)
def unit(session: nox.Session) -> None:
    """Unit and architecture tests on every Python found, with no network where the system allows that."""
    _in_place(session, "test")
    _pytest(session, "tests/unit", "tests/architecture", network=False, at_once=True)


@nox.session(name="unit-quick", python=BETWEEN, default=False)
def unit_quick(session: nox.Session) -> None:
    """The unit tests of what depends on the Python, on those between the oldest and the newest."""
    _in_place(session, "test")
    _pytest(session, *(f"tests/unit/{each}" for each in DEPENDS_ON_PYTHON), network=False, at_once=True)


@nox.session(name="unit-sdk", python=SDK_PYTHONS)
def unit_sdk(session: nox.Session) -> None:
    """The SDK's unit tests on Python 3.10, which the core does not support and a plugin may use."""
    _install(session, "test", more=["-e", f"./{SDK}"])
    _pytest(session, *_sdk_tests(), network=False, at_once=True)


@nox.session
def contract(session: nox.Session) -> None:
    """Every backend of a port through one suite; the oldest supported SDK in this core, and the reverse."""
    if not (CLONE / "tests" / "contract").is_dir():
        session.skip("no port has two backends yet")
    _in_place(session, "test")
    _pytest(session, "tests/contract", "--dist=worksteal", at_once=True)


@nox.session(python=PYTHONS[:1])
def minimums(session: nox.Session) -> None:
    """Unit tests with the lowest versions that the pyproject.toml files allow, on the oldest Python."""
    # Not session.create_tmp(): it moves TMPDIR to where the paths of sockets get too long.
    constraints = CLONE / ".nox" / "minimums.txt"
    constraints.write_text("\n".join(_lowest(f"{SDK}/pyproject.toml", f"{CORE}/pyproject.toml")), "utf-8")
    _in_place(session, "test", constraints=["-c", str(constraints)])
    folders = sorted({path.parent.name for path in (CLONE / "tests" / "unit").glob("*/test_*.py")})
    chosen = [f"tests/unit/{name}" for name in folders if name not in ON_NO_VERSION]
    left_out = [f"--ignore=tests/unit/{name}" for name in ON_NO_VERSION if name.endswith(".py")]
    _pytest(session, *chosen, *left_out, network=False, at_once=True)


@nox.session
def package(session: nox.Session) -> None:
    """Build the four distributions, check what is in them, and install each in a clean virtualenv."""
    _install(session, "test", "package")
    built = _built(session)
    session.run("twine", "check", "--strict", *map(str, sorted(built.glob("vilo*"))))
    _pytest(session, "tests/package", at_once=True, env={"VILOAPP_DIST": str(built)})


@nox.session
def docs(session: nox.Session) -> None:
    """Execute what README.md, the tutorial and `examples/` show, with the installed command."""
    # A new plugin's project is held to its own lint and types.
    _from_wheels(session, "test", "lint", "types")
    _pytest(session, "tests/docs", at_once=True)


@nox.session
def e2e(session: nox.Session) -> None:
    """The installed command from end to end, with the real index and a real Chromium."""
    chromium = _chromium(session)
    _from_wheels(session, "e2e")
    env = {"VILOAPP_CHROMIUM": chromium, "VILOAPP_DIST": str(_built(session))}
    if session.posargs:
        _pytest(session, env=env)
        return
    # With ALL_TESTS a test that has to run where it can, and did not, is a failure (tests/e2e/conftest.py).
    # The red team has the machine to itself: it uses up what there is, and one user's limits count all of it.
    everyone = {**env, "VILOAPP_ALL_TESTS": "1"}
    try:
        _pytest(session, "tests/e2e", f"--ignore={RED_TEAM}", "--dist=loadfile", at_once=True, env=everyone)
    finally:  # it too, whatever the others found
        _pytest(session, RED_TEAM, env=env)


@nox.session(default=False)
def chaos(session: nox.Session) -> None:
    """Kill the store's changes at 250 steps and moments; make running plugins fail 1,000 times, in nine ways.

    Twenty minutes. After each kill every invariant of the store is checked, after the faults that no call was
    lost and nothing is left over. `e2e` has a short form of both.
    """
    _from_wheels(session, "test")
    env = {"VILOAPP_KILLS": "250", "VILOAPP_FAULTS": "1000"}
    _pytest(session, "tests/e2e/test_crash.py", "tests/e2e/test_chaos.py", env=env)


@nox.session(default=False)
def reloads(session: nox.Session) -> None:
    """Save a plugin's source two hundred times in a row: each is answered, and nothing is left of any."""
    _in_place(session, "test")
    _pytest(session, "-s", "tests/unit/devtools/test_reloading.py", env={"VILOAPP_RELOADS": "200"})


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Benchmarks, by name after `--`, such as `start`, `memory`, `install`; all without one."""
    _from_wheels(session, "test")
    session.install("pipx>=1.8", "uv>=0.9", "grpcio>=1.60", "stevedore>=5")  # the peers
    session.install("rpyc>=6", "Pyro5>=5.15", "execnet>=2", "python-lsp-jsonrpc>=1.1", "pygls>=2")
    session.run("python", "-m", "benchmarks", *session.posargs)


# --- What the sessions share


def _install(session: nox.Session, *groups: str, more: Sequence[str] = ()) -> None:
    """Install dependency groups of the root pyproject.toml and what else there is, in one run of pip."""
    session.install("pip>=26")  # older ones know no --group
    # The bytecode apart: pip makes it on one processor, in as much time as all the rest takes it.
    session.install("--no-compile", *(f"--group={group}" for group in groups), *more)
    compileall = ["python", "-m", "compileall", "-qq", "-j0", str(Path(session.bin).parent / "lib")]
    session.run(*compileall, silent=True, success_codes=[0, 1])  # templates may be no Python, as with pip


def _in_place(session: nox.Session, *groups: str, constraints: Sequence[str] = ()) -> None:
    """Install groups, SDK and core, so that the sources of the clone are what runs."""
    _install(session, *groups, more=["-e", f"./{SDK}", "-e", f"./{CORE}[app,author]", *constraints])


def _from_wheels(session: nox.Session, *groups: str) -> None:
    """Install groups, and SDK and core from wheels, as a user has them."""
    _install(session, *groups, more=["build>=1.2.2"])
    built = _built(session)
    names = ("viloapp_sdk", "viloapp_core")
    wheels = [next(iter(built.glob(f"{name}-*.whl"))) for name in names]
    # The version does not change from one edit to the next, so that pip would keep what it has.
    session.install("--force-reinstall", "--no-deps", *map(str, wheels))
    session.install(str(wheels[0]), f"{wheels[1]}[app,author]")


def _built(session: nox.Session) -> Path:
    """Return a folder with wheels and source distributions of the four; unchanged sources are not built."""
    folder = CLONE / ".nox" / "dist" / _fingerprint()
    if (folder / ".complete").is_file():
        return folder
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.mkdir(parents=True)

    for distribution in DISTRIBUTIONS:
        # Through the source distribution and in isolation, as a stranger would; one after the other, for the
        # core's build makes a wheel of the SDK in the SDK's folder.
        command = ["python", "-m", "build", "--outdir", str(folder), distribution]
        session.run(*command, silent=True, env=_wheelhouse_only())
    (folder / ".complete").touch()
    return folder


def _wheelhouse_only() -> Mapping[str, str]:
    """Return settings with which an isolated build finds this clone's SDK, which is on no index yet."""
    wheelhouse = CLONE / CORE / "src" / CORE / "wheelhouse"
    links = [os.environ.get("PIP_FIND_LINKS", ""), wheelhouse.as_uri()]
    return {"PIP_FIND_LINKS": " ".join(filter(None, links))}


def _fingerprint() -> str:
    """Return a digest of the sources of the four distributions."""
    made = {"node_modules", "build", "dist", "__pycache__", "static", "wheelhouse"}
    digest = hashlib.sha256()
    for distribution in DISTRIBUTIONS:
        for path in sorted((CLONE / distribution).rglob("*")):
            parts = path.relative_to(CLONE).parts
            if (
                path.is_file()
                and not made & set(parts)
                and not any(part.endswith(".egg-info") for part in parts)
            ):
                digest.update("/".join(parts).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _pytest(
    session: nox.Session,
    *paths: str,
    network: bool = True,
    at_once: bool = False,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run pytest on `paths`, or on what was given after `--`; `at_once`: a test on each processor."""
    arguments = session.posargs or [each for each in paths if each[0] == "-" or (CLONE / each).exists()]
    if not arguments:
        session.skip(f"none of {', '.join(paths)} exists yet")
    beside = ["-n", "auto"] if at_once and not session.posargs else []
    command = ["python", "-m", "pytest", *beside, *arguments]
    prefix = [] if network else _without_network(session)
    session.run(*prefix, *command, env=env, external=bool(prefix))


def _without_network(session: nox.Session) -> Sequence[str]:
    """Return the words that start a command with no network but loopback; none where that is impossible."""
    unshare = shutil.which("unshare")
    if unshare is not None:
        launcher = CLONE / ".nox" / "without_network.py"
        launcher.write_text(_LOOPBACK_THEN, "utf-8")
        # As root a network namespace alone; others need a user namespace, in which they keep their own id.
        ways = (
            [["--net"]] if os.geteuid() == 0 else [["--user", "--map-current-user", "--keep-caps", "--net"]]
        )
        for way in ways:
            words = [unshare, *way, "--", str(Path(session.bin) / "python"), str(launcher)]
            if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
                return words
    session.warn("the network stays reachable: this system allows no network namespace (unshare --net)")
    return []


def _sdk_tests() -> list[str]:
    """Return the test folders that import nothing but the SDK."""
    return [
        str(path.relative_to(CLONE))
        for path in sorted((CLONE / "tests" / "unit").glob("*"))
        if path.name.startswith(("sdk", "viloapp_sdk"))
    ]


def _sources_on_path() -> Mapping[str, str]:
    return {"PYTHONPATH": os.pathsep.join(str(CLONE / each / "src") for each in DISTRIBUTIONS)}


def _lowest(*files: str) -> list[str]:
    """Turn each `name>=version` of the projects' dependencies into `name==version`."""
    from packaging.requirements import Requirement

    lowest = []
    for file in files:
        project = tomllib.loads((CLONE / file).read_text("utf-8"))["project"]
        extras = project.get("optional-dependencies", {}).values()
        for text in [*project["dependencies"], *(each for extra in extras for each in extra)]:
            requirement = Requirement(text)
            floors = [each.version for each in requirement.specifier if each.operator == ">="]
            if floors and not requirement.name.startswith("viloapp"):
                marker = f"; {requirement.marker}" if requirement.marker else ""
                lowest.append(f"{requirement.name}=={floors[0]}{marker}")
    return lowest


def _chromium(session: nox.Session) -> str:
    """Return the path of a Chromium, which is installed where that can be done."""
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        environ = {"DEBIAN_FRONTEND": "noninteractive"}
        session.run("apt-get", "update", "-q", external=True, silent=True, env=environ)
        packages = ["chromium", "fonts-dejavu-core"]
        install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
        session.run(*install, external=True, silent=True, env=environ)
        found = shutil.which("chromium")
    if found is None:
        session.error(
            "the browser tests need Chromium: `apt-get install chromium` as root, or any of "
            f"{', '.join(CHROMIUMS)} on PATH"
        )
    return found
