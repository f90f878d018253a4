"""One host per store: every command reaches it, and changes take effect without a restart."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.e2e.harness import UNSIGNED, Viloapp, eventually

CLONE = Path(__file__).parents[2]
PLUGINS = ("hello", "async_hello", "calls_other_plugin", "nested_calls", "dynamic_commands")


def test_call_from_another_shell_reaches_the_same_worker(shared: Viloapp, folder: Path) -> None:
    """Each `viloapp call` is a process of its own; the counter lives in one worker."""
    with shared.workspace(folder):
        assert [shared.call("hello.count") for _ in range(3)] == [1, 2, 3]
    assert shared.call("hello.count") == 1  # without a host, each call has a worker of its own


@pytest.mark.parametrize("running", [True, False], ids=["a workspace", "no host"])
def test_a_streaming_command_writes_its_bytes_to_standard_output(
    shared: Viloapp, folder: Path, running: bool
) -> None:
    """As they come and as they are; what goes wrong in the middle comes after them; a reader may leave."""
    with shared.workspace(folder) if running else contextlib.nullcontext():
        done = shared("call", "hello.lines", '{"count": 100000}')
        assert done.ok().out == "".join(f"line {number}\n" for number in range(100_000))
        failed = shared("call", "hello.lines", '{"count": 2, "fail": true}')
        assert "ValueError: no more lines" in failed.refused(1)
        assert failed.out == "line 0\nline 1\n"
        refused = shared("call", "--json", "hello.lines", '{"count": 2}')
        assert "without --json" in refused.refused(1)
        assert json.loads(refused.out)["error"]["code"] == "streaming_command"
        left = shared.start("call", "hello.lines", '{"count": 100000000}', stderr=subprocess.DEVNULL)
        assert left.stdout is not None
        assert left.stdout.readline() == "line 0\n"
        left.stdout.close()
        assert left.wait(30) != 0
        assert shared.call("hello.count") >= 1


def test_call_without_a_host_leaves_nothing_running(shared: Viloapp) -> None:
    """A temporary host ends with the call, and its workers with it."""
    shared.call("hello.greet")
    assert shared.processes() == {}


def test_install_and_disable_take_effect_at_once(app: Viloapp, wheels: dict[str, Path], folder: Path) -> None:
    """A plugin installed, disabled, enabled and removed beside a running host follows each time."""
    with app.workspace(folder):
        assert "hello.greet" in app("call", "hello.greet").refused(1)
        app("install", "--yes", *UNSIGNED, wheels["hello"]).ok()
        assert app.call("hello.count") == 1
        app("disable", "hello").ok()
        app("call", "hello.count").refused(1)
        eventually(lambda: not app.processes(), within_s=15, what="the disabled plugin's worker is gone")
        app("enable", "hello").ok()
        assert app.call("hello.count") == 1
        app("install", "--yes", *UNSIGNED, "--force-reinstall", wheels["hello"]).ok()
        assert app.call("hello.count") == 1  # the new generation's worker
        app("uninstall", "hello").ok()
        app("call", "hello.greet").refused(1)


def test_plugins_start_when_first_needed(shared: Viloapp, folder: Path) -> None:
    """A host starts no worker that nobody has asked for."""
    with shared.workspace(folder):
        states = {each["id"]: each["state"] for each in shared("status", "--json").json()["plugins"]}
        assert set(states.values()) == {"stopped"}
        shared.call("hello.greet")
        states = {each["id"]: each["state"] for each in shared("status", "--json").json()["plugins"]}
        assert {name for name, state in states.items() if state == "running"} == {"hello"}


def test_a_running_plugin_is_profiled_and_measured(shared: Viloapp, folder: Path) -> None:
    """By the command, through the host: a picture in the folder, and figures of what was called."""
    with shared.workspace(folder):
        shared("profile", "hello", "--seconds", "0.5").refused(1)  # it does not run
        shared.call("hello.greet")
        picture = folder / "hello.svg"
        words = ("hello", "--seconds", "0.5", "--sampler", "sdk", "-o", picture, "--json")
        told = shared("profile", *words).json()
        assert (told["sampler"], told["file"]) == ("sdk", str(picture))
        assert "<svg" in picture.read_text()
        (row,) = [each for each in shared("status", "--json").json()["plugins"] if each["id"] == "hello"]
        assert (row["command_count"], row["error_count"]) == (1, 0)
        assert 0 < row["startup_time"] < 30
        where = shared("status", "--metrics-url", "--json").json()
        bearer = {"Authorization": f"Bearer {Path(where['token_file']).read_text().strip()}"}
        with urlopen(Request(where["metrics_url"], headers=bearer)) as answer:
            assert 'viloapp_plugin_up{plugin="hello"} 1.0' in answer.read().decode()


def test_second_run_prints_the_address_of_the_first(shared: Viloapp, folder: Path) -> None:
    """There is one host per store; who asks again is led to it."""
    with shared.workspace(folder) as workspace:
        again = shared("run", folder, "--no-browser").ok()
        assert again.out.split()[-1].split("#")[0] == workspace.url.split("#")[0]
        assert workspace.alive()


def test_address_is_on_loopback_with_the_token_in_the_fragment(shared: Viloapp, folder: Path) -> None:
    """The token never reaches a server's log or a proxy."""
    with shared.workspace(folder) as workspace:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/#token=[\w-]{22,}", workspace.url)


