"""Installing plugins, for real: pip, virtualenv and installer, from folders of wheels."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.wheels import forge
from tests.unit.operations.conftest import Person, Plugin
from viloapp_core.foundation.errors import CommandError
from viloapp_core.operations import (
    ConsentRefusedError,
    InstallOptions,
    InstallOutcome,
    SeveralProblemsError,
    install,
    uninstall,
)
from viloapp_core.store import Store
from viloapp_core.store.audit import Finding, audit, together
from viloapp_core.store.garbage import collect
from viloapp_sdk.errors import ViloError

Run = Callable[..., list[InstallOutcome]]
OFFLINE = InstallOptions(offline=True, allow_unsigned=("hello",))


def _untouched(store: Store) -> None:
    """Check that nothing is installed and nothing is left of an attempt."""
    assert dict(store.plugins()) == {}
    assert list((store.root / "plugins").iterdir()) == []
    assert list((store.root / "journal").iterdir()) == []


def test_a_wheel_gets_a_virtualenv_of_its_own(store: Store, plugin: Plugin, run: Run, folder: Path) -> None:
    """The plugin, its imports and the core's SDK are in it, compiled; nothing else is."""
    forge(folder, "dep", "2", {"dep/__init__.py": "", "dep/tests/x.py": ""})
    (outcome,) = run(plugin(requires=["viloapp-sdk", "dep"]))
    assert (outcome.status, outcome.source, outcome.signature) == ("installed", "wheel", "UNSIGNED")
    assert outcome.packages == ("hello==0.1", "dep==2", "viloapp-sdk==1.0.0")
    installed = store.plugin("hello")
    assert outcome.generation == installed.generation
    assert os.path.realpath(installed.python) == os.path.realpath(installed.base_executable)
    (site,) = (installed.generation / "venv/lib").glob("python*/site-packages")
    assert {path.name for path in site.iterdir()} == {
        *("hello.py", "__pycache__", "dep", "viloapp_sdk"),
        *("hello-0.1.dist-info", "dep-2.dist-info", "viloapp_sdk-1.0.0.dist-info"),
    }
    assert list(site.glob("dep/__pycache__/*.pyc"))
    assert not list(site.glob("dep/tests/__pycache__"))
    assert (site / "hello-0.1.dist-info" / "INSTALLER").read_text() == "viloapp\n"
    assert (installed.generation / "pylock.toml").is_file()
    receipt = store.receipt("hello")
    assert {item["name"] for item in receipt["packages"]} == {"hello", "dep", "viloapp-sdk"}
    assert all(len(item["sha256"]) == 64 for item in receipt["packages"])
    assert receipt["entry_point"] == "hello:Hello"


def test_stages_come_in_their_order(plugin: Plugin, run: Run, person: Person) -> None:
    """From `resolve` to `done`, each for the plugin that it is about."""
    run(plugin(permissions=[{"id": "process.spawn.terminal", "reason": "shells"}]))
    stages = list(dict.fromkeys(event.stage for event in person.shown))
    assert stages == ["resolve", "lock", "verify", "consent", "lay down", "activate", "done"]
    assert {event.plugin for event in person.shown} == {"hello"}


def test_a_requirement_is_left_alone_once_it_is_met(store: Store, plugin: Plugin, run: Run) -> None:
    """As pip does; a newer one that is asked for replaces it, and the previous one stays in the store."""
    plugin(version="0.1")
    assert run("hello")[0].status == "installed"
    plugin(version="0.2")
    assert run("Hello>=0.1")[0].status == "unchanged"
    (outcome,) = run("hello>=0.2")
    assert (outcome.status, outcome.version, outcome.previous_version) == ("installed", "0.2", "0.1")
    assert len(list((store.root / "plugins/hello/generations").iterdir())) == 2


def test_the_same_wheel_again_is_nothing_new(store: Store, plugin: Plugin, run: Run) -> None:
    """Unless it is asked for."""
    wheel = plugin()
    run(wheel)
    revision = store.revision()
    assert run(wheel)[0].status == "unchanged"
    assert store.revision() == revision
    assert run(wheel, force_reinstall=True)[0].status == "installed"


def test_dry_run_installs_nothing(store: Store, plugin: Plugin, run: Run) -> None:
    """It says which wheels would be used."""
    (outcome,) = run(plugin(), dry_run=True)
    assert outcome.status == "would install"
    assert outcome.packages == ("hello==0.1", "viloapp-sdk==1.0.0")
    _untouched(store)


