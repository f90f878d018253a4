"""`viloapp profile`, as far as it needs no plugin that works; the rest is in the host's tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from viloapp_core.host import SyncHost
from viloapp_core.host import profiling as host_profiling
from viloapp_core.store import InstalledPlugin, Store

from .conftest import Ran

NAME = "work</title><script> (m.py:3)"


@pytest.fixture
def hosted(installed: Callable[..., InstalledPlugin], store: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A running host whose plugin was just profiled."""
    installed()

    async def profile(host: Any, params: dict[str, Any]) -> dict[str, Any]:
        stacks = [[["main (m.py:1)", NAME], 90], [["main (m.py:1)"], 10]]
        found = {"plugin": params["plugin"], "sampler": "sdk", "seconds": params["seconds"], "idle": 4}
        return {**found, "rate": params["rate"], "stacks": stacks, "note": "py-spy could not look at hello"}

    monkeypatch.setattr(host_profiling, "profile", profile)
    with SyncHost(store.root) as host:
        yield host


def test_the_flame_graph_is_a_file_and_the_hottest_are_told(
    hosted: Any, viloapp: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its path on standard output; the rest on standard error."""
    monkeypatch.chdir(tmp_path)
    ran = viloapp("profile", "hello", "--seconds", "1")
    assert (ran.code, ran.out) == (0, "hello.svg\n")
    assert "90.0%  work" in ran.err
    assert "the SDK's sampler looked instead" in ran.err
    drawn = (tmp_path / "hello.svg").read_text()
    assert drawn.startswith("<?xml")
    assert "<script" not in drawn


def test_speedscope_to_standard_output(hosted: Any, viloapp: Callable[..., Ran]) -> None:
    """Nothing but the document, for a pipe."""
    ran = viloapp("profile", "hello", "--format", "speedscope", "-o", "-")
    assert json.loads(ran.out)["profiles"][0]["weights"] == [0.9, 0.1]


def test_as_json_it_says_what_was_written(hosted: Any, viloapp: Callable[..., Ran], tmp_path: Path) -> None:
    """The file is written all the same."""
    said = viloapp("profile", "hello", "-o", str(tmp_path / "x.svg"), "--json").json
    assert (said["samples"], said["idle"], said["file"]) == (100, 4, str(tmp_path / "x.svg"))
    assert said["hottest"][0] == {"function": NAME, "share": 0.9}
    assert (tmp_path / "x.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nobody"], 1, "nobody"),
        (["hello"], 1, "ViloApp does not run"),
        (["hello", "--seconds", "0"], 2, "--seconds"),
        (["hello", "--format", "pdf"], 2, "--format"),
        (["hello", "-o", "/nowhere/x.svg"], 1, "there is no folder /nowhere"),
        ([], 2, "ID"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_done(
    arguments: list[str],
    code: int,
    said: str,
    installed: Callable[..., InstalledPlugin],
    viloapp: Callable[..., Ran],
) -> None:
    """One line, and the exit code of its kind."""
    installed()
    ran = viloapp("profile", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
