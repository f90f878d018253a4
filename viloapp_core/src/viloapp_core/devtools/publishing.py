"""Publish a plugin: judged, built, shown, attested, uploaded; in that order, and nothing after a refusal."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viloapp_core.devtools.errors import DevtoolsError, ToolMissingError
from viloapp_core.devtools.findings import Finding
from viloapp_core.devtools.validation import validate_project
from viloapp_core.foundation import commands
from viloapp_core.manifest import PluginDescription, read_wheel
from viloapp_core.operations import InstallOptions, PackageOutcome, package
from viloapp_core.operations.outcomes import Progress, silent
from viloapp_core.operations.signing import ATTESTATION, sign
from viloapp_core.store import Store
from viloapp_core.trust import TrustStore

__all__ = ["Identity", "InvalidProjectError", "Published", "UploadError", "publish"]

# Of an upload of at most 100 MB twice, over a slow line, in seconds.
_TIMEOUT_S = 1800.0
_SHOWN_LINES = 12
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
# What twine and indexes say when it is about who uploads.
_WHO = re.compile(r"[Cc]redential|\b40[13]\b|[Pp]assword|[Tt]rusted [Pp]ublish")
_CREDENTIALS = "credentials: $TWINE_USERNAME and $TWINE_PASSWORD, .pypirc, the keyring, or Trusted Publishing"
# What requests and its retries say when nobody answered, with the cause at the end.
_NOBODY = re.compile(r"ConnectionError|NewConnectionError|ConnectTimeout|NameResolutionError")
_CAUSE = re.compile(r"(?:\[Errno -?\d+\] )?([A-Z][\w ]+?)[\"')]*$")
_ONCE = "an index takes each version once: raise it in pyproject.toml"


class InvalidProjectError(DevtoolsError):
    """`viloapp validate` refuses the project; has every finding that does."""

    def __init__(self, folder: Path, findings: Sequence[Finding]) -> None:
        lines = [
            f"  {each.path}{f':{each.line}' if each.line else ''}: {each.kind}: {each.message}"
            for each in findings
        ]
        super().__init__(
            "invalid_project",
            "\n".join([f"{folder} is not published, because of what validate finds:", *lines]),
            "the same: viloapp validate",
        )
        self.findings = tuple(findings)


class UploadError(DevtoolsError):
    """The index did not take what was uploaded."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("upload_failed", detail, hint)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose attestation is made.

    Args:
        token: an identity token; None to ask the CI, then a person.
        config: an organisation's own Sigstore.
        person: somebody is at the terminal.
    """

    token: str | None = None
    config: Path | None = None
    person: bool = False


@dataclass(frozen=True, slots=True)
class Published:
    """What was published, or would be.

    Args:
        made: wheel and source distribution.
        plugin: what the wheel says about itself.
        attested: whether it goes with an attestation.
        uploaded: whether it was uploaded.
    """

    made: PackageOutcome
    plugin: PluginDescription
    attested: bool
    uploaded: bool


def publish(
    store: Store,
    folder: Path,
    *,
    index: str | None,
    identity: Identity | None,
    agree: Callable[[PluginDescription, PackageOutcome], bool],
    options: InstallOptions,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    progress: Progress = silent,
    cancel: threading.Event | None = None,
) -> Published:
    """Publish the plugin of a folder.

    Args:
        store: its trust has an organisation's own Sigstore, where there is one.
        folder: of the project.
        index: address that takes uploads, or a name of ``.pypirc``; the default of twine when None.
        identity: who attests; None for no attestation.
        agree: shown what people will see when they install it; the upload is only made when it says so.
        options: index and folders for what the build needs.
        environ: the user's environment, which has the credentials.
        say: told what is going on.
        progress: told each step of the build.
        cancel: ends it when set.

    Raises:
        InvalidProjectError: `viloapp validate` refuses it.
        ToolMissingError: twine is not installed.
        UploadError: the index refused it, or did not answer.
        ViloError: it cannot be built or attested.
    """
    if importlib.util.find_spec("twine") is None:
        raise ToolMissingError("publish", "twine")
    refused = [each for each in validate_project(folder)[1] if each.level == "error"]
    if refused:
        raise InvalidProjectError(folder, refused)
    with tempfile.TemporaryDirectory(prefix="viloapp-publish-") as scratch:
        made = package(
            store,
            str(folder.resolve()),
            Path(scratch),
            bundle=False,
            options=options,
            progress=progress,
            environ=environ,
            cancel=cancel,
        )
        plugin = read_wheel(made.path)
        files = [made.path, *([made.sdist] if made.sdist else [])]
        if not agree(plugin, made):
            return Published(made, plugin, identity is not None, uploaded=False)
        if identity is not None:
            _attest(store, files, identity, say)
        say(f"uploading {', '.join(path.name for path in files)}")
        _upload(files, index, identity is not None, environ, cancel)
    return Published(made, plugin, identity is not None, uploaded=True)


def _attest(store: Store, files: Sequence[Path], identity: Identity, say: Callable[[str], None]) -> None:
    sign(
        TrustStore(store.root),
        files,
        token=identity.token,
        config=identity.config,
        attestation=True,
        force=False,
        person=identity.person,
        say=say,
    )


def _upload(
    files: Sequence[Path],
    index: str | None,
    attested: bool,
    environ: Mapping[str, str],
    cancel: threading.Event | None,
) -> None:
    """Have twine upload files; credentials are its own business, and none is on a command line."""
    where = ["--repository-url", index] if index and "://" in index else ["--repository", index or "pypi"]
    argv = [
        sys.executable,
        "-P",
        "-m",
        "twine",
        "upload",
        "--non-interactive",
        "--disable-progress-bar",
        *where,
    ]
    argv += ["--attestations"] if attested else []
    argv += [str(path) for path in files]
    argv += [str(path) + ATTESTATION for path in files] if attested else []
    env = {**environ, "NO_COLOR": "1", "PYTHONUTF8": "1", "COLUMNS": "200"}
    env.setdefault("PATH", os.defpath)
    done = commands.run(argv, env=env, cwd=files[0].parent, timeout_s=_TIMEOUT_S, cancel=cancel)
    if done.returncode:
        output = _STYLE.sub("", done.stdout + done.stderr)
        if cause := _unreached(output):
            detail = f"{index or 'the index'} cannot be reached: {cause}"
            raise UploadError(detail, "check the network and --index")
        said = [line.rstrip() for line in output.splitlines() if line.strip()]
        shown = "\n".join(f"  {line}" for line in said[-_SHOWN_LINES:])
        raise UploadError(
            f"the index did not take {files[0].name}:\n{shown}",
            _CREDENTIALS if _WHO.search(output) else _ONCE,
        )


def _unreached(output: str) -> str:
    """Return why nobody answered an upload; empty when somebody did."""
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "")
    if not _NOBODY.search(last):
        return ""
    cause = _CAUSE.search(last)
    return cause[1] if cause else last.strip()
