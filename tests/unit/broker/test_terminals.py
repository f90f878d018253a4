"""Real shells on real terminals, as a page uses them."""

import asyncio
import hashlib
import math
import os
import select
from collections.abc import Callable
from pathlib import Path

import pytest

from viloapp_core.broker.errors import TerminalInputFullError, UnknownTerminalError
from viloapp_core.broker.terminal import (
    HIGH_BYTES,
    INPUT_BYTES,
    PIECE_BYTES,
    SOON_S,
    TURN_BYTES,
    LiveTerminal,
)
from viloapp_core.broker.terminals import Terminals
from viloapp_core.process import ExitStatus, SpawnError

from .conftest import Scene, Stage

Play = Callable[[Scene], None]


def test_a_shell_answers(play: Play) -> None:
    """What is typed is run, in the folder asked for, with a terminal that programs know."""

    async def scene(stage: Stage) -> None:
        terminal = await stage.open(cwd=Path("/usr"))
        page = stage.watch(terminal)
        stage.terminals.write(terminal.id, b"echo $((6*7)) $TERM $PWD [$LINES]\r")
        await page.until(b"42 xterm-256color /usr []")
        assert terminal.title == "sh"

    play(scene)


def test_ctrl_c_interrupts(play: Play) -> None:
    """The foreground program gets SIGINT, and the shell goes on."""

    async def scene(stage: Stage) -> None:
        terminal = await stage.open()
        page = stage.watch(terminal)
        stage.terminals.write(terminal.id, b"sh -c 'echo run''ning; exec sleep 1000'\r")
        await page.until(b"running")
        stage.terminals.write(terminal.id, b"\x03")
        # The kernel throws away what was typed around a Ctrl-C: type on when the prompt is back.
        await page.until(b"$ ")
        stage.terminals.write(terminal.id, b"echo rc=$?\r")
        await page.until(b"rc=130")

    play(scene)


def test_jobs_are_controlled(play: Play) -> None:
    """Ctrl-Z stops a program, bg and fg continue it: the shell has a controlling terminal."""

    async def scene(stage: Stage) -> None:
        terminal = await stage.open()
        page = stage.watch(terminal)
        stage.terminals.write(terminal.id, b"sh -c 'echo run''ning; exec sleep 1000'\r")
        await page.until(b"running")
        stage.terminals.write(terminal.id, b"\x1a")
        await page.until(b"Stopped")
        stage.terminals.write(terminal.id, b"bg; kill %1; wait; echo jobs''=$(jobs | wc -l)\r")
        await page.until(b"jobs=0")

    play(scene)


def test_a_resize_reaches_the_program(play: Play) -> None:
    """The size is the one asked for, then the new one, and the program is told."""

    async def scene(stage: Stage) -> None:
        terminal = await stage.open(
            "sh", "-c", "trap 'stty size' WINCH; stty size; while :; do sleep 0.01; done"
        )
        page = stage.watch(terminal)
        await page.until(b"30 100")
        stage.terminals.resize(terminal.id, 40, 120)
        await page.until(b"40 120")
        assert [(one.rows, one.cols) for one in stage.terminals.list()] == [(40, 120)]

    play(scene)


def test_a_page_that_comes_later_sees_what_was_printed(play: Play) -> None:
    """With nobody attached the terminal is read on; a second page and a third get the same."""

    async def scene(stage: Stage) -> None:
        terminal = await stage.open("sh", "-c", "seq 100000; read line; echo got $line")
        await _until_replayed(stage, terminal.id, b"100000\r\n")
        first, second = stage.watch(terminal), stage.watch(terminal)
        assert first.seen == second.seen
        assert len(first.seen) <= 256 * 1024
        assert first.seen.endswith(b"99999\r\n100000\r\n")
        stage.terminals.write(terminal.id, b"it\r")
        await first.until(b"got it")
        await second.until(b"got it")

    play(scene)


async def _until_replayed(stage: Stage, terminal_id: str, end: bytes) -> None:
    """Attach again and again, until the program has printed that far. Nobody is attached in between."""
    async with asyncio.timeout(10):
        replay = b""
        while not replay.endswith(end):
            pieces: list[bytes] = []
            stage.terminals.attach(terminal_id, pieces.append).detach()
            replay = b"".join(pieces)
            await asyncio.sleep(0)


