"""The grammar of permissions and what covers what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.permissions import (
    CATEGORIES,
    Permission,
    PermissionSyntaxError,
    Places,
    decide,
    in_words,
    is_local,
)
from viloapp_sdk.manifest.vocabulary import PLACES, SCOPES, issue

label = st.text("abcxyz019", min_size=1, max_size=4).filter(lambda text: not text.isdigit())
names = st.lists(label, min_size=1, max_size=3).map(".".join)
hosts = st.one_of(
    names,
    names.map("*.{}".format),
    st.sampled_from(
        ["*", "localhost", "a.localhost", "127.0.0.1", "10.0.0.1", "1.1.1.1", "[::1]", "[2606:4700::1]"]
    ),
)
resources = {
    "filesystem": st.one_of(
        st.sampled_from([*PLACES, "*"]),
        st.lists(label, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts)),
        st.lists(label, min_size=1, max_size=3).map(lambda parts: "~/" + "/".join(parts)),
    ),
    "network": st.one_of(
        hosts, st.tuples(hosts, st.sampled_from([80, 443])).map(lambda it: f"{it[0]}:{it[1]}")
    ),
    "process": st.one_of(label, st.just("*"), label.map("/usr/bin/{}".format)),
    "system": label.map("V{}".format),
    "ui": st.one_of(names, names.map("{}.*".format), st.just("*")),
    "plugins": st.one_of(label, st.just("*")),
}
resources["services"] = resources["ui"]


def _resources(category: str, name: str) -> st.SearchStrategy[str]:
    scope = SCOPES.get((category, name))
    words = scope.words if scope is not None and category != "filesystem" else ()
    return st.sampled_from(words) if words else resources[category]


@st.composite
def permissions(draw: st.DrawFn) -> Permission:
    """Any permission of the vocabulary."""
    category, name = draw(st.sampled_from([*SCOPES, ("filesystem", "*")]))
    return Permission.parse(f"{category}.{name}.{draw(_resources(category, name))}")


@st.composite
def relatives(draw: st.DrawFn) -> list[Permission]:
    """Three permissions of one scope: those that may cover each other."""
    category, name = draw(st.sampled_from(list(SCOPES)))
    return [Permission.parse(f"{category}.{name}.{draw(_resources(category, name))}") for _ in range(3)]


@given(permissions())
def test_text_and_value_are_the_same_thing(permission: Permission) -> None:
    """What is printed can be read again, dots of the resource included; equal ones are one in a set."""
    assert Permission.parse(str(permission)) == permission
    assert len({permission, Permission.parse(str(permission))}) == 1
    assert in_words(permission)


@given(permissions(), permissions())
def test_a_permission_without_a_star_covers_nothing_by_resemblance(
    one: Permission, other: Permission
) -> None:
    """But for folders (what lies in them), ports (a part of a host) and reading (a part of writing)."""
    if not one.wildcard and one.category not in ("filesystem", "network"):
        assert one.covers(other) == (one == other)
    if one.covers(other):
        assert one.category == other.category


@given(relatives())
def test_covering_is_transitive(three: list[Permission]) -> None:
    """What is covered by what is covered is covered."""
    one, two, three_ = three
    if one.covers(two) and two.covers(three_):
        assert one.covers(three_)


@given(permissions())
def test_everything_covers_itself(permission: Permission) -> None:
    """Whoever holds exactly what is wanted may; whoever was denied it may not, whatever else is held."""
    assert permission.covers(permission)
    assert decide([permission], [], permission).allowed
    assert not decide([permission], [permission], permission).allowed


@given(relatives())
def test_a_denial_beats_every_grant(three: list[Permission]) -> None:
    """No grant, however wide, gives back what a person refused."""
    one, two, wanted = three
    if one.covers(wanted):
        assert not decide([one, two, wanted], [one], wanted).allowed


@given(hosts)
def test_a_star_never_means_this_machine(host: str) -> None:
    """Loopback, private and link-local addresses have to be named."""
    star, wanted = Permission.parse("network.connect.*"), Permission.parse(f"network.connect.{host}")
    if not host.startswith("*"):
        assert star.covers(wanted) != is_local(host)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "a.localhost",
        "nas",
        "nas.lan",
        "x.local",
        "127.0.0.1",
        "10.1.2.3",
        "[fe80::1]",
        "0.0.0.0",
    ],
)
def test_what_is_local(host: str) -> None:
    """Names that no public server answers for, and addresses that nobody routes."""
    assert is_local(host)
    assert not is_local("example.com")
    assert not is_local("1.1.1.1")


@given(resources["filesystem"])
def test_a_star_of_files_is_the_named_places(resource: str) -> None:
    """It never reaches a path that nobody named."""
    star, wanted = Permission.parse("filesystem.write.*"), Permission.parse(f"filesystem.read.{resource}")
    assert star.covers(wanted) == (resource in (*PLACES, "*"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "fewer than three parts"),
        ("network", "fewer than three parts"),
        ("network.connect", "fewer than three parts"),
        ("network..x", "fewer than three parts"),
        (".a.b", "fewer than three parts"),
        ("a.b.", "fewer than three parts"),
        ("web.read.x", "there is no category 'web'; there are system"),
        ("netwrk.connect.x", "did you mean 'network'"),
        ("network.*.x", "cannot stand for a scope of network; there is connect"),
        ("network.listen.x", "no scope 'listen'; there is connect"),
        ("network.connect.https://x", "not a URL"),
        ("network.connect.X", "in lower case"),
        ("network.connect.a b", "no host name"),
        ("network.connect.a.*", "stands alone, or for what comes before"),
        ("network.connect.*.localhost", "cannot stand before localhost"),
        ("network.connect.*.0.0.1", "cannot stand before 0.0.1"),
        ("network.connect.::1", "stands in brackets"),
        ("network.connect.[::0001]", r"write the address as \[::1\]"),
        ("network.connect.127.1", "is no address"),
        ("network.connect.[::ffff:127.0.0.1]", r"write the IPv4 address that it is: 127\.0\.0\.1"),
        ("network.connect.x:70000", "there is no port 70000"),
        ("network.connect.bücher.example", "ASCII form"),
        ("filesystem.read.workspce", "did you mean 'workspace'"),
        ("filesystem.read./", "name a folder below /"),
        ("filesystem.read./a/../b", "has no '.', '..'"),
        ("filesystem.read./a//b", "empty parts"),
        ("filesystem.read./a/*", r"a path has no '\*'"),
        ("filesystem.read./proc/1/mem", "is the kernel's"),
        ("filesystem.execute.workspace", "no scope 'execute'"),
        ("process.execute.../x", "no program"),
        ("process.spawn.shell", "there is no 'shell' here"),
        ("system.environment.*", "name each"),
        ("plugins.call.A_b", "no plugin id"),
        ("ui.open.a.*.b", "stands alone or at the end"),
    ],
)
def test_what_is_no_permission_is_refused(text: str, says: str) -> None:
    """The error quotes the text, and says what is wrong with it and what may have been meant."""
    with pytest.raises(PermissionSyntaxError, match=says):
        Permission.parse(text)


@pytest.mark.parametrize(
    ("granted", "wanted", "allowed"),
    [
        ("filesystem.read.*", "filesystem.read.workspace", True),
        ("filesystem.*.workspace", "filesystem.write.workspace", True),
        ("filesystem.read.*", "filesystem.write.workspace", False),
        ("filesystem.write.workspace", "filesystem.read.workspace", True),
        ("filesystem.read./data", "filesystem.read./data/a/b", True),
        ("filesystem.read./data", "filesystem.read./data2", False),
        ("filesystem.read./data/a", "filesystem.read./data", False),
        ("filesystem.read.home_directory", "filesystem.read.~/notes", True),
        ("filesystem.read.workspace", "filesystem.read.~/notes", False),
        ("network.connect.*.example.com", "network.connect.api.example.com", True),
        ("network.connect.*.example.com", "network.connect.a.b.example.com:443", True),
        ("network.connect.*.example.com", "network.connect.example.com", False),
        ("network.connect.*.example.com", "network.connect.badexample.com", False),
        ("network.connect.*", "network.connect.*.example.com", True),
        ("network.connect.*.example.com", "network.connect.*", False),
        ("network.connect.api.example.com:443", "network.connect.api.example.com:80", False),
        ("network.connect.api.example.com:443", "network.connect.api.example.com", False),
        ("network.connect.api.example.com", "network.connect.api.example.com:80", True),
        ("network.connect.[::1]", "network.connect.[::1]:80", True),
        ("network.connect.*", "network.connect.169.254.169.254", False),
        ("network.connect.*", "network.connect.*.lan", False),
        ("network.connect.*.lan", "network.connect.nas.lan", True),
        ("filesystem.*.*", "network.connect.example.com", False),
        ("process.execute.*", "process.spawn.terminal", False),
        ("process.execute.git", "process.execute./usr/bin/git", False),
        ("ui.open.hello.*", "ui.open.hello.panel", True),
        ("ui.open.hello.*", "ui.open.hellos.panel", False),
        ("ui.open.hello.*", "ui.open.hello", False),
    ],
)
def test_what_covers_what(granted: str, wanted: str, allowed: bool) -> None:
    """A wildcard never reaches further than its words, nor into another scope or category."""
    assert decide([Permission.parse(granted)], [], Permission.parse(wanted)).allowed is allowed


@pytest.mark.parametrize(
    ("denied", "wanted", "refused"),
    [
        ("filesystem.write.workspace", "filesystem.read.workspace", False),
        ("filesystem.read.workspace", "filesystem.write.workspace", True),
        ("filesystem.read./data/keys", "filesystem.read./data", True),
        ("network.connect.evil.example", "network.connect.good.example", False),
        ("network.connect.*.example", "network.connect.evil.example:80", True),
        ("network.connect.evil.example:80", "network.connect.evil.example", True),
    ],
)
def test_what_a_denial_takes_away(denied: str, wanted: str, refused: bool) -> None:
    """What it shares with what is wanted; a revoked right to write leaves that to read."""
    held = ("filesystem.write./data", "filesystem.read.workspace", "filesystem.write.workspace")
    everything = [Permission.parse(text) for text in (*held, "network.connect.*")]
    decision = decide(everything, [Permission.parse(denied)], Permission.parse(wanted))
    assert decision.allowed is not refused
    assert (str(decision.by) == denied) is refused


def test_without_writing_nothing_is_left_of_a_grant_to_write() -> None:
    """Whoever takes the one permission that a plugin has leaves it none."""
    write, read = (Permission.parse(f"filesystem.{scope}.workspace") for scope in ("write", "read"))
    assert not decide([write], [write], read).allowed
    assert decide([write, read], [write], read).by == read


def test_places_are_the_paths_that_they_stand_for() -> None:
    """A grant for the workspace is one for a path in it, where the host says where that is."""
    places = Places("/home/me", {"workspace": "/home/me/desk"})
    granted = [Permission.parse("filesystem.read.workspace"), Permission.parse("filesystem.read.~/notes")]

    def may(resource: str) -> bool:
        return decide(granted, [], Permission.parse(f"filesystem.read.{resource}"), places).allowed

    assert may("/home/me/desk/a.txt")
    assert may("~/desk/a.txt")
    assert may("/home/me/notes")
    assert not may("/home/me/desktop")
    assert not may("home_directory")


def test_nothing_granted_allows_nothing() -> None:
    """The default is no, for every permission there is; the reason says which."""
    assert {category for category, _ in SCOPES} == set(CATEGORIES)
    decision = decide([], [], Permission.parse("process.spawn.terminal"))
    assert (decision.allowed, decision.by) == (False, None)
    assert decision.reason == "process.spawn.terminal was not granted"


@given(st.text(max_size=40))
def test_any_text_has_an_answer(text: str) -> None:
    """Whatever a manifest says, the grammar answers without an exception; what it accepts is a permission."""
    if issue(text) is None:
        Permission.parse(text)


@pytest.mark.parametrize("hidden", ["\x1b[2J", "\n", "\x00", "\u202e", "\udc80"])
@pytest.mark.parametrize("kind", ["process.execute.", "filesystem.read./tmp/", "filesystem.read.~/"])
def test_what_cannot_be_shown_is_no_permission(kind: str, hidden: str) -> None:
    """A person decides by what a terminal shows; nobody draws over the question."""
    with pytest.raises(PermissionSyntaxError, match="cannot be shown"):
        Permission.parse(f"{kind}a{hidden}b")


@pytest.mark.parametrize("carried", ["64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:a00:1::", "::ffff:10.0.0.1"])
def test_a_star_means_no_private_address_that_another_carries(carried: str) -> None:
    """A gateway on the way (NAT64, 6to4) would unpack it; named it may be granted."""
    wanted = Permission("network", "connect", f"[{carried}]:80")
    assert not Permission.parse("network.connect.*").covers(wanted)
