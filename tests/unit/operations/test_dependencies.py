"""Plugins that require plugins: one command installs them all, or says why not and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.operations.conftest import UNSIGNED, Person, Plugin
from viloapp_core.operations import (
    InstallOptions,
    InstallOutcome,
    ProgressEvent,
    SeveralProblemsError,
    disable,
    enable,
    install,
    uninstall,
)
from viloapp_core.resolve import ConflictError, DependencyCycleError, NoVersionFitsError, OwnNameError
from viloapp_core.store import Store
from viloapp_sdk.errors import ViloError

Run = Callable[..., list[InstallOutcome]]


def _versions(store: Store) -> dict[str, str]:
    return {key: plugin.version for key, plugin in store.plugins().items()}


def _state(store: Store) -> object:
    """Return what must stay as it is when an operation is refused."""
    return store.revision(), _versions(store), sorted((store.root / "plugins").glob("*/generations/*"))


def test_what_is_required_comes_along_and_first(
    store: Store, plugin: Plugin, run: Run, person: Person
) -> None:
    """Through a chain, each in a virtualenv of its own, the newest that all accept."""
    for version in ("1.0", "1.9", "1.10", "2.0", "3.0"):
        plugin("base", version)
    plugin("middle", "1.0", requires_plugins=["base<3"])
    plugin("side", "1.0", requires_plugins=["Base<2"])
    outcomes = run(plugin("top", requires_plugins=["middle>=1", "side"]))
    assert [outcome.plugin_id for outcome in outcomes] == ["base", "middle", "side", "top"]
    assert _versions(store) == {"base": "1.10", "middle": "1.0", "side": "1.0", "top": "0.1"}
    assert outcomes[0].notes == ("required by middle, side",)
    assert len({plugin.generation for plugin in store.plugins().values()}) == 4
    done = [event.plugin for event in person.shown if event.stage == "done"]
    assert done == ["base", "middle", "side", "top"]


def test_what_fits_is_kept_and_what_does_not_is_replaced(store: Store, plugin: Plugin, run: Run) -> None:
    """As pip does; never for a dependent's sake beyond what another accepts."""
    plugin("base", "1.0")
    run("base")
    plugin("base", "1.1")
    plugin("base", "2.0")
    run(plugin("first", requires_plugins=["base>=1,<2"]))
    assert _versions(store)["base"] == "1.0"
    run(plugin("second", requires_plugins=["base>=1.1"]))
    assert _versions(store)["base"] == "1.1"


def test_installed_dependents_bind_what_is_asked_for(store: Store, plugin: Plugin, run: Run) -> None:
    """Their specifiers are constraints, for a requirement and for a wheel alike."""
    for version in ("1.0", "1.5", "2.0"):
        plugin("base", version)
    run("base==1.0", plugin("needy", requires_plugins=["base<2"]))
    run("base>=1.5")
    assert _versions(store)["base"] == "1.5"
    before = _state(store)
    for asked in ("base>=2", plugin("base", "2.0")):
        with pytest.raises(NoVersionFitsError, match=r"needy 0\.1 requires base<2"):
            run(asked)
    assert _state(store) == before


def test_no_version_that_all_accept(store: Store, plugin: Plugin, run: Run) -> None:
    """The error names every plugin, its specifier and the versions tried; nothing changes."""
    for version in ("1.0", "2.0", "3.0"):
        plugin("base", version)
    run(plugin("old", "1.2", requires_plugins=["base<2"]))
    before = _state(store)
    with pytest.raises(NoVersionFitsError) as caught:
        run(plugin("new", "3.4", requires_plugins=["base>=2,!=2.5"]), "base!=7")
    assert caught.value.detail == (
        "no version of base suits all: you asked for base!=7; new 3.4 requires base!=2.5,>=2; "
        "old 1.2 requires base<2; tried 3.0, 2.0, 1.0"
    )
    assert _state(store) == before


def test_a_plugin_that_is_nowhere(store: Store, plugin: Plugin, run: Run) -> None:
    """Who needs it is told, with all that are missing at once."""
    with pytest.raises(SeveralProblemsError) as caught:
        run(plugin(requires_plugins=["other>=2", "another"]))
    assert "no version of other suits all: hello 0.1 requires other>=2" in caught.value.detail
    assert "another" in caught.value.detail
    assert "--find-links" in caught.value.hint
    assert dict(store.plugins()) == {}


