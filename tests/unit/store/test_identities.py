"""Users for plugins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from viloapp_core.store.errors import StoreError
from viloapp_core.store.identities import Identities, first_free, usable_range

WHOLE = "         0          0 4294967295\n"


def test_a_number_is_given_once_and_kept(tmp_path: Path) -> None:
    """Also by another process, and no two plugins have the same."""
    one, two = (Identities(tmp_path / "users.json") for _ in range(2))
    given = {name: one.of(name) for name in ("a", "b", "c")}
    assert len(set(given.values())) == 3
    assert {name: two.of(name) for name in given} == given


def test_a_file_that_was_tampered_with_gives_nobody_a_real_user(tmp_path: Path) -> None:
    """Root's number, or a person's, is not taken."""
    (tmp_path / "users.json").write_text(json.dumps({"a": 0, "b": 1000, "c": "x"}))
    users = Identities(tmp_path / "users.json")
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
