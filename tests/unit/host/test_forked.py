"""Workers that are forked, beside those that are started: what a plugin sees, how they end, who is forked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.host.conftest import Plant
from viloapp_core import Host
from viloapp_core.process import Forked, ForkServer, ForkServerError
from viloapp_core.sandbox import forking, probe
from viloapp_core.sandbox.stage2 import Stage2, open_bytes
from viloapp_core.store import Store
from viloapp_core.supervise import PluginStartError
from viloapp_sdk.errors import ViloError, WorkerLostError

Run = Callable[[Callable[[], Awaitable[None]]], None]
SETTING = "core.supervise.start_method"

TELLS = """
import os, resource, signal, sys, time
from viloapp_sdk import Plugin, command

CLONE = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
STREAMS = (sys.stdin, sys.stdout, sys.stderr)

def status():
    kept = ("Uid", "Gid", "Groups", "NSpid", "Cap", "NoNewPrivs", "Seccomp", "Sig", "Umask", "Threads")
    with open("/proc/self/status") as lines:
        found = dict(line.rstrip().split(":", 1) for line in lines)
    return {name: found[name] for name in found if name.startswith(kept)}

class P(Plugin):
    @command("PLUGIN.world")
    def world(self) -> dict:
        return {
            "status": status(),
            "descriptors": len(os.listdir("/proc/self/fd")),
            "place": [os.getcwd(), os.getpid(), os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()],
            "environment": dict(os.environ),
            "limits": [resource.getrlimit(number) for number in range(16)],
            "nice": os.nice(0),
            "interpreter": [sys.executable, sys.prefix, sys.exec_prefix, sys.base_prefix],
            "base": sys._base_executable,
            "path": sys.path,
            "words": [sys.argv, list(sys.flags), sys.warnoptions],
            "finders": [getattr(each, "__name__", type(each).__name__) for each in sys.meta_path],
            "streams": [[each.encoding, each.errors, each.line_buffering, each.fileno()] for each in STREAMS],
            "main": sorted(vars(sys.modules["__main__"])),
            "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
            "mounts": sorted(line.split()[4] for line in open("/proc/self/mountinfo")),
            "handlers": [str(signal.getsignal(number)) for number in (signal.SIGCHLD, signal.SIGPIPE)],
        }

    @command("PLUGIN.modules")
    def modules(self) -> list:
        return sorted(name for name in sys.modules if name.startswith("viloapp_sdk"))

    @command("PLUGIN.files")
    def files(self) -> dict:
        import importlib, inspect, viloapp_sdk.worker._channel as channel
        return {
            "found": os.path.realpath(channel.__file__),
            "spec": os.path.realpath(channel.__spec__.origin),
            "lines": inspect.getsource(channel.Channel)[:14],
            "later": os.path.realpath(importlib.import_module("viloapp_sdk.i18n").__file__),
            "again": importlib.reload(importlib.import_module("viloapp_sdk.errors")).__name__,
        }

    @command("PLUGIN.ends")
    def ends(self, how: int) -> None:
        if how < 0:
            os.kill(os.getpid(), -how)
        os._exit(how)

    @command("PLUGIN.memory")
    def memory(self, words: list) -> list:
        found = set()
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
            for line in maps:
                span, rights, *_ = line.split()
                if rights.startswith("rw") and "[v" not in line:
                    first, last = (int(each, 16) for each in span.split("-"))
                    memory.seek(first)
                    content = memory.read(last - first)
                    found |= {word for word in words if bytes(reversed(word.encode())) in content}
        return sorted(found)

    @command("PLUGIN.leaves")
    def leaves(self, count: int) -> int:
        for _ in range(count):
            if os.fork() == 0:
                os.fork()
                os._exit(0)
            os.wait()
        late = time.monotonic() + 10
        while len(found := [name for name in os.listdir("/proc") if name.isdigit()]) > 2:
            if time.monotonic() > late:
                break
        return len(found)

    @command("PLUGIN.sibling")
    def sibling(self) -> str:
        import ctypes, errno
        libc = ctypes.CDLL(None, use_errno=True)
        made = libc.syscall(CLONE, 0x8000 | signal.SIGCHLD, None, None, None, None)
        if made == 0:
            os._exit(0)
        return errno.errorcode[ctypes.get_errno()] if made < 0 else "made"

    @command("PLUGIN.program")
    def program(self) -> list:
        try:
            os.chmod("/proc/self/exe", 0)
            changed = "changed"
        except PermissionError:
            changed = "refused"
        try:
            open("/proc/self/exe", "r+b")
        except OSError:
            return [os.readlink("/proc/self/exe"), changed, "closed"]
        return [os.readlink("/proc/self/exe"), changed, "open"]

    @command("PLUGIN.greet")
    def greet(self) -> str:
        return "hello"
