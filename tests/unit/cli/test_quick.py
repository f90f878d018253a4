"""The quick answers: the same as the whole command's, and none where anything is not as usual."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import platformdirs
import pytest

from viloapp_core.cli import command_line, listing_memory, quick, show
from viloapp_core.foundation.files import write_json
from viloapp_core.foundation.paths import store_root
from viloapp_core.store import InstalledPlugin, Store

from .conftest import Ran

Install = Callable[..., InstalledPlugin]
Viloapp = Callable[..., Ran]
LIST = [["list"], ["list", "--json"]]


def _answer(arguments: list[str]) -> str | None:
    return quick.answer(arguments, os.environ)


CLONE = Path(__file__).parents[3]


@pytest.fixture
def known(installed: Install, viloapp: Viloapp, store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return a store with two plugins of which a listing has been made."""
    # pytest has the clone's root there, where others make entries meanwhile: caches, which count as a change.
    changing = (CLONE, CLONE / "tests")
    monkeypatch.setattr(sys, "path", [each for each in sys.path if Path(each).resolve() not in changing])
    installed("hello", summary="Grüße \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"))
    installed("zebra")
    viloapp("list")
    assert _answer(["list"]) is not None
    return store


@pytest.mark.parametrize("arguments", LIST, ids=" ".join)
def test_the_answers_are_the_whole_commands(
    arguments: list[str], known: Store, viloapp: Viloapp, capsys: pytest.CaptureFixture[str]
) -> None:
    """Character by character, a plugin of pip's beside them included."""
    (beside := known.root / "beside" / "stray-2.0.dist-info").mkdir(parents=True)
    (beside / "entry_points.txt").write_text("[viloapp.plugins]\nstray = stray:Stray\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(beside.parent))
        assert _answer(arguments) is None  # nobody has looked there yet
        assert command_line.run(arguments) == 0
        whole = capsys.readouterr().out
        assert "stray" in whole
        assert _answer(arguments) == whole
        assert viloapp(*arguments).out == whole


def test_the_version_is_the_distributions() -> None:
    """It is written in the package, since reading metadata takes longer than all the rest."""
    assert _answer(["--version"]) == f"viloapp {version('viloapp-core')}\n"


@pytest.mark.parametrize(
    "arguments", [["list", "-v"], ["-q", "list"], ["list", "--help"], ["lists"], [], ["--version", "x"]]
)
def test_all_else_takes_the_whole_command(arguments: list[str], known: Store) -> None:
    """Whatever else is asked is nothing for here."""
    assert _answer(arguments) is None


def _died(store: Store) -> None:
    write_json(store.layout.journal / "0123456789abcdef.json", {"kind": "state"})


def _holds(store: Store) -> None:
    write_json(store.root / "host.json", {"holds": True})


def _blocks(store: Store) -> None:
    (store.root / "trust.toml").write_text("[block_lists.example]\n")


def _unreadable_trust(store: Store) -> None:
    (store.root / "trust.toml").unlink()
    (store.root / "trust.toml").mkdir()


def _no_interpreter(store: Store) -> None:
    store.plugin("zebra").python.unlink()


def _no_plugin(store: Store) -> None:
    shutil.rmtree(store.layout.plugin("zebra"))


def _disabled(store: Store) -> None:
    store.set_enabled(["zebra"], False, "broken")


def _no_index(store: Store) -> None:
    store.layout.index.unlink()


def _other_boot(store: Store) -> None:
    file = store.root / listing_memory.FILE
    facts, _, table = file.read_text("utf-8").partition("\n")
    kept = json.loads(facts)
    kept["then"][1] = "00000000-0000-4000-8000-000000000000\n"
    file.write_text(f"{json.dumps(kept)}\n{table}", "utf-8")


@pytest.mark.parametrize("arguments", LIST, ids=" ".join)
@pytest.mark.parametrize(
    "change",
    [
        *(_died, _holds, _blocks, _unreadable_trust, _no_interpreter, _no_plugin, _disabled, _no_index),
        _other_boot,
    ],
)
def test_where_anything_is_not_as_usual_there_is_none(
    arguments: list[str], change: Callable[[Store], None], known: Store
) -> None:
    """The whole command looks for itself."""
    change(known)
    assert _answer(arguments) is None


@pytest.mark.parametrize(
    "kept",
    [b"", b"\n", b"[]\ntable", b"{}\n", b"[" * 100_000, b"\xff\xfe\n", b'{"then": null}\nPLUGIN', b"null\n"],
)
def test_a_damaged_memory_is_no_answer(kept: bytes, known: Store, viloapp: Viloapp) -> None:
    """It is found out anew and kept."""
    (known.root / listing_memory.FILE).write_bytes(kept)
    assert _answer(["list"]) is None
    assert "zebra" in viloapp("list").out
    assert _answer(["list"]) is not None


def test_a_memory_is_kept_only_of_a_whole_store(known: Store, viloapp: Viloapp) -> None:
    """What is damaged is found out each time, until it is mended."""
    _no_interpreter(known)
    for _ in range(2):
        assert "viloapp repair zebra" in viloapp("list").out
        assert _answer(["list"]) is None


def test_of_many_plugins_the_interpreters_below_them_are_looked_at(
    known: Store, viloapp: Viloapp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of a listing does not grow with the store; `-v` is the whole command."""
    monkeypatch.setattr(show, "_THOROUGH", 1)
    known.set_enabled(["zebra"], False, "later")  # so that it is listed anew
    viloapp("list")
    base = str(known.plugin("zebra").base_executable)
    memory = listing_memory.recall(str(known.root))
    assert memory is not None
    assert memory.needed == [base]
    memory.needed = [f"{base}-that-was-removed"]
    (known.root / listing_memory.FILE).write_bytes(memory.encoded())
    assert _answer(["list"]) is None


def test_a_listing_that_is_known_writes_nothing(known: Store, viloapp: Viloapp) -> None:
    """Neither the quick one nor the whole one."""
    before = (known.root / listing_memory.FILE).stat()
    viloapp("list")
    viloapp("list", "-v")
    assert (known.root / listing_memory.FILE).stat() == before


def test_a_chosen_language_takes_the_whole_command(known: Store) -> None:
    """The summaries are in the plugins' catalogues; the table has none."""
    write_json(known.layout.settings, {"core": {"locale": "de"}})
    assert _answer(["list", "--json"]) is None
    assert _answer(["list"]) is not None


@pytest.mark.parametrize(
    "environ",
    [{"HOME": "/home/ann"}, {"HOME": "/home/ann", "XDG_DATA_HOME": "/data"}, {"VILOAPP_HOME": "/a/../b"}],
)
def test_the_store_is_where_the_whole_command_has_it(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where people keep their data, without the import of what knows that."""
    for name in ("HOME", "XDG_DATA_HOME", "VILOAPP_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert platformdirs.user_data_path("viloapp").is_absolute()
    assert quick._store(os.environ) == os.path.realpath(store_root(os.environ))
    assert quick._store({"VILOAPP_HOME": "~/store"}) is None
    assert quick._store({}) is None


def test_a_pipe_without_a_reader_ends_it_quietly(known: Store) -> None:
    """As the whole command does: 141, and no traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "viloapp_core.cli.main", "list"]
    for _ in range(2):  # the second is the quick one in any case
        ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
        assert (ended.returncode, ended.stderr) == (141, b"")
    os.close(writer)


def test_the_memory_stays_in_the_store(known: Store) -> None:
    """In its cache, for its owner alone."""
    file: Path = known.root / listing_memory.FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


# Each takes a tenth of the interpreter's own start or more; click takes three starts.
_HEAVY = "click", "typing", "dataclasses", "inspect", "pathlib", "subprocess", "shutil", "hashlib", "ctypes"


@pytest.mark.parametrize("arguments", [*LIST, ["--version"]], ids=" ".join)
def test_a_quick_answer_loads_next_to_nothing(arguments: list[str], known: Store) -> None:
    """In a process of its own, where somebody has listed before."""
    code = f"""
import os, sys
before = set(sys.modules)
from viloapp_core.cli.main import main
main({arguments!r})
print(*sorted((set(sys.modules) - before) & {set(_HEAVY)!r}), file=sys.stderr)
"""
    [_, second] = [
        subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert second.stderr.strip() == ""
    assert second.stdout
