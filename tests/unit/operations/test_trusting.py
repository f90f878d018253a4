"""Who may be installed: signatures, pins, first use and what a person has to say, for real, over loopback."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.authority import Authority, github
from tests.fixtures.index import Index
from tests.unit.operations.conftest import Person, Plugin
from viloapp_core.ledger import read_audit
from viloapp_core.operations import ConsentRefusedError, InstallOutcome
from viloapp_core.store import Store
from viloapp_core.trust import (
    ChangedPublisherError,
    DowngradeError,
    FirstUseError,
    SignatureError,
    TrustStore,
    UnsignedError,
)
from viloapp_sdk.errors import ViloError

Run = Callable[..., list[InstallOutcome]]
WORKFLOW = "github:octo/hello@.github/workflows/release.yml"


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    """A Sigstore of the tests' own, which no installation believes that was not told to."""
    with Authority() as served:
        yield served


@pytest.fixture
def config(authority: Authority, tmp_path: Path) -> Path:
    """The file that makes an installation believe it."""
    return authority.write_config(tmp_path)


@pytest.fixture
def sign(authority: Authority) -> Callable[..., Path]:
    """Return a function that puts a signature beside a wheel and returns the wheel."""

    def beside(wheel: Path, identity: dict[str, Any] | None = None) -> Path:
        data = authority.sign(wheel.read_bytes(), identity or github())
        wheel.with_name(wheel.name + ".sigstore.json").write_bytes(data)
        return wheel

    return beside


@pytest.fixture
def take(run: Run, config: Path) -> Run:
    """Return `install` that believes the tests' authority and allows nothing unsigned."""

    def call(*specs: object, **options: Any) -> list[InstallOutcome]:
        return run(*specs, **{"allow_unsigned": (), "trust_config": config, **options})

    return call


Sign = Callable[..., Path]


def test_the_first_time_a_person_says_who_it_is_and_that_is_pinned(
    store: Store, plugin: Plugin, sign: Sign, take: Run, person: Person
) -> None:
    """Shown are repository, workflow and reference; afterwards nobody is asked about the same publisher."""
    (outcome,) = take(sign(plugin()))
    assert outcome.signature == "signed by github:octo/hello"
    [(asked, *lines)] = person.signers
    assert asked == "hello"
    for text in ("octo/hello", ".github/workflows/release.yml", "refs/tags/v1.0"):
        assert text in " ".join(lines)
    pin = TrustStore(store.root).read().plugins["hello"]
    assert (pin.publisher.repository_id, pin.publisher.owner_id) == ("123", "45")
    assert pin.highest_version == "0.1"
    take(sign(plugin(version="0.2"), github(ref="refs/tags/v2")))
    assert len(person.signers) == 1
    assert store.plugin("hello").version == "0.2"


def test_the_evidence_lies_in_the_generation(store: Store, plugin: Plugin, sign: Sign, take: Run) -> None:
    """What was verified can be verified again; the receipt says who, when, and what it was of."""
    wheel = sign(plugin())
    take(wheel)
    generation = store.plugin("hello").generation
    assert (generation / "signature.json").read_bytes() == Path(f"{wheel}.sigstore.json").read_bytes()
    kept = store.receipt("hello")["trust"]
    assert kept["sha256"] == hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert kept["signer"]["repository"] == "octo/hello"
    assert kept["evidence"] == "bundle"
    assert store.plugin("hello").publisher.startswith(WORKFLOW)
    assert store.plugin("hello").dependencies == "dependencies: pinned by hash, not signed"


def test_nobody_there_to_say_it(store: Store, plugin: Plugin, sign: Sign, take: Run, person: Person) -> None:
    """Refused, with the option that would say it; `yes` does not."""
    person.answer = None  # type: ignore[assignment]  # nobody
    wheel = sign(plugin())
    with pytest.raises(FirstUseError) as caught:
        take(wheel, yes=True)
    assert "--trust-publisher" in caught.value.hint
    assert dict(store.plugins()) == {}
    assert TrustStore(store.root).read().plugins == {}
    named = caught.value.publisher
    assert take(wheel, trust_publishers=(str(named),))[0].status == "installed"


def test_another_publisher_than_the_named_is_not_taken(
    store: Store, plugin: Plugin, sign: Sign, take: Run, person: Person
) -> None:
    """`--trust-publisher` names exactly one; a wrong one installs nothing, and asks nobody."""
    with pytest.raises(ViloError, match="octo/hello"):
        take(sign(plugin()), trust_publishers=("github:octo/other@.github/workflows/release.yml",))
    assert person.signers == []
    assert dict(store.plugins()) == {}


def test_a_person_who_says_no(store: Store, plugin: Plugin, sign: Sign, take: Run, person: Person) -> None:
    """Nothing is installed or pinned."""
    person.answer = False
    with pytest.raises(ConsentRefusedError, match="publisher"):
        take(sign(plugin()))
    assert dict(store.plugins()) == {}
    assert TrustStore(store.root).read().plugins == {}


