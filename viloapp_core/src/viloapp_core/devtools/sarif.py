"""Findings as SARIF, which code scanning of forges and editors reads.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) 2.1.0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from viloapp_core.devtools.findings import KINDS, Finding

__all__ = ["sarif"]


def sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return a log of one run."""
    kinds = list(KINDS)
    rules = [{"id": kind, "name": kind, "shortDescription": {"text": KINDS[kind]}} for kind in kinds]
    driver = {"name": "viloapp validate", "version": version("viloapp-core"), "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The project's folder."}}},
                "results": [_result(each, kinds.index(each.kind)) for each in findings],
            }
        ],
    }


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.path), "uriBaseId": "SRCROOT"}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    # Without the line, so that a finding stays the same one when something is written above it.
    same = "\0".join((finding.kind, finding.path, finding.permission, finding.message))
    return {
        "ruleId": finding.kind,
        "ruleIndex": rule,
        "level": finding.level,
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"finding/v1": hashlib.sha256(same.encode()).hexdigest()},
    }
