"""Nothing gets into the store but through `trust`; listing and running never pay for cryptography."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

Modules = Callable[..., list[Any]]
LoadedBy = Callable[..., set[str]]
CRYPTOGRAPHY = ("sigstore", "sigstore_models", "pypi_attestations", "cryptography", "pydantic", "tuf", "jwt")


def test_nobody_else_names_the_seal(modules: Modules) -> None:
    """What the store believes is made in `trust` alone: no other module imports the token or passes one."""
    for module in modules():
        if module.name.startswith("viloapp_core.trust."):
            continue
        assert not [line for line, name in module.imports() if "trust._seal" in name], module.name
        sealed = [
            node.lineno
            for node in ast.walk(module.tree)
            if (isinstance(node, ast.keyword) and node.arg == "seal")
            or (isinstance(node, ast.Attribute) and node.attr in ("seal", "SEAL", "_seal"))
        ]
        assert sealed == [], module.name


def test_a_verified_artifact_is_made_in_one_module(modules: Modules) -> None:
    """`VerifiedArtifact(...)` is called in `trust.artifact` and nowhere else."""
    places = {
        module.name
        for module in modules()
        for _, name, _ in module.calls()
        if name.rpartition(".")[2] in ("VerifiedArtifact", "Examination")
    }
    assert places == {"viloapp_core.trust.artifact", "viloapp_core.trust.procedure"}


def test_no_policy_that_says_yes_to_everybody(modules: Modules) -> None:
    """`UnsafeNoOp`, sigstore's cached roots and pypi-attestations' hard-coded one are named nowhere."""
    for module in modules():
        names = {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)}
        names |= {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}
        assert not names & {"UnsafeNoOp", "_as_policy"}, module.name
        calls = [name for _, name, _ in module.calls()]
        assert not [name for name in calls if name in ("Verifier.production", "Verifier.staging")], (
            module.name
        )


def test_importing_trust_loads_no_cryptography(loaded_by: LoadedBy) -> None:
    """What listings and every start need of `trust` is read without sigstore."""
    code = (
        "from viloapp_core.trust import TrustStore, label_of, parse_publisher\n"
        "from datetime import UTC, datetime\nfrom pathlib import Path\nimport tempfile\n"
        "keeper = TrustStore(Path(tempfile.mkdtemp()))\n"
        "keeper.pin('hello', parse_publisher('email:a@b.example,issuer=https://a.example'),"
        " __import__('viloapp_core.foundation.clock', fromlist=['SystemClock']).SystemClock())\n"
        "keeper.blocks(datetime.now(UTC)).blocking('hello', '1.0', '', '')\n"
        "label_of({'kind': 'signed'})\n"
    )
    loaded = {name.partition(".")[0] for name in loaded_by(code)}
    assert sorted(loaded & set(CRYPTOGRAPHY)) == []