"""


@pytest.fixture(autouse=True)
def _under_bubblewrap() -> None:
    if probe().backend != "bubblewrap":
        pytest.fail(probe().reason) if os.environ.get("CI") else pytest.skip(probe().reason)


@contextlib.asynccontextmanager
async def hosting(store: Store, method: str = "forkserver") -> Any:
    """A host that starts plugins in one of the ways."""
    async with Host(store.root, control=False) as host:
        host.settings.set(SETTING, method)
        yield host


def began(host: Host) -> dict[str, str]:
    """How the process of each plugin began."""
    return {row["id"]: row["start_method"] for row in host.plugins()}


def server(host: Host) -> ForkServer:
    """Its fork server."""
    found = host._surroundings.fork_server
    assert found is not None
    return found


def forked(host: Host, plugin_id: str) -> int:
    """The process id of a forked worker, as the host knows it."""
    worker = host.worker(plugin_id)
    assert worker is not None
    assert worker.tree is not None
    pid = worker.tree.first()
    assert pid is not None
    return pid


def gone(pid: int) -> bool:
    """Whether a process has ended, waited for or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that nobody tells."""
    while not true():
        await asyncio.sleep(0.01)


def test_a_plugin_finds_the_same_world(store: Store, plant: Plant, run: Run) -> None:
    """Identity, confinement, descriptors, environment, interpreter: all as a worker of its own finds them."""
    plant("tells", TELLS.replace("PLUGIN", "tells"))

    async def test() -> None:
        worlds = {}
        async with hosting(store) as host:
            for method in ("spawn", "forkserver"):
                host.settings.set(SETTING, method)
                await host.restart_plugin("tells")
                worlds[method] = await host.call("tells.world")
                worlds[method]["modules"] = await host.call("tells.modules")
                assert began(host) == {"tells": method}
        assert worlds["forkserver"].pop("status").items() >= worlds["spawn"]["status"].items()
        worlds["spawn"].pop("status")
        for name, value in worlds["spawn"].items():
            assert (name, worlds["forkserver"][name]) == (name, value)

    run(test)


def test_modules_in_memory_are_the_plugins_own_files(store: Store, plant: Plant, run: Run) -> None:
    """Their place, their lines, what is imported later and again: of the plugin's environment."""
    plant("tells", TELLS.replace("PLUGIN", "tells"))

    async def test() -> None:
        async with hosting(store) as host:
            files = await host.call("tells.files")
            assert began(host) == {"tells": "forkserver"}
        generations = str(store.root / "plugins/tells/generations")
        assert files["found"].startswith(generations)
        assert files["spec"].startswith(generations)
        assert files["later"].startswith(generations)
        assert (files["lines"], files["again"]) == ("class Channel:", "viloapp_sdk.errors")

    run(test)


