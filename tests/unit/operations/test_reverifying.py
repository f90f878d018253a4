"""`viloapp verify ID`: what is installed is verified again: evidence, archives and every file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures.authority import Authority, github
from tests.unit.operations.conftest import Plugin
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.operations import InstallOutcome
from viloapp_core.operations.reverifying import verify_installed
from viloapp_core.operations.verifying import Verification
from viloapp_core.store import Store

Run = Callable[..., list[InstallOutcome]]


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    """A Sigstore of the tests' own."""
    with Authority() as served:
        yield served


@pytest.fixture
def verify(
    authority: Authority, store: Store, plugin: Plugin, run: Run, tmp_path: Path
) -> Callable[[], Verification]:
    """Return a function that verifies hello, which is installed and signed."""
    config, wheel = authority.write_config(tmp_path), plugin()
    wheel.with_name(wheel.name + ".sigstore.json").write_bytes(authority.sign(wheel.read_bytes(), github()))
    run(wheel, allow_unsigned=(), trust_config=config)
    return lambda: verify_installed(store, "hello", config=config, clock=SystemClock())


def _failed(found: Verification) -> set[int]:
    assert not found.passed
    return {step.number for step in found.steps if step.outcome == "failed"}


def test_what_was_installed_still_is(verify: Callable[[], Verification]) -> None:
    """Eleven steps pass on an installation that nobody touched."""
    found = verify()
    assert [step.outcome for step in found.steps] == ["passed"] * 11, found.steps


def test_an_edited_receipt(verify: Callable[[], Verification], store: Store) -> None:
    """A receipt that claims another publisher contradicts the evidence."""
    path = store.plugin("hello").generation / "receipt.json"
    receipt = json.loads(path.read_bytes())
    receipt["trust"]["publisher"] = receipt["trust"]["publisher"].replace("octo/hello", "good/hello")
    path.write_text(json.dumps(receipt))
    assert 8 in _failed(verify())


def test_edited_evidence(verify: Callable[[], Verification], store: Store) -> None:
    """Evidence that is missing or changed proves nothing any more."""
    path = store.plugin("hello").generation / "signature.json"
    path.write_bytes(path.read_bytes()[:-20])
    assert 1 in _failed(verify())
    path.unlink()
    assert 8 in _failed(verify())


def test_an_edited_archive(verify: Callable[[], Verification], store: Store) -> None:
    """The wheel in the archives is hashed now: another one is not what was signed."""
    archive = store.layout.archives / f"{store.receipt('hello')['trust']['sha256']}.whl"
    archive.chmod(0o644)
    archive.write_bytes(archive.read_bytes() + b"!")
    assert {4, 10} <= _failed(verify())


@pytest.mark.parametrize("told", [False, True])
def test_an_installed_file(verify: Callable[[], Verification], store: Store, told: bool) -> None:
    """A changed module is found, and one more, even where the installed RECORD was made to list it."""
    generation = store.plugin("hello").generation
    (site,) = generation.glob("venv/lib/python*/site-packages")
    (site / "extra.py").write_text("import os\n")
    if told:
        (record,) = site.glob("hello-*.dist-info/RECORD")
        text = record.read_text()
        record.unlink()  # a link to a file that others share
        record.write_text(text + "extra.py,,\n")
    assert 11 in _failed(verify())
    (site / "extra.py").unlink()
    (site / "hello.py").unlink()
    (site / "hello.py").write_text("import os\n")
    assert 11 in _failed(verify())
