"""Programs that a plugin runs: its own `subprocess`, the host's sandbox, the system's programs."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.unit.host.conftest import Plant
from tests.unit.host.test_network import eventually, grants
from viloapp_core import Host
from viloapp_core.store import Store
from viloapp_sdk.errors import PermissionDeniedError

Run = Callable[[Callable[[], Awaitable[None]]], None]

RUNNER = '''
import os
from viloapp_sdk import Plugin, command

class P(Plugin):
    @command("runs.run")
    def run(self, argv: list, text: str = "", env: dict | None = None) -> list:
        import subprocess
        done = subprocess.run(argv, input=text, capture_output=True, text=True, env=env, timeout=60)
        return [done.returncode, done.stdout, done.stderr]

    @command("runs.exact")
    def exact(self) -> str:
        import subprocess
        argv = ["printf", "%s|", "a b", "", "*", "$HOME", "it's", b"\\xff"]
        return subprocess.run(argv, stdout=subprocess.PIPE).stdout.hex()

    @command("runs.life")
    def life(self) -> list:
        """poll, terminate, kill, send_signal, wait with a timeout."""
        import signal, subprocess
        told = []
        process = subprocess.Popen(["sleep", "1000"])
        told.append(process.poll())
        try:
            process.wait(timeout=0.2)
        except subprocess.TimeoutExpired as error:
            told.append(type(error).__name__)
        process.terminate()
        told.append(process.wait(30))
        process = subprocess.Popen(["sleep", "1000"])
        process.kill()
        told.append(process.wait(30))
        traps = "trap 'echo caught; exit 7' USR1; echo ready; while :; do sleep 0.05; done"
        process = subprocess.Popen(["sh", "-c", traps], stdout=subprocess.PIPE)
        told.append(process.stdout.readline().decode())
        process.send_signal(signal.SIGUSR1)
        told.append(process.stdout.read().decode())
        told.append(process.wait(30))
        process.stdout.close()
        told.append(subprocess.call(["sh", "-c", "exit 137"]))
        try:
            subprocess.run(["sleep", "1000"], timeout=0.5)
        except subprocess.TimeoutExpired as error:
            told.append(type(error).__name__)
        return told

    @command("runs.files")
    def files(self) -> str:
        """Files for standard streams, a folder to work in, a pipe from one program to the next."""
        import subprocess
        folder = self.context.storage / "work"
        folder.mkdir(exist_ok=True)
        (folder / "in.txt").write_text("c\\nb\\na\\n")
        with open(folder / "in.txt") as source, open(folder / "out.txt", "w") as target:
            subprocess.run(["sort"], stdin=source, stdout=target, check=True)
        first = subprocess.Popen(["cat", "out.txt"], stdout=subprocess.PIPE, cwd=folder)
        second = subprocess.Popen(["head", "-n", "2"], stdin=first.stdout, stdout=subprocess.PIPE, text=True)
        first.stdout.close()
        told = second.communicate(timeout=30)[0]
        first.wait()
        return told

    @command("runs.shell")
    def shell(self, line: str) -> list:
        import subprocess
        done = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60)
        return [done.returncode, done.stdout, done.stderr]

    @command("runs.concurrently")
    async def concurrently(self, count: int) -> list:
        import asyncio

        async def one(number):
            process = await asyncio.create_subprocess_exec(
                "cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
            out, _ = await process.communicate(str(number).encode())
            return [out.decode(), process.returncode]

        return await asyncio.gather(*(one(number) for number in range(count)))

    @command("runs.error")
    def error(self, argv: list) -> list:
        import subprocess
        try:
            subprocess.run(argv, capture_output=True, timeout=60)
        except OSError as error:
            return [type(error).__name__, error.errno, str(error)]
        return []

    @command("runs.own")
    def own(self) -> list:
        """The plugin's own interpreter: by subprocess and by multiprocessing."""
        import multiprocessing, subprocess, sys
        out = subprocess.run([sys.executable, "-c", "print(6*7)"], capture_output=True, text=True).stdout
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return [out.strip(), pool.apply(abs, (-3,))]

    @command("runs.which")
    def which(self, name: str) -> str | None:
        import shutil
        return shutil.which(name)

    @command("runs.begin")
    def begin(self, argv: list) -> int:
        import subprocess
        self.process = subprocess.Popen(argv)
        return os.getpid()

    @command("runs.many")
    def many(self, count: int) -> str:
        import subprocess
        running = []
        try:
            for _ in range(count):
                running.append(subprocess.Popen(["sleep", "1000"]))
        except OSError as error:
            return f"{len(running)}: {error}"
        finally:
            for each in running:
                each.kill()
                each.wait()
        return "all"

    @command("runs.hostile")
    def hostile(self) -> list:
        """Descriptors that are no standard streams."""
        import os, socket, subprocess
        told = []
        folder = os.open(".", os.O_RDONLY)
        with socket.socket() as internet:
            for fd in (folder, internet.fileno()):
                told.append(subprocess.run(["cat"], stdin=fd, capture_output=True, text=True).stderr)
        return told
