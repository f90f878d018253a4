"""How an ending is told to a person."""

import pytest

from viloapp_core.process import ExitStatus


@pytest.mark.parametrize(
    ("status", "text", "shell_code"),
    [
        (ExitStatus(code=0), "ended with code 0", 0),
        (ExitStatus(code=3), "ended with code 3", 3),
        (ExitStatus(signal=9), "killed by SIGKILL", 137),
        (ExitStatus(code=137), "ended with code 137 (killed by SIGKILL)", 137),
        (ExitStatus(code=255), "ended with code 255", 255),
        (ExitStatus(), "ended; its exit status was collected by another part of the program", -1),
    ],
)
def test_an_ending_reads_well(status: ExitStatus, text: str, shell_code: int) -> None:
    """Signals have names, also where a wrapper made a code of them."""
    assert status.describe() == text
    assert status.shell_code == shell_code


def test_only_code_zero_is_success() -> None:
    """An unknown ending is no success."""
    assert ExitStatus(code=0).ok
    assert not ExitStatus().ok
    assert not ExitStatus(signal=15).ok