def test_what_is_loaded_ahead_is_what_every_worker_loads(store: Store, plant: Plant, run: Run) -> None:
    """No more, so that nobody pays for what is another's; no less, so that it is shared."""
    plant("tells", TELLS.replace("PLUGIN", "tells"))

    async def test() -> None:
        async with hosting(store, "spawn") as host:
            assert set(await host.call("tells.modules")) == set(forking.MODULES)

    run(test)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize(
    ("how", "told"),
    [
        (3, "ended with code 3"),
        (-signal.SIGSEGV, "killed by SIGSEGV"),
        (-signal.SIGKILL, "killed by SIGKILL"),
    ],
)
def test_how_a_worker_ends_is_told(
    store: Store, plant: Plant, run: Run, method: str, how: int, told: str
) -> None:
    """Its exit code or its signal, and the next call has a new process."""
    plant("tells", TELLS.replace("PLUGIN", "tells"))

    async def test() -> None:
        async with hosting(store, method) as host:
            host.settings.set("core.supervise.delay_s", 0)
            with pytest.raises(WorkerLostError, match=told):
                await host.call("tells.ends", {"how": how})
            assert await host.call("tells.greet") == "hello"
            assert began(host) == {"tells": method}

    run(test)


def test_workers_end_with_the_fork_server_and_the_next_has_a_new_one(
    store: Store, plant: Plant, run: Run
) -> None:
    """Nobody could say any more how they end."""
    plant("tells", TELLS.replace("PLUGIN", "tells"))

    async def test() -> None:
        async with hosting(store) as host:
            host.settings.set("core.supervise.delay_s", 0)
            assert await host.call("tells.greet") == "hello"
            worker, before = forked(host, "tells"), server(host).pid
            assert before is not None
            os.kill(before, signal.SIGKILL)
            await until(lambda: gone(worker))
            await until(lambda: host.plugins()[0]["state"] != "running")
            assert await host.call("tells.greet") == "hello"
            assert server(host).pid not in (None, before)
            assert began(host) == {"tells": "forkserver"}

    run(test)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_no_process_gets_out_of_sight(store: Store, plant: Plant, run: Run, method: str) -> None:
    """What loses its parent is waited for by somebody, and none is made below another's parent."""
    plant("tells", TELLS.replace("PLUGIN", "tells"))

    async def test() -> None:
        async with hosting(store, method) as host:
            assert await host.call("tells.leaves", {"count": 100}) == 2
            assert await host.call("tells.sibling") == "EPERM"

    run(test)


def test_the_interpreter_itself_is_out_of_reach(store: Store, plant: Plant, run: Run) -> None:
    """``/proc/self/exe`` leads to a copy in memory, whatever that lets its owner do."""
    plant("tells", TELLS.replace("PLUGIN", "tells"))

    def file() -> tuple[int, ...]:
        found = os.stat(forking.host_python())
        return found.st_mode, found.st_uid, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    before = file()

    async def test() -> None:
        async with hosting(store) as host:
            path, _changed, content = await host.call("tells.program")
            assert path.startswith("/memfd:")
            assert content == "closed"
            await host.restart_plugin("tells")
            assert await host.call("tells.greet") == "hello"
            assert began(host) == {"tells": "forkserver"}

    run(test)
    assert file() == before


def test_a_fork_that_fails_leaves_the_others_alone(store: Store, plant: Plant, run: Run) -> None:
    """The one is started instead; who was forked before goes on."""
    for name in ("first-one", "second-one"):
        plant(name, TELLS.replace("PLUGIN", name.replace("-", "_")))

    async def test() -> None:
        async with hosting(store) as host:
            assert await host.call("first_one.greet") == "hello"
            before, own = forked(host, "first-one"), server(host).pid
            assert own is not None
            used = len(os.listdir(f"/proc/{own}/fd"))
            resource.prlimit(own, resource.RLIMIT_NOFILE, (used + 4, used + 4))
            assert await host.call("second_one.greet") == "hello"
            assert began(host) == {"first-one": "forkserver", "second-one": "spawn"}
            assert (forked(host, "first-one"), server(host).pid) == (before, own)
            assert await host.call("first_one.greet") == "hello"

    run(test)


