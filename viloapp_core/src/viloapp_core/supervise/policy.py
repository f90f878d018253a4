"""When a plugin that failed is started again, and when it no longer is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from viloapp_core.limits import Limits

__all__ = ["Awake", "Checks", "Policy", "Restart", "awake_of", "checks_of", "policy_of"]

Restart = Literal["never", "on_failure", "always", "exponential_backoff"]
_MOST_RETRIES = 1000
_WHOLE_PROCESSOR = 100  # percent
_DOUBLINGS = 32
"""Beyond these no sensible delay grows; two to a larger power is no float any more."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What becomes of a plugin whose process failed.

    Args:
        restart: ``never``: it is disabled at its first failure. ``on_failure`` and ``exponential_backoff``:
            it is started again until it failed more than `max_retries` times within the window. ``always``:
            it is started again however often it fails, and also after it ended by itself.
        max_retries: failures within `window_s` that are put up with; one more disables the plugin.
        delay_s: seconds between a failure and the next start. ``exponential_backoff`` and ``always`` double
            it with each failure.
        longest_delay_s: seconds beyond which it does not grow.
        window_s: seconds for which a failure counts.
        stable_s: seconds that a plugin has to run well for its earlier failures to be forgiven. A restart
            alone forgives nothing.

    Source: the specification has the policies, `max_retries` and the two delays.
    """

    restart: Restart = "on_failure"
    max_retries: int = 3
    delay_s: float = 1.0
    longest_delay_s: float = 30.0
    window_s: float = 300.0
    stable_s: float = 60.0

    @property
    def gives_up(self) -> bool:
        """Whether there is a number of failures that disables the plugin."""
        return self.restart != "always"

    @property
    def retries(self) -> int:
        """How many failures within the window the plugin survives."""
        return 0 if self.restart == "never" else self.max_retries

    def delay(self, failures: int) -> float:
        """Return the seconds to wait before the start that follows the latest of ``failures``."""
        if self.restart == "on_failure":
            return self.delay_s
        doubled = self.delay_s * 2.0 ** min(max(0, failures - 1), _DOUBLINGS)
        return min(doubled, max(self.longest_delay_s, self.delay_s))


@dataclass(frozen=True, slots=True)
class Checks:
    """How a running plugin is looked after.

    Args:
        interval_s: seconds between two checks of its health; 0 for none.
        timeout_s: seconds that an idle plugin has to answer one.
    """

    interval_s: float = 30.0
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Awake:
    """For how long the two ends of a channel wait without sleeping, in seconds; 0 for never.

    Args:
        host: for an answer of the plugin's.
        worker: for what the host says next.
    """

    host: float = 0.0
    worker: float = 0.0


def policy_of(manifest: Mapping[str, Any], setting: Callable[[str], Any]) -> Policy:
    """Return the policy that holds for a plugin.

    A value that the manifest has, and that is one, comes before the setting of all plugins: the receipt may
    have been written by another version.

    Args:
        manifest: its ``restart``.
        setting: returns ``core.supervise.NAME`` by name.
    """
    restart, retries = manifest.get("policy"), manifest.get("max_retries")
    if restart not in get_args(Restart):
        restart = setting("policy")
    if isinstance(retries, bool) or not isinstance(retries, int) or not 0 <= retries <= _MOST_RETRIES:
        retries = setting("max_retries")
    return Policy(
        restart=cast(Restart, restart),
        max_retries=retries,
        delay_s=setting("delay_s"),
        longest_delay_s=setting("longest_delay_s"),
        window_s=setting("window_s"),
        # Who is found ill at each check was never well, however long it took until somebody asked.
        stable_s=max(setting("stable_s"), 2 * setting("health_interval_s")),
    )


def checks_of(setting: Callable[[str], Any]) -> Checks:
    """Return how plugins are looked after; ``setting`` as in `policy_of`."""
    return Checks(interval_s=setting("health_interval_s"), timeout_s=setting("health_timeout_s"))


def awake_of(setting: Callable[[str], Any], limits: Limits, processors: int) -> Awake:
    """Return who stays awake for whom.

    Args:
        setting: as in `policy_of`.
        limits: the plugin's; waiting awake is paid out of its processor time, so that only one which may use
            a whole processor does it.
        processors: that the host may use; with one of them the other side could not run meanwhile.
    """
    seconds = setting("awake_us") / 1e6 if processors > 1 else 0.0
    return Awake(seconds, seconds if limits.cpu_percent >= _WHOLE_PROCESSOR else 0.0)
