"""What is said when something cannot be signed."""

from __future__ import annotations

import pytest
import requests
from sigstore.models import ClientTrustConfig

from viloapp_core.trust.errors import SigningError
from viloapp_core.trust.signing import open_signer


def test_without_a_network_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cause alone, not each exception on the way to it, and what to do."""

    def production() -> ClientTrustConfig:
        requests.get("http://127.0.0.1:9/", timeout=5)  # a real refusal, in the place of Sigstore's
        raise AssertionError("somebody serves the port of discard")

    monkeypatch.setattr(ClientTrustConfig, "production", production)
    with pytest.raises(SigningError) as caught, open_signer(token="x", config=None, person=False):
        pass
    assert caught.value.detail.startswith("it could not be signed: Sigstore cannot be reached: ")
    assert "Connection refused" in caught.value.detail
    assert len(caught.value.detail) < 300
    assert "network" in caught.value.hint
