"""verify, sign and trust, on the command line; the Sigstore behind them is the tests' own, over loopback."""

from __future__ import annotations

import json
import os
import shlex
import sys
import webbrowser
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.authority import Authority, email, github
from tests.fixtures.wheels import forge
from viloapp_core.store import Store
from viloapp_core.trust import TrustStore

from .conftest import Ran

Viloapp = Callable[..., Ran]
RELEASE = "github:octo/hello@.github/workflows/release.yml"
LISTER = "github:octo/lists@.github/workflows/release.yml"


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    """A Sigstore that nothing believes that was not told to."""
    with Authority() as served:
        yield served


@pytest.fixture
def config(authority: Authority, tmp_path: Path) -> Path:
    """The file for ``--trust-config``."""
    return authority.write_config(tmp_path)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A plugin's wheel, not signed."""
    files = {"hello.py": "class Hello: pass\n"}
    return forge(
        tmp_path / "dist", "hello", "1.0", files, entry_points="[viloapp.plugins]\nhello=hello:Hello\n"
    )


@pytest.fixture
def sign(viloapp: Viloapp, authority: Authority, config: Path) -> Callable[..., Ran]:
    """Return a function that runs `viloapp sign` as somebody."""

    def run(*args: object, identity: dict[str, Any] | None = None) -> Ran:
        token = authority.token(identity or github())
        return viloapp("sign", "--trust-config", str(config), "--identity-token", token, *map(str, args))

    return run


def test_what_sign_writes_verify_verifies(
    wheel: Path, sign: Callable[..., Ran], viloapp: Viloapp, config: Path
) -> None:
    """A wheel is signed, verified against a named publisher, and every fact about the signer is told."""
    signed = sign(wheel)
    assert (signed.code, signed.out.strip()) == (0, f"{wheel}.sigstore.json")
    verified = viloapp("verify", str(wheel), "--trust-config", str(config), "--publisher", RELEASE)
    assert verified.code == 0, verified.out
    assert verified.out.splitlines()[-1] == "verified"
    for told in (
        "octo/hello (id 123",
        "refs/tags/v1.0",
        ".github/workflows/release.yml",
        "commit:",
        "log entry:",
    ):
        assert told in verified.out
    asked = viloapp(
        "verify", str(wheel), "--trust-config", str(config), "--publisher", RELEASE, "--json"
    ).json
    assert [step["outcome"] for step in asked["steps"]] == ["passed"] * 7
    assert (asked["schema"], asked["passed"], asked["signer"]["owner_id"]) == (1, True, "45")


def test_without_being_told_the_test_authority_is_not_believed(
    wheel: Path, sign: Callable[..., Ran], viloapp: Viloapp
) -> None:
    """The product's own root refuses the tests' authority at step 2."""
    sign(wheel)
    refused = viloapp("verify", str(wheel), "--publisher", RELEASE, "--json")
    assert refused.code == 1
    failed = [step["number"] for step in refused.json["steps"] if step["outcome"] == "failed"]
    assert failed == [2]


def test_nobody_said_who_it_should_be(
    wheel: Path, sign: Callable[..., Ran], viloapp: Viloapp, config: Path
) -> None:
    """Anybody can sign: without a pin or a name the exit code is 1, and the line to say it can be copied."""
    sign(wheel)
    asked = viloapp("verify", str(wheel), "--trust-config", str(config))
    assert asked.code == 1
    assert asked.out.splitlines()[-1] == "NOT verified"
    [hint] = [line for line in asked.err.splitlines() if "--publisher" in line]
    named = shlex.split(hint.partition(": ")[2])
    again = viloapp("verify", str(wheel), "--trust-config", str(config), *named)
    assert again.code == 0, again.out


def test_a_tampered_wheel_and_one_that_nobody_signed(
    wheel: Path, sign: Callable[..., Ran], viloapp: Viloapp, config: Path
) -> None:
    """One byte more, or no signature: exit code 1, and the step is named."""
    bare = viloapp("verify", str(wheel), "--trust-config", str(config), "--json")
    assert bare.code == 1
    assert bare.json["steps"][0]["detail"] == "there is no signature"
    sign(wheel)
    with wheel.open("ab") as stream:
        stream.write(b"!")
    tampered = viloapp("verify", str(wheel), "--trust-config", str(config), "--publisher", RELEASE)
    assert tampered.code == 1
    assert "FAIL  4 the signature is of exactly these bytes" in tampered.out


