"""Locks: what is accepted of pip's, what is kept of ours. Source: PEP 751."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w
import tomllib
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.resolve import Interpreter, Package, PipError, Resolution, to_pylock
from viloapp_core.resolve.errors import DirectUrlError
from viloapp_core.resolve.lock import parse

SHA = "0" * 64
WHEEL = {"name": "rich-15.0.0-py3-none-any.whl", "url": "https://files/rich-15.0.0-py3-none-any.whl"}
HELLO: dict[str, Any] = {
    "name": "hello",
    "archive": {"url": "file:///w%20x/hello-0.1.0-py3-none-any.whl", "hashes": {"sha256": SHA}},
}
RICH: dict[str, Any] = {
    "name": "rich",
    "version": "15.0.0",
    "wheels": [{**WHEEL, "hashes": {"sha256": SHA.replace("0", "A")}}],
}


def _lock(*packages: dict[str, Any]) -> bytes:
    return tomli_w.dumps({"lock-version": "1.0", "created-by": "pip", "packages": list(packages)}).encode()


def test_the_plugin_first_then_by_name() -> None:
    """A file that was named, and a wheel of an index."""
    hello, rich = parse(_lock(RICH, HELLO), "hello")
    assert hello == Package("hello", "0.1.0", "hello-0.1.0-py3-none-any.whl", HELLO["archive"]["url"], SHA)
    assert hello.local == Path("/w x/hello-0.1.0-py3-none-any.whl")
    assert (rich.version, rich.local, rich.sha256) == ("15.0.0", None, "a" * 64)


@pytest.mark.parametrize(
    "package",
    [
        {"name": "x", "version": "1", "sdist": {"name": "x-1.tar.gz", "url": "u", "hashes": {"sha256": SHA}}},
        {"name": "x", "archive": {"url": "https://h/x-1.tar.gz", "hashes": {"sha256": SHA}}},
        {"name": "x", "vcs": {"type": "git", "url": "https://h/x", "commit-id": "0"}},
        {"name": "x", "directory": {"path": "."}},
        {"name": "x", "version": "1", "wheels": [{**WHEEL, "hashes": {"md5": "0"}}]},
        {"name": "x", "version": "1", "wheels": [{**WHEEL, "hashes": {}}]},
        {"name": "x", "version": "1", "wheels": RICH["wheels"] * 2},
    ],
)  # fmt: skip
def test_only_one_hashed_wheel_of_each(package: dict[str, Any]) -> None:
    """A source, a folder, a repository, or a wheel without SHA-256 is refused by the package's name."""
    with pytest.raises((PipError, DirectUrlError)):
        parse(_lock(HELLO, package), "hello")


@pytest.mark.parametrize("scheme", ["https", "http", "file"])
def test_what_a_dependency_names_by_address_is_refused(scheme: str) -> None:
    """``x @ https://…`` in somebody's metadata would be an index of their own choice."""
    archive = {"url": f"{scheme}://h/x-1-py3-none-any.whl", "hashes": {"sha256": SHA}}
    with pytest.raises(DirectUrlError, match="hello: x would come from an address"):
        parse(_lock(HELLO, {"name": "x", "archive": archive}), "hello")
    assert len(parse(_lock(HELLO, {"name": "x", "archive": archive}), "hello", direct=["x"])) == 2


def test_the_plugin_must_be_there_once() -> None:
    """A lock of something else is no answer."""
    with pytest.raises(PipError, match="hello"):
        parse(_lock(RICH), "hello")


@given(data=st.binary(max_size=200))
def test_rubbish_is_our_error(data: bytes) -> None:
    """Whatever the bytes."""
    with pytest.raises(PipError):
        parse(data, "hello")


def _resolution(packages: tuple[Package, ...], version: str = "3.11.7") -> Resolution:
    return Resolution(Interpreter(Path("/usr/bin/python3"), Path("/usr"), version), packages)


def test_what_is_kept_can_be_read_again() -> None:
    """The same wheels; nothing of this machine's paths."""
    packages = parse(_lock(RICH, HELLO), "hello")
    kept = to_pylock(_resolution(packages))
    assert b"/w" not in kept
    again = parse(kept, "hello")
    assert [(p.name, p.version, p.filename, p.sha256) for p in again] == [
        (p.name, p.version, p.filename, p.sha256) for p in packages
    ]
    assert tomllib.loads(kept.decode())["requires-python"] == "==3.11.*"


def test_digest_stands_for_wheels_and_python() -> None:
    """The order and the places do not matter; a byte of a wheel and the series of Python do."""
    hello, rich = parse(_lock(RICH, HELLO), "hello")
    digest = _resolution((hello, rich)).digest
    assert _resolution((rich, hello), "3.11.9").digest == digest
    assert _resolution((hello, rich), "3.12.1").digest != digest
    other = Package(rich.name, rich.version, rich.filename, rich.url, "b" * 64)
    assert _resolution((hello, other)).digest != digest