def test_a_page_that_does_not_acknowledge_pauses_the_program(play: Play) -> None:
    """Little more than the high mark is sent; acknowledging lets the flood go on; detaching does, too."""

    async def scene(stage: Stage) -> None:
        terminal = await stage.open("sh", "-c", "yes | head -c 3000000; echo E''ND")
        slow = stage.watch(terminal, acknowledges=False)
        await _stands_still(slow.seen)
        assert HIGH_BYTES < len(slow.seen) <= HIGH_BYTES + TURN_BYTES
        assert slow.attachment is not None
        slow.attachment.ack(32 * 1024)
        before = len(slow.seen)
        await _stands_still(slow.seen)
        assert len(slow.seen) == before, "it went on above the low mark"
        slow.attachment.ack(HIGH_BYTES)
        await _stands_still(slow.seen)
        assert len(slow.seen) > before
        quick = stage.watch(terminal)
        slow.attachment.detach()
        await quick.until(b"END")

    play(scene)


def test_output_waits_for_what_was_asked_for_just_now(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read in the first moment, and all of it after that."""
    monkeypatch.setattr("viloapp_core.broker.terminal.PUT_OFF_S", 1e9)

    async def scene(stage: Stage) -> None:
        looks = 0

        def waited_s() -> float:
            nonlocal looks
            looks += 1
            return 0 if looks <= 20 else math.inf

        stage.terminals = Terminals(stage.spawner, on_event=lambda name, data: None, waited_s=waited_s)
        try:
            terminal = await stage.open("sh", "-c", "echo prin''ted; exec sleep 1000")
            page = stage.watch(terminal)
            while looks < 20:
                assert not page.seen
                await asyncio.sleep(0)
            await page.until(b"printed")
        finally:
            await stage.terminals.aclose()

    play(scene)


@pytest.mark.parametrize(("waited_s", "most"), [(SOON_S / 2, PIECE_BYTES), (SOON_S * 2, TURN_BYTES)])
def test_output_comes_in_pieces_while_something_is_waited_for(play: Play, waited_s: float, most: int) -> None:
    """As long as that is soon to come; what takes long is in nobody's way."""
    sizes: list[int] = []

    async def scene(stage: Stage) -> None:
        stage.terminals = Terminals(
            stage.spawner, on_event=lambda name, data: None, waited_s=lambda: waited_s
        )
        try:
            terminal = await stage.open("sh", "-c", "head -c 3000000 /dev/zero; echo E''ND; exec sleep 1000")
            ended = asyncio.Event()

            def sink(data: bytes) -> None:
                sizes.append(len(data))
                asyncio.get_running_loop().call_soon(lambda: attachment.ack(len(data)))
                if b"END" in data:
                    ended.set()

            attachment = stage.terminals.attach(terminal.id, sink)
            await asyncio.wait_for(ended.wait(), 10)
        finally:
            await stage.terminals.aclose()

    play(scene)
    assert max(sizes[1:]) <= most  # the first is what was printed before anybody looked
    assert (max(sizes[1:]) > PIECE_BYTES) == (most > PIECE_BYTES)


async def _flooded_while_one_answer_after_the_other_is_waited_for(stage: Stage) -> None:
    stage.terminals = Terminals(stage.spawner, on_event=lambda name, data: None, waited_s=lambda: 0)
    try:
        terminal = await stage.open("sh", "-c", "yes | head -c 300000; echo E''ND; exec sleep 1000")
        await stage.watch(terminal).until(b"END")
    finally:
        await stage.terminals.aclose()


def test_output_waits_each_time(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read once is put off again at the next time."""
    monkeypatch.setattr("viloapp_core.broker.terminal.PUT_OFF_S", 0.0)
    began: list[float | None] = []
    put_off = LiveTerminal._put_off

    def look(terminal: LiveTerminal) -> bool:
        began.append(terminal._put_off_at)
        return put_off(terminal)

    monkeypatch.setattr(LiveTerminal, "_put_off", look)
    play(_flooded_while_one_answer_after_the_other_is_waited_for)
    assert len(began) > 2
    assert set(began) == {None}


def test_output_never_waits_for_good(play: Play) -> None:
    """Where one answer after the other is waited for, a flood has its turn all the same."""
    play(_flooded_while_one_answer_after_the_other_is_waited_for)


async def _stands_still(seen: bytearray) -> None:
    """Wait until a flood of data has stopped: a twentieth of a second without a byte is long for `yes`."""
    size = -1
    while size != len(seen) or not seen:
        size = len(seen)
        await asyncio.sleep(0.05)


def test_acknowledging_in_the_pages_steps_does_not_deadlock(play: Play) -> None:
    """A page that acknowledges 32 KiB at a time gets all of 5 MB."""

    async def scene(stage: Stage) -> None:
        terminal = await stage.open("sh", "-c", "yes | head -c 2500000; echo E''ND")
        page = stage.watch(terminal, acknowledges=False)
        assert page.attachment is not None
        acknowledged = 0
        async with asyncio.timeout(30):
            while not page.seen.endswith(b"END\r\n"):
                while len(page.seen) - acknowledged >= 32 * 1024:
                    page.attachment.ack(32 * 1024)
                    acknowledged += 32 * 1024
                await asyncio.sleep(0)
        assert len(page.seen) > 3_750_000 - 256 * 1024

    play(scene)


def test_a_program_that_never_reads_does_not_hold_up_the_host(play: Play) -> None:
    """Writing returns at once; beyond the bound it is refused with the reason; other terminals go on."""

    async def scene(stage: Stage) -> None:
        deaf = await stage.open("sh", "-c", "stty raw -echo; echo rea''dy; exec sleep 1000")
        await stage.watch(deaf).until(b"ready")

        def flood() -> None:
            for _ in range(2 * INPUT_BYTES // 65536):
                stage.terminals.write(deaf.id, b"x" * 65536)

        with pytest.raises(TerminalInputFullError) as caught:
            flood()
        assert caught.value.hint
        other = await stage.open()
        page = stage.watch(other)
        stage.terminals.write(other.id, b"echo still $((1+1)) here\r")
        await page.until(b"still 2 here")

    play(scene)


def test_input_that_waited_arrives_whole(play: Play) -> None:
    """Far more than the kernel holds, typed at once, reaches a program that reads late, in order."""

    async def scene(stage: Stage) -> None:
        sent = b"".join(b"%07d\n" % number for number in range(50_000))
        script = f"stty raw -echo; echo rea''dy; sleep 0.1; head -c {len(sent)} | sha256sum"
        terminal = await stage.open("sh", "-c", script)
        page = stage.watch(terminal)
        await page.until(b"ready")
        stage.terminals.write(terminal.id, sent)
        await page.until(hashlib.sha256(sent).hexdigest().encode())

    play(scene)


def test_the_end_is_told_once_with_all_that_was_printed(play: Play) -> None:
    """The last words come before the event; the terminal leaves the list, its output can still be fetched."""

    async def scene(stage: Stage) -> None:
        terminal = await stage.open("sh", "-c", "seq 1000; exit 3", owner="hello")
        event = await stage.event()
        assert event == (
            "terminal.exited",
            {"terminal": terminal.id, "code": 3, "owner": "hello", "detail": "ended with code 3"},
        )
        assert stage.terminals.list() == []
        late = stage.watch(terminal)
        assert late.seen.endswith(b"999\r\n1000\r\n")
        assert late.attachment is not None
        assert late.attachment.ended == ExitStatus(code=3)
        stage.terminals.write(terminal.id, b"nobody hears")
        stage.terminals.resize(terminal.id, 10, 10)
        assert stage.events.empty()

    play(scene)


def test_last_words_reach_a_page_that_is_behind(play: Play) -> None:
    """A paused terminal whose program ends is read to the end: nothing would come to resume it."""

    async def scene(stage: Stage) -> None:
        script = f"stty -echo; yes | head -c {HIGH_BYTES}; read line; echo last words"
        terminal = await stage.open("sh", "-c", script)
        slow = stage.watch(terminal, acknowledges=False)
        # A line's end is two bytes on a terminal, so that this is above the high mark.
        await _stands_still(slow.seen)
        assert len(slow.seen) > HIGH_BYTES
        assert slow.attachment is not None
        # Let the rest of it through, but not below the low mark.
        while not slow.seen.endswith(b"y\r\n") or len(slow.seen) < HIGH_BYTES * 3 // 2:
            slow.attachment.ack(HIGH_BYTES)
            await _stands_still(slow.seen)
        slow.attachment.unacknowledged = HIGH_BYTES + 1
        slow.attachment.ack(0)
        stage.terminals.write(terminal.id, b"\r")
        await stage.event()
        assert slow.seen.endswith(b"last words\r\n")

    play(scene)


def test_close_ends_the_whole_session(play: Play) -> None:
    """Also jobs in process groups of their own that ignore SIGHUP; the shell hears it and may tidy up."""

    async def scene(stage: Stage) -> None:
        terminal = await stage.open()
        page = stage.watch(terminal)
        job = b"sh -c \"trap '' HUP; echo pid=\\$\\$=; while :; do sleep 1000; done\" &\r"
        stage.terminals.write(terminal.id, b"set -m; " + job)
        await page.until(b"\r\n")
        await page.until(b"pid=")
        while b"=" not in page.seen:
            await asyncio.sleep(0)
        pidfd = os.pidfd_open(int(page.seen[: page.seen.index(b"=")]))
        await stage.terminals.close(terminal.id)
        gone = select.select([pidfd], [], [], 2)[0]
        os.close(pidfd)
        assert gone
        _, ending = await stage.event()
        assert ending["detail"] == "killed by SIGHUP"
        with pytest.raises(UnknownTerminalError):
            stage.terminals.write(terminal.id, b"x")

    play(scene)


def test_the_list_is_of_one_owner_and_of_this_moment(play: Play) -> None:
    """Each plugin sees its own, with the folder that the shell is in now."""

    async def scene(stage: Stage) -> None:
        terminal = await stage.open(owner="one")
        await stage.open(owner="two")
        page = stage.watch(terminal)
        stage.terminals.write(terminal.id, b"cd /usr/bin; echo mo''ved\r")
        await page.until(b"moved")
        assert [(one.id, one.cwd) for one in stage.terminals.list(owner="one")] == [
            (terminal.id, Path("/usr/bin"))
        ]
        assert len(stage.terminals.list()) == 2

    play(scene)


def test_a_page_whose_sink_fails_is_let_go(play: Play) -> None:
    """The others go on, and the terminal is not paused by what it cannot deliver."""

    async def scene(stage: Stage) -> None:
        complaints: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
        terminal = await stage.open("sh", "-c", "read line; yes | head -c 1000000; echo E''ND; read line")

        def fail(data: bytes) -> None:
            raise ConnectionError

        stage.terminals.attach(terminal.id, fail)
        page = stage.watch(terminal)
        stage.terminals.write(terminal.id, b"\r")
        await page.until(b"END")
        assert complaints == ["a page could not take a terminal's output"]

    play(scene)


def test_ids_cannot_be_guessed(play: Play) -> None:
    """192 bits each, and an unknown one is refused without repeating it whole."""

    async def scene(stage: Stage) -> None:
        ids = {(await stage.open("true")).id for _ in range(3)}
        assert len(ids) == 3
        assert all(len(one) == 32 for one in ids)
        with pytest.raises(UnknownTerminalError) as caught:
            stage.terminals.attach("0123456789", print)
        assert "0123456789" not in caught.value.detail

    play(scene)


def test_a_missing_program_or_folder_says_so(play: Play) -> None:
    """Before anything is started."""

    async def scene(stage: Stage) -> None:
        with pytest.raises(SpawnError, match="no-such-shell"):
            await stage.open("no-such-shell")
        with pytest.raises(SpawnError, match="/no/such/folder"):
            await stage.open("sh", cwd=Path("/no/such/folder"))
        assert stage.terminals.list() == []

    play(scene)
