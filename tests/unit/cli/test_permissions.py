"""`viloapp permissions` and `viloapp audit`, with and without a running host."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from viloapp_core.host import SyncHost
from viloapp_core.permissions import Permission
from viloapp_core.store import InstalledPlugin, Store

from .conftest import Ran

HOST = "network.connect.api.example.com"
TERMINAL = "process.spawn.terminal"


def states(ran: Ran) -> dict[str, tuple[str, str]]:
    """Return state and origin of each permission in the JSON of `show`."""
    return {row["id"]: (row["state"], row["by"]) for row in ran.json["permissions"]}


def test_show_grant_revoke_reset(
    installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran]
) -> None:
    """What is decided is shown in words with its origin, and reset goes back to the installation."""
    installed(permissions=[{"id": TERMINAL}])
    assert states(viloapp("permissions", "show", "hello", "--json")) == {TERMINAL: ("granted", "install")}
    assert viloapp("permissions", "grant", "hello", HOST).out == f"granted {HOST} to hello\n"
    assert viloapp("permissions", "revoke", "hello", TERMINAL).out == f"revoked {TERMINAL} of hello\n"
    shown = viloapp("permissions", "show", "hello", "--json")
    assert states(shown) == {TERMINAL: ("denied", "command"), HOST: ("granted", "command")}
    assert "connect to api.example.com" in viloapp("permissions", "show").out
    assert "hello has what was accepted" in viloapp("permissions", "reset", "Hello").out
    assert states(viloapp("permissions", "show", "hello", "--json")) == {TERMINAL: ("granted", "install")}
    events = [
        (row["event"], row["permission"]) for row in viloapp("audit", "hello", "--json").json["entries"]
    ]
    assert events == [("grant", HOST), ("revoke", TERMINAL), ("reset", "")]


def test_nothing_to_show_is_said(
    installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran]
) -> None:
    """A plugin without permissions, and a store of such plugins, each have a sentence of their own."""
    installed()
    assert viloapp("permissions", "show").err == "no plugin has any permissions beyond its own data\n"
    assert viloapp("permissions", "show", "Hello").err == "hello has no permissions beyond its own data\n"


def test_the_help_of_a_group_has_whole_sentences(viloapp: Callable[..., Ran]) -> None:
    """What each subcommand does is not cut off."""
    for group in (["permissions"], ["trust"], ["trust", "block-list"], ["config"]):
        ran = viloapp(*group, "--help")
        assert "Commands:" in ran.out
        assert "..." not in ran.out.partition("Commands:")[2]


def test_what_is_powerful_is_said(
    installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran]
) -> None:
    """A grant that confers more than its name says warns."""
    installed()
    assert "full authority" in viloapp("permissions", "grant", "hello", TERMINAL).err


def test_what_no_plugin_gets_cannot_be_granted(
    installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran], store: Store
) -> None:
    """With it the plugin would not be started any more; all are told at once, and nothing changes."""
    installed()
    ran = viloapp(
        "permissions", "grant", "hello", HOST, "filesystem.read./etc/x", "filesystem.write.~/.ssh/x"
    )
    assert (ran.code, ran.out) == (1, "")
    assert "filesystem.read./etc/x can be granted to no plugin: it is the machine's own" in ran.err
    assert "filesystem.write.~/.ssh/x can be granted to no plugin: it holds secrets" in ran.err
    assert not (store.root / "ledger.json").exists()


@pytest.mark.parametrize("what", ["grant", "revoke"])
def test_all_that_is_wrong_is_told_and_nothing_changed(
    installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran], what: str, store: Store
) -> None:
    """Each with what was meant; the good one beside them is not taken either."""
    installed()
    ran = viloapp("permissions", what, "hello", HOST, "network.conect.x", "filesystem.read.workspce")
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean 'connect'" in ran.err
    assert "did you mean 'workspace'" in ran.err
    assert not (store.root / "ledger.json").exists()
    assert viloapp("permissions", what, "nobody", HOST).code == 1


def test_a_running_host_takes_it_at_once(
    installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran], store: Store
) -> None:
    """The host's own checks know before the command ends; `show` has what holds until it ends too."""
    installed(permissions=[{"id": TERMINAL}])
    with SyncHost(store.root) as host:
        manager = host._host.permissions
        assert viloapp("permissions", "revoke", "hello", TERMINAL).code == 0
        assert not manager.check_permission("hello", Permission.parse(TERMINAL))
        assert viloapp("permissions", "grant", "hello", TERMINAL).code == 0
        assert manager.check_permission("hello", Permission.parse(TERMINAL))
        host._here(lambda: manager.grant_permission("hello", Permission.parse(HOST), lasting="run"))
        rows = viloapp("permissions", "show", "hello", "--json").json["permissions"]
        assert {row["id"]: row["lasting"] for row in rows} == {TERMINAL: "always", HOST: "run"}
        assert viloapp("permissions", "reset", "hello").code == 0
        assert not manager.check_permission("hello", Permission.parse(HOST))


def test_the_audit_log_is_chosen_by_plugin_and_time(
    installed: Callable[..., InstalledPlugin], viloapp: Callable[..., Ran], store: Store
) -> None:
    """By id, by how long ago, by date; a damaged line is left out."""
    lines = [
        {"time": "2020-01-01T00:00:00Z", "event": "deny", "plugin": "hello", "permission": HOST, "count": 3},
        {"time": "2999-01-01T00:00:00Z", "event": "deny", "plugin": "other", "permission": HOST, "count": 1},
    ]
    store.root.mkdir(parents=True, exist_ok=True)
    (store.root / "audit.jsonl").write_text("\n".join(["{", *map(json.dumps, lines)]) + "\n")
    assert viloapp("audit", "--json").json["entries"] == lines
    assert viloapp("audit", "other", "--json").json["entries"] == lines[1:]
    assert viloapp("audit", "--since", "2d", "--json").json["entries"] == lines[1:]
    assert viloapp("audit", "--since", "2019-12-31", "--json").json["entries"] == lines
    assert "(x3)" in viloapp("audit").out
    assert viloapp("audit", "--since", "yesterday").code == 2
    assert "nothing was written" in viloapp("audit", "nobody").err
