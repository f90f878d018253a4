"""Publishing: what is refused before anything leaves, what is shown, and a real index that takes uploads."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.fixtures.authority import Authority, github
from tests.fixtures.uploads import UploadIndex
from viloapp_core import manifest
from viloapp_core.cli.main import main
from viloapp_core.cli.publish import seen_at_install
from viloapp_core.devtools.errors import ToolMissingError
from viloapp_core.devtools.publishing import Identity, InvalidProjectError, Published, UploadError, publish
from viloapp_core.manifest import PluginDescription
from viloapp_core.operations import InstallOptions, PackageOutcome
from viloapp_core.operations.errors import ContentsError
from viloapp_core.store import Store

# A backend that needs nothing from an index: the wheel and the source distribution are written by hand.
BACKEND = '''
import base64, hashlib, os, pathlib, tarfile, zipfile
MANIFEST = """{"schema": 1, "api_version": "1.0", "permissions":
 [{"id": "network.connect.example.com", "reason": "to greet"}]}"""
METADATA = "Metadata-Version: 2.4\\nName: hello\\nVersion: 0.1.0\\nSummary: Greets.\\nAuthor: A\\n\\nHi.\\n"
def build_sdist(folder, config_settings=None):
    name = "hello-0.1.0.tar.gz"
    with tarfile.open(os.path.join(folder, name), "w:gz") as archive:
        for file in sorted(path for path in pathlib.Path(".").rglob("*") if path.is_file()):
            archive.add(file, f"hello-0.1.0/{file}")
        pathlib.Path(folder, "PKG-INFO").write_text(METADATA)
        archive.add(pathlib.Path(folder, "PKG-INFO"), "hello-0.1.0/PKG-INFO")
    return name
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, info = "hello-0.1.0-py3-none-any.whl", "hello-0.1.0.dist-info/"
    files = {
        "hello/__init__.py": pathlib.Path("hello/__init__.py").read_text(),
        info + "METADATA": METADATA,
        info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: hand\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        info + "entry_points.txt": "[viloapp.plugins]\\nhello = hello:Hello\\n",
        info + "plugin.json": MANIFEST,
    }
    hashed = lambda text: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    digest = lambda text: hashed(text).rstrip(b"=").decode()
    record = "".join(f"{file},sha256={digest(text)},{len(text.encode())}\\n" for file, text in files.items())
    files[info + "RECORD"] = record + info + "RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for file, text in files.items():
            archive.writestr(zipfile.ZipInfo(file), text)
    return name
'''
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "hello"
version = "0.1.0"
description = "Greets."
readme = "README.md"
license = "MIT"
license-files = ["LICENSE"]
requires-python = ">=3.10"
authors = [{ name = "A" }]
dependencies = ["viloapp-sdk>=1,<2"]
[project.entry-points."viloapp.plugins"]
hello = "hello:Hello"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project that is built without a network."""
    folder = tmp_path / "hello"
    (folder / "hello").mkdir(parents=True)
    for name, text in (
        ("backend.py", BACKEND),
        ("pyproject.toml", PYPROJECT),
        ("README.md", "It greets.\n"),
        ("LICENSE", "Free.\n"),
        ("hello/__init__.py", "import socket\n\n\nclass Hello:\n    pass\n"),
    ):
        (folder / name).write_text(text, "utf-8")
    asked = '[{"id": "network.connect.example.com", "reason": "to greet"}]'
    manifest_json = '{"schema": 1, "api_version": "1.0", "permissions": ' + asked + "}"
    (folder / "hello" / "plugin.json").write_text(manifest_json, "utf-8")
    return folder


def _publish(
    folder: Path,
    agree: Callable[[PluginDescription, PackageOutcome], bool],
    *,
    identity: Identity | None = None,
    index: str | None = None,
    environ: Mapping[str, str] = {},
) -> Published:
    return publish(
        Store(Path(os.environ["VILOAPP_HOME"])),
        folder,
        index=index,
        identity=identity,
        agree=agree,
        options=InstallOptions(offline=True),
        environ={**os.environ, **environ},
        say=lambda text: None,
    )


