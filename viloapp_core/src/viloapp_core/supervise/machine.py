"""The life of one plugin as a pure state machine: what happened, and what is to be done about it.

    >>> from viloapp_core.supervise.policy import Policy
    >>> state, actions = step(State(), Wanted(), 0.0, Policy())
    >>> state.phase, actions
    ('starting', (Launch(),))
    >>> state, actions = step(state, Failed(wanted=True), 0.5, Policy())
    >>> state.phase, actions
    ('restarting', (Retry(delay_s=1.0), AlarmAt(at=1.5)))

Nothing here looks at a clock or touches a process: `viloapp_core.supervise.supervisor` says what happened and
when, and does what comes out. Times are seconds of one monotonic clock.

Why failures are only forgiven by time: a plugin that crashes soon after each start has started well each
time. Were the restart to forgive, `Policy.max_retries` would never be reached.
"""

from dataclasses import dataclass, replace
from typing import Literal

from viloapp_core.supervise.policy import Policy

__all__ = [
    "ASK_S",
    "TERMINATE_S",
    "Action",
    "Alarm",
    "AlarmAt",
    "Ask",
    "Disable",
    "Event",
    "Failed",
    "Finished",
    "Gone",
    "Hung",
    "Kill",
    "Launch",
    "Phase",
    "Ready",
    "Refused",
    "Retry",
    "State",
    "StopAsked",
    "Terminate",
    "Unhealthy",
    "Wanted",
    "step",
]

Phase = Literal["stopped", "starting", "running", "stopping", "crashed", "restarting", "disabled"]

ASK_S = 3.0
"""How long a plugin that was asked to shut down may take."""
TERMINATE_S = 1.0
"""How long its processes may live on after SIGTERM."""
_KEPT = 64
"""Failures that are remembered where no number of them disables: enough for the longest delay."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a plugin stands.

    Args:
        phase: ``crashed`` waits for somebody to need the plugin, ``restarting`` for a time to pass.
        failures: when it failed, oldest first; those that were forgiven, or are too long ago, are gone.
        not_before: the next start is not before this.
        ready_at: since when it runs; None while it does not.
        failing: while it is stopped: whether that is for a failure.
        step: how far its end has escalated.
    """

    phase: Phase = "stopped"
    failures: tuple[float, ...] = ()
    not_before: float = 0.0
    ready_at: float | None = None
    failing: bool = False
    step: Literal["", "asked", "terminated", "killed"] = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody needs the plugin."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Its process has started and answered."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The host may not start it: no fault of the plugin's."""


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """It says, or shows, that it is not well; it still answers."""


@dataclass(frozen=True, slots=True)
class Hung:
    """It does not answer any more."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Its process has ended, or did not get ready; ``wanted``: somebody goes on needing the plugin."""

    wanted: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """Its process has ended by itself, successfully and with nothing to do; ``wanted`` as in `Failed`."""

    wanted: bool = False


@dataclass(frozen=True, slots=True)
class StopAsked:
    """It shall end."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The process that was to end has ended; ``wanted`` as in `Failed`."""

    wanted: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """The time of the latest `AlarmAt` has come."""


Event = Wanted | Ready | Refused | Unhealthy | Hung | Failed | Finished | StopAsked | Gone | Alarm


@dataclass(frozen=True, slots=True)
class Launch:
    """Start a process."""


@dataclass(frozen=True, slots=True)
class AlarmAt:
    """Send `Alarm` at this time; an earlier one that has not come yet is void."""

    at: float


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the plugin to shut down."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """Send SIGTERM to its processes."""


@dataclass(frozen=True, slots=True)
class Kill:
    """End all its processes at once; with ``trace`` have it say first where it hangs."""

    trace: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """Tell that it will be started again."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Disable:
    """Do not let it run until a person says so."""

    failures: int


Action = Launch | AlarmAt | Ask | Terminate | Kill | Retry | Disable
_Result = tuple[State, tuple[Action, ...]]


