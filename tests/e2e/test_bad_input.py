"""Bad input gets one clear line and exit code 1 or 2, and leaves the store as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import UNSIGNED, Viloapp
from tests.fixtures.wheels import forge

PLUGINS = ("hello",)


@pytest.fixture
def untouched(shared: Viloapp) -> Iterator[Viloapp]:
    """A store with one plugin, which has to be the same at the end of the test."""
    before = shared.snapshot()
    yield shared
    assert shared.snapshot() == before
    assert list((shared.store / "journal").glob("*")) == []
    assert shared.call("hello.greet") == "Hello, world!"


@pytest.mark.parametrize(
    ("project", "says"),
    [
        ("no_entry_point", ["viloapp.plugins"]),
        ("two_entry_points", ["viloapp.plugins", "one", "other"]),
        (
            "broken_manifest",
            ["api_version", "permisions", "permissions[0].id", "limits.memory_mb", "restart.policy"],
        ),
        ("manifest_is_no_json", ["plugin.json:2:1"]),
        ("pth_in_own_wheel", ["pth_in_own_wheel.pth"]),
        ("command_collision", ["hello.greet", "command-collision", "hello"]),
        ("depends_on_core", ["viloapp-core"]),
        ("unsatisfiable_dependency", ["msgpack==99.99"]),
    ],
)
def test_wheel_that_is_refused(
    untouched: Viloapp, wheels: dict[str, Path], project: str, says: list[str]
) -> None:
    """The reason is told completely, and nothing is left behind."""
    told = untouched("install", "--yes", *UNSIGNED, wheels[project]).refused(1)
    for text in says:
        assert text in told


def test_one_bad_wheel_keeps_the_good_ones_out(untouched: Viloapp, wheels: dict[str, Path]) -> None:
    """All problems of one command are told at once, and nothing of it is installed."""
    names = ("async_hello", "no_entry_point", "two_entry_points")
    told = untouched("install", "--yes", *UNSIGNED, *(wheels[name] for name in names)).refused(1)
    assert "no-entry-point" in told or "no_entry_point" in told
    assert "two-entry-points" in told or "two_entry_points" in told
    assert set(untouched.plugins()) == {"hello"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["call", "hello.gret"], "hello.greet"),
        (["call", "nobody.knows"], "nobody.knows"),
        (["call", "hello.greet", "{"], "JSON"),
        (["call", "hello.greet", '{"nam": "x"}'], "nam"),
        (["install", "--yes", *UNSIGNED, "./no-such-0.1-py3-none-any.whl"], "no-such-0.1-py3-none-any.whl"),
        (["install", "--yes", *UNSIGNED, "--dev", "./no-such-folder"], "no-such-folder"),
        (["install", "--yes", *UNSIGNED, "not a requirement at all!"], "not a requirement at all!"),
        (["install", "--yes", *UNSIGNED, "--offline", "a-plugin-nobody-has"], "a-plugin-nobody-has"),
        (["uninstall", "--yes", "nobody"], "nobody"),
        (["enable", "nobody"], "nobody"),
        (["info", "nobody"], "nobody"),
        (["logs", "nobody"], "nobody"),
        (["config", "set", "hello.nothing", "1"], "nothing"),
        (["frobnicate"], "frobnicate"),
        (["run", "/no/such/folder"], "/no/such/folder"),
        (["run", ".", "--bind", "0.0.0.0"], "loopback"),
    ],
)
def test_what_does_not_exist(untouched: Viloapp, arguments: list[str], says: str, folder: Path) -> None:
    """The error repeats what was asked for, so that one sees the typing error."""
    assert says in untouched(*arguments, cwd=folder).refused()


def test_no_network(untouched: Viloapp) -> None:
    """An index that does not answer is named as such, within the time that one waits for it."""
    told = untouched(
        "install", "--yes", *UNSIGNED, "--index-url", "http://127.0.0.1:1/simple", "some-plugin"
    ).refused(1)
    assert "index" in told


def test_unsatisfiable_requirement_shows_pips_reason(untouched: Viloapp, wheel_folder: Path) -> None:
    """Which versions there are is what one needs to know."""
    told = untouched(
        "install", "--yes", *UNSIGNED, "--offline", "--find-links", wheel_folder, "async-hello>=7"
    ).refused(1)
    assert "async-hello>=7" in told
    assert "0.1.0" in told


@pytest.mark.parametrize("member", ["../outside.py", "/tmp/outside.py"])
def test_wheel_with_a_path_outside(untouched: Viloapp, tmp_path: Path, member: str) -> None:
    """A wheel that would write beside its environment is refused."""
    wheel = forge(
        tmp_path,
        "escapes",
        "0.1",
        {
            "escapes.py": "",
            member: "x",
            "escapes-0.1.dist-info/plugin.json": '{"schema": 1, "api_version": "1.0"}',
        },
        entry_points="[viloapp.plugins]\nescapes = escapes:Escapes\n",
    )
    assert "escapes-0.1-py3-none-any.whl is refused" in untouched(
        "install", "--yes", *UNSIGNED, wheel
    ).refused(1)
    assert not Path("/tmp/outside.py").exists()


def test_wheel_whose_record_lies(untouched: Viloapp, tmp_path: Path) -> None:
    """A file that is not what RECORD says is refused."""
    wheel = forge(
        tmp_path,
        "liar",
        "0.1",
        {"liar.py": "x = 1\n", "liar-0.1.dist-info/plugin.json": '{"schema": 1, "api_version": "1.0"}'},
        entry_points="[viloapp.plugins]\nliar = liar:Liar\n",
    )
    data = wheel.read_bytes()
    wheel.write_bytes(_replaced_in_stored_zip(data, b"x = 1\n", b"x = 2\n"))
    assert "liar.py" in untouched("install", "--yes", *UNSIGNED, wheel).refused(1)


def _replaced_in_stored_zip(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return the archive with other bytes in a stored member and the checksums to match."""
    import zlib

    before, after = (zlib.crc32(text).to_bytes(4, "little") for text in (old, new))
    assert data.count(old) == 1
    return data.replace(old, new).replace(before, after)