def test_what_is_published_lies_on_the_index(project: Path, tmp_path: Path) -> None:
    """Wheel and source distribution, after a look at them; without credentials, and twice, it is refused."""
    packages = tmp_path / "packages"
    packages.mkdir()
    seen: list[PluginDescription] = []

    def agree(plugin: PluginDescription, made: PackageOutcome) -> bool:
        assert made.path.is_file()
        seen.append(plugin)
        return True

    with UploadIndex(packages) as index:
        with pytest.raises(UploadError, match="Credential") as caught:
            _publish(project, agree, index=index.upload_url)
        assert "TWINE_USERNAME" in caught.value.hint
        assert list(packages.iterdir()) == []
        user = {"TWINE_USERNAME": "author", "TWINE_PASSWORD": "any"}
        done = _publish(project, agree, index=index.upload_url, environ=user)
        assert done.uploaded
        names = sorted(path.name for path in packages.iterdir())
        assert names == ["hello-0.1.0-py3-none-any.whl", "hello-0.1.0.tar.gz"]
        assert manifest.read_wheel(packages / names[0]).plugin_id == "hello"
        with pytest.raises(UploadError) as caught:
            _publish(project, agree, index=index.upload_url, environ=user)
        assert "once" in caught.value.hint
        assert "\x1b" not in caught.value.detail
    assert len(seen) == 3


def test_what_validate_refuses_is_not_built(project: Path) -> None:
    """Every finding is told with its place, and nobody is asked."""
    (project / "README.md").unlink()
    with pytest.raises(InvalidProjectError, match=r"pyproject\.toml:10: metadata: project\.readme"):
        _publish(project, lambda plugin, made: pytest.fail("asked"))


def test_who_does_not_agree_uploads_nothing(project: Path) -> None:
    """It was built and shown, and that is all; an address that nobody serves is not even asked."""
    done = _publish(project, lambda plugin, made: False, index="http://127.0.0.1:9/")
    assert not done.uploaded


def test_an_index_that_nobody_serves_is_said_to_be_none(project: Path) -> None:
    """One line with the address and the cause, and not that the version would be there already."""
    user = {"TWINE_USERNAME": "author", "TWINE_PASSWORD": "any"}
    with pytest.raises(UploadError) as caught:
        _publish(project, lambda plugin, made: True, index="http://127.0.0.1:9/", environ=user)
    assert caught.value.detail == "http://127.0.0.1:9/ cannot be reached: Connection refused"
    assert caught.value.hint == "check the network and --index"


def test_a_wheel_without_the_catalogues_is_not_given_away(project: Path) -> None:
    """Each that the source has and the build left out; those that are only for looking at may be."""
    (project / "hello/locales").mkdir()
    for name in ("en", "de", "en-XA"):
        (project / f"hello/locales/{name}.json").write_text("{}")
    with pytest.raises(ContentsError) as caught:
        _publish(project, lambda plugin, made: pytest.fail("asked"))
    for name in ("en", "de"):
        assert f"hello-0.1.0-py3-none-any.whl: lacks hello/locales/{name}.json" in caught.value.detail
    assert "en-XA" not in caught.value.detail
    assert "package data" in caught.value.detail


def test_a_build_is_the_same_each_time(project: Path) -> None:
    """To the byte."""
    digests: list[str] = []

    def note(plugin: PluginDescription, made: PackageOutcome) -> bool:
        assert made.sdist is not None
        digests.append(made.sha256 + hashlib.sha256(made.sdist.read_bytes()).hexdigest())
        return False

    for _ in range(2):
        _publish(project, note)
    assert len(set(digests)) == 1


def test_what_people_will_see(project: Path) -> None:
    """The listing's line, the question with its reasons in words, and that nobody signed it."""
    shown = seen_at_install(manifest.read_source(project), unsigned=True)
    assert shown[0] == "hello 0.1.0: Greets.; by A; MIT"
    assert any("network.connect.example.com" in line for line in shown)
    assert shown[-1] == "UNSIGNED: refused, unless they add --allow-unsigned hello"


def test_without_somebody_to_agree(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said before minutes of building, with what to do."""
    assert main(["publish", str(project), "--unsigned"]) == 1
    assert "hint: add --yes" in capsys.readouterr().err


def test_without_twine(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra that brings it is named."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ToolMissingError, match="needs twine") as caught:
        _publish(project, lambda plugin, made: True)
    assert "viloapp-core[author]" in caught.value.hint


def test_the_attestations_go_along(project: Path, tmp_path: Path) -> None:
    """Each file is uploaded with one (PEP 740), made for the identity that was given."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with Authority() as authority, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        identity = Identity(authority.token(github()), authority.write_config(tmp_path))
        user = {"TWINE_USERNAME": "author", "TWINE_PASSWORD": "any"}
        index = f"http://127.0.0.1:{server.server_port}/"
        done = _publish(project, lambda plugin, made: True, identity=identity, index=index, environ=user)
        server.shutdown()
    assert done.attested
    assert len(bodies) == 2
    for body in bodies:
        attestations = json.loads(body.partition(b'name="attestations"\r\n\r\n')[2].partition(b"\r\n--")[0])
        assert [set(each) >= {"version", "verification_material", "envelope"} for each in attestations] == [
            True
        ]