def test_consent_is_asked_for_what_is_new(plugin: Plugin, run: Run, person: Person) -> None:
    """Not without permissions, not again for the same, again for more; `yes` asks nothing."""
    shells = {"id": "process.spawn.terminal", "reason": "shells"}
    files = {"id": "filesystem.read.workspace", "reason": "files"}
    run(plugin("quiet"))
    assert person.asked == []
    run(plugin(version="0.1", permissions=[shells]))
    run(plugin(version="0.2", permissions=[shells]))
    run(plugin(version="0.3", permissions=[shells, files]))
    assert [permissions for _, permissions in person.asked] == [(shells["id"],), (shells["id"], files["id"])]
    run(plugin("other", permissions=[shells]), yes=True)
    assert len(person.asked) == 2


def test_a_refused_consent_changes_nothing(store: Store, plugin: Plugin, run: Run, person: Person) -> None:
    """Nor for the other plugins of the command, whose consent was given or not needed."""
    person.answer = False
    wheels = plugin("quiet"), plugin(permissions=[{"id": "process.spawn.terminal", "reason": "shells"}])
    with pytest.raises(ConsentRefusedError, match="hello"):
        run(*wheels)
    _untouched(store)


def test_without_a_person_nothing_is_granted(store: Store, plugin: Plugin, tmp_path: Path) -> None:
    """No consent port means no consent."""
    wheel = plugin(requires=(), permissions=[{"id": "process.spawn.terminal", "reason": "shells"}])
    with pytest.raises(ConsentRefusedError):
        install(store, [str(wheel)], options=OFFLINE, wheels={})


def test_all_problems_at_once(store: Store, plugin: Plugin, run: Run) -> None:
    """Each bad one is told; the good one is not installed."""
    good = plugin("good")
    none = plugin("none", entry_points="")
    missing = plugin("needy", requires=["there-is-no-such-thing"])
    with pytest.raises(SeveralProblemsError) as caught:
        run(good, none, missing)
    assert len(caught.value.problems) == 2
    assert "viloapp.plugins" in caught.value.detail
    assert "there-is-no-such-thing" in caught.value.detail
    _untouched(store)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"files": {"start.pth": "import os"}}, "start.pth"),
        ({"files": {"sitecustomize.py": ""}}, "sitecustomize.py"),
        ({"files": {"hello-0.1.data/scripts/python": "#!python"}}, "scripts/python"),
        ({"files": {"viloapp_sdk/__init__.py": "evil"}}, "is in both"),
        ({"entry_points": "[viloapp.plugins]\nhello = viloapp_sdk:Hello\n"}, "viloapp_sdk"),
        ({"files": {"hello-0.1.dist-info/plugin.json": '{"schema": 1, "permisions": []}'}}, "permisions"),
    ],
)
def test_wheels_that_are_refused(
    store: Store, plugin: Plugin, run: Run, changes: dict[str, object], told: str
) -> None:
    """The reason names the file, and nothing of the wheel stays."""
    with pytest.raises(ViloError) as caught:
        run(plugin(**changes))
    assert told in caught.value.detail
    _untouched(store)


def test_a_dependency_in_the_place_of_another_is_refused(
    store: Store, plugin: Plugin, run: Run, folder: Path
) -> None:
    """By the very file, or as a package that hides a module; each wheel of the two is named."""
    forge(folder, "mine", "1", {"shared/core.py": "", "helper.py": ""})
    forge(folder, "theirs", "2", {"shared/core.py": "evil", "helper/__init__.py": "evil"})
    with pytest.raises(ViloError) as caught:
        run(plugin(requires=["mine", "theirs"]))
    shared, hidden = caught.value.detail.splitlines()[1:]
    assert "site-packages/shared/core.py: is in both mine-1" in shared
    assert "theirs-2" in shared
    assert "helper/__init__.py of theirs-2" in hidden
    assert "helper.py of mine-1" in hidden
    _untouched(store)


def test_all_bad_wheels_of_one_plugin_at_once(store: Store, plugin: Plugin, run: Run, folder: Path) -> None:
    """A dependency's faults are told beside the plugin's own."""
    forge(folder, "dep", "2", {"sitecustomize.py": ""})
    with pytest.raises(SeveralProblemsError) as caught:
        run(plugin(files={"start.pth": "import os"}, requires=["dep"]))
    assert "hello-0.1-py3-none-any.whl is refused" in caught.value.detail
    assert "dep-2-py3-none-any.whl is refused" in caught.value.detail
    _untouched(store)


def test_a_dependency_with_a_start_file_is_told(plugin: Plugin, run: Run, folder: Path) -> None:
    """Setuptools ships one; it is laid down and the person is told."""
    forge(folder, "dep", "2", {"dep.pth": "import os"})
    (outcome,) = run(plugin(requires=["dep"]))
    assert "dep.pth" in outcome.notes[0]


