"""The state machine of a plugin's life, with a clock that only the tests move."""

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.supervise import machine
from viloapp_core.supervise.machine import (
    ASK_S,
    TERMINATE_S,
    Alarm,
    AlarmAt,
    Ask,
    Disable,
    Failed,
    Finished,
    Gone,
    Hung,
    Kill,
    Launch,
    Ready,
    Refused,
    Retry,
    State,
    StopAsked,
    Terminate,
    Unhealthy,
    Wanted,
    step,
)
from viloapp_core.supervise.policy import Policy, Restart

POLICY = Policy()
NOW = 1000.0
STOPPED, CRASHED = State(), State("crashed", (990.0,), 991.0)
STARTING = State("starting")
RUNNING = State("running", ready_at=995.0)
WAITING = State("restarting", (NOW,), NOW + 1)
ASKED = State("stopping", step="asked", ready_at=995.0)
ASKED_ILL = replace(ASKED, failing=True)
TERMINATED = replace(ASKED, step="terminated")
KILLED = replace(ASKED, step="killed")
KILLED_ILL = replace(KILLED, failing=True)
DISABLED = State("disabled", (1.0, 2.0, 3.0, 4.0))
EVERY = (STOPPED, CRASHED, STARTING, RUNNING, WAITING, ASKED, ASKED_ILL, TERMINATED, KILLED, DISABLED)

TABLE = [
    # Somebody needs it.
    (STOPPED, Wanted(), "starting", (Launch(),)),
    (CRASHED, Wanted(), "starting", (Launch(),)),
    (replace(CRASHED, not_before=NOW + 1), Wanted(), "restarting", (AlarmAt(NOW + 1),)),
    (WAITING, Wanted(), "restarting", ()),
    (STARTING, Wanted(), "starting", ()),
    (RUNNING, Wanted(), "running", ()),
    (ASKED, Wanted(), "stopping", ()),
    # Its time comes.
    (WAITING, Alarm(), "restarting", (AlarmAt(NOW + 1),)),
    (replace(WAITING, not_before=NOW), Alarm(), "starting", (Launch(),)),
    # It starts, or does not.
    (STARTING, Ready(), "running", (AlarmAt(NOW + 60),)),
    (STARTING, Refused(), "crashed", ()),
    (STARTING, Failed(), "crashed", ()),
    (STARTING, Failed(wanted=True), "restarting", (Retry(1.0), AlarmAt(NOW + 1))),
    (STARTING, StopAsked(), "stopping", (Kill(),)),
    # It runs, and then no more.
    (RUNNING, Failed(), "crashed", ()),
    (RUNNING, Failed(wanted=True), "restarting", (Retry(1.0), AlarmAt(NOW + 1))),
    (RUNNING, Finished(), "stopped", ()),
    (RUNNING, Finished(wanted=True), "restarting", (Retry(1.0), AlarmAt(NOW + 1))),
    (RUNNING, Hung(), "stopping", (Kill(trace=True),)),
    (RUNNING, Unhealthy(), "stopping", (Ask(), AlarmAt(NOW + ASK_S))),
    (RUNNING, StopAsked(), "stopping", (Ask(), AlarmAt(NOW + ASK_S))),
    # Its end, which escalates.
    (ASKED, Gone(), "stopped", ()),
    (ASKED, Failed(wanted=True), "stopped", ()),
    (ASKED, Alarm(), "stopping", (Terminate(), AlarmAt(NOW + TERMINATE_S))),
    (TERMINATED, Alarm(), "stopping", (Kill(),)),
    (KILLED, Alarm(), "stopping", ()),
    (KILLED, Ready(), "stopping", (Kill(),)),
    (KILLED, Refused(), "stopped", ()),
    (ASKED, Hung(), "stopping", ()),
    (ASKED_ILL, Gone(wanted=True), "restarting", (Retry(1.0), AlarmAt(NOW + 1))),
    (ASKED_ILL, Gone(), "crashed", ()),
    (ASKED_ILL, StopAsked(), "stopping", ()),
    (KILLED_ILL, Gone(), "crashed", ()),
    # What is not running has little to stop.
    (STOPPED, StopAsked(), "stopped", ()),
    (CRASHED, StopAsked(), "stopped", ()),
    (WAITING, StopAsked(), "stopped", ()),
    # It is over, until a person says otherwise.
    (DISABLED, Wanted(), "disabled", ()),
    (DISABLED, Alarm(), "disabled", ()),
    (DISABLED, StopAsked(), "disabled", ()),
]