def test_dependents_that_are_replaced_have_no_say(store: Store, plugin: Plugin, run: Run) -> None:
    """Both go up together, though the installed one would not accept the other's new version."""
    plugin("base", "1.0")
    plugin("needy", "1.0", requires_plugins=["base<2"])
    run("needy")
    plugin("base", "2.0")
    plugin("needy", "2.0", requires_plugins=["base>=2"])
    run("base>=2", "needy>=2")
    assert _versions(store) == {"base": "2.0", "needy": "2.0"}


def test_a_named_wheel_is_what_dependents_get(store: Store, plugin: Plugin, run: Run, tmp_path: Path) -> None:
    """Whatever a folder offers; and when it does not fit, no other is taken in its place."""
    plugin("base", "1.5")
    elsewhere = plugin("base", "1.0", to=tmp_path / "elsewhere")
    run(plugin("needy", requires_plugins=["base"]), elsewhere)
    assert _versions(store) == {"base": "1.0", "needy": "0.1"}
    uninstall(store, ["needy", "base"])
    with pytest.raises(NoVersionFitsError, match=r"requires base>=1\.5; tried 1\.0"):
        run(plugin("needy", requires_plugins=["base>=1.5"]), elsewhere)


def test_our_own_plugins_are_the_cores(store: Store, plugin: Plugin, run: Run, tmp_path: Path) -> None:
    """They are not looked for anywhere else, and no other version is."""
    carried = plugin("viloxterm", "0.1", to=tmp_path / "wheelhouse", requires=())
    plugin("viloxterm", "9.0")
    links = (str(tmp_path / "wheels"),)
    options = InstallOptions(offline=True, find_links=links, yes=True, allow_unsigned=UNSIGNED)
    fits = str(plugin("fits", requires=(), requires_plugins=["viloxterm<1"]))
    lacks = str(plugin("lacks", requires=(), requires_plugins=["viloxterm>=9"]))
    with pytest.raises(NoVersionFitsError, match=r"lacks 0\.1 requires viloxterm>=9; tried 0\.1"):
        install(store, [lacks], options=options, wheels={"viloxterm": carried})
    with pytest.raises(OwnNameError):
        install(store, ["viloxterm>=9"], options=options, wheels={"viloxterm": carried})
    install(store, [fits], options=options, wheels={"viloxterm": carried})
    assert _versions(store) == {"fits": "0.1", "viloxterm": "0.1"}


def test_markers_are_those_of_the_plugins_python(store: Store, plugin: Plugin, run: Run) -> None:
    """What is for another Python is not installed."""
    plugin("base", "1.0")
    run(plugin(requires_plugins=['base; python_version < "3.0"', 'missing; sys_platform == "none"']))
    assert list(store.plugins()) == ["hello"]


def test_a_dry_run_says_what_would_come_along(store: Store, plugin: Plugin, run: Run) -> None:
    """And installs nothing."""
    plugin("base", "1.0")
    outcomes = run(plugin(requires_plugins=["base"]), dry_run=True)
    assert [(outcome.plugin_id, outcome.status) for outcome in outcomes] == [
        *(("base", "would install"), ("hello", "would install"))
    ]
    assert dict(store.plugins()) == {}


def test_what_is_installed_gets_what_it_lacks(store: Store, plugin: Plugin, run: Run) -> None:
    """A plugin that is there already and misses another gets it when it is asked for again."""
    plugin("base", "1.0")
    run(plugin(requires_plugins=["base"]))
    store.remove("base", purge=True)
    kept, new = run("hello")
    assert (kept.plugin_id, kept.status) == ("hello", "unchanged")
    assert (new.plugin_id, new.status) == ("base", "installed")


def test_a_cycle_is_explained(store: Store, plugin: Plugin, run: Run) -> None:
    """As the chain that closes, before anything is laid down."""
    plugin("one", requires_plugins=["two>=0.1"])
    plugin("two", load_after=["three"])
    plugin("three", load_after=["one"])
    with pytest.raises(DependencyCycleError) as caught:
        run("one", "three")
    assert caught.value.detail.endswith(
        "one requires two>=0.1; two is to load after three; three is to load after one"
    )
    assert dict(store.plugins()) == {}