def test_a_worker_has_nothing_of_another(store: Store, plant: Plant, run: Run) -> None:
    """What the fork server was told of one plugin is not in the memory of the next."""
    for name in ("first-one", "second-one"):
        plant(name, TELLS.replace("PLUGIN", name.replace("-", "_")))

    async def test() -> None:
        async with hosting(store) as host:
            for name in ("first_one", "second_one", "first_one"):
                assert await host.call(f"{name}.greet") == "hello"
            # Backwards, so that the question itself is not found.
            words = {name: f"plugins/{name}/generations"[::-1] for name in ("first-one", "second-one")}
            found = await host.call("second_one.memory", {"words": [*words.values()]})
            assert found == [words["second-one"]]

    run(test)


def test_another_sdk_and_another_interpreter_are_started(
    store: Store, plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what has the very content of the host's SDK, on the host's interpreter, is forked."""
    plant("tells", TELLS.replace("PLUGIN", "tells"))
    (errors,) = store.root.glob(
        "plugins/tells/generations/*/venv/lib/python*/site-packages/viloapp_sdk/errors.py"
    )
    content = errors.read_text()

    async def test(expected: str) -> None:
        async with hosting(store) as host:
            assert await host.call("tells.greet") == "hello"
            assert began(host) == {"tells": expected}

    errors.write_text(content + "\n# Another.\n")
    run(lambda: test("spawn"))
    errors.write_text(content)
    forking._fitting.clear()
    run(lambda: test("forkserver"))
    monkeypatch.setattr(forking, "host_python", lambda: Path("/usr/bin/another"))
    run(lambda: test("spawn"))


@pytest.mark.parametrize(
    ("part", "value", "why"),
    [
        ("namespaces", {"net": "net:[1]"}, "is not in the sandbox's net namespace"),
        ("namespaces", {"mnt": "mnt:[1]"}, "is not in the sandbox's mnt namespace"),
        ("root", (1, 1), "is not at the sandbox's root"),
        ("flags", 0x40000000, "is not in the sandbox's"),  # the network's alone
    ],
)
def test_a_child_that_is_not_where_it_should_be_does_not_start(
    store: Store, plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch, part: str, value: Any, why: str
) -> None:
    """Each check is the child's own, against what the host saw; no code of the plugin's has run."""
    plant("tells", "raise SystemExit('ran')\n" + TELLS.replace("PLUGIN", "tells"))
    encoded = Stage2.encoded

    def bent(self: Any, fork: dict[str, Any] | None = None) -> bytes:
        if fork is None:
            return encoded(self)
        changed = {**fork[part], **value} if isinstance(value, dict) else value
        return encoded(self, {**fork, part: changed})

    monkeypatch.setattr(Stage2, "encoded", bent)

    async def test() -> None:
        async with hosting(store) as host:
            host.settings.set("core.supervise.policy", "never")
            with pytest.raises(PluginStartError, match="not confined, and so not started") as raised:
                await host.call("tells.greet")
            assert why in str(raised.value)

    run(test)


def test_a_fork_server_that_does_not_begin_costs_nothing_but_its_use(
    store: Store, plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plugin is started as any other, and who follows lives hears why."""
    plant("tells", TELLS.replace("PLUGIN", "tells"))
    monkeypatch.setattr("viloapp_core.process.fork_server.open_server", lambda *_: open_bytes(b"no plan"))
    heard = []

    async def test() -> None:
        async with hosting(store) as host:
            host.subscribe(lambda name, body: heard.append(body) if name == "plugin.life" else None)
            assert await host.call("tells.greet") == "hello"
            assert began(host) == {"tells": "spawn"}

    run(test)
    assert [body["error"] for body in heard if body["what"] == "not_forked"] == ["the fork server has ended"]


@pytest.mark.parametrize("fault", ["not joined", "no env", "not seen"])
def test_what_cannot_be_forked_is_started(
    store: Store, plant: Plant, run: Run, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A kernel that cannot join, an older system, a bubblewrap that cannot be looked at."""
    plant("tells", TELLS.replace("PLUGIN", "tells"))

    async def unseen(*_: object) -> bool:
        raise ForkServerError("what bubblewrap does cannot be seen")

    if fault == "not joined":
        monkeypatch.setitem(forking._NAMESPACES, "net", 1)
    elif fault == "no env":
        monkeypatch.setattr("viloapp_core.process.fork_server.IGNORING", ("/usr/bin/no-such-env",))
    else:
        monkeypatch.setattr("viloapp_core.process.fork_server._reads", unseen)

    async def test() -> None:
        async with hosting(store) as host:
            assert await host.call("tells.greet") == "hello"
            assert began(host) == {"tells": "spawn"}

    run(test)


def test_calls_that_are_given_up_leave_nothing(store: Store, plant: Plant, run: Run) -> None:
    """Neither descriptors nor processes, wherever a start is called off."""
    plant("tells", TELLS.replace("PLUGIN", "tells"))

    async def test() -> None:
        async with hosting(store) as host:
            assert await host.call("tells.greet") == "hello"
            await host.restart_plugin("tells")
            own, theirs = server(host).pid, len(os.listdir("/proc/self/fd"))
            kept = len(os.listdir(f"/proc/{own}/fd"))
            for step in range(20):
                calling = asyncio.ensure_future(host.call("tells.greet"))
                await asyncio.sleep(step * 0.002)
                await host.restart_plugin("tells")
                with contextlib.suppress(ViloError):
                    await calling
                await host.restart_plugin("tells")
            assert await host.call("tells.greet") == "hello"  # those that have ended are collected at a start
            await host.restart_plugin("tells")
            await until(lambda: len(os.listdir("/proc/self/fd")) <= theirs)
            assert server(host).pid == own
            await until(lambda: len(os.listdir(f"/proc/{own}/fd")) <= kept)
            await until(lambda: Path(f"/proc/{own}/task/{own}/children").read_text() == "")

    run(test)


HOSTS = """
import asyncio, json, sys
from pathlib import Path
from viloapp_core import Host

async def main():
    async with Host(Path(sys.argv[1]), control=False) as host:
        host.settings.set("core.supervise.start_method", "forkserver")
        await host.call("tells.greet")
        row, = host.plugins()
        worker, server = host.worker("tells").tree.first(), host._surroundings.fork_server.pid
        print(json.dumps([row["pid"], worker, server, row["start_method"]]), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def hosts(store: Store, plant: Plant) -> Iterator[subprocess.Popen[str]]:
    """Another process that is a host."""
    plant("tells", TELLS.replace("PLUGIN", "tells"))
    words = [sys.executable, "-c", HOSTS, str(store.root)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_nothing_outlives_a_killed_host(hosts: subprocess.Popen[str], run: Run) -> None:
    """Bubblewrap waits for what only the host has, and the fork server too."""
    assert hosts.stdout is not None
    outside, worker, server_pid, method = json.loads(hosts.stdout.readline())
    assert method == "forkserver"
    inside = int(Path(f"/proc/{outside}/task/{outside}/children").read_text())
    hosts.kill()

    async def test() -> None:
        for pid in (outside, inside, worker, server_pid):
            await until(lambda pid=pid: gone(pid))  # type: ignore[misc]  # a closure's own

    run(test)


def test_closing_lets_go_of_everything(run: Run) -> None:
    """A sandbox that came to nothing has no worker, and ends by itself."""

    async def test() -> None:
        from viloapp_core.process import Spawner

        spawner = Spawner()
        try:
            sandbox = await spawner.spawn_async(["sleep", "60"], env={"PATH": "/bin"}, cwd=Path("/"))
            reads, held = os.pipe()
            child = Forked(sandbox, held, None)
            await child.begun()
            assert (await child.wait()).describe() == "ended with code 1"
            assert os.read(reads, 1) == b""
            child.close()
            os.close(reads)
        finally:
            spawner.close()

    run(test)