def step(state: State, event: Event, now: float, policy: Policy) -> _Result:
    """Return where a plugin stands after an event, and what is to be done now.

    An event that means nothing in a phase changes nothing: what comes late (an alarm, the answer to a check,
    the end of a process that was given up) is never an error.
    """
    match state.phase:
        case "stopped" | "crashed":
            return _idle(state, event, now)
        case "restarting":
            return _waiting(state, event, now)
        case "starting":
            return _starting(state, event, now, policy)
        case "running":
            return _running(state, event, now, policy)
        case "stopping":
            return _stopping(state, event, now, policy)
        case "disabled":
            return state, ()


def _idle(state: State, event: Event, now: float) -> _Result:
    if isinstance(event, Wanted):
        if now >= state.not_before:
            return _launch(state)
        return replace(state, phase="restarting"), (AlarmAt(state.not_before),)
    if isinstance(event, StopAsked):
        return replace(state, phase="stopped"), ()
    return state, ()


def _waiting(state: State, event: Event, now: float) -> _Result:
    if isinstance(event, Alarm):
        return _launch(state) if now >= state.not_before else (state, (AlarmAt(state.not_before),))
    if isinstance(event, StopAsked):
        return replace(state, phase="stopped"), ()
    return state, ()


def _launch(state: State) -> _Result:
    return replace(state, phase="starting", ready_at=None, failing=False, step=""), (Launch(),)


def _starting(state: State, event: Event, now: float, policy: Policy) -> _Result:
    match event:
        case Ready():
            return replace(state, phase="running", ready_at=now), (AlarmAt(now + policy.stable_s),)
        case Refused():
            return replace(state, phase="crashed"), ()
        case Failed(wanted):
            return _fail(state, now, policy, wanted)
        case StopAsked():
            return replace(state, phase="stopping", step="killed"), (Kill(),)
    return state, ()


def _running(state: State, event: Event, now: float, policy: Policy) -> _Result:
    match event:
        case Alarm():
            return _forgive(state, now, policy), ()
        case Failed(wanted):
            return _fail(state, now, policy, wanted)
        case Finished(wanted):
            if wanted or policy.restart == "always":
                return _fail(state, now, policy, wanted)
            return replace(state, phase="stopped", ready_at=None), ()
        case Hung():
            return replace(state, phase="stopping", failing=True, step="killed"), (Kill(trace=True),)
        case Unhealthy() | StopAsked():
            stopping = replace(state, phase="stopping", failing=isinstance(event, Unhealthy), step="asked")
            return stopping, (Ask(), AlarmAt(now + ASK_S))
    return state, ()


def _stopping(state: State, event: Event, now: float, policy: Policy) -> _Result:
    match event:
        case Alarm() if state.step == "asked":
            return replace(state, step="terminated"), (Terminate(), AlarmAt(now + TERMINATE_S))
        case Alarm() if state.step == "terminated":
            return replace(state, step="killed"), (Kill(),)
        case StopAsked():
            return replace(state, failing=False), ()
        case Ready():  # it had started when it was told to end
            return state, (Kill(),)
        case Gone() | Failed() | Finished() | Refused():
            if state.failing and not isinstance(event, Refused):
                return _fail(state, now, policy, event.wanted)
            return replace(state, phase="stopped", ready_at=None, step=""), ()
    return state, ()


def _fail(state: State, now: float, policy: Policy, wanted: bool) -> _Result:
    """Count a failure, and decide whether there is another start."""
    state = _forgive(state, now, policy)
    recent = tuple(at for at in state.failures if at > now - policy.window_s)
    failures = (*recent, now)[-max(_KEPT, policy.retries + 1) :]
    state = replace(state, failures=failures, ready_at=None, failing=False, step="")
    if policy.gives_up and len(failures) > policy.retries:
        return replace(state, phase="disabled"), (Disable(len(failures)),)
    delay = policy.delay(len(failures))
    state = replace(state, not_before=now + delay)
    if wanted or policy.restart == "always":
        return replace(state, phase="restarting"), (Retry(delay), AlarmAt(now + delay))
    return replace(state, phase="crashed"), ()


def _forgive(state: State, now: float, policy: Policy) -> State:
    """Forget the failures of a plugin that has run well for long enough."""
    well = state.ready_at is not None and now - state.ready_at >= policy.stable_s
    return replace(state, failures=()) if well and state.failures else state
