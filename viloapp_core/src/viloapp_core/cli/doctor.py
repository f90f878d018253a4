"""`viloapp doctor`: whether this machine has what ViloApp needs; each check really does what it names."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from viloapp_core.cli import capabilities, options
from viloapp_core.cli.errors import DONE, FAILED
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.store import Store


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    check: str
    state: str
    """``ok``, ``limited`` (works, with less) or ``failed``."""
    detail: str
    remedy: str = ""


@click.command("doctor", cls=options.ViloCommand)
@options.json_output
@pass_invocation
def doctor_command(invocation: Invocation) -> int:
    """Check what ViloApp needs of this machine, and say what to do about what is missing."""
    store = invocation.store()
    findings = [_checked(name, check, store) for name, check in CHECKS.items()]
    rows: list[capabilities.Capability] = []
    try:
        rows = capabilities.capabilities(store)
    except (ViloError, OSError) as error:
        findings.append(Finding("capabilities", "failed", getattr(error, "detail", str(error))))
    if invocation.output.as_json:
        found = [asdict(finding) for finding in findings]
        invocation.output.json({"findings": found, "capabilities": capabilities.as_json(rows)})
    else:
        invocation.output.table(
            ("check", "state", "detail"),
            [(finding.check, finding.state, finding.detail) for finding in findings],
        )
        for finding in findings:
            if finding.remedy:
                invocation.output.line(f"{finding.check}: {finding.remedy}")
        capabilities.show(rows, invocation.output)
    failed = any(finding.state == "failed" for finding in findings)
    return FAILED if failed or any(map(capabilities.too_weak, rows)) else DONE


def _checked(name: str, check: Callable[[str, Store], Finding], store: Store) -> Finding:
    """Run a check; what it raises is its finding."""
    try:
        return check(name, store)
    except ViloError as error:
        return Finding(name, "failed", error.detail, error.hint)
    except OSError as error:
        return Finding(name, "failed", str(error))


def _store(name: str, store: Store) -> Finding:
    """Write to the store's folder."""
    from viloapp_core.foundation.files import write_atomic

    store.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    trial = store.root / f".doctor-{os.getpid()}"
    try:
        write_atomic(trial, b"")
    finally:
        trial.unlink(missing_ok=True)
    return Finding(name, "ok", str(store.root))


def _sandbox(name: str, _store: Store) -> Finding:
    """Run the sandbox."""
    from viloapp_core.sandbox import probe

    found = probe()
    state = "ok" if found.level == "enforced" else "failed" if found.backend == "none" else "limited"
    return Finding(name, state, f"{found.backend}: {found.reason}", found.remedy)


def _terminal(name: str, _store: Store) -> Finding:
    """Open a pseudo-terminal."""
    import pty

    for descriptor in pty.openpty():
        os.close(descriptor)
    return Finding(name, "ok", f"pseudo-terminals for {os.environ.get('SHELL') or '/bin/sh'}")


def _workspace(name: str, _store: Store) -> Finding:
    """Find the page and import its server."""
    from viloapp_core.cli.run import server

    server()
    from viloapp_core.web.server import bundle

    return Finding(name, "ok", str(bundle()))


def _python(name: str, _store: Store) -> Finding:
    """Say which interpreter runs this."""
    return Finding(name, "ok", f"{sys.version.split()[0]} at {sys.executable}")


CHECKS: dict[str, Callable[[str, Store], Finding]] = {
    "python": _python,
    "store": _store,
    "sandbox": _sandbox,
    "terminal": _terminal,
    "workspace": _workspace,
}
