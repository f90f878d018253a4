"""An update that does not keep well is taken back by the host that runs it, with its settings, and told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.unit.host.conftest import Plant, until
from viloapp_core.foundation.files import read_json, write_json
from viloapp_core.host import Host
from viloapp_core.host.probation import ROLLED_BACK, WINDOW, fault
from viloapp_core.ledger import read_audit
from viloapp_core.operations import rollback
from viloapp_core.store import Store
from viloapp_sdk.errors import ViloError

Run = Callable[[Callable[[], Awaitable[None]]], None]
GOOD = """
import os
from viloapp_sdk import Plugin, command

class P(Plugin):
    def health_check(self):
        return not (self.context.storage / "ill").exists()

    @command("hello.version")
    def version_(self) -> str:
        return "{version} " + str(self.context.settings.get("color"))

    @command("hello.crash")
    def crash(self) -> None:
        os._exit(3)

    @command("hello.fall_ill")
    def fall_ill(self) -> None:
        (self.context.storage / "ill").touch()
"""
BAD = """
from viloapp_sdk import Plugin

class P(Plugin):
    def initialize(self, context):
        raise RuntimeError("the licence has run out")
"""
COLOR = {"color": {"type": "string", "default": "red"}}


def _good(plant: Plant, version: str, **manifest: object) -> None:
    plant("hello", GOOD.replace("{version}", version), version=version, configuration=COLOR, **manifest)


def _rolled_back(host: Host) -> list[dict[str, Any]]:
    """Return a list that fills with what is told of rollbacks."""
    found: list[dict[str, Any]] = []
    host.subscribe(lambda name, data: found.append(data) if name == ROLLED_BACK else None)
    return found


def _notices(host: Host) -> list[str]:
    """Return a list that fills with what the page is told."""
    found: list[str] = []
    host.subscribe(lambda name, data: found.append(data["message"]) if name == "notification" else None)
    return found


def _limits(host: Host, **values: float) -> None:
    for name, value in values.items():
        host.settings.set(f"core.{name.replace('__', '.')}", value)


@pytest.mark.parametrize(
    ("what", "told", "reason"),
    [
        ("failed", {"was_ready": False, "error": "no\nlicence"}, "it did not start: no licence"),
        (
            "failed",
            {"was_ready": False, "plugin": "hello", "error": "hello did not start: exit code 3"},
            "it did not start: exit code 3",
        ),
        ("failed", {"was_ready": True, "error": "exit code 3"}, ""),
        ("unhealthy", {"error": "its check returned false"}, "it was unhealthy: its check returned false"),
        ("hung", {"error": "no answer"}, "it hung: no answer"),
        ("disabled", {"failures": 4, "error": "exit code 3"}, "it failed 4 times: exit code 3"),
        ("stopped", {}, ""),
        ("healthy", {}, ""),
        ("restarting", {"delay_s": 1}, ""),
    ],
)
def test_what_speaks_against_an_update(what: str, told: dict[str, Any], reason: str) -> None:
    """A crash does not by itself, nor does what a person stopped."""
    assert fault(what, told) == reason


def test_an_update_that_fails_its_start_is_taken_back_while_the_host_runs(
    plant: Plant, run: Run, store: Store
) -> None:
    """Though nobody asks for the plugin; the former one runs, with the settings of before, and it is told."""
    _good(plant, "1.0")

    async def test() -> None:
        async with Host(control=False) as host:
            host.settings.set("hello.color", "blue")
            told = _rolled_back(host)
            notices = _notices(host)
            plant("hello", BAD, version="2.0", configuration=COLOR)
            document = read_json(store.layout.settings)
            document["plugins"]["hello"]["color"] = "green"  # what somebody set after the update
            write_json(store.layout.settings, document)
            await host.refresh()
            await until(lambda: bool(told))
            await until(lambda: host.is_running("hello"))
            assert await host.call("hello.version") == "1.0 blue"
            assert host.settings.get("hello.color") == "blue"
            reason = "it did not start: RuntimeError: the licence has run out"
            since = "set since the update, and as before it again: color"
            expected = f"update of hello to 2.0 rolled back to 1.0: {reason}; {since}"
            assert [each["message"] for each in told] == [expected]
            assert expected in notices
            (row,) = host.plugins()
            assert (row["version"], row["enabled"], row["on_probation"]) == ("1.0", True, False)
            assert row["rolled_back"] == f"update to 2.0 rolled back: {told[0]['reason']}"
        (line,) = [each for each in read_audit(store.root) if each["event"] == "rollback"]
        assert line["plugin"] == "hello"

    run(test)


def test_without_a_host_the_first_start_after_an_update_judges_it(
    plant: Plant, run: Run, store: Store
) -> None:
    """A host that lives for one call too: what it has decided it carries out before it ends."""
    _good(plant, "1.0")
    plant(
        "hello",
        BAD.replace("class P", "from viloapp_sdk import command\nclass P")
        + """
    @command("hello.version")
    def version_(self): ...
