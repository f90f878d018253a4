"""Real interpreters, real virtualenvs, and a worker that tells what it can reach."""

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from viloapp_core.process import Spawner
from viloapp_core.sandbox import Launch, Probe, Request, launch_plan, probe, program_plan
from viloapp_core.sandbox.observing.observation import Observation
from viloapp_core.sandbox.observing.observer import Observer

# Stands in for the SDK's worker: runs the code that it is sent and answers with what `answer` became.
WORKER = """
import json, os
def main(fd_in, fd_out):
    with os.fdopen(fd_in, "r") as code, os.fdopen(fd_out, "w") as answers:
        for line in code:
            names = {}
            exec(json.loads(line), names)
            print(json.dumps(names.get("answer")), file=answers, flush=True)
"""

NO_SANDBOX = Probe("none", "none", "bubblewrap is not installed", "install it")


@dataclass(frozen=True)
class Interpreter:
    """A Python installation of this machine."""

    version: str
    prefix: Path
    executable: Path


@functools.cache
def interpreters() -> tuple[Interpreter, ...]:
    """Every Python from 3.10 on that PATH leads to, this one first. A shim that fails is none."""
    ask = "import sys; print(sys.version_info[1], sys.base_prefix, sys._base_executable, sep='\\n')"
    found: dict[str, Interpreter] = {}
    for program in (sys.executable, *(shutil.which(f"python3.{minor}") for minor in range(10, 20))):
        if program is None:
            continue
        told = subprocess.run([program, "-I", "-c", ask], capture_output=True, text=True, check=False)
        if told.returncode == 0:
            minor, prefix, executable = told.stdout.splitlines()
            found.setdefault(f"3.{minor}", Interpreter(f"3.{minor}", Path(prefix), Path(executable)))
    return tuple(found.values())


@pytest.fixture(scope="session")
def confinement() -> Probe:
    """What works here. In CI a machine without a sandbox is a failure; elsewhere these tests are left out."""
    found = probe()
    if found.backend == "none":
        if os.environ.get("CI"):
            pytest.fail(f"no sandbox: {found.reason}; {found.remedy}")
        pytest.skip(f"no sandbox: {found.reason}")
    return found


class Installed:
    """A worker laid out as the store does, and started as the host does."""

    def __init__(self, request: Request, confinement: Probe, spawner: Spawner) -> None:
        self.request = request
        self._confinement = confinement
        self._spawner = spawner

    def plan(
        self,
        fds: tuple[int, int],
        *,
        allow_unsandboxed: bool = False,
        watch: int | None = None,
        **changes: Any,
    ) -> Launch:
        """Return how it would be started."""
        request = replace(self.request, **changes)
        return launch_plan(
            request, self._confinement, allow_unsandboxed=allow_unsandboxed, fds=fds, watch=watch
        )

    def run(
        self,
        code: str,
        *,
        allow_unsandboxed: bool = False,
        observation: Observation | None = None,
        **changes: Any,
    ) -> Any:
        """Start it, run code in it, and return the code's ``answer``; with an observation it is watched."""
        their_in, our_out = os.pipe()
        our_in, their_out = os.pipe()
        observer = Observer(observation) if observation is not None else None
        watch = observer.theirs if observer is not None else None
        plan = self.plan((their_in, their_out), allow_unsandboxed=allow_unsandboxed, watch=watch, **changes)
        child = self._spawner.spawn(
            plan.argv, env=plan.env, cwd=plan.cwd, pass_fds=plan.pass_fds, stdout=2, stderr=2
        )
        plan.close()
        if observer is not None:
            observer.begin(plan.observed, lambda reason: child.kill())
        os.close(their_in)
        os.close(their_out)
        with os.fdopen(our_out, "w") as questions, os.fdopen(our_in, "r") as answers:
            questions.write(json.dumps(code) + "\n")
            questions.close()
            answer = answers.read()
        if observer is not None:
            observer.close()
        assert child.wait_blocking(5) is not None
        assert answer, "the worker ended without an answer; its output is above"
        return json.loads(answer)

    def run_script(self, script: Path, arguments: tuple[str, ...], *, allow_unsandboxed: bool = False) -> str:
        """Run a script of the core's in its place; return what that printed."""
        found = NO_SANDBOX if allow_unsandboxed else self._confinement
        plan = program_plan(self.request, script, arguments, found, allow_unsandboxed=allow_unsandboxed)
        read, write = os.pipe()
        child = self._spawner.spawn(
            plan.argv, env=plan.env, cwd=plan.cwd, pass_fds=plan.pass_fds, stdout=write, stderr=2
        )
        plan.close()
        os.close(write)
        with os.fdopen(read) as said:
            printed = said.read()
        assert child.wait_blocking(5) is not None
        return printed


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Interpreter], Path]:
    """A generation for each interpreter, made once."""
    store = tmp_path_factory.mktemp("stores") / "store"

    @functools.cache
    def make(interpreter: Interpreter) -> Path:
        generation = store / "plugins" / "looker" / "generations" / interpreter.version
        target = ("-p", str(interpreter.executable), str(generation / "venv"))
        subprocess.run(
            [sys.executable, "-m", "virtualenv", "-q", "--no-seed", "--no-periodic-update", *target],
            check=True,
        )
        package = generation / "venv/lib" / f"python{interpreter.version}" / "site-packages/viloapp_sdk"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "worker.py").write_text(WORKER)
        return generation

    return make


@pytest.fixture
def spawner() -> Iterator[Spawner]:
    """A spawner, closed after the test."""
    one = Spawner()
    yield one
    one.close()


@pytest.fixture
def install(
    environments: Callable[[Interpreter], Path], spawner: Spawner
) -> Callable[[Interpreter, Probe], Installed]:
    """Lay the worker out for an interpreter."""

    def make(interpreter: Interpreter, confinement: Probe) -> Installed:
        generation = environments(interpreter)
        request = Request(
            plugin_id="looker",
            python=generation / "venv/bin/python",
            generation=generation,
            base_prefix=interpreter.prefix,
            base_executable=interpreter.executable,
            data_dir=generation.parents[1] / "data",
            uid=None if os.geteuid() else 70123,
        )
        return Installed(request, confinement, spawner)

    return make


@pytest.fixture
def worker(install: Callable[[Interpreter, Probe], Installed], confinement: Probe) -> Installed:
    """The worker under this test run's own Python."""
    return install(interpreters()[0], confinement)
