"""The whole way of a signature: sign, publish, install, verify, update, tamper, refuse; by the command line.

The authority of the tests stands for an organisation of its own; the product believes it only when told to.
"""

from __future__ import annotations

import hashlib
import io
import os
import pty
import select
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeApp
from tests.e2e.harness import PATIENCE_S, UNSIGNED, Viloapp
from tests.fixtures.authority import Authority, github
from tests.fixtures.index import Index
from tests.fixtures.wheels import PROJECTS, Builder

PUBLISHER = "github:octo/hello@.github/workflows/release.yml"


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    """An organisation's own Sigstore, over loopback."""
    with Authority() as served:
        yield served


@pytest.fixture
def config(authority: Authority, tmp_path: Path) -> Path:
    """The file that it gives out."""
    return authority.write_config(tmp_path)


@pytest.fixture(scope="module")
def releases(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of `hello` in two versions, by version."""
    found = {}
    for version in ("0.1.0", "0.2.0"):
        source = tmp_path_factory.mktemp("source") / "hello"
        shutil.copytree(PROJECTS / "hello", source)
        project = source / "pyproject.toml"
        project.write_text(project.read_text().replace("0.1.0", version))
        found[version] = builder.build([source], tmp_path_factory.mktemp("release"))["hello"]
    return found


def _publish(authority: Authority, wheel: Path, folder: Path, **identity: str) -> Path:
    """Put a wheel and its provenance where the index finds them, as Trusted Publishing does."""
    folder.mkdir(exist_ok=True)
    served = Path(shutil.copy(wheel, folder))
    proven = authority.provenance(served, github(**identity))
    served.with_name(served.name + ".provenance").write_bytes(proven)
    return served


def test_from_an_index_by_the_same_publisher_and_nobody_else(
    app: Viloapp, authority: Authority, config: Path, releases: dict[str, Path], tmp_path: Path
) -> None:
    """First use, pin, update; a changed publisher, other bytes and an older release are refused."""
    app("trust", "configure", config).ok()
    folder = tmp_path / "served"
    _publish(authority, releases["0.1.0"], folder)
    with Index(folder) as index:
        options = ("--yes", "--index-url", index.url)
        refused = app("install", *options, "hello").refused(1)
        assert "github:octo/hello" in refused
        assert "--trust-publisher" in refused
        assert app.plugins() == {}
        told = app("install", *options, "--trust-publisher", PUBLISHER, "hello").ok()
        assert "signed by github:octo/hello" in told.out
        assert "dependencies: pinned by hash, not signed" in told.err
        assert index.proven
        assert app.plugins()["hello"]["signature"] == "signed by github:octo/hello"
        assert "dependencies: pinned by hash, not signed" in app("list").ok().out
        assert "octo/hello" in app("info", "hello").ok().out
        assert "signed by github:octo/hello" in app("status").ok().out
        assert "octo/hello" in app("verify", "hello").ok().out
        assert app.call("hello.greet") == "Hello, world!"

        _publish(authority, releases["0.2.0"], folder, repository="eve/hello", owner_id="666")
        refused = app("update", *options).refused(1)
        assert "eve/hello" in refused
        assert "octo/hello" in refused
        assert app.plugins()["hello"]["version"] == "0.1.0"

        served = _publish(authority, releases["0.2.0"], folder, ref="refs/tags/v0.2.0")
        true = served.read_bytes()
        shutil.copy(releases["0.1.0"], tmp_path)
        served.write_bytes(true + b"\0")
        assert app("update", *options).code == 1
        assert app.plugins()["hello"]["version"] == "0.1.0"

        served.write_bytes(true)
        app("update", *options).ok()
        assert app.plugins()["hello"]["version"] == "0.2.0"
        app("verify", "hello", "--json").json()

        app("uninstall", "hello").ok()
        assert "older" in app("install", *options, "hello<0.2").refused(1)
        assert app.plugins() == {}


def test_what_publish_promised_is_what_an_install_verifies(
    app: Viloapp, make_app: MakeApp, authority: Authority, config: Path, tmp_path: Path
) -> None:
    """Validated, built, attested, uploaded; from that index it installs for its publisher, if unaltered."""
    app("create-plugin", "hello", "--author", "A", "--description", "Greets.", cwd=tmp_path).ok()
    project, served = tmp_path / "hello", tmp_path / "served"
    table = '[tool.viloapp]\npermissions = [{ id = "system.environment.LANG", reason = "to greet in it" }]\n'
    pyproject, source = project / "pyproject.toml", project / "src/hello/plugin.py"
    pyproject.write_text(pyproject.read_text().replace("[tool.viloapp]\n", table))
    used = '        self.context.services.system.get_environment("LANG")\n        word = '
    source.write_text(source.read_text().replace("        word = ", used))
    served.mkdir()
    who = {"kind": "GitHub", "repository": "octo/hello", "workflow": "release.yml"}
    with Index(served, publisher=who) as index:
        words = ("publish", project, "--yes", "--index", index.upload_url, "--trust-config", config, "--json")
        account = {"TWINE_USERNAME": "author", "TWINE_PASSWORD": "any"}
        account["SIGSTORE_IDENTITY_TOKEN"] = authority.token(github())
        readme = (project / "README.md").rename(tmp_path / "README.md")
        assert "readme" in app(*words, environ=account).refused(1)
        assert list(served.iterdir()) == []
        readme.rename(project / "README.md")
        done = app(*words, environ=account).json()
        assert (done["uploaded"], done["attested"]) == (True, True)
        wheel = next(served.glob("*.whl"))
        assert hashlib.sha256(wheel.read_bytes()).hexdigest() == done["sha256"]
        kept = sorted(path.name for path in served.iterdir() if path.suffix in _BUILT)
        assert kept == sorted(done["files"])

        user = make_app(tmp_path / "user")
        user("trust", "configure", config).ok()
        install = ("install", "--yes", "--index-url", index.url, "hello")
        true = wheel.read_bytes()
        wheel.write_bytes(_altered(true))
        assert "hello" in user(*install, "--trust-publisher", PUBLISHER).refused(1)
        wheel.write_bytes(true)
        eve = PUBLISHER.replace("octo", "eve")
        assert "octo/hello" in user(*install, "--trust-publisher", eve).refused(1)
        assert user.plugins() == {}
        told = user(*install, "--trust-publisher", PUBLISHER).ok()
        assert "signed by github:octo/hello" in told.out
        promised = "\n".join(done["shown"])
        asked = user("info", "hello").ok().out
        for each in ("system.environment.LANG", "to greet in it"):
            assert each in promised
            assert each in asked
        assert user.call("hello.greet") == "Hello, world!"


_BUILT = (".whl", ".gz")


def _altered(wheel: bytes) -> bytes:
    """Return a wheel with a comment at its end: another file, with the same content."""
    archive = io.BytesIO(wheel)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.comment = b"not the author's"
    return archive.getvalue()


def test_a_signed_wheel_and_what_is_not(
    app: Viloapp, authority: Authority, config: Path, releases: dict[str, Path], tmp_path: Path
) -> None:
    """`viloapp sign` puts it beside the wheel; without it, or with another's, nothing is installed."""
    wheel = Path(shutil.copy(releases["0.1.0"], tmp_path))
    assert "--allow-unsigned hello" in app("install", "--yes", wheel).refused(1)
    token = authority.token(github())
    app("sign", "--trust-config", config, "--identity-token", token, wheel).ok()
    assert Path(f"{wheel}.sigstore.json").is_file()
    # The product knows nothing of this authority, whatever else is allowed.
    assert "does not hold" in app("install", "--yes", *UNSIGNED, wheel).refused(1)
    trusted = ("--yes", "--trust-config", config, "--trust-publisher", PUBLISHER)
    assert "signed by github:octo/hello" in app("install", *trusted, wheel).ok().out
    wheel.write_bytes(releases["0.2.0"].read_bytes())
    assert "hello" in app("install", *trusted, wheel).refused(1)
    Path(f"{wheel}.sigstore.json").unlink()
    shutil.copy(releases["0.2.0"], tmp_path)
    bare = tmp_path / releases["0.2.0"].name
    assert "pinned" in app("install", *trusted, *UNSIGNED, bare).refused(1)


def test_a_signed_bundle(
    app: Viloapp, authority: Authority, config: Path, releases: dict[str, Path], tmp_path: Path
) -> None:
    """One signature covers the plugin and all that it imports."""
    app("trust", "configure", config).ok()
    made = app("package", "--bundle", "-o", tmp_path, releases["0.1.0"], "--json").json()["path"]
    assert "not signed" in app("install", "--yes", made).refused(1)
    app("sign", "--identity-token", authority.token(github()), made).ok()
    told = app("install", "--yes", "--trust-publisher", PUBLISHER, made).ok()
    assert "signed by github:octo/hello" in told.out
    assert "pinned by hash" not in told.err
    assert "octo/hello" in app("verify", made).ok().out


def test_a_lock_brings_its_publishers(
    app: Viloapp,
    make_app: type[Viloapp],
    authority: Authority,
    config: Path,
    releases: dict[str, Path],
    tmp_path: Path,
) -> None:
    """Another machine verifies against its publishers, once told that they are the right ones."""
    folder, lock = tmp_path / "served", tmp_path / "viloapp.lock"
    _publish(authority, releases["0.1.0"], folder)
    other = make_app(tmp_path / "other")
    with Index(folder) as index:
        options = ("--yes", "--trust-config", config, "--index-url", index.url)
        app("install", *options, "--trust-publisher", PUBLISHER, "hello").ok()
        app("lock", "-o", lock).ok()
        assert "octo/hello" in lock.read_text()
        assert "octo/hello" in other("sync", *options, lock).refused(1)
        other("sync", *options, "--trust-lock", lock).ok()
        assert other.plugins()["hello"]["signature"] == "signed by github:octo/hello"


def test_a_person_at_a_terminal_is_asked(
    app: Viloapp, authority: Authority, config: Path, releases: dict[str, Path], tmp_path: Path
) -> None:
    """Who signed is shown; yes pins it, and the next installation asks no more."""
    folder = tmp_path / "served"
    served = _publish(authority, releases["0.1.0"], folder)
    wheel = Path(shutil.copy(served, tmp_path))
    shutil.copy(f"{served}.provenance", f"{wheel}.provenance")
    words = [str(app.executable), "install", "--trust-config", str(config), str(wheel)]
    master, slave = pty.openpty()
    process = subprocess.Popen(
        words, env=app.environ, stdin=slave, stdout=subprocess.PIPE, stderr=slave, start_new_session=True
    )
    os.close(slave)
    shown = _read_until(master, b"[y/N]")
    for text in (b"octo/hello", b".github/workflows/release.yml", b"refs/tags/v1.0"):
        assert text in shown
    os.write(master, b"y\n")
    with suppress(OSError):  # the end of a terminal whose other side has gone
        _read_until(master, b"nothing says this")
    process.communicate(timeout=PATIENCE_S)
    os.close(master)
    assert process.returncode == 0
    assert app.plugins()["hello"]["signature"] == "signed by github:octo/hello"
    assert PUBLISHER in app("trust", "list").ok().out


def _read_until(master: int, text: bytes) -> bytes:
    shown, deadline = b"", time.monotonic() + PATIENCE_S
    while text not in shown:
        assert time.monotonic() < deadline, shown
        if select.select([master], [], [], 1)[0]:
            shown += os.read(master, 65536)
    return shown


def test_names_of_our_own_have_no_exemption(app: Viloapp) -> None:
    """The wheel that the core carries is refused unsigned, installed by name, and labelled for ever."""
    assert "--allow-unsigned viloxterm" in app("install", "--yes", "viloxterm").refused(1)
    app("install", "--yes", "--allow-unsigned", "viloxterm", "viloxterm").ok()
    assert app.plugins()["viloxterm"]["signature"] == "UNSIGNED"
    assert "UNSIGNED" in app("list").ok().out
    assert "UNSIGNED" in app("info", "viloxterm").ok().out
    assert "UNSIGNED" in app("status").ok().out