def test_conflicts_are_refused_at_install_and_at_enable(store: Store, plugin: Plugin, run: Run) -> None:
    """With both names; what is disabled is in nobody's way."""
    run(plugin("rival", "1.0"))
    wheel = plugin(conflicts=["rival<2"])
    with pytest.raises(ConflictError, match="hello and rival cannot be enabled together") as caught:
        run(wheel)
    assert "viloapp disable rival" in caught.value.hint
    disable(store, ["rival"])
    run(wheel)
    before = _state(store)
    with pytest.raises(ConflictError, match="hello and rival"):
        enable(store, ["rival"])
    assert _state(store) == before
    run(plugin("rival", "2.0"))
    assert enable(store, ["rival"])[0].enabled


def test_rivals_in_one_command(store: Store, plugin: Plugin, run: Run) -> None:
    """Neither is installed."""
    with pytest.raises(ConflictError, match="hello and rival"):
        run(plugin(conflicts=["rival"]), plugin("rival"))
    assert dict(store.plugins()) == {}


def test_what_others_depend_on_stays(store: Store, plugin: Plugin, run: Run) -> None:
    """It is neither uninstalled nor disabled without them; the refusal names them all."""
    plugin("base", "1.0")
    run(plugin("first", requires_plugins=["base"]), plugin("second", requires_plugins=["Base>=1"]))
    before = _state(store)
    for refused in (uninstall, disable):
        with pytest.raises(ViloError, match="first, second require base") as caught:
            refused(store, ["base"])
        assert f"viloapp {refused.__name__} first second base" in caught.value.hint
        with pytest.raises(ViloError, match="second requires base"):
            refused(store, ["base", "first"])
    assert _state(store) == before
    disable(store, ["first", "base", "second"])
    with pytest.raises(ViloError, match=r"first 0\.1 requires base, which is disabled") as caught:
        enable(store, ["first"])
    assert "viloapp enable base first" in caught.value.hint
    enable(store, ["first", "base"])
    disable(store, ["first"])
    disable(store, ["base"])
    with pytest.raises(ViloError, match="first, second require base"):
        uninstall(store, ["base"], dry_run=True)
    uninstall(store, ["first", "second", "base"])
    assert dict(store.plugins()) == {}


def test_one_that_cannot_be_laid_down_holds_back_all(
    store: Store, plugin: Plugin, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is switched to before all are built: the old ones stay, together."""
    plugin("base", "1.0")
    plugin("needy", "1.0", requires_plugins=["base<2"])
    run("needy")
    plugin("base", "2.0")
    plugin("needy", "2.0", requires_plugins=["base>=2"])
    before = _state(store)

    from viloapp_core.store import environment

    build = environment.fill

    def fail(*arguments: object, **options: object) -> None:
        if arguments[4] == "needy>=2":
            raise ViloError("full", "the disk is full")
        build(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(environment, "fill", fail)
    with pytest.raises(ViloError, match="the disk is full"):
        run("base>=2", "needy>=2")
    assert _state(store) == before
    assert list((store.root / "journal").iterdir()) == []


@pytest.mark.parametrize("other", ["base is uninstalled", "a rival comes"])
def test_what_another_process_changed_meanwhile_is_seen(
    store: Store, plugin: Plugin, run: Run, person: Person, folder: Path, other: str
) -> None:
    """At the last moment, under the store's lock: the second of two that exclude each other is refused."""
    plugin("base", "1.0")
    plugin("rival", conflicts=["needy"])
    run("base")

    def meanwhile(event: ProgressEvent) -> None:
        if event.stage == "activate":
            if other == "base is uninstalled":
                uninstall(Store(store.root), ["base"])
            else:
                run("rival")

    needy = [str(plugin("needy", requires_plugins=["base"], requires=()))]
    options = InstallOptions(offline=True, find_links=(str(folder),), allow_unsigned=UNSIGNED)
    with pytest.raises(ViloError) as caught:
        install(store, needy, options=options, progress=meanwhile, consent=person, wheels={})
    expected = {"base is uninstalled": "unmet_requirement", "a rival comes": "plugin_conflict"}
    assert caught.value.code == expected[other]
    assert "needy" not in store.plugins()
    assert list((store.root / "journal").iterdir()) == []