@pytest.mark.parametrize(("state", "event", "phase", "actions"), TABLE)
def test_table(
    state: State, event: machine.Event, phase: machine.Phase, actions: tuple[machine.Action, ...]
) -> None:
    """Every transition that means something."""
    after, done = step(state, event, NOW, POLICY)
    assert (after.phase, done) == (phase, actions)


def test_every_other_event_changes_nothing() -> None:
    """What comes late is no error: each pair that the table has not is a null step."""
    known = {(state.phase, state.step, type(event)) for state, event, _, _ in TABLE}
    events = [kind() for kind in get_args(machine.Event)]
    seen = 0
    for state in EVERY:
        for event in events:
            if (state.phase, state.step, type(event)) not in known and state.phase != "stopping":
                seen += 1
                assert step(state, event, NOW, POLICY) == (state, ()), (state, event)
    assert seen > 30


def _life(policy: Policy, gaps: list[float], lasted: float) -> list[float]:
    """Return when processes were launched of a plugin that fails ``lasted`` seconds after each is ready."""
    state, now, launches = State(), 0.0, []
    for gap in gaps:
        state, actions = step(state, Wanted(), now, policy)
        if state.phase == "restarting":
            now = max(now, state.not_before)
            state, actions = step(state, Alarm(), now, policy)
        if state.phase == "disabled":
            break
        assert actions == (Launch(),)
        launches.append(now)
        state, _ = step(state, Ready(), now, policy)
        now += lasted
        if lasted >= policy.stable_s:
            state, _ = step(state, Alarm(), now, policy)
        state, _ = step(state, Failed(), now, policy)
        now += gap
    return launches


def test_the_restart_itself_forgives_nothing() -> None:
    """A plugin that crashes after each start is disabled at its fourth failure."""
    assert len(_life(POLICY, [0.0] * 20, lasted=2.0)) == 4


@pytest.mark.parametrize("retries", [0, 1, 3, 10, 100])
def test_disabled_after_the_configured_number(retries: int) -> None:
    """`max_retries` failures are survived, and one more is not; the action says how many there were."""
    policy = replace(POLICY, max_retries=retries)
    state = replace(STARTING, failures=tuple(NOW - 10 + n / 100 for n in range(retries)))
    after, actions = step(state, Failed(wanted=True), NOW, policy)
    assert (after.phase, actions) == ("disabled", (Disable(retries + 1),))
    if retries:
        fewer = replace(state, failures=state.failures[1:])
        assert step(fewer, Failed(wanted=True), NOW, policy)[0].phase == "restarting"


def test_running_well_for_long_enough_forgives() -> None:
    """Just before the stable period is over all failures count, and then none does."""
    state = replace(RUNNING, failures=(980.0, 981.0, 982.0), ready_at=990.0)
    assert step(state, Alarm(), 990 + 59.9, POLICY)[0].failures == (980.0, 981.0, 982.0)
    assert step(state, Alarm(), 990 + 60.0, POLICY)[0].failures == ()
    assert step(state, Failed(), 990 + 59.9, POLICY)[0].phase == "disabled"
    late = step(state, Failed(), 990 + 60.0, POLICY)[0]
    assert (late.phase, late.failures) == ("crashed", (1050.0,))


def test_failures_leave_the_window() -> None:
    """What failed longer ago than the window does not count, though nothing was forgiven."""
    state = replace(STARTING, failures=(NOW - 301, NOW - 299, NOW - 10))
    after, _ = step(state, Failed(), NOW, POLICY)
    assert (after.phase, after.failures) == ("crashed", (NOW - 299, NOW - 10, NOW))


