"""The host's own pip, as a subprocess in a clean environment, where it can build nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from viloapp_core.foundation import commands
from viloapp_core.resolve.errors import (
    IndexUnreachableError,
    PipError,
    ResolveError,
    UnsatisfiableError,
)
from viloapp_core.resolve.interpreters import Interpreter

# What may pass from the user's environment: proxies, certificates, and what finds home and its .netrc.
# No PIP_* but the certificate: an extra index that is configured for something else is not to be used here.
_PASSED = re.compile(
    r"HOME|USER|LOGNAME|LANG|LC_[A-Z]+|TZ|XDG_CACHE_HOME|NETRC|PIP_CERT|"
    r"SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|"
    r"(https?|all|no|ftp)_proxy|(HTTPS?|ALL|NO|FTP)_PROXY"
)
_TIMEOUT_S = 1800.0
_LOST_CONNECTION = re.compile(
    r"connection broken by|ConnectionError|NameResolutionError|connection-failed|Max retries exceeded|"
    r"Failed to establish|ReadTimeout|ConnectTimeout|SSLError|CERTIFICATE_VERIFY_FAILED|HTTP error 5\d\d"
)
_NO_MATCH = re.compile(
    r"No matching distribution found|Could not find a version|requires a different Python|"
    r"no matching distributions available for your environment|is not a supported wheel on this platform"
)
_VERSIONS = re.compile(r"\(from versions: ([^)]*)\)")


@dataclass(frozen=True)
class Sources:
    """Where distributions may come from; nothing else is asked."""

    index_url: str | None = None
    """The one index; None for pip's own default, which is PyPI: nobody's configuration reaches pip."""
    find_links: tuple[str, ...] = ()
    offline: bool = False

    def arguments(self) -> list[str]:
        """Return pip's options for all but the index."""
        index = ["--no-index"] if self.offline else []
        return [*index, *(item for link in self.find_links for item in ("--find-links", link))]

    def environment(self) -> dict[str, str]:
        """Return pip's variable for the index, whose address may hold a password: all can see argv."""
        return {} if self.offline or self.index_url is None else {"PIP_INDEX_URL": self.index_url}

    @property
    def shown_index(self) -> str:
        """The index's address without what one logs in with."""
        if self.index_url is None:
            return "PyPI"
        parts = urlsplit(self.index_url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def clean_environment(environ: Mapping[str, str], scratch: Path) -> dict[str, str]:
    """Return an environment in which pip knows only what it is told on its command line.

    Args:
        environ: the user's.
        scratch: the folder for temporary files.
    """
    kept = {name: value for name, value in environ.items() if _PASSED.fullmatch(name)}
    return {
        **kept,
        "PATH": os.defpath,
        "TMPDIR": str(scratch),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_NO_COLOR": "1",
        "PYTHONUTF8": "1",
    }


@dataclass(frozen=True)
class Pip:
    """How pip is run: for which interpreter, in which environment, told to whom.

    Args:
        environ: the user's environment, of which little passes.
        scratch: a folder for everything temporary.
        on_line: told each line that pip prints.
        cancel: ends pip when set.
    """

    environ: Mapping[str, str]
    scratch: Path
    on_line: Callable[[str], None] | None = None
    cancel: threading.Event | None = None

    def run(self, interpreter: Interpreter, command: str, sources: Sources, arguments: Sequence[str]) -> None:
        """Run pip for `interpreter`, as ``pip --python`` does but where it can start no program.

        Raises:
            UnsatisfiableError: there is no version or wheel that fits.
            IndexUnreachableError: the index did not answer.
            PipError: anything else.
        """
        self._run(interpreter, [command], sources, [*arguments, "--progress-bar", "raw"])

    def versions(self, interpreter: Interpreter, name: str, sources: Sources) -> list[str]:
        """Return the versions of a distribution that have a wheel for this machine, the newest first.

        Raises:
            IndexUnreachableError: the index did not answer.
            PipError: anything else.
        """
        arguments = [name, "--pre", "--ignore-requires-python", "--json"]
        try:
            answer = self._run(interpreter, ["index", "versions"], sources, arguments)
        except UnsatisfiableError:
            return []
        try:
            return [str(version) for version in json.loads(answer)["versions"]]
        except (ValueError, KeyError, TypeError) as error:
            raise PipError(f"pip does not say which versions of {name} there are") from error

    def _run(
        self, interpreter: Interpreter, command: Sequence[str], sources: Sources, arguments: Sequence[str]
    ) -> str:
        """Run pip and return what it printed."""
        guard = Path(__file__).with_name("_guard.py")
        argv = [str(interpreter.executable), "-I", "-S", str(guard), str(_runner())]
        argv += [*command, "--only-binary", ":all:", *sources.arguments(), *arguments]
        argv += ["--no-color", "--retries", "2", "--timeout", "20"]
        finished = commands.run(
            argv,
            env=clean_environment(self.environ, self.scratch) | sources.environment(),
            cwd=self.scratch,
            timeout_s=_TIMEOUT_S,
            on_line=self.on_line,
            cancel=self.cancel,
        )
        if finished.returncode != 0:
            raise judge(finished.stdout, finished.stderr)
        return finished.stdout


def judge(stdout: str, stderr: str) -> ResolveError:
    """Return the error that pip's output stands for, with pip's reason and none of its noise."""
    text = reason(stdout, stderr)
    if _LOST_CONNECTION.search(stderr):
        lost = [line for line in stderr.splitlines() if _LOST_CONNECTION.search(line)]
        return IndexUnreachableError(f"the index cannot be reached: {_inner_cause(lost[-1])}")
    if "nothing is built" in stdout + stderr:
        begun = [line for line in stdout.splitlines() if line.startswith(("Collecting ", "Processing "))]
        what = begun[-1].partition(" ")[2] if begun else "a requirement"
        return PipError(
            f"{what} is not a wheel, and nothing is ever built",
            "ask for a version that has a wheel for this platform",
        )
    if _NO_MATCH.search(stdout + stderr):
        return UnsatisfiableError(text)
    if "ResolutionImpossible" in stderr:
        return PipError(text, "two requirements exclude each other; ask for another version")
    return PipError(text or "pip failed and said nothing")


def reason(stdout: str, stderr: str) -> str:
    """Return the lines of pip's output that say why, without warnings and long lists."""
    lines = [line.removeprefix("ERROR: ") for line in stderr.splitlines() if not _is_noise(line)]
    _, found, conflict = stdout.partition("The conflict is caused by:\n")
    if found:
        lines += [line.rstrip() for line in conflict.split("\n\n")[0].splitlines() if line.strip()]
    return "\n".join(_shorten(line) for line in lines[-20:])


def _is_noise(line: str) -> bool:
    start = ("WARNING:", "ERROR: ResolutionImpossible", "ERROR: Ignored the following yanked", "[notice]")
    return not line.strip() or line.startswith(start)


def _shorten(line: str) -> str:
    """Keep of a list of versions the newest few, which is where one looks for the one that is wanted."""

    def few(match: re.Match[str]) -> str:
        versions = match.group(1).split(", ")
        shown = ", ".join(versions[-6:])
        return f"(from versions: {'… ' if len(versions) > 6 else ''}{shown})"

    return _VERSIONS.sub(few, line)[:2000]


def _inner_cause(line: str) -> str:
    """Return the innermost words of a urllib3 error, which is what a person understands."""
    match = re.search(r"(Failed to [^()\"']*'?[^'\"()]*'?[^\"]*)", line)
    text = match.group(1) if match else line.removeprefix("ERROR: ").removeprefix("WARNING: ")
    return text.strip(" \"')")[:300]


def _runner() -> Path:
    """Return the script with which pip runs itself for another interpreter.

    Raises:
        PipError: the host has no pip of its own.
    """
    spec = importlib.util.find_spec("pip")
    folder = Path(spec.origin).parent if spec is not None and spec.origin else None
    if folder is None or not (folder / "__pip-runner__.py").is_file():
        hint = "install it: python -m pip install 'pip>=26.1'"
        raise PipError("this Python has no pip 26.1 or newer", hint)
    return folder / "__pip-runner__.py"
