"""One step of the verification and how it went."""

from __future__ import annotations

from dataclasses import dataclass

PASSED, FAILED = "passed", "failed"
NOT_REACHED = "not reached"
"""What it needs from an earlier step is missing; never counts as passed."""
ASKS = "needs a person"
"""True as far as it goes; somebody has to say whether this publisher is the right one."""


@dataclass(frozen=True)
class Step:
    """One step of the procedure.

    Args:
        number: its place, from 1.
        name: what it establishes.
        outcome: `PASSED`, `FAILED`, `NOT_REACHED` or `ASKS`.
        detail: what was found, one line.
    """

    number: int
    name: str
    outcome: str
    detail: str

    def to_json(self) -> dict[str, str | int]:
        """Return the step for ``--json``."""
        return {"number": self.number, "name": self.name, "outcome": self.outcome, "detail": self.detail}


NAMES = (
    "the signature can be read",
    "the certificate is of the trusted root",
    "the log has the entry",
    "the signature is of exactly these bytes",
    "the publisher is the one that is pinned",
    "no block list names it",
    "it is not older than what was installed",
)
"""Of the steps 1 to 7."""


def step(number: int, outcome: str, detail: str) -> Step:
    """Return the step of a number, with its name."""
    return Step(number, NAMES[number - 1], outcome, detail)
