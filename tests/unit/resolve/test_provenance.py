"""The provenance that an index has of a file, over loopback."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.fixtures.index import Index
from tests.fixtures.wheels import forge
from viloapp_core.foundation import http
from viloapp_core.foundation.errors import CommandError, HttpError
from viloapp_core.resolve import Package, Sources, fetch_provenance
from viloapp_core.resolve.errors import ProvenanceError


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """An index with `hello`, and nothing else."""
    with Index(tmp_path, elsewhere=None) as served:
        yield served


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """The wheel of `hello`, as a lock has it."""
    wheel = forge(tmp_path, "hello", "1.0", {"hello.py": ""})
    return Package("hello", "1.0", wheel.name, "", hashlib.sha256(wheel.read_bytes()).hexdigest())


def _prove(index: Index, package: Package, data: bytes) -> None:
    (index.folder / f"{package.filename}.provenance").write_bytes(data)


def test_the_index_is_asked_for_what_it_names(index: Index, package: Package) -> None:
    """The bytes come back as they are; nothing of them is believed here."""
    _prove(index, package, b"anything")
    assert fetch_provenance(package, sources=Sources(index.url), environ={}) == b"anything"
    assert index.proven == [package.filename]


def test_an_index_without_provenance_is_normal(index: Index, package: Package) -> None:
    """No key, no project or no server at all: there is none."""
    assert fetch_provenance(package, sources=Sources(index.url), environ={}) is None
    other = Package("other", "1.0", "other-1.0-py3-none-any.whl", "", "0" * 64)
    assert fetch_provenance(other, sources=Sources(index.url), environ={}) is None
    assert fetch_provenance(package, sources=Sources("http://127.0.0.1:1/simple"), environ={}) is None


def test_offline_asks_nobody(index: Index, package: Package) -> None:
    """With --offline the network is not touched."""
    _prove(index, package, b"anything")
    assert fetch_provenance(package, sources=Sources(index.url, offline=True), environ={}) is None
    assert index.asked == []


def test_a_file_with_another_hash_has_none(index: Index, package: Package) -> None:
    """The entry has to be that of the file that was locked."""
    _prove(index, package, b"anything")
    changed = Package("hello", "1.0", package.filename, "", "0" * 64)
    assert fetch_provenance(changed, sources=Sources(index.url), environ={}) is None


@pytest.mark.parametrize("where", ["http://127.0.0.2:80/{}", "https://127.0.0.1/{}", "file:///etc/passwd"])
def test_another_server_is_not_asked(index: Index, package: Package, where: str) -> None:
    """An address elsewhere is refused, and not taken for an index without provenance."""
    _prove(index, package, b"anything")
    index.provenance_url = where
    with pytest.raises(ProvenanceError, match="another server"):
        fetch_provenance(package, sources=Sources(index.url), environ={})


@pytest.mark.parametrize("where", ["http://127.0.0.1:99999/{}", "http://127.0.0.1:x/{}", "http://[::1/{}"])
def test_what_is_no_address_is_refused(index: Index, package: Package, where: str) -> None:
    """What an index makes up is told as what it is, and is no crash."""
    _prove(index, package, b"anything")
    index.provenance_url = where
    with pytest.raises(ProvenanceError, match="no address"):
        fetch_provenance(package, sources=Sources(index.url), environ={})


def test_a_server_that_sends_a_byte_at_a_time_is_given_up() -> None:
    """The time is that of the whole answer, however often something of it comes."""
    over, sent = threading.Event(), []

    class Drip(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "400")
            self.end_headers()
            for _ in range(400):
                if over.wait(0.05):
                    return
                self.wfile.write(b"x")
                sent.append(1)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Drip)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        with pytest.raises(HttpError, match="takes too long"):
            http.get(url, accept="*/*", max_bytes=9999, timeout_s=0.5, environ={})
        assert len(sent) < 400
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_what_is_named_and_missing_is_an_error(index: Index, package: Package) -> None:
    """Whoever can make it disappear must not turn a signed file into an unsigned one."""
    _prove(index, package, b"anything")
    index.provenance_url = "/nowhere/{}"
    with pytest.raises(ProvenanceError, match="404"):
        fetch_provenance(package, sources=Sources(index.url), environ={})


def test_what_is_too_large_is_refused(index: Index, package: Package) -> None:
    """A server cannot fill the memory."""
    _prove(index, package, b"x" * ((2 << 20) + 1))
    with pytest.raises(ProvenanceError, match="more than"):
        fetch_provenance(package, sources=Sources(index.url), environ={})


def test_a_redirection_elsewhere_is_not_followed(tmp_path: Path, package: Package) -> None:
    """What is not at the index's own address is not there."""
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / f"{package.filename}.provenance").write_bytes(b"anything")
    with Index(tmp_path, elsewhere=None) as there, Index(other, elsewhere=there.url) as here:
        assert fetch_provenance(package, sources=Sources(here.url), environ={}) is None
        assert there.asked == []


def test_a_request_ends_when_it_is_cancelled(index: Index, package: Package) -> None:
    """Ctrl-C and a page that goes away do not wait for a slow server."""
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CommandError, match="cancelled"):
        fetch_provenance(package, sources=Sources(index.url), environ={}, cancel=cancel)


def test_only_the_web_is_asked(tmp_path: Path) -> None:
    """A file of this machine is no answer of a server."""
    (tmp_path / "x").write_text("x")
    with pytest.raises(HttpError):
        http.get((tmp_path / "x").as_uri(), accept="*/*", max_bytes=9, timeout_s=9, environ={})


def test_credentials_of_the_address_are_sent_and_not_told() -> None:
    """They go into a header; errors show the address without them."""
    with pytest.raises(HttpError) as raised:
        http.get("http://me:secret@127.0.0.1:1/", accept="*/*", max_bytes=9, timeout_s=9, environ={})
    assert "secret" not in raised.value.detail
