"""Users for plugins."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from viloapp_core.foundation.files import read_json
from viloapp_core.store.errors import StoreError
from viloapp_core.store.identities import Claims, Identities, first_free, trial_user, usable_range

WHOLE = "         0          0 4294967295\n"


@pytest.fixture
def claims(tmp_path: Path) -> Claims:
    """Of a machine of its own."""
    (tmp_path / "machine").mkdir()
    return Claims(tmp_path / "machine")


def store(tmp_path: Path, name: str, **numbers: int) -> Path:
    """Return the file of a store that has given these numbers."""
    path = tmp_path / name / "users.json"
    path.parent.mkdir()
    if numbers:
        path.write_text(json.dumps(numbers))
    return path


def test_a_number_is_given_once_and_kept(tmp_path: Path, claims: Claims) -> None:
    """Also by another process, and no two plugins have the same."""
    one, two = (Identities(tmp_path / "users.json", claims) for _ in range(2))
    given = {name: one.of(name) for name in ("a", "b", "c")}
    assert len(set(given.values())) == 3
    assert {name: two.of(name) for name in given} == given


def test_a_file_that_was_tampered_with_gives_nobody_a_real_user(tmp_path: Path, claims: Claims) -> None:
    """Root's number, or a person's, is not taken."""
    (tmp_path / "users.json").write_text(json.dumps({"a": 0, "b": 1000, "c": "x"}))
    users = Identities(tmp_path / "users.json", claims)
    assert all(users.of(name) >= 30000 for name in ("a", "b", "c"))


def test_the_range_is_one_that_exists_here() -> None:
    """A container has fewer users, and one that has too few is told so."""
    assert usable_range(WHOLE)[0] == 70000
    assert usable_range("0 100000 65536\n")[0] == 30000
    with pytest.raises(StoreError, match="too few"):
        usable_range("0 1000 1\n")


def test_the_search_goes_around_the_end() -> None:
    """Every number of the range is found, and then none."""
    taken: set[int] = set()
    for _ in range(5):
        taken.add(first_free(range(5), taken, "key"))
    assert taken == set(range(5))
    with pytest.raises(StoreError, match="taken"):
        first_free(range(5), taken, "key")


def _give(path: Path, claims: Claims) -> None:
    users = Identities(path, claims)
    for number in range(20):
        users.of(f"plugin-{number}")


def test_stores_at_once_have_no_number_in_common(
    tmp_path: Path, claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four processes, each with a store, all of which look for numbers from one place on."""
    monkeypatch.setattr("viloapp_core.store.identities.first_free", lambda allowed, taken, key: next(
        number for number in allowed if number not in taken
    ))  # fmt: skip
    paths = [store(tmp_path, f"store-{number}") for number in range(4)]
    context = multiprocessing.get_context("fork")
    giving = [context.Process(target=_give, args=(path, claims)) for path in paths]
    for process in giving:
        process.start()
    for process in giving:
        process.join()
        assert process.exitcode == 0
    given = [number for path in paths for number in json.loads(path.read_text()).values()]
    assert len(given) == len(set(given)) == 80
    assert set(claims.read()) == set(given)


def test_an_older_store_keeps_its_numbers_unless_another_has_them(tmp_path: Path, claims: Claims) -> None:
    """The first to say so keeps them; the other one's plugin gets another, and keeps that."""
    one, two = store(tmp_path, "one", a=70001), store(tmp_path, "two", b=70001, c=70002)
    assert Identities(one, claims).of("a") == 70001
    moved = Identities(two, claims).of("b")
    assert moved != 70001
    assert Identities(two, claims).of("b") == moved
    assert Identities(two, claims).of("c") == 70002
    assert Identities(one, claims).of("a") == 70001


def test_numbers_of_stores_that_are_gone_are_free(tmp_path: Path, claims: Claims) -> None:
    """Also when a store was moved: under its new name it keeps them."""
    old = store(tmp_path, "old", a=70001)
    assert Identities(old, claims).of("a") == 70001
    new = old.parent.rename(tmp_path / "new") / "users.json"
    assert Identities(new, claims).of("a") == 70001
    assert claims.read() == {70001: str(new)}


def test_a_first_number_takes_no_longer_where_many_are_given(
    tmp_path: Path, claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of each store is read a few times, not once for each number that is given."""
    one = store(tmp_path, "one", **{f"a-{number}": 70000 + number for number in range(100)})
    two = store(tmp_path, "two", **{f"b-{number}": 80000 + number for number in range(100)})
    for path, plugin in ((one, "a"), (two, "b")):
        for number in range(100):
            Identities(path, claims).of(f"{plugin}-{number}")
    reads: list[Path] = []

    def read(path: Path) -> object:
        reads.append(path)
        return read_json(path)

    monkeypatch.setattr("viloapp_core.store.identities.read_json", read)
    given = Identities(two, claims).of("new")
    assert len(reads) <= 6
    assert claims.read()[given] == str(two)
    assert len(claims.read()) == 201


def test_a_store_that_cannot_be_read_keeps_its_numbers(tmp_path: Path, claims: Claims) -> None:
    """Damaged is not gone."""
    one, two = store(tmp_path, "one", a=70001), store(tmp_path, "two", b=70001)
    Identities(one, claims).of("a")
    one.write_text("{")
    assert Identities(two, claims).of("b") != 70001


def test_a_damaged_file_of_the_machine_gives_no_number(tmp_path: Path, claims: Claims) -> None:
    """Nobody can tell then whose a number is; the error says what to remove."""
    users = Identities(store(tmp_path, "one"), claims)
    path = tmp_path / "machine/users.json"
    for damage in ("{", "[1]", '{"x": "y"}'):
        path.write_text(damage)
        with pytest.raises(StoreError, match="whose users are whose") as caught:
            users.of("a")
        assert f"rm {path}" in caught.value.hint
    path.unlink()
    assert users.of("a") != trial_user()