def test_socket_is_the_persons_alone(shared: Viloapp, folder: Path) -> None:
    """Nobody else on the machine can speak to the host."""
    with shared.workspace(folder):
        sockets = [path for path in shared.runtime.rglob("*") if path.is_socket()]
        assert sockets
        for path in sockets:
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert path.parent.stat().st_uid == os.geteuid()


def test_ctrl_c_ends_host_and_workers(shared: Viloapp, folder: Path) -> None:
    """The host ends within seconds, leaves no process and says nothing frightening."""
    with shared.workspace(folder) as workspace:
        shared.call("hello.greet")
        shared.call("async_hello.greet")
        code = workspace.stop(signal.SIGINT, within_s=15)
        assert "Traceback" not in workspace.said()
        assert code in (0, 130)
    assert shared.processes() == {}


def test_one_plugin_calls_another(shared: Viloapp) -> None:
    """Through the host, each in its own process and virtualenv."""
    assert shared.call("caller.greet", name="you") == "hello says: Hello, you!"


def test_nested_calls_go_deep_but_not_for_ever(shared: Viloapp) -> None:
    """A handler that waits on the host serves calls meanwhile, to a bounded depth with a clear error."""
    assert shared.call("nested.sum", n=3) == 6
    told = shared("call", "nested.sum", '{"n": 1000}').refused(1)
    assert "nested" in told


def test_async_handlers_run_beside_each_other(shared: Viloapp, folder: Path) -> None:
    """Two calls that wait for each other both end, and a coroutine asks the host without blocking."""
    with shared.workspace(folder):
        shared.call("async_hello.greet")
        waiting = [shared.start("call", "async_hello.meet", '{"count": 2}') for _ in range(2)]
        assert [each.wait(60) for each in waiting] == [0, 0]
        for each in waiting:
            each.communicate()
        assert shared.call("async_hello.folder") == str(folder)


def test_command_of_the_running_process_alone(shared: Viloapp, folder: Path) -> None:
    """What `get_commands()` returns at run time is there once the worker has started."""
    with shared.workspace(folder):
        assert shared.call("dynamic.known") == "known"
        assert shared.call("dynamic.late") == "late"


def test_command_with_its_plugins_name(shared: Viloapp) -> None:
    """`<plugin-id>:<command>` names a command beyond doubt."""
    assert shared.call("hello:hello.greet") == "Hello, world!"


def test_events_carry_their_true_source(shared: Viloapp, folder: Path) -> None:
    """What a plugin claims to be the source of an event is not believed."""
    with shared.workspace(folder):
        shared.call("hello.listen", type="hello.happened")
        shared.call("hello.emit", type="hello.happened", text="now")
        heard = eventually(lambda: shared.call("hello.heard"), within_s=15)
        assert heard == ["hello: now"]


def test_theme_service(shared: Viloapp) -> None:
    """A plugin reads the theme, and an unknown colour is black."""
    theme, colour = shared.call("hello.theme")
    assert theme in ("dark", "light", "high-contrast")
    assert colour == "#000000"


def test_call_made_away_from_the_workspace_says_when_it_gives_up(shared: Viloapp, folder: Path) -> None:
    """`--timeout` ends a call that would wait for ever, and the host and its worker go on."""
    with shared.workspace(folder):
        shared.call("async_hello.greet")
        shared("call", "--timeout", "1", "async_hello.never").refused(1)
        assert shared.call("async_hello.greet") == "Hello, world!"


def test_example_embeds_the_host(shared: Viloapp) -> None:
    """`examples/embed.py` does what it shows, in a loop of the caller's and in a thread that ends."""
    example = CLONE / "examples" / "embed.py"
    assert len([line for line in example.read_text().splitlines() if line]) < 20
    done = subprocess.run(
        [sys.executable, example, "hello.greet", '{"name": "you"}'],
        env=shared.environ,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Hello, you!"] * 2
    assert shared.processes() == {}


def test_core_alone_imports_no_web_package(shared: Viloapp) -> None:
    """Embedding brings no server along, nor anything that installing needs."""
    code = (
        "import sys; from viloapp_core import Host; Host; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"starlette", "uvicorn", "websockets", "rich", "click", "virtualenv", "installer", "pip"}
    assert not heavy & set(done.stdout.split())