def test_a_dependencys_entry_point_is_not_the_plugins(store: Store, plugin: Plugin, run: Run) -> None:
    """A library that advertises one stays a library."""
    plugin("impostor")
    run(plugin(requires=["impostor"]))
    assert list(store.plugins()) == ["hello"]
    assert store.plugin("hello").entry_point == "hello:Hello"


def test_colliding_commands_are_refused(store: Store, plugin: Plugin, run: Run) -> None:
    """With what is installed, and among those that come together; both names are told."""
    commands = [{"id": "hello.greet"}]
    with pytest.raises(ViloError, match=r"rival: command hello\.greet belongs to hello"):
        run(plugin(), plugin("rival", commands=commands))
    _untouched(store)
    run(plugin())
    with pytest.raises(ViloError, match=r"rival: command hello\.greet belongs to hello"):
        run(plugin("rival", commands=commands))
    assert list(store.plugins()) == ["hello"]


def test_one_plugin_named_twice(store: Store, plugin: Plugin, run: Run) -> None:
    """Two wheels of one plugin contradict each other."""
    with pytest.raises(ViloError, match="both hello"):
        run(plugin(version="0.1"), plugin(version="0.2"))
    _untouched(store)


def test_offline_from_the_archives(store: Store, plugin: Plugin, run: Run, folder: Path) -> None:
    """What was fetched once is enough, though its folder is gone; a damaged archive is not used."""
    wheel = plugin()
    run("hello")
    uninstall(store, ["hello"])
    wheel.unlink()
    (outcome,) = run("hello", find_links=())
    assert (outcome.status, outcome.source) == ("installed", "index")
    uninstall(store, ["hello"])
    for archive in (store.root / "archives").glob("*.whl"):
        archive.chmod(0o600)
        archive.write_bytes(archive.read_bytes().replace(b"class Hello", b"class Hullo"))
    with pytest.raises(ViloError):
        run("hello", find_links=())
    assert dict(store.plugins()) == {}
    plugin()
    assert run("hello")[0].status == "installed"


def test_the_users_pip_settings_do_not_leak(plugin: Plugin, run: Run, tmp_path: Path) -> None:
    """A newer version that only PIP_FIND_LINKS offers is not taken."""
    plugin(version="0.1")
    plugin(version="9", to=tmp_path / "elsewhere")
    (outcome,) = run("hello", environ={**os.environ, "PIP_FIND_LINKS": str(tmp_path / "elsewhere")})
    assert outcome.version == "0.1"


def test_cancelling_leaves_nothing(store: Store, plugin: Plugin) -> None:
    """The event ends the operation where it is."""
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CommandError) as caught:
        install(
            store,
            [str(plugin())],
            options=OFFLINE,
            cancel=cancel,
            wheels={},
        )
    assert caught.value.code == "command_cancelled"
    _untouched(store)


def test_an_interrupt_while_laying_down_leaves_nothing(store: Store, plugin: Plugin, run: Run) -> None:
    """Ctrl-C between two wheels: the half-made generation goes."""

    class Interrupter(Person):
        def __call__(self, event: object, /) -> None:
            if getattr(event, "stage", "") == "activate":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(
            store,
            [str(plugin(requires=()))],
            options=OFFLINE,
            progress=Interrupter(),
            wheels={},
        )
    _untouched(store)


def test_a_disabled_plugin_stays_disabled(store: Store, plugin: Plugin, run: Run) -> None:
    """An upgrade does not start what the person stopped, and says so."""
    run(plugin(version="0.1"))
    store.set_enabled(["hello"], False, "too loud")
    (outcome,) = run(plugin(version="0.2"))
    assert "too loud" in outcome.notes[-1]
    assert not store.plugin("hello").enabled


def test_the_second_to_need_a_wheel_does_not_audit_it_again(
    store: Store, plugin: Plugin, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own wheel is judged each time, a shared one once; what is remembered goes with the archive."""
    judged: list[str] = []

    def judge(wheel: Path, *, own: bool, dev: bool = False) -> Finding:
        judged.append(wheel.name.partition("-")[0])
        return audit(wheel, own=own, dev=dev)

    monkeypatch.setattr(together, "audit", judge)
    forge(folder, "dep", "2", {"dep/__init__.py": ""})
    run(plugin("one", requires=["dep"]))
    run(plugin("two", requires=["dep"]))
    assert sorted(judged) == ["dep", "one", "two"]
    uninstall(store, ["one", "two"])
    collect(store)
    assert list(store.layout.archives.iterdir()) == []
