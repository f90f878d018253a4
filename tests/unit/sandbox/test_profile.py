"""What a worker would see, decided without starting it."""

from dataclasses import replace
from pathlib import Path

import pytest

from viloapp_core.permissions import PermissionSyntaxError
from viloapp_core.sandbox import FolderRefusedError, Profile, Request
from viloapp_core.sandbox.profile import Inside, MountKind, profile
from viloapp_core.sandbox.request import RealDisk

READ = ("filesystem.read.workspace",)
WRITE = ("filesystem.write.workspace",)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a project, a store and an interpreter below it."""
    home = tmp_path / "home"
    for folder in ("project", "store/plugins/hello/generations/1/venv/bin", "store/plugins/hello/data"):
        (home / folder).mkdir(parents=True)
    (home / "py/bin").mkdir(parents=True)
    (home / "py/bin/python3.12").touch()
    (home / "store/plugins/hello/generations/1/venv/bin/python").symlink_to(home / "py/bin/python3.12")
    return home


def ask(home: Path) -> Request:
    """The request for the plugin in that home."""
    generation = home / "store/plugins/hello/generations/1"
    return Request(
        plugin_id="hello",
        python=generation / "venv/bin/python",
        generation=generation,
        base_prefix=home / "py",
        base_executable=home / "py/bin/python3.12",
        data_dir=home / "store/plugins/hello/data",
        workspace=home / "project",
    )


def decide(request: Request, home: Path) -> Profile:
    """The profile for a person with that home."""
    return profile(
        request,
        environment={},
        inside=Inside(Path("/core/bootstrap.py")),
        home=home,
        user_namespace=True,
        disk=RealDisk(),
    )


def kinds(found: Profile, path: Path) -> list[MountKind]:
    """How a path comes to be inside, in order."""
    return [mount.kind for mount in found.mounts if mount.target == path]


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ((), []),
        (("process.spawn.terminal", "filesystem.read.home_directory"), []),
        (READ, [MountKind.READ]),
        (WRITE, [MountKind.WRITE]),
        (READ + WRITE, [MountKind.WRITE]),
        (("filesystem.*.workspace",), [MountKind.WRITE]),
        (("filesystem.read.*",), [MountKind.READ]),
    ],
)
def test_the_workspace_needs_a_permission(
    home: Path, permissions: tuple[str, ...], expected: list[MountKind]
) -> None:
    """It is shared as far as a grant says, and not at all without one."""
    found = decide(replace(ask(home), permissions=permissions), home)
    assert kinds(found, home / "project") == expected


def test_a_text_that_is_no_permission_is_refused(home: Path) -> None:
    """A broken grant is no grant, and not silently."""
    with pytest.raises(PermissionSyntaxError):
        decide(replace(ask(home), permissions=("filesystem.write",)), home)


def test_the_plugin_has_its_own_and_nothing_else_of_the_store(home: Path) -> None:
    """Code read-only, data writable; neither the store nor the home is there."""
    found = decide(ask(home), home)
    assert kinds(found, home / "store/plugins/hello/generations/1") == [MountKind.READ]
    assert kinds(found, home / "store/plugins/hello/data") == [MountKind.WRITE]
    assert kinds(found, home / "py") == [MountKind.READ]
    assert kinds(found, home / "store") == [MountKind.FOLDER]
    assert kinds(found, home) == [MountKind.FOLDER]


def test_secrets_and_the_store_are_hidden_below_a_shared_home(home: Path) -> None:
    """Folders and files, also where a link leads to them; the plugin's own parts come after and stay."""
    (home / ".ssh").mkdir()
    (home / ".netrc").touch()
    (home / "dotfiles/aws").mkdir(parents=True)
    (home / ".aws").symlink_to(home / "dotfiles/aws")
    found = decide(replace(ask(home), workspace=home, permissions=WRITE), home)
    assert kinds(found, home / ".ssh") == [MountKind.HIDE_FOLDER]
    assert kinds(found, home / ".netrc") == [MountKind.HIDE_FILE]
    assert kinds(found, home / "dotfiles/aws") == [MountKind.HIDE_FOLDER]
    assert kinds(found, home / ".gnupg") == []
    order = [mount.target for mount in found.mounts]
    assert order.index(home) < order.index(home / "store") < order.index(home / "store/plugins/hello/data")
    assert kinds(found, home / "store") == [MountKind.HIDE_FOLDER]


@pytest.mark.parametrize("folder", ["/", "/etc", "/usr", "/proc/self", "/dev/shm", "/var"])
def test_the_machine_is_no_workspace(home: Path, folder: str) -> None:
    """A permission for the workspace does not give the system away when somebody opens it."""
    with pytest.raises(FolderRefusedError) as caught:
        decide(replace(ask(home), workspace=Path(folder), permissions=READ), home)
    assert caught.value.hint
    # Without the permission the folder is nothing to the plugin, and it starts.
    assert decide(replace(ask(home), workspace=Path(folder)), home).mounts


