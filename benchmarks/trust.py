"""What verification adds to an installation once sigstore is imported, and what importing it costs.

Signed, verified and installed is what the tests' own authority signs, over loopback; the procedure and its
cryptography are those of every installation.
"""

from __future__ import annotations

import hashlib
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.report import Outcome, Series, Target
from tests.fixtures.authority import Authority, github
from viloapp_core.trust import BundleSignature, ProvenanceSignature, Subject, TrustStore, examine, verify

LIMIT_MS = 60.0
_RUNS = 50


def run(folder: Path, *, effort: Effort, rounds: int) -> Outcome:
    """Verify a wheel many times, from a cold verifier and from a warm one.

    Args:
        folder: for everything that is made.
        effort: how many runs.
        rounds: how often each is repeated.
    """
    outcome = Outcome("Verification of a signature")
    wheel = folder / "hello-1.0-py3-none-any.whl"
    wheel.write_bytes(b"the bytes of a wheel" * 1000)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    subject = Subject("hello", "1.0", wheel.name, digest, "0" * 12)
    runs = effort.choose(2, _RUNS // 5, _RUNS * rounds)
    with Authority() as service:
        bundle = BundleSignature(service.sign(wheel.read_bytes(), github()))
        provenance = ProvenanceSignature(service.provenance(wheel, github()))
        for name, signature in (("a bundle", bundle), ("a provenance", provenance)):
            times = []
            for number in range(runs):
                # Another configuration file each time: nothing that a command would have to make is kept.
                config = service.write_config(folder)
                began = time.perf_counter()
                keeper, now = TrustStore(folder / f"store-{number}"), datetime.now(UTC)
                book, blocks = keeper.read(), keeper.blocks(now)
                authority = keeper.authority(now, config)
                examination = examine(subject, signature, authority=authority, book=book, blocks=blocks)
                verify(examination, now=now, accept=examination.offered)
                times.append(time.perf_counter() - began)
                config.unlink()
            outcome.times.append(Series(f"verifying {name}, the verifier made anew", tuple(times)))
            median = statistics.median(times) * 1000
            outcome.targets.append(Target(f"verifying {name}, ms", median, LIMIT_MS, "ms"))
    imports = [_import_s() for _ in range(effort.choose(1, 3, 5))]
    outcome.times.append(Series("importing sigstore in a new process", tuple(imports)))
    return outcome


def _import_s() -> float:
    code = "import time as t; b = t.perf_counter(); import sigstore.verify, pypi_attestations"
    command = [sys.executable, "-c", f"{code}; print(t.perf_counter() - b)"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