def test_unsigned_is_refused_unless_allowed_by_name(store: Store, plugin: Plugin, take: Run) -> None:
    """The name is that of the plugin; it is recorded, and shown."""
    wheel = plugin()
    with pytest.raises(UnsignedError, match="not signed"):
        take(wheel)
    with pytest.raises(UnsignedError):
        take(wheel, allow_unsigned=("other",))
    assert take(wheel, allow_unsigned=("hello",))[0].signature == "UNSIGNED"
    assert "hello" in TrustStore(store.root).read().unsigned
    outcomes = [row["outcome"] for row in read_audit(store.root) if row["event"] == "trust"]
    assert outcomes == ["UNSIGNED"]


def test_what_is_pinned_cannot_become_unsigned(store: Store, plugin: Plugin, sign: Sign, take: Run) -> None:
    """Whoever takes the signature away does not get around the pin, not even by name."""
    take(sign(plugin()))
    bare = plugin(version="0.2")
    with pytest.raises(UnsignedError, match="pinned"):
        take(bare, allow_unsigned=("hello",))
    assert store.plugin("hello").version == "0.1"


def test_the_product_does_not_know_the_authority(store: Store, plugin: Plugin, sign: Sign, run: Run) -> None:
    """Without the configuration the same signature is worth nothing."""
    with pytest.raises(SignatureError):
        run(sign(plugin()), allow_unsigned=("hello",))
    assert dict(store.plugins()) == {}


def test_the_provenance_of_an_index(
    store: Store, plugin: Plugin, authority: Authority, take: Run, folder: Path
) -> None:
    """The index says where it is; reinstalling offline verifies the copy that was kept."""
    wheel = plugin(requires=())
    (folder / f"{wheel.name}.provenance").write_bytes(authority.provenance(wheel, github()))
    with Index(folder, elsewhere=None) as index:
        (outcome,) = take("hello", offline=False, find_links=(), index_url=index.url)
        assert index.proven == [wheel.name]
    assert (outcome.signature, outcome.source) == ("signed by github:octo/hello", "index")
    assert store.receipt("hello")["trust"]["evidence"] == "provenance"
    (outcome,) = take("hello", offline=True, find_links=(), force_reinstall=True)
    assert outcome.signature == "signed by github:octo/hello"


def test_an_index_without_provenance_is_an_unsigned_plugin(
    store: Store, plugin: Plugin, take: Run, folder: Path
) -> None:
    """Which is refused as any other."""
    plugin(requires=())
    with Index(folder, elsewhere=None) as index, pytest.raises(UnsignedError):
        take("hello", offline=False, find_links=(), index_url=index.url)


def test_a_carried_wheel_has_no_exemption(
    tmp_path: Path, store: Store, plugin: Plugin, sign: Sign, config: Path, person: Person
) -> None:
    """Unsigned: refused on the command line, accepted by a person who was told; signed: as any other."""
    from viloapp_core.operations import InstallOptions, install

    carried = plugin("viloxterm", to=tmp_path / "wheelhouse", requires=())
    options = InstallOptions(offline=True, trust_config=config)

    def carry() -> InstallOutcome:
        wheels = {"viloxterm": carried}
        return install(store, ["viloxterm"], options=options, wheels=wheels, consent=person)[0]

    with pytest.raises(UnsignedError):
        carry()
    person.takes_unsigned = False
    with pytest.raises(ConsentRefusedError, match="nobody signed"):
        carry()
    person.takes_unsigned = True
    assert carry().signature == "UNSIGNED"
    assert person.signers[-1] == ("viloxterm", "unsigned: carried by this core")
    shutil.rmtree(store.root)
    sign(carried, github("octo/viloxterm"))
    assert carry().signature == "signed by github:octo/viloxterm"


def test_older_than_what_was_installed_takes_its_name(store: Store, plugin: Plugin, take: Run) -> None:
    """Signed or not; allowed by name it is logged."""
    old = plugin(version="0.1")
    take(plugin(version="0.2"), allow_unsigned=("hello",))
    with pytest.raises(DowngradeError):
        take(old, allow_unsigned=("hello",))
    take(old, allow_unsigned=("hello",), allow_downgrade=("hello",))
    assert store.plugin("hello").version == "0.1"
    outcomes = [row["outcome"] for row in read_audit(store.root) if row["event"] == "trust"]
    assert "downgrade allowed" in outcomes


def test_a_changed_publisher_shows_both(store: Store, plugin: Plugin, sign: Sign, take: Run) -> None:
    """No option gets over it; the pin has to be given up first."""
    take(sign(plugin()))
    wheel = sign(plugin(version="0.2"), github("eve/hello", repository_id="9", owner_id="8"))
    with pytest.raises(ChangedPublisherError, match="octo/hello") as caught:
        take(wheel, trust_publishers=("github:eve/hello@.github/workflows/release.yml",), yes=True)
    assert "eve/hello" in caught.value.detail
    TrustStore(store.root).unpin("hello")
    take(wheel)
    assert store.plugin("hello").publisher.startswith("github:eve/hello@")


def test_all_that_is_wrong_is_told_at_once(plugin: Plugin, sign: Sign, take: Run, store: Store) -> None:
    """Of two plugins both are named, and neither is installed."""
    swapped = sign(plugin("alpha"))
    swapped.with_name(swapped.name + ".sigstore.json").write_text(json.dumps({}))
    with pytest.raises(ViloError) as caught:
        take(swapped, plugin("beta"))
    assert "alpha" in caught.value.detail
    assert "beta" in caught.value.detail
    assert dict(store.plugins()) == {}