@pytest.mark.parametrize("folder", [".ssh", ".ssh/keys", "store", "store/plugins/other"])
def test_secrets_and_the_store_are_no_workspace(home: Path, folder: str) -> None:
    """Neither itself nor a folder inside."""
    (home / folder).mkdir(parents=True, exist_ok=True)
    with pytest.raises(FolderRefusedError):
        decide(replace(ask(home), workspace=home / folder, permissions=READ), home)


def test_links_to_the_interpreter_exist_inside(home: Path) -> None:
    """An interpreter behind a linked folder, as uv lays them out, is reached by the same name."""
    (home / "py-current").symlink_to("py")
    python = ask(home).python
    python.unlink()
    python.symlink_to(home / "py-current/bin/python3.12")
    found = decide(replace(ask(home), base_prefix=home / "py-current"), home)
    links = [(m.target, m.source) for m in found.mounts if m.kind is MountKind.LINK]
    assert [link for link in links if home in link[0].parents] == [(home / "py-current", "py")]


class Machine(RealDisk):
    """A machine with these links at its root, and this of what they may lead to."""

    def __init__(self, links: dict[str, str], there: set[str]) -> None:
        super().__init__()
        self._at_root, self._there = links, there

    def exists(self, path: Path) -> bool:
        """All that is named."""
        return str(path) in self._there or str(path) in self._at_root

    def resolve(self, path: Path) -> Path:
        """See `Disk`; one link at most."""
        text = self._at_root.get(str(path))
        return super().resolve(path if text is None else path.parent / text)

    def link(self, path: str) -> str | None:
        """See `Disk`; but for the root's own, what there really is."""
        if path.startswith(("/lib", "/bin", "/usr", "/etc", "/opt")):
            return self._at_root.get(path)
        return super().link(path)


def test_a_link_on_two_ways_is_made_once(home: Path) -> None:
    """Of the system, and to an interpreter that is called by it: bubblewrap makes no link where one is."""
    python = ask(home).python
    python.unlink()
    python.symlink_to("/bin/python3")
    request = replace(
        ask(home), base_prefix=Path("/usr"), base_executable=Path("/bin/python3"), programs=True
    )
    found = profile(
        request,
        environment={},
        inside=Inside(Path("/core/bootstrap.py")),
        home=home,
        user_namespace=True,
        disk=Machine({"/bin": "usr/bin"}, {"/usr", "/usr/bin/python3"}),
    )
    assert kinds(found, Path("/bin")) == [MountKind.LINK]


def test_links_of_the_system_are_links_inside_too(home: Path) -> None:
    """Into what is mounted anyway and at once; else what they lead to is mounted in their place."""
    links = {
        "/lib": "usr/lib",
        "/lib64": "opt/lib64",  # which is not shown
        "/lib32": "/usr/lib/old",  # which is a link itself
        "/usr/lib/old": "/usr/lib32",
        "/etc/os-release": "../usr/lib/os-release",
        "/etc/localtime": "/usr/share/zoneinfo/UTC",
        "/etc/hosts": "/usr/share/hosts",
    }
    there = {"/usr/lib", "/usr/lib32", "/usr/share"}
    found = profile(
        ask(home),
        environment={},
        inside=Inside(Path("/core/bootstrap.py")),
        home=home,
        user_namespace=True,
        disk=Machine(links, there),
    )
    assert {str(m.target): m.source for m in found.mounts if str(m.target) in links} == {
        "/lib": "usr/lib",
        "/lib64": "/lib64",
        "/lib32": "/lib32",
        "/etc/os-release": "../usr/lib/os-release",
        "/etc/localtime": "/usr/share/zoneinfo/UTC",
        "/etc/hosts": "/etc/hosts",
    }
    shown = {str(m.target) for m in found.mounts if m.kind is MountKind.READ_IF_THERE}
    assert shown == {*there, "/lib64", "/lib32", "/etc/hosts"}


def test_a_workspace_behind_a_link_keeps_its_name(home: Path) -> None:
    """The folder is there where it lies, and the name that the person used leads to it."""
    (home / "link").symlink_to("project")
    found = decide(replace(ask(home), workspace=home / "link", permissions=READ), home)
    assert kinds(found, home / "project") == [MountKind.READ]
    assert kinds(found, home / "link") == [MountKind.LINK]


def test_links_that_go_round_end(home: Path) -> None:
    """A loop of links does not hang the host; the start itself will fail and say so."""
    (home / "a").symlink_to("b")
    (home / "b").symlink_to("a")
    assert decide(replace(ask(home), base_executable=home / "a/python"), home).mounts
