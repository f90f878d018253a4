"""The table of docs/reference/trust-attacks.md: each attack is made, and what stops it does.

The tests of what is met before an installation are here; each names the row that it is of.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.authority import Authority, github
from tests.fixtures.wheels import forge
from tests.unit.operations.conftest import Person, Plugin
from tests.unit.operations.test_trusting import WORKFLOW, Run, Sign, authority, config, sign, take
from viloapp_core.foundation.clock import SystemClock
from viloapp_core.operations import InstallOptions, lock_workspace, package, repair, sync
from viloapp_core.operations.bundle_archive import add_signature, read_lock
from viloapp_core.operations.errors import LockedPublisherError
from viloapp_core.store import Revocation, Store
from viloapp_core.trust import (
    ChangedPublisherError,
    DowngradeError,
    FirstUseError,
    RefusedError,
    SignatureError,
    TrustFileError,
    TrustStore,
    UnsignedError,
)
from viloapp_sdk.errors import ViloError

__all__ = ["authority", "config", "sign", "take"]

Make = Callable[..., Path]


@pytest.fixture
def bundle(tmp_path: Path, folder: Path, run: Run) -> Make:
    """Return a function that makes a bundle of a wheel; the core's SDK is the tests' own."""
    carried = {"viloapp-sdk": tmp_path / "wheelhouse" / "viloapp_sdk-1.0.0-py3-none-any.whl"}

    def make(wheel: Path) -> Path:
        out = tmp_path / "bundles"
        out.mkdir(exist_ok=True)
        options = InstallOptions(offline=True, find_links=(str(folder),))
        return package(Store(tmp_path / "author"), str(wheel), out, options=options, wheels=carried).path

    return make


def _other(wheel: Path, tmp_path: Path) -> Path:
    """Return another wheel of the same name and version."""
    (tmp_path / "other").mkdir(exist_ok=True)
    manifest = json.dumps({"schema": 1, "api_version": "1.0", "commands": [{"id": "hello.greet"}]})
    content = {"hello.py": "class Hello: evil = True\n", "hello-0.1.dist-info/plugin.json": manifest}
    advertised = "[viloapp.plugins]\nhello = hello:Hello\n"
    return forge(tmp_path / "other", "hello", "0.1", content, entry_points=advertised)


def test_a_swapped_wheel(tmp_path: Path, plugin: Plugin, sign: Sign, take: Run, store: Store) -> None:
    """Row "swapped wheel": the signature is of other bytes."""
    wheel = sign(plugin())
    shutil.copy(_other(wheel, tmp_path), wheel)
    with pytest.raises(SignatureError, match="step 4"):
        take(wheel)
    assert dict(store.plugins()) == {}


def test_a_swapped_bundle(
    tmp_path: Path, plugin: Plugin, bundle: Make, authority: Authority, take: Run, store: Store
) -> None:
    """Row "swapped bundle": the lock of a bundle is signed, and it has every hash."""
    first = bundle(plugin())
    signature = authority.sign(read_lock(first), github())
    add_signature(first, signature)
    second = bundle(_other(first, tmp_path))
    add_signature(second, signature)
    with pytest.raises(SignatureError):
        take(second)
    assert dict(store.plugins()) == {}


def test_a_signed_bundle_covers_what_it_imports(
    plugin: Plugin, bundle: Make, authority: Authority, take: Run, store: Store, folder: Path
) -> None:
    """Row "swapped bundle": a true one is installed, and says that its libraries are signed too."""
    forge(folder, "dep", "2", {"dep/__init__.py": ""})
    made = bundle(plugin(requires=["viloapp-sdk", "dep"]))
    add_signature(made, authority.sign(read_lock(made), github()))
    (outcome,) = take(made)
    assert outcome.signature == "signed by github:octo/hello"
    assert store.receipt("hello")["trust"]["covers_dependencies"] is True
    assert store.plugin("hello").dependencies == ""
    assert (store.plugin("hello").generation / "signed-pylock.toml").is_file()


def test_the_right_signer_for_another_plugin(
    plugin: Plugin, sign: Sign, take: Run, store: Store, person: Person
) -> None:
    """Row "right signer for another plugin": whom one trusts for hello is not trusted for world."""
    take(sign(plugin("hello")))
    wheel = sign(plugin("world", commands=[]))
    person.answer = None  # type: ignore[assignment]  # nobody is there
    with pytest.raises(FirstUseError):
        take(wheel, yes=True)
    other = sign(plugin("other", commands=[]), github("octo/other"))
    shutil.copy(f"{other}.sigstore.json", f"{wheel}.sigstore.json")
    with pytest.raises(SignatureError):
        take(wheel)
    assert set(store.plugins()) == {"hello"}


def test_the_same_repository_under_a_new_owner(plugin: Plugin, sign: Sign, take: Run, store: Store) -> None:
    """Row "same repository name under a new owner id": the numbers are pinned, not only the name."""
    take(sign(plugin()))
    for changed in ({"owner_id": "666"}, {"repository_id": "666"}):
        with pytest.raises(ChangedPublisherError, match="id"):
            take(sign(plugin(version="0.2"), github(**changed)))
    assert store.plugin("hello").version == "0.1"


def test_a_branch_build(plugin: Plugin, sign: Sign, take: Run, store: Store) -> None:
    """Row "branch build": it is no release, neither at first use nor afterwards."""
    with pytest.raises(RefusedError, match="no release"):
        take(sign(plugin(), github(ref="refs/heads/main")))
    # Naming the repository is not enough, and the hint says what would be.
    with pytest.raises(RefusedError) as caught:
        take(sign(plugin(), github(ref="refs/heads/main")), trust_publishers=(WORKFLOW,))
    assert "no release" in caught.value.hint
    assert "ref=refs/heads/main" in caught.value.hint
    take(sign(plugin()))
    with pytest.raises(ChangedPublisherError, match="refs/heads/main"):
        take(sign(plugin(version="0.2"), github(ref="refs/heads/main")))
    assert store.plugin("hello").version == "0.1"


def test_a_replayed_older_release(plugin: Plugin, sign: Sign, take: Run, store: Store) -> None:
    """Row "replayed older release": truly signed, and older than what was here, even after uninstalling."""
    old = sign(plugin(version="0.1"))
    take(sign(plugin(version="0.2")))
    for _ in range(2):
        with pytest.raises(DowngradeError):
            take(old)
        if "hello" in store.plugins():
            store.remove("hello", purge=True)
    assert dict(store.plugins()) == {}


def test_a_dependency_smuggled_as_the_plugin(
    plugin: Plugin, sign: Sign, take: Run, store: Store, folder: Path
) -> None:
    """Row "unsigned dependency smuggled as the plugin": it becomes none, and takes none of its ids."""
    forge(
        folder,
        "helper",
        "1",
        {"helper.py": "class H: pass\n"},
        entry_points="[viloapp.plugins]\nhello = helper:H\nhelper = helper:H\n",
    )
    take(sign(plugin(requires=["viloapp-sdk", "helper"])))
    assert set(store.plugins()) == {"hello"}
    assert store.plugin("hello").entry_point == "hello:Hello"
    needy = plugin("needy", requires_plugins=["two"], requires=())
    plugin("two", requires=())
    with pytest.raises(UnsignedError, match="two"):
        take(needy, allow_unsigned=("needy",))


@pytest.mark.parametrize(
    "edit",
    [
        {"signature": "signed by github:octo/hello"},
        {"permissions": ["filesystem.read.home_directory"]},
        {"packages": []},
        {"lock_digest": "0" * 64},
        {"manifest": {"schema": 1, "api_version": "1.0", "commands": []}},
    ],
    ids=str,
)
def test_an_edited_receipt(plugin: Plugin, take: Run, store: Store, edit: dict[str, Any]) -> None:
    """Row "edited receipt": `repair --check` finds it, and repairing takes nothing from it."""
    take(plugin(), allow_unsigned=("hello",))
    assert repair(store, check_only=True) == []
    path = store.plugin("hello").generation / "receipt.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, **edit}))
    (problem,) = [each for each in repair(store, check_only=True) if each.plugin_id == "hello"]
    assert "edited" in " ".join(problem.problems)
    repair(store)
    assert repair(store, check_only=True) == []
    assert {key: store.receipt("hello")[key] for key in edit} == {key: told[key] for key in edit}


def test_a_receipt_that_claims_to_be_signed(plugin: Plugin, take: Run, store: Store) -> None:
    """Row "edited receipt": who wrote a publisher into it has no evidence, and repairing unmasks it."""
    take(plugin(), allow_unsigned=("hello",))
    path = store.plugin("hello").generation / "receipt.json"
    told = json.loads(path.read_text())
    told["trust"] |= {"kind": "signed", "publisher": "github:octo/hello@.github/workflows/release.yml"}
    told["signature"] = "signed by github:octo/hello"
    path.write_text(json.dumps(told))
    (problem,) = [each for each in repair(store, check_only=True) if each.plugin_id == "hello"]
    assert "evidence" in " ".join(problem.problems)
    repair(store)
    assert store.plugin("hello").signature == "UNSIGNED"


def test_an_edited_store_file(plugin: Plugin, sign: Sign, take: Run, store: Store) -> None:
    """Row "edited store file": `repair --check` finds it; repairing verifies the signature again."""
    take(sign(plugin()))
    generation = store.plugin("hello").generation
    (module,) = generation.glob("venv/lib/python*/site-packages/hello.py")
    module.chmod(0o644)
    module.unlink()
    module.write_text("class Hello: evil = True\n")
    (problem,) = [each for each in repair(store, check_only=True) if each.plugin_id == "hello"]
    assert "hello.py is changed" in " ".join(problem.problems)


def test_edited_evidence_is_not_repaired_into_truth(
    plugin: Plugin, sign: Sign, take: Run, store: Store
) -> None:
    """Row "edited store file": evidence of something else is refused where it is used again."""
    take(sign(plugin()))
    generation = store.plugin("hello").generation
    (generation / "signature.json").write_text("{}")
    shutil.rmtree(generation / "venv" / "bin")
    with pytest.raises(SignatureError):
        repair(store)


def test_an_edited_trust_file(plugin: Plugin, sign: Sign, take: Run, store: Store) -> None:
    """Row "edited trust file": nothing is trusted and nothing started until a person has looked."""
    take(sign(plugin()))
    path = store.root / "trust.toml"
    path.write_text(path.read_text().replace("octo/hello", "eve/hello"))
    with pytest.raises(TrustFileError, match=r"trust\.toml was changed"):
        take(sign(plugin(version="0.2"), github("eve/hello")))
    assert "trust.toml" in Revocation(store.root, SystemClock()).why(store.plugin("hello"))


def test_a_lock_is_followed_only_to_the_publishers_it_names(
    plugin: Plugin, sign: Sign, take: Run, store: Store, tmp_path: Path, folder: Path, config: Path
) -> None:
    """Rows of a lock: another publisher is refused, an unsigned one too; `--trust-lock` takes the named."""
    take(sign(plugin(requires=())))
    lock = tmp_path / "viloapp.lock"
    lock.write_bytes(lock_workspace(store))
    options: dict[str, Any] = {
        "offline": True,
        "find_links": (str(folder),),
        "trust_config": config,
        "yes": True,
    }
    with pytest.raises(FirstUseError):
        sync(Store(tmp_path / "second"), lock, options=InstallOptions(**options), wheels={})
    second = Store(tmp_path / "third")
    sync(second, lock, options=InstallOptions(**options, trust_lock=True), wheels={})
    assert second.plugin("hello").signature == "signed by github:octo/hello"
    lock.write_text(lock.read_text().replace("octo/hello", "eve/hello"))
    with pytest.raises(LockedPublisherError):
        sync(Store(tmp_path / "fourth"), lock, options=InstallOptions(**options, trust_lock=True), wheels={})
    lock.write_text(lock.read_text().replace("eve/hello", "octo/hello"))
    for signature in folder.glob("*.sigstore.json"):
        signature.unlink()
    allowed = InstallOptions(**options, trust_lock=True, allow_unsigned=("hello",))
    with pytest.raises(LockedPublisherError, match="nobody signed"):
        sync(Store(tmp_path / "fifth"), lock, options=allowed, wheels={})


def test_killed_between_pin_and_switch(plugin: Plugin, sign: Sign, take: Run, store: Store) -> None:
    """What is pinned was accepted by a person, nothing is installed, and the next attempt succeeds."""
    wheel = sign(plugin(version="0.2"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the authority's threads are not needed there
        child = os.fork()
    if child == 0:
        Store._point = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]  # in the child
        try:
            take(wheel)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert TrustStore(store.root).read().plugins["hello"].highest_version == "0.2"
    assert store.recover() == ["undid the unfinished installation of hello"]
    assert dict(store.plugins()) == {}
    take(wheel)
    assert repair(store, check_only=True) == []


def test_two_first_uses_at_once(
    plugin: Plugin, sign: Sign, run: Run, store: Store, person: Person, config: Path, tmp_path: Path
) -> None:
    """Both were accepted, of one plugin by two publishers: who comes second is refused, and nothing mixes."""
    wheels = [sign(plugin(to=tmp_path / each), github(f"{each}/hello")) for each in ("octo", "eve")]
    both = threading.Barrier(2)

    def ask(asked: object, examination: object) -> bool:
        both.wait(60)
        return True

    person.ask_publisher = ask  # type: ignore[method-assign]  # waits for the other
    found: list[object] = []

    def install(wheel: Path) -> None:
        try:
            found.extend(run(wheel, allow_unsigned=(), trust_config=config))
        except ViloError as error:
            found.append(error)

    threads = [threading.Thread(target=install, args=(wheel,)) for wheel in wheels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (refused,) = [each for each in found if isinstance(each, ViloError)]
    assert refused.code == "changed_meanwhile"
    pinned = TrustStore(store.root).read().plugins["hello"].publisher
    assert store.plugin("hello").publisher == str(pinned)
    assert repair(store, check_only=True) == []
