"""What a monitoring system is answered, and who is one."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from prometheus_client.openmetrics import parser

from tests.unit.web.conftest import TOKEN, Scene, fetch, headers, planted
from viloapp_core.host import Host
from viloapp_core.web.app import Application
from viloapp_core.web.openmetrics import TOKEN_FILE, exposition, token_of

Play = Callable[[Scene], None]


def scraper(token: str) -> dict[str, Any]:
    """Return what differs in a scraper's request from a browser's."""
    return {"origin": None, "authorization": f"Bearer {token}"}


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Read an exposition as strictly as the format's own parser does: (name, label values…) → value."""
    parse: Callable[[str], Iterable[Any]] = parser.text_string_to_metric_families
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def test_an_exposition_is_of_the_format_and_true(play: Play) -> None:
    """The format's own parser reads it, and finds what was measured."""

    async def scene(host: Host, application: Application) -> None:
        await planted(host)
        token = (host.store.root / TOKEN_FILE).read_text().strip()
        status, sent, body = await fetch(application, "/metrics", headers(**scraper(token)))
        assert status == 200
        assert sent[b"content-type"].startswith(b"application/openmetrics-text; version=1.0.0")
        assert sent[b"cache-control"] == b"no-store"
        found = samples(body.decode())
        assert found["viloapp_plugin_call_duration_seconds_count", "hello"] == 3
        assert found["viloapp_plugin_call_duration_seconds_sum", "hello"] == pytest.approx(0.005051)
        assert found["viloapp_plugin_call_duration_seconds_bucket", repr(2**16 / 1e9), "hello"] == 2
        assert found["viloapp_plugin_memory_bytes", "pss", "hello"] == 2 * 1024 * 1024
        assert found["viloapp_plugin_cpu_seconds_total", "hello"] == 0.5
        assert found["viloapp_plugin_errors_total", "hello"] == 1
        assert found["viloapp_plugin_limit_violations_total", "cpu_percent", "hello"] == 1
        assert found["viloapp_plugin_up", "hello"] == 0  # it has no process
        assert found["viloapp_plugin_info", "hello", "1.0"] == 1
        assert b"it said" not in body

    play(scene)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_only_the_bearer_of_its_own_token_is_answered(play: Play, method: str) -> None:
    """Neither nobody nor the page's token; and the token of `/metrics` opens nothing else."""

    async def scene(host: Host, application: Application) -> None:
        token = token_of(host.store.root)
        for changes in (
            {"origin": None},
            scraper(TOKEN),
            scraper(""),
            scraper(token[:-1]),
            {"origin": None, "authorization": token},
            {"origin": None, "authorization": f"Basic {token}"},
        ):
            status, sent, body = await fetch(application, "/metrics", headers(**changes), method)
            assert (status, sent[b"www-authenticate"]) == (401, b"Bearer")
            assert body.count(b"\n") == (method == "GET")  # a line that says what to do, and where
            assert (b"viloapp status --metrics-url" in body) is (method == "GET")
            assert token.encode() not in body
            assert int(sent[b"content-length"]) > 0
        for changes in ({"host": "evil.example:4000"}, {"origin": "http://evil.example"}):
            forged = headers(**{**scraper(token), **changes})
            status, _, body = await fetch(application, "/metrics", forged, method)
            assert (status, body) == (403, b"")
        assert (await fetch(application, "/session", headers(**scraper(token)), method))[0] == 401
        assert (await fetch(application, "/metrics", headers(**scraper(token)), "POST"))[0] == 405
        assert (await fetch(application, "/metrics", headers(**scraper(token)), method))[0] == 200

    play(scene)


def test_the_token_is_kept_and_only_the_user_can_read_it(tmp_path: Path) -> None:
    """It is the same at the next run; one that is short, or that others may read, is made anew."""
    first = token_of(tmp_path)
    path = tmp_path / TOKEN_FILE
    assert token_of(tmp_path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    second = token_of(tmp_path)
    assert second != first
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("x")
    assert len(token_of(tmp_path)) >= 32


def test_two_hosts_of_one_process_do_not_meet(tmp_path: Path) -> None:
    """Each answers for itself, and the library's global registry has nothing of either."""

    async def test() -> None:
        before = set(REGISTRY._names_to_collectors)
        async with Host(tmp_path / "a", control=False) as one, Host(tmp_path / "b", control=False) as other:
            await planted(one)
            assert b'plugin="hello"' in exposition(one)
            assert b'plugin="hello"' not in exposition(other)
            assert b'plugin="hello"' in exposition(one)
        assert set(REGISTRY._names_to_collectors) == before

    asyncio.run(test())
