"""ViloApp's own names never come from an index."""

from __future__ import annotations

from pathlib import Path

import pytest

from viloapp_core.resolve import OWN_NAMES, OwnNameError, own_names

SDK = Path("/core/wheelhouse/viloapp_sdk-1.0.0-py3-none-any.whl")
WHEELS = {"viloapp-sdk": SDK}
HASHES = {"viloapp-sdk": "a" * 64}


def test_wheelhouse_by_normalized_name(tmp_path: Path) -> None:
    """What is no wheel is passed over; two of one name are refused."""
    for name in ("viloapp_sdk-1.0.0-py3-none-any.whl", "README.txt", "broken.whl"):
        (tmp_path / name).touch()
    assert own_names.wheelhouse(tmp_path) == {"viloapp-sdk": tmp_path / "viloapp_sdk-1.0.0-py3-none-any.whl"}
    (tmp_path / "viloapp_sdk-1.0.1-py3-none-any.whl").touch()
    with pytest.raises(OwnNameError, match=r"1\.0\.1"):
        own_names.wheelhouse(tmp_path)


def test_every_name_is_bound_to_a_file_or_to_nothing() -> None:
    """A name without a wheel here is not to be had at all, unless the user named a file of it."""
    lines = own_names.constraints(WHEELS, named="viloedit")
    assert lines == ["viloapp-core<0", f"viloapp-sdk @ {SDK.as_uri()}", "viloxterm<0"]
    assert len(own_names.constraints({}, named=None)) == len(OWN_NAMES)


@pytest.mark.parametrize(
    ("locked", "named", "told"),
    [
        ([("viloapp-core", "a" * 64)], None, "viloapp-core"),
        ([("viloapp-core", "a" * 64)], "viloapp-core", "viloapp-core"),
        ([("viloapp-sdk", "b" * 64)], None, "other than"),
        ([("viloxterm", "a" * 64)], None, "never trusted"),
    ],
)
def test_a_lock_with_anothers_bytes_is_refused(
    locked: list[tuple[str, str]], named: str | None, told: str
) -> None:
    """Whatever pip made of the constraints, the hashes decide."""
    with pytest.raises(OwnNameError, match=told):
        own_names.check("hello", [("rich", "c" * 64), *locked], WHEELS, HASHES, named)


def test_a_lock_with_our_bytes_passes() -> None:
    """Our wheel, or the one that the user named."""
    own_names.check("hello", [("viloapp-sdk", "a" * 64), ("rich", "c" * 64)], WHEELS, HASHES, None)
    own_names.check("viloxterm", [("viloxterm", "f" * 64)], WHEELS, HASHES, "viloxterm")


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("evil 1 depends on viloapp-core\n The user requested (constraint) viloapp-core<0", "never inside"),
        ("The user requested (constraint) viloxterm<0", "never from an index"),
        ("needs viloapp-sdk>=2\n The user requested (constraint) viloapp-sdk (from file:///x)", ">=2"),
    ],
)
def test_pips_refusal_is_explained(reason: str, told: str) -> None:
    """The person learns that the name is ours, not that a constraint was in the way."""
    error = own_names.refusal("hello", reason)
    assert error is not None
    assert told in error.detail
    assert error.hint
    assert own_names.refusal("hello", "The user requested (constraint) rich<0") is None


@pytest.mark.parametrize(
    ("who", "told"),
    [("hello 2.0", "hello 2.0 needs"), ("lib 3", "hello imports lib 3, which needs")],
)
def test_an_sdk_that_the_core_has_not_is_told_with_both_versions(who: str, told: str) -> None:
    """On one line: who asks for what, and what there is; pip's own words have a path in them."""
    reason = (
        "Cannot install hello==2.0 because these package versions have conflicting dependencies.\n"
        f"    {who} depends on viloapp-sdk<8 and >=7\n"
        "    The user requested (constraint) viloapp-sdk (from file:///x/viloapp_sdk-1.0.0-py3-none-any.whl)"
    )
    error = own_names.refusal("hello", reason)
    assert error is not None
    assert error.detail.startswith(f"{told} viloapp-sdk<8 and >=7; viloapp-core ")
    assert error.detail.endswith(" comes with viloapp-sdk 1.0.0")
    assert "\n" not in error.detail
    assert "update" in error.hint
