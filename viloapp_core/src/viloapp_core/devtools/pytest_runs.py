"""A project's tests, run by pytest: in the author's own process tree, or in the plugin's sandbox.

In the environment's interpreter, outside of the sandbox, runs what the author chose to run: the plugin, its
tests, and all that is installed beside them, with the author's rights. `sandboxed` starts none of it outside.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence

from viloapp_core.devtools.bench import Bench
from viloapp_core.host import Host
from viloapp_core.supervise import Worker

__all__ = ["in_process", "sandboxed"]

_LOOK_S = 0.1
_DROPPED = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP")


def in_process(bench: Bench, arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run pytest with the author's rights; its output is ours as it comes. Returns its exit code."""
    scripts = bench.python.parent
    env = {name: value for name, value in environ.items() if name not in _DROPPED}
    env |= {
        "VIRTUAL_ENV": str(scripts.parent),
        "PATH": os.pathsep.join((str(scripts), environ.get("PATH", os.defpath))),
    }
    command = [str(bench.python), "-m", "pytest", *arguments]
    with subprocess.Popen(command, cwd=bench.project, env=env) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                # The terminal told pytest too, which prints what it has and ends; a second one ends it now.
                with contextlib.suppress(KeyboardInterrupt):
                    return process.wait()
                process.kill()


def sandboxed(
    bench: Bench,
    arguments: Sequence[str],
    new_lines: Callable[[], Sequence[str]],
    show: Callable[[str], None],
    columns: int,
) -> int:
    """Run pytest in a worker of the plugin's, in its sandbox, with what it declares. Returns its exit code.

    Args:
        bench: the environment.
        arguments: pytest's.
        new_lines: returns what was added to the plugin's log since it was last called.
        show: takes a line.
        columns: width of the lines.

    Raises:
        ViloError: no sandbox works here as it has to, or the process was lost.
    """
    code = asyncio.run(_sandboxed(bench, arguments, new_lines, show, columns))
    for line in new_lines():  # what the pipe of the log still held when the answer came
        show(line)
    return code


async def _sandboxed(
    bench: Bench,
    arguments: Sequence[str],
    new_lines: Callable[[], Sequence[str]],
    show: Callable[[str], None],
    columns: int,
) -> int:
    async with Host(bench.store.root, workspace=bench.project, control=False) as host:
        worker = host.worker(bench.plugin.plugin_id)
        assert isinstance(worker, Worker)
        given = {"project": str(bench.project), "arguments": list(arguments), "columns": columns}
        running = asyncio.ensure_future(worker.call("command", ["test", given], timeout_s=None))
        try:
            while not running.done():
                await asyncio.wait([running], timeout=_LOOK_S)
                for line in new_lines():
                    show(line)
            return int(await running)
        finally:
            running.cancel()
