"""What pip says, and what of it a person is told. The outputs are pip 26.3's own, shortened."""

from __future__ import annotations

from pathlib import Path

import pytest

from viloapp_core.resolve import IndexUnreachableError, PipError, ResolveError, Sources, UnsatisfiableError
from viloapp_core.resolve.pip import clean_environment, judge

EXPERIMENTAL = "WARNING: pip lock is currently an experimental command. It may be removed.\n"
NO_MATCH = (
    EXPERIMENTAL + "ERROR: Ignored the following yanked versions: 2.4.0\n"
    "ERROR: Could not find a version that satisfies the requirement numpy<0.5 "
    "(from versions: 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7)\n"
    "ERROR: No matching distribution found for numpy<0.5\n"
)
WRONG_PYTHON = EXPERIMENTAL + "ERROR: Package 'old' requires a different Python: 3.13.0 not in '<3.13'\n"
CONFLICT = (
    EXPERIMENTAL
    + "ERROR: Cannot install a and b because these package versions have conflicting dependencies.\n"
    "ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/\n"
)
CONFLICT_OUT = (
    "Collecting a\n\nThe conflict is caused by:\n    a 1 depends on c<2\n    b 1 depends on c>=2\n\n"
    "To fix this you could try to:\n1. loosen the range\n"
)
NO_WHEEL_OUT = CONFLICT_OUT.replace(
    "To fix", "Additionally, some packages in these conflicts have no matching distributions available for "
    "your environment:\n    c\n\nTo fix"
)  # fmt: skip
UNREACHABLE = (
    EXPERIMENTAL + "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by "
    "'NewConnectionError(\"HTTPConnection(host='127.0.0.1', port=9): Failed to establish a new connection: "
    "[Errno 111] Connection refused\")': /simple/rich/\n"
    "ERROR: Could not find a version that satisfies the requirement rich (from versions: none)\n"
    "ERROR: No matching distribution found for rich\n"
)
BUILDING = "PermissionError: [Errno 1] only wheels are installed: nothing is built: ('python',)\n"


@pytest.mark.parametrize(
    ("stdout", "stderr", "kind", "told", "untold"),
    [
        ("", NO_MATCH, UnsatisfiableError, ["numpy<0.5", "… 1.2, 1.3", "1.7"], ["1.1,", "WARNING", "yanked"]),
        ("", WRONG_PYTHON, UnsatisfiableError, ["'old' requires a different Python"], ["ERROR"]),
        (CONFLICT_OUT, CONFLICT, PipError, ["a 1 depends on c<2", "b 1 depends on c>=2"], ["loosen", "http"]),
        (NO_WHEEL_OUT, CONFLICT, UnsatisfiableError, ["a 1 depends on c<2"], ["Additionally"]),
        ("", UNREACHABLE, IndexUnreachableError, ["Connection refused"], ["Retrying", "none"]),
        ("Collecting x\nProcessing ./b.tar.gz\n", BUILDING, PipError, ["./b.tar.gz", "wheel"], ["Errno"]),
        ("", "", PipError, ["said nothing"], []),
    ],
)
def test_reason(
    stdout: str, stderr: str, kind: type[ResolveError], told: list[str], untold: list[str]
) -> None:
    """The kind decides whether another interpreter is tried; the text has the reason and no noise."""
    error = judge(stdout, stderr)
    assert type(error) is kind
    for text in told:
        assert text in error.detail
    for text in untold:
        assert text not in error.detail


def test_only_what_reaches_the_network_passes(tmp_path: Path) -> None:
    """No pip setting of the user but the certificate, no PYTHON*, no secrets; proxies pass."""
    environ = {
        "PIP_EXTRA_INDEX_URL": "https://evil.example/simple",
        "PIP_FIND_LINKS": "/opt/wheels",
        "PIP_CONFIG_FILE": "/etc/pip.conf",
        "PIP_CERT": "/etc/ssl/ca.pem",
        "PYTHONPATH": "/tmp",
        "AWS_SECRET_ACCESS_KEY": "x",
        "https_proxy": "http://proxy:3128",
        "NO_PROXY": "localhost",
        "HOME": "/home/me",
        "PATH": "/home/me/bin",
    }
    clean = clean_environment(environ, tmp_path)
    passed = {name: value for name, value in clean.items() if environ.get(name) == value}
    assert set(passed) == {"PIP_CERT", "https_proxy", "NO_PROXY", "HOME"}
    assert clean["PIP_CONFIG_FILE"] == "/dev/null"
    assert clean["TMPDIR"] == str(tmp_path)
    assert {name for name in clean if name.startswith("PIP_")} == {
        *("PIP_CERT", "PIP_CONFIG_FILE", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_INPUT", "PIP_NO_COLOR"),
    }


def test_sources_as_pips_options() -> None:
    """One index, or none at all; a password is neither on the command line nor shown."""
    sources = Sources("https://me:secret@i/simple", ("/w",))
    assert sources.arguments() == ["--find-links", "/w"]
    assert sources.environment() == {"PIP_INDEX_URL": "https://me:secret@i/simple"}
    assert sources.shown_index == "https://i/simple"
    offline = Sources("https://i/simple", offline=True)
    assert offline.arguments() == ["--no-index"]
    assert offline.environment() == {}