""",
        version="2.0",
    )

    async def test() -> None:
        async with Host(control=False) as host:
            told = _rolled_back(host)
            with pytest.raises(ViloError):
                await host.call("hello.version")
        assert [each["back_to"] for each in told] == ["1.0"]
        assert store.plugin("hello").version == "1.0"
        async with Host(control=False) as host:
            assert await host.call("hello.version") == "1.0 red"

    run(test)


def test_an_update_that_crashes_past_its_policy_is_taken_back_and_not_disabled(
    plant: Plant, run: Run, store: Store
) -> None:
    """One crash is not enough; the plugin is enabled afterwards, in its former version."""
    _good(plant, "1.0")
    _good(plant, "2.0", restart={"policy": "on_failure", "max_retries": 1})

    async def test() -> None:
        async with Host(control=False) as host:
            _limits(host, supervise__delay_s=0.01)
            told = _rolled_back(host)
            for _ in range(2):
                assert await host.call("hello.version") == "2.0 red"
                with pytest.raises(ViloError):
                    await host.call("hello.crash")
            await until(lambda: bool(told))
            assert told[0]["reason"].startswith("it failed 2 times: ")
            await until(lambda: store.plugin("hello").version == "1.0")
            await until(lambda: host.is_running("hello"))
            assert await host.call("hello.version") == "1.0 red"
        assert store.plugin("hello").enabled

    run(test)


def test_an_update_that_is_found_unhealthy_is_taken_back(plant: Plant, run: Run, store: Store) -> None:
    """What `health_check` says counts, while it still answers calls."""
    _good(plant, "1.0")
    _good(plant, "2.0")

    async def test() -> None:
        async with Host(control=False) as host:
            _limits(host, supervise__health_interval_s=0.1)
            told = _rolled_back(host)
            await host.call("hello.fall_ill")
            await until(lambda: bool(told))
            assert told[0]["reason"].startswith("it was unhealthy")
        assert store.plugin("hello").version == "1.0"

    run(test)


def test_an_update_that_runs_well_for_its_window_is_kept(plant: Plant, run: Run, store: Store) -> None:
    """Then there is no way back but `viloapp rollback`; a window of 0 keeps it at once."""
    _good(plant, "1.0")
    _good(plant, "2.0")

    async def test() -> None:
        async with Host(control=False) as host:
            assert [row["on_probation"] for row in host.plugins()] == [True]
        assert store.on_probation(store.plugin("hello"))  # the host was ended: that says nothing
        async with Host(control=False) as host:
            _limits(host, update__health_window=0.05)
        async with Host(control=False) as host:
            await until(lambda: not store.on_probation(store.plugin("hello")))
            await until(lambda: host.plugins()[0]["on_probation"] is False)
            told = _rolled_back(host)
            _limits(host, update__health_window=0)
            _good(plant, "3.0")
            await host.refresh()
            await until(lambda: not store.on_probation(store.plugin("hello")))
            assert told == []
        assert [line["detail"][:3] for line in read_audit(store.root) if line["event"] == "update"] == [
            "2.0",
            "3.0",
        ]

    run(test)


def test_the_end_of_a_host_is_no_failure(plant: Plant, run: Run, store: Store) -> None:
    """Nor is a person's disable, nor what the host itself refuses; the probation goes on later."""
    _good(plant, "1.0")
    plant("hello", "import time\n" + BAD.replace("raise RuntimeError", "time.sleep(60)  # "), version="2.0")

    async def test() -> None:
        async with Host(control=False) as host:
            told = _rolled_back(host)
            await until(lambda: host.plugins()[0]["state"] == "starting")
            store.set_enabled(["hello"], False, "by hand")
            await host.refresh()
            store.set_enabled(["hello"], True)
            await host.refresh()
            await until(lambda: host.plugins()[0]["state"] == "starting")
        assert told == []
        assert store.on_probation(store.plugin("hello"))

    run(test)


def test_what_a_person_rolled_back_is_judged_no_more(plant: Plant, run: Run, store: Store) -> None:
    """The former one has proved itself before."""
    _good(plant, "1.0")
    _good(plant, "2.0")

    async def test() -> None:
        async with Host(control=False) as host:
            rollback(store, "hello")
            await host.refresh()
            assert [row["on_probation"] for row in host.plugins()] == [False]
            assert await host.call("hello.version") == "1.0 red"

    run(test)


def test_an_update_that_cannot_be_taken_back_is_disabled_as_any_other(
    plant: Plant, run: Run, store: Store
) -> None:
    """Where what was before is damaged, supervision has its way, and why is told."""
    _good(plant, "1.0")
    former = store.plugin("hello").generation
    _good(plant, "2.0", restart={"policy": "never"})
    (former / "receipt.json").unlink()

    async def test() -> None:
        async with Host(control=False) as host:
            notices = _notices(host)
            with pytest.raises(ViloError):
                await host.call("hello.crash")
            await until(lambda: not store.plugin("hello").enabled)
            assert any("hello 2.0 cannot be rolled back" in each for each in notices)
        assert (store.plugin("hello").version, store.plugin("hello").enabled) == ("2.0", False)

    run(test)


def test_a_search_for_what_breaks_a_start_takes_nothing_back(plant: Plant, run: Run, store: Store) -> None:
    """`viloapp bisect` tries the same plugins again and again, and changes none of them."""
    _good(plant, "1.0")
    plant("hello", BAD, version="2.0")

    async def test() -> None:
        async with Host(control=False, only=["hello"]) as host:
            told = _rolled_back(host)
            await host.start_plugin("hello")
        assert told == []
        assert store.on_probation(store.plugin("hello"))

    run(test)


def test_the_window_is_a_setting_of_the_core(plant: Plant, run: Run) -> None:
    """A minute by default."""

    async def test() -> None:
        async with Host(control=False) as host:
            assert host.settings.get(WINDOW) == 60

    run(test)
