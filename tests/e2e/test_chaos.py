"""Twenty plugins that fail in nine ways while fifty callers call: nothing is lost, nothing is left.

VILOAPP_FAULTS=1000 VILOAPP_SEED=1 pytest tests/e2e/test_chaos.py        (as `nox -s chaos` does)
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.fixtures import chaos

FAULTS = int(os.environ.get("VILOAPP_FAULTS", "50"))
SEED = int(os.environ.get("VILOAPP_SEED", "0"))

pytestmark = pytest.mark.timeout(300 + 2 * FAULTS)


def test_faults_while_callers_go_on(tmp_path: Path) -> None:
    """Each call gets its answer or a typed error, each plugin comes back, no process or descriptor is left.

    Times are not judged here, since the machine may do other work beside: `python -m benchmarks chaos` does.
    """
    plan = chaos.Plan(faults=FAULTS, **({"seed": SEED} if SEED else {}))
    figures = asyncio.run(chaos.torment(chaos.install(tmp_path), plan))
    print("\n" + "\n".join(figures.summary()))
    assert figures.complaints(latency=False) == [], f"seed {plan.seed}"
    assert figures.faults.total() == FAULTS
    assert figures.answers > figures.errors.total()