def test_never_is_disabled_at_once_and_always_never() -> None:
    """The two ends: the first failure, and no number of them."""
    never = step(RUNNING, Failed(wanted=True), NOW, Policy("never"))
    assert (never[0].phase, never[1]) == ("disabled", (Disable(1),))
    assert len(_life(Policy("always"), [0.0] * 500, lasted=0.1)) == 500
    ended = step(RUNNING, Finished(), NOW, Policy("always"))
    assert (ended[0].phase, ended[1]) == ("restarting", (Retry(1.0), AlarmAt(NOW + 1)))
    unneeded = step(RUNNING, Failed(), NOW, Policy("always"))
    assert unneeded[0].phase == "restarting"


@pytest.mark.parametrize(
    ("restart", "delays"),
    [
        ("on_failure", [1, 1, 1, 1, 1, 1, 1]),
        ("exponential_backoff", [1, 2, 4, 8, 16, 30, 30]),
        ("always", [1, 2, 4, 8, 16, 30, 30]),
    ],
)
def test_delays(restart: Restart, delays: list[float]) -> None:
    """One second, or doubling to thirty."""
    policy = Policy(restart, max_retries=100)
    assert [policy.delay(failures) for failures in range(1, 8)] == delays
    assert policy.delay(10**6) <= 30


EVENTS = st.sampled_from(
    [
        Wanted(),
        Ready(),
        Failed(wanted=True),
        Failed(),
        Finished(wanted=True),
        Hung(),
        Unhealthy(),
        Gone(wanted=True),
        Alarm(),
        StopAsked(),
        Refused(),
    ]
)
POLICIES = st.builds(
    Policy,
    restart=st.sampled_from(get_args(Restart)),
    max_retries=st.integers(0, 5),
    delay_s=st.floats(0, 5),
    longest_delay_s=st.floats(0, 40),
    window_s=st.floats(1, 100),
    stable_s=st.floats(0.5, 50),
)


@given(POLICIES, st.lists(st.tuples(EVENTS, st.floats(0, 20)), max_size=80))
def test_whatever_happens(policy: Policy, history: list[tuple[machine.Event, float]]) -> None:
    """One process at a time; never too soon after a failure; never more failures than allowed."""
    state, now, processes, counted = State(), 0.0, 0, []
    for event, passed in history:
        now += passed
        before = state
        state, actions = step(state, event, now, policy)
        if before.phase in ("starting", "running", "stopping") and state.phase not in (
            "starting",
            "running",
            "stopping",
        ):
            processes -= 1
        if Launch() in actions:
            processes += 1
            assert now >= before.not_before
        assert processes == (state.phase in ("starting", "running", "stopping"))
        if state.failures != before.failures and state.failures:
            counted.append(now)
            assert before.phase in ("starting", "running", "stopping")
        if not state.failures and before.failures:
            stable = before.ready_at is not None and now - before.ready_at >= policy.stable_s
            assert stable, "only time that a plugin ran well forgives"
            counted.clear()
        window = [at for at in counted if at > now - policy.window_s]
        if policy.gives_up and state.phase != "disabled":
            assert len(state.failures) <= policy.retries
        assert set(state.failures) <= set(window) | {now} or state.failures == before.failures
        if before.phase == "disabled":
            assert state == before
            assert actions == ()
        assert sum(isinstance(action, AlarmAt) for action in actions) <= 1
        for action in actions:
            if isinstance(action, AlarmAt):
                assert action.at >= now


@given(POLICIES.filter(lambda policy: policy.gives_up), st.lists(st.floats(0, 10), min_size=60, max_size=60))
def test_never_more_starts_in_a_window_than_failures_are_survived(policy: Policy, gaps: list[float]) -> None:
    """A plugin that fails before it is stable is started once more than it may fail, in any window."""
    launches = _life(policy, gaps, lasted=policy.stable_s / 2)
    for first in launches:
        within = [at for at in launches if first <= at and at + policy.stable_s / 2 < first + policy.window_s]
        assert len(within) <= policy.retries + 1
