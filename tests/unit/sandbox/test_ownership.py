"""Whose a plugin's data is, where the host is root's."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from viloapp_core.sandbox import Probe

from .conftest import Installed

APPEND = """
import os
with open(os.path.join(os.environ["HOME"], "notes.txt"), "a") as file:
    file.write("x")
answer = os.path.getsize(file.name)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="there is one user, who is nobody else")
def test_data_goes_with_the_plugin_from_one_sandbox_to_another(
    worker: Installed, confinement: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote as its own user it may change where it runs as a root without powers, and back."""
    if confinement.user_namespace or not (confinement.landlock_abi and confinement.seccomp):
        pytest.skip("this machine has but one of the two")
    (worker.request.data_dir / "notes.txt").unlink(missing_ok=True)
    bare = replace(confinement, backend="landlock", level="partial", bwrap=None)
    assert worker.run(APPEND) == 1
    monkeypatch.setattr(worker, "_confinement", bare)
    assert worker.run(APPEND, allow_unsandboxed=True) == 2
    monkeypatch.setattr(worker, "_confinement", confinement)
    assert worker.run(APPEND) == 3
