"""Nothing becomes a generation that was not verified: each door takes a `VerifiedArtifact`."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fixtures.artifacts import lock_of, unsigned
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.store import Store, binding, environment
from viloapp_core.store.errors import NotVerifiedError
from viloapp_core.store.unpacked import Wheel
from viloapp_core.trust import Subject, VerifiedArtifact
from viloapp_core.trust.artifact import VerifiedArtifact as Made

if TYPE_CHECKING:
    Modules = Callable[..., list[Any]]

DOORS: dict[str, Callable[..., Any]] = {
    "Store.begin_install": Store.begin_install,
    "Store.commit_install": Store.commit_install,
    "environment.fill": environment.fill,
}


@pytest.mark.parametrize("name", DOORS)
def test_every_door_takes_a_verified_artifact(name: str) -> None:
    """It is no option of them, and has no default."""
    parameter = inspect.signature(DOORS[name]).parameters["artifact"]
    assert parameter.annotation == "VerifiedArtifact"
    assert parameter.default is inspect.Parameter.empty


def test_only_trust_makes_one() -> None:
    """Calling the class, with whatever, makes none; `dataclasses.replace` neither."""
    from dataclasses import replace

    artifact, _ = unsigned("hello")
    wanted: Mapping[str, Any] = {each.name: getattr(artifact, each.name) for each in fields(Made)}
    with pytest.raises(TypeError):
        VerifiedArtifact(**wanted)
    with pytest.raises((TypeError, ValueError)):
        replace(artifact, subject=Subject("evil", "1", "evil-1-py3-none-any.whl", "0" * 64))


def test_nothing_else_names_the_seal(modules: Modules) -> None:
    """The token that makes artifacts is imported by `trust` alone."""
    strays = [
        f"{module.path}:{line} {name}"
        for module in modules("viloapp_core")
        if module.layer != "trust"
        for line, name in module.imports()
        if "_seal" in name
    ]
    assert strays == []


def test_generations_are_written_in_one_place(modules: Modules) -> None:
    """Who lays wheels down is one module, which asks for the artifact; only the store names a receipt."""
    laying, naming = set(), set()
    for module in modules("viloapp_core"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module == "installer":
                laying |= {module.name for alias in node.names if alias.name == "install"}
            if isinstance(node, ast.Constant) and node.value == "receipt.json":
                naming.add(module.layer)
    assert laying == {"viloapp_core.store.environment"}
    assert naming == {"store"}


def test_another_set_of_wheels_is_not_laid_down(tmp_path: Path) -> None:
    """The artifact is of one lock and one wheel: any other is refused before a file is written."""
    artifact, lock = unsigned("hello", wheels={"hello": "a" * 64, "dep": "b" * 64})
    good = [
        Wheel("a" * 64, "hello-1-py3-none-any.whl", None),
        Wheel("b" * 64, "dep-1-py3-none-any.whl", None),
    ]
    binding.check_wheels(artifact, lock, good)
    more = [*good, Wheel("c" * 64, "evil-1-py3-none-any.whl", None)]
    for wheels in (good[:1], more, list(reversed(good))):
        with pytest.raises(NotVerifiedError):
            binding.check_wheels(artifact, lock, wheels)
    for other in ({"hello": "a" * 64}, {"hello": "a" * 64, "dep": "c" * 64}):
        with pytest.raises(NotVerifiedError):
            binding.check_wheels(artifact, lock_of(other), good)


def test_a_generation_of_another_artifact_is_not_committed(tmp_path: Path) -> None:
    """Neither that of another plugin nor one whose lock was swapped meanwhile; nothing of it stays."""
    store = Store(tmp_path / "store")
    artifact, lock = unsigned("hello")
    other, _ = unsigned("other")
    receipt = {"manifest": {}, "source": "wheel"}
    for taken, data in ((other, lock), (artifact, lock_of({"hello": "c" * 64})), (artifact, b"no lock")):
        entry, generation = store.begin_install(artifact)
        (generation / binding.LOCK).write_bytes(data)
        with pytest.raises(NotVerifiedError):
            store.commit_install(entry, taken, receipt, SystemClock())
        store.abandon_install(entry)
    assert dict(store.plugins()) == {}
    assert not (store.root / "trust.toml").exists()


def test_what_the_receipt_says_of_trust_is_the_artifacts(tmp_path: Path) -> None:
    """A caller cannot write a better label into it."""
    artifact, lock = unsigned("hello")
    claimed = {"signature": "signed by github:octo/hello", "trust": {"kind": "signed"}, "version": "9"}
    assert {**claimed, **binding.receipt_facts(artifact)}["signature"] == "UNSIGNED"
    assert {**claimed, **binding.receipt_facts(artifact)}["trust"]["kind"] == "unsigned"
    assert {**claimed, **binding.receipt_facts(artifact)}["version"] == "0.1.0"
    assert lock