def test_sign_does_not_overwrite(wheel: Path, sign: Callable[..., Ran]) -> None:
    """A signature that is there stays without --force; all problems are told before anything is signed."""
    sign(wheel)
    before = Path(f"{wheel}.sigstore.json").read_bytes()
    other = wheel.with_name("other-1.0-py3-none-any.whl")
    other.write_bytes(b"x")
    refused = sign(wheel, other, wheel.with_name("none.whl"))
    assert refused.code == 1
    assert "is signed already" in refused.err
    assert "there is no file" in refused.err
    assert not Path(f"{other}.sigstore.json").exists()
    assert Path(f"{wheel}.sigstore.json").read_bytes() == before
    assert sign(wheel, "--force").code == 0
    assert Path(f"{wheel}.sigstore.json").read_bytes() != before


def test_an_attestation_for_an_upload(
    wheel: Path, sign: Callable[..., Ran], viloapp: Viloapp, config: Path
) -> None:
    """`--attestation` writes what `twine --attestations` takes, and verify finds it beside the file."""
    assert sign(wheel, "--attestation").out.strip() == f"{wheel}.publish.attestation"
    assert viloapp("verify", str(wheel), "--trust-config", str(config), "--publisher", RELEASE).code == 0


# sigstore leaves the socket that the browser comes back to for the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_person_signs_with_the_browser(
    wheel: Path,
    viloapp: Viloapp,
    authority: Authority,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Without a token and without a CI the browser opens, and whoever logs in there signs."""
    authority.log_in_as(email("me@example.org", "https://accounts.example.org"))
    visit = tmp_path / "browser"
    visit.write_text(
        f"#!{sys.executable}\nimport sys, urllib.request\nurllib.request.urlopen(sys.argv[1]).read()\n"
    )
    visit.chmod(0o755)
    monkeypatch.setattr(webbrowser, "_tryorder", [])
    webbrowser.register("tests", None, webbrowser.GenericBrowser([str(visit), "%s"]), preferred=True)
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE", "SIGSTORE_IDENTITY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    signed = viloapp("sign", "--trust-config", str(config), str(wheel))
    assert signed.code == 0, signed.err
    me = "email:me@example.org,issuer=https://accounts.example.org"
    assert viloapp("verify", str(wheel), "--trust-config", str(config), "--publisher", me).code == 0


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
def test_a_token_that_is_none(wheel: Path, viloapp: Viloapp, config: Path, token: str) -> None:
    """What is no identity token is refused in one line, and nothing is written."""
    refused = viloapp("sign", "--trust-config", str(config), "--identity-token", token or " ", str(wheel))
    assert refused.code == 1
    assert refused.err.count("error:") == 1
    assert "could not be signed" in refused.err
    assert not Path(f"{wheel}.sigstore.json").exists()


def test_a_sigstore_that_does_not_answer(
    wheel: Path, viloapp: Viloapp, authority: Authority, tmp_path: Path
) -> None:
    """Where the services are gone it is said, and nothing is written."""
    with Authority() as gone:
        config = gone.write_config(tmp_path)
    token = authority.token(github())
    refused = viloapp("sign", "--trust-config", str(config), "--identity-token", token, str(wheel))
    assert refused.code == 1
    assert "could not be signed" in refused.err
    assert not Path(f"{wheel}.sigstore.json").exists()


def test_the_older_form_proves_nothing(wheel: Path, viloapp: Viloapp, tmp_path: Path) -> None:
    """`plugin.sig` and `trusted_keys/*.pub`: in a folder or in an archive, are named for what they are."""
    folder = tmp_path / "older"
    (folder / "trusted_keys").mkdir(parents=True)
    (folder / "plugin.sig").write_bytes(b"sig")
    (folder / "trusted_keys" / "someone.pub").write_text("key")
    for path in (folder, folder / "plugin.sig"):
        refused = viloapp("verify", str(path))
        assert refused.code == 1
        assert "plugin.sig is of the older form of signing and proves nothing" in refused.err
    assert "trusted_keys/*.pub" in viloapp("verify", str(folder)).err
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("hello/plugin.sig", "sig")
    told = viloapp("verify", str(wheel))
    assert told.code == 1
    assert "plugin.sig is of the older form" in told.err


@pytest.mark.parametrize("what", ["none-1.0-py3-none-any.whl", "./none", "nobody"])
def test_what_is_not_there(viloapp: Viloapp, what: str) -> None:
    """A file or a plugin that does not exist is one clear line."""
    refused = viloapp("verify", what)
    assert refused.code == 1
    assert refused.err.count("error:") == 1


def test_pins_are_made_listed_and_given_up(viloapp: Viloapp, store: Store) -> None:
    """pin, list (with JSON), unpin; what cannot be read is refused, and a second unpin too."""
    assert viloapp("trust", "pin", "Hello", RELEASE).code == 0
    assert f"hello   {RELEASE}" in viloapp("trust", "list").out
    [row] = viloapp("trust", "list", "--json").json["plugins"]
    assert (row["plugin"], row["publisher"]) == ("hello", RELEASE)
    for command in (
        ("trust", "pin", "hello", "octo/hello"),
        ("install", "hello", "--trust-publisher", RELEASE, "--trust-publisher", "octo/hello"),
        ("verify", "hello", "--publisher", "octo/hello"),
        ("trust", "block-list", "add", "https://example.com/x", "--publisher", "octo/hello"),
    ):
        done = viloapp(*command)
        assert done.code == 2
        assert "names no publisher" in done.err
        assert "write github:OWNER/REPO@" in done.err
    assert viloapp("trust", "pin", "../hello", RELEASE).code == 1
    assert viloapp("trust", "unpin", "hello").code == 0
    assert viloapp("trust", "unpin", "hello").code == 1
    assert TrustStore(store.root).read().plugins == {}


def test_a_pin_is_what_verify_compares_with(
    wheel: Path, sign: Callable[..., Ran], viloapp: Viloapp, config: Path
) -> None:
    """With a pin nothing has to be named, and another publisher is told in full."""
    sign(wheel)
    viloapp("trust", "pin", "hello", RELEASE)
    assert viloapp("verify", str(wheel), "--trust-config", str(config)).code == 0
    sign(wheel, "--force", identity=github("evil/hello"))
    refused = viloapp("verify", str(wheel), "--trust-config", str(config))
    assert refused.code == 1
    assert "repository: evil/hello signed, octo/hello is expected" in refused.out


def test_an_organisations_own_sigstore(
    wheel: Path, sign: Callable[..., Ran], viloapp: Viloapp, config: Path, authority: Authority
) -> None:
    """Configured once it counts for every command; edited it counts for nothing; --public undoes it."""
    sign(wheel)
    assert viloapp("trust", "configure", str(config)).out.startswith("trusted root: configured (")
    config.unlink()
    assert viloapp("verify", str(wheel), "--publisher", RELEASE).code == 0
    assert viloapp("sign", "--force", "--identity-token", authority.token(github()), str(wheel)).code == 0
    taken = Path(TrustStore(Store(Path(_home())).root).folder / "client_trust_config.json")
    taken.write_bytes(taken.read_bytes() + b" ")
    refused = viloapp("verify", str(wheel), "--publisher", RELEASE)
    assert refused.code == 1
    assert "is not the file that was taken" in refused.err
    assert viloapp("trust", "configure", "--public").code == 0
    assert viloapp("verify", str(wheel), "--publisher", RELEASE).code == 1
    assert "sigstore.dev" in viloapp("trust", "list").err
    assert viloapp("trust", "configure").code == 2


def test_what_is_no_configuration_is_not_taken(viloapp: Viloapp, tmp_path: Path) -> None:
    """A file that is something else is refused with what is wrong, and the public root stays."""
    (tmp_path / "none.json").write_text("{}")
    refused = viloapp("trust", "configure", str(tmp_path / "none.json"))
    assert refused.code == 1
    assert "is no Sigstore client configuration" in refused.err
    assert viloapp("trust", "list").code == 0


def test_an_edited_trust_file_is_taken_over_only_when_a_person_says_so(viloapp: Viloapp) -> None:
    """Every command refuses; accept-edits shows what it says now, and --yes takes it over."""
    viloapp("trust", "pin", "hello", RELEASE)
    path = Path(_home()) / "trust.toml"
    path.write_text(path.read_text().replace("octo/hello", "octo/moved"))
    refused = viloapp("trust", "list")
    assert (refused.code, "accept-edits" in refused.err) == (1, True)
    assert viloapp("trust", "accept-edits").code == 1
    assert viloapp("trust", "list").code == 1
    taken = viloapp("trust", "accept-edits", "--yes")
    assert taken.code == 0
    assert "octo/moved" in taken.err
    assert "octo/moved" in viloapp("trust", "list").out
    # A trusted root is the greatest change of all: it says whose certificates count.
    text = path.read_text()
    path.write_text(text + f'[root]\nsha256 = "{"a" * 64}"\ntaken_at = "2036-01-01T00:00:00Z"\n')
    shown = viloapp("trust", "accept-edits").err
    assert "trusted root" in shown
    assert "a" * 64 in shown


def test_block_lists(
    wheel: Path, sign: Callable[..., Ran], viloapp: Viloapp, config: Path, tmp_path: Path
) -> None:
    """Taken when signed by whom is named; an older one, another's or an edited one is refused."""
    path = tmp_path / "blocked.json"

    def issue(
        day: int, *entries: dict[str, str], expires: str = "2036-01-01T00:00:00Z", **other: Any
    ) -> None:
        name = other.get("name", "market")
        listed = {"schema": 1, "name": name, "issued": f"2026-01-{day:02}T00:00:00Z", "expires": expires}
        path.write_text(json.dumps({**listed, "entries": list(entries)}))
        assert sign(path, "--force", identity=github(other.get("by", "octo/lists"))).code == 0

    def add() -> Ran:
        trusted = ("--publisher", LISTER, "--trust-config", str(config))
        return viloapp("trust", "block-list", "add", str(path), *trusted)

    sign(wheel)
    block = {"plugin": "hello", "versions": "<1.1", "reason": "leaks tokens"}
    issue(2, block)
    assert add().out.strip() == "market: 1 entries, issued 2026-01-02"
    refused = viloapp("verify", str(wheel), "--publisher", RELEASE, "--trust-config", str(config))
    assert refused.code == 1
    assert "hello is blocked by the list 'market': leaks tokens" in refused.out
    issue(1)
    assert "it was issued on 2026-01-01" in add().err
    issue(3, by="evil/lists")
    assert "it is not signed by" in add().err
    issue(3, block)
    path.write_text(path.read_text().replace("leaks", "leeks"))
    assert "its signature does not hold, step 4" in add().err
    [row] = viloapp("trust", "block-list", "list", "--json").json["block_lists"]
    assert (row["name"], row["entries"], row["issued"]) == ("market", 1, "2026-01-02T00:00:00Z")
    issue(4, expires="2026-01-05T00:00:00Z")
    refreshed = viloapp("trust", "block-list", "refresh", "--trust-config", str(config))
    assert refreshed.code == 0, refreshed.err
    assert "expired on 2026-01-05 and still blocks" in viloapp("trust", "block-list", "list").err
    issue(5, name="other")
    refused = viloapp("trust", "block-list", "refresh", "--trust-config", str(config))
    assert (refused.code, "it is the list 'other', not 'market'" in refused.err) == (1, True)
    path.unlink()
    assert viloapp("trust", "block-list", "refresh", "--trust-config", str(config)).code == 1
    assert viloapp("trust", "block-list", "remove", "market").code == 0
    assert viloapp("trust", "block-list", "remove", "market").code == 1


def test_a_list_that_was_changed_in_the_store(
    sign: Callable[..., Ran], viloapp: Viloapp, config: Path, tmp_path: Path
) -> None:
    """A list in the store that is edited or deleted is noticed: what is blocked is not known then."""
    path = tmp_path / "blocked.json"
    listed = {"schema": 1, "name": "market", "issued": "2026-01-01T00:00:00Z", "entries": []}
    path.write_text(json.dumps({**listed, "expires": "2036-01-01T00:00:00Z"}))
    sign(path, identity=github("octo/lists"))
    added = ("--publisher", LISTER, "--trust-config", str(config))
    assert viloapp("trust", "block-list", "add", str(path), *added).code == 0
    [kept] = (Path(_home()) / "trust").glob("blocks-*.json")
    kept.write_bytes(kept.read_bytes() + b" ")
    assert "was changed" in viloapp("trust", "block-list", "list").err
    kept.unlink()
    assert "cannot be read" in viloapp("trust", "block-list", "list").err


def _home() -> str:
    return os.environ["VILOAPP_HOME"]
