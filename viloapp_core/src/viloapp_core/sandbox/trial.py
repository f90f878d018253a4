"""What a plugin could do here, found out by having a process in its place try: what `viloapp doctor` tells.

for row in trial(probe(), folder=store.root, uid=None):
    print(row.category, row.level, row.reason)
"""

import contextlib
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viloapp_core.foundation import commands
from viloapp_core.foundation.errors import CommandError
from viloapp_core.sandbox.launch import program_plan
from viloapp_core.sandbox.levels import Level, weakest
from viloapp_core.sandbox.outcome import Probe
from viloapp_core.sandbox.request import Request

__all__ = ["Capability", "judge", "targets", "trial"]

_TIMEOUT_S = 30.0
_TALK_S = 1.0
_ATTEMPTS_FILE = Path(__file__).with_name("attempts.py")

# What an attempt means: ``none`` where it succeeds for the category, ``partial`` where it is a lesser thing.
_MEANING: Mapping[str, Mapping[str, Level]] = {
    "filesystem": {"read": "none", "write": "none", "touch": "partial", "look": "partial"},
    "network": {
        **dict.fromkeys(("tcp", "mptcp", "fastopen", "udp"), "none"),
        **dict.fromkeys(("unix", "abstract"), "partial"),
    },
    "process": {
        **dict.fromkeys(("memory", "attach"), "none"),
        **dict.fromkeys(("signal", "limit", "execute", "namespace", "ring"), "partial"),
    },
}
# The host answers these, and decides; they hold as far as a plugin cannot reach the host past its answers.
_IN_THE_HOST = ("system", "ui", "services", "plugins")


@dataclass(frozen=True, slots=True)
class Capability:
    """How well the permissions of one category are enforced here.

    Args:
        category: of permissions.
        level: how well.
        reason: what was seen.
        remedy: what the person can do about it; empty when nothing is wrong.
    """

    category: str
    level: Level
    reason: str
    remedy: str = ""


def trial(probe: Probe, *, folder: Path, uid: int | None) -> tuple[Capability, ...]:
    """Start a process as a plugin's would be, have it try, and say what that means for each category.

    Args:
        probe: what works here.
        folder: where a scratch folder can be made.
        uid: the user to try as, for a host that is root's.
    """
    try:
        achieved = _run(probe, folder, uid)
    except (CommandError, OSError) as error:
        return tuple(
            Capability(category, "none", f"it could not be tried: {error}", probe.remedy)
            for category in (*_MEANING, *_IN_THE_HOST)
        )
    return judge(achieved, probe)


def judge(achieved: Mapping[str, str], probe: Probe) -> tuple[Capability, ...]:
    """Return what attempts mean for each category. Pure.

    Args:
        achieved: by attempt what it achieved, empty where it was stopped.
        probe: why there is no better sandbox, and the remedy.
    """
    rows = [_row(category, attempts, achieved, probe) for category, attempts in _MEANING.items()]
    behind = weakest(row.level for row in rows if row.category != "network")
    why = "each call is checked in the host"
    if behind != "enforced":
        why += ", which a plugin may reach past its calls"
    remedy = "" if behind == "enforced" else probe.remedy
    return (*rows, *(Capability(category, behind, why, remedy) for category in _IN_THE_HOST))


def _row(
    category: str, attempts: Mapping[str, Level], achieved: Mapping[str, str], probe: Probe
) -> Capability:
    # An attempt without a result counts as one that succeeded.
    done = {name: achieved.get(name, f"{name}: no result") for name in attempts}
    level = weakest(attempts[name] for name, what in done.items() if what)
    if level == "enforced":
        return Capability(category, level, f"{len(attempts)} attempts to get past it were stopped")
    what = "; ".join(what for what in done.values() if what)
    return Capability(category, level, f"a plugin {what}" + (f" ({probe.reason})"), probe.remedy)


def _run(probe: Probe, folder: Path, uid: int | None) -> dict[str, str]:
    scratch = Path(tempfile.mkdtemp(prefix=".doctor-", dir=folder)).resolve()
    try:
        generation = scratch / "plugins" / "doctor" / "generations" / "1"
        generation.mkdir(parents=True)
        python = Path(sys._base_executable)  # type: ignore[attr-defined]  # there since 3.3, not in typeshed
        request = Request(
            plugin_id="doctor",
            python=python,
            generation=generation,
            base_prefix=Path(sys.base_prefix),
            base_executable=python,
            data_dir=scratch / "plugins" / "doctor" / "data",
            uid=uid,
        )
        with targets(scratch) as prepared:
            plan = program_plan(
                request,
                _ATTEMPTS_FILE,
                (json.dumps(prepared),),
                probe,
                allow_unsandboxed=True,
            )
            try:
                done = commands.run(
                    plan.argv, env=plan.env, cwd=plan.cwd, timeout_s=_TIMEOUT_S, pass_fds=plan.pass_fds
                )
            finally:
                plan.close()
        return _read(done)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _read(done: commands.Finished) -> dict[str, str]:
    try:
        value: Any = json.loads(done.stdout)
        return {str(name): str(what) for name, what in value.items()}
    except (ValueError, AttributeError):
        said = done.stderr.strip().splitlines()
        last = said[-1] if said else f"it ended with code {done.returncode}"
        raise CommandError("trial_failed", last) from None


@contextlib.contextmanager
def targets(scratch: Path) -> Iterator[dict[str, Any]]:
    """Things of the person's and the machine's to try on: a file, servers, this process, a program."""
    secret = scratch / "secret"
    secret.write_text("this is the person's alone")
    secret.chmod(0o600)
    name = f"viloapp-doctor-{secrets.token_hex(8)}"
    # A socket's path has to be short.
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="vd-"))
        servers = [
            _serve(stack, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            _serve(stack, socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            _serve(stack, socket.AF_UNIX, socket.SOCK_STREAM, f"{place}/s"),
            _serve(stack, socket.AF_UNIX, socket.SOCK_STREAM, f"\0{name}"),
        ]
        os.chmod(place, 0o755)
        os.chmod(f"{place}/s", 0o777)
        yield {
            "secret": str(secret),
            "tcp": servers[0].getsockname()[1],
            "udp": servers[1].getsockname()[1],
            "unix": f"{place}/s",
            "abstract": name,
            "host": os.getpid(),
            "program": shutil.which("true") or "/bin/true",
        }


def _serve(stack: contextlib.ExitStack, family: int, kind: int, address: Any) -> socket.socket:
    """Listen, and answer everything with a byte, until the stack is left."""
    server = stack.enter_context(socket.socket(family, kind))
    server.bind(address)
    if kind == socket.SOCK_STREAM:
        server.listen()
    server.settimeout(0.1)
    over = threading.Event()
    thread = threading.Thread(target=_answer, args=(server, kind, over), daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(over.set)
    return server


def _answer(server: socket.socket, kind: int, over: threading.Event) -> None:
    while not over.is_set():
        with contextlib.suppress(OSError):
            if kind == socket.SOCK_DGRAM:
                _data, sender = server.recvfrom(16)
                server.sendto(b"y", sender)
            else:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(_TALK_S)
                    connection.send(b"y")
                    connection.recv(16)  # or one who speaks first would find it closed already