'''
SYSTEM = ("cat", "head", "printf", "sleep", "sort", "sh", "env", "id", "ls")


def _planted(plant: Plant, *programs: str) -> None:
    permissions = grants(*(f"process.execute.{each}" for each in programs))
    # What they use counts for the plugin, and sixteen with their stubs are near the default of 100 MB.
    plant("runner", RUNNER, permissions=permissions, limits={"memory_mb": 400})


def test_subprocess_as_it_always_is(plant: Plant, store: Store, run: Run) -> None:
    """Output, input, return codes, exact arguments, signals, files, pipelines, shells, asyncio."""
    _planted(plant, *SYSTEM)

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            assert await host.call("runs.run", {"argv": ["cat"], "text": "žluť"}) == [0, "žluť", ""]
            code, _, said = await host.call("runs.run", {"argv": ["ls", "/nowhere"]})
            assert code == 2
            assert "/nowhere" in said
            exact = bytes.fromhex(await host.call("runs.exact"))
            assert exact == b"a b||*|$HOME|it's|\xff|"
            expected = [None, "TimeoutExpired", -15, -9, "ready\n", "caught\n", 7, 137, "TimeoutExpired"]
            assert await host.call("runs.life") == expected
            assert await host.call("runs.files") == "a\nb\n"
            assert await host.call("runs.shell", {"line": "echo $((6*7)) | cat; exit 3"}) == [3, "42\n", ""]
            assert await host.call("runs.concurrently", {"count": 5}) == [[str(n), 0] for n in range(5)]
            assert await host.call("runs.own") == ["42", 3]
            assert await host.call("runs.which", {"name": "cat"}) in ("/bin/cat", "/usr/bin/cat")
            assert await host.call("runs.which", {"name": "tac"}) is None
            folder, internet = await host.call("runs.hostile")
            assert "is a directory" in folder  # the plugin's own interpreter says so already
            assert "cannot be a standard stream" in internet
            await eventually(lambda: host.programs.pids("runner") == [])

    run(scene)


def test_environment_of_a_program(plant: Plant, store: Store, run: Run) -> None:
    """What the plugin says, without what a loader or a shell takes code from; nothing of the host's."""
    _planted(plant, *SYSTEM)

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            env = {"MINE": "yes", "LD_PRELOAD": "/x.so", "BASH_ENV": "/x", "PATH": "/mine"}
            code, out, _ = await host.call("runs.run", {"argv": ["env"], "env": env})
            assert code == 0
            variables = dict(line.split("=", 1) for line in out.splitlines())
            assert variables["MINE"] == "yes"
            assert not {"LD_PRELOAD", "BASH_ENV", "VILOAPP_HOME", "XDG_RUNTIME_DIR"} & variables.keys()
            assert variables["PATH"] != "/mine"

    run(scene)


def test_a_program_is_confined(plant: Plant, store: Store, run: Run, tmp_path: Path) -> None:
    """It sees the system and the plugin's data, no secrets, no network, no other process."""
    _planted(plant, "sh", "cat")
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            script = f"cat {secret} /etc/shadow; echo x > /usr/x; cat /proc/net/dev | tail -n +3; ls /proc"
            _, out, said = await host.call("runs.run", {"argv": ["sh", "-c", script]})
            assert "secret" not in out
            assert said.count("cat: ") == 2
            assert not Path("/usr/x").exists()
            rows = out.splitlines()
            assert [row.split(":")[0].strip() for row in rows if ":" in row] == ["lo"]
            assert sum(row.isdigit() for row in rows) < 10

    run(scene)


def test_what_is_refused(plant: Plant, store: Store, run: Run) -> None:
    """What was not granted, by name or by path, what is not there, what the plugin made itself."""
    _planted(plant, "cat", "no-such-program", "/usr/bin/sort")

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            for argv, named in ((["id"], "id"), (["/usr/bin/id"], "/usr/bin/id"), (["missing"], "missing")):
                kind, number, text = await host.call("runs.error", {"argv": argv})
                assert (kind, number) == ("PermissionDeniedError", 13)
                assert f"viloapp permissions grant runner process.execute.{named}" in text
            kind, number, _ = await host.call("runs.error", {"argv": ["no-such-program"]})
            assert (kind, number) == ("FileNotFoundError", 2)
            with pytest.raises(PermissionDeniedError, match=r"process\.execute"):
                await host.call("runs.shell", {"line": "id"})
            for argv in (["cat", "/dev/null"], ["/bin/cat", "/dev/null"], ["sort", "/dev/null"]):
                assert await host.call("runs.run", {"argv": argv}) == [0, "", ""]
            assert (await host.call("runs.error", {"argv": ["../cat"]}))[0] == "FileNotFoundError"
            told = await host.call("runs.error", {"argv": ["cat", "x" * 200_000]})
            assert "too long" in told[2] or "over" in told[2]

    run(scene)


def test_programs_end_with_their_plugin(plant: Plant, store: Store, run: Run) -> None:
    """Killed with the worker, whatever they are doing; counted, and bounded in number."""
    _planted(plant, "sleep")
    marker = str(secrets.randbelow(10**9) + 10**6)

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            await host.call("runs.begin", {"argv": ["sleep", marker]})
            await eventually(lambda: bool(_running(marker)))
            assert len(host.programs.pids("runner")) == 1
            worker = host.worker("runner")
            assert worker is not None
            assert worker.pid is not None
            os.killpg(worker.pid, signal.SIGKILL)
            await eventually(lambda: not _running(marker))
            await eventually(lambda: host.programs.pids("runner") == [])
            assert (await host.call("runs.many", {"count": 20})).startswith("16: ")

    run(scene)


def test_programs_end_with_the_host(plant: Plant, store: Store, run: Run) -> None:
    """A host that stops leaves none."""
    _planted(plant, "sleep")
    marker = str(secrets.randbelow(10**9) + 10**6)

    async def scene() -> None:
        async with Host(store.root, control=False) as host:
            await host.call("runs.begin", {"argv": ["sleep", marker]})
            await eventually(lambda: bool(_running(marker)))
        await eventually(lambda: not _running(marker))  # its sandbox ends a moment later

    run(scene)


def _running(marker: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if f"sleep\0{marker}".encode() in line:
                found.append(int(entry.name))
    return found
