"""What a plugin may use of the machine, and whether it used more. Pure: nothing is read or signalled here.

    limits = effective(plugin.limits, {"memory_mb": 200})
    rlimits(limits)          # (("DATA", 746586112, 746586112), ...): what a process takes upon itself
    budget = Budget.full(limits.cpu_percent, now=0.0)
    budget = budget.advance(now=1.0, used_s=0.9)
    budget.spent             # whether the plugin's processes have to be held for a while

The kernel keeps what `rlimits` names, for each process by itself. What a tree of processes uses together
(memory, processor time, disk) is measured by `viloapp_core.process.tree` and `viloapp_core.process.disk`, and
judged by `exceeded`.
"""

from viloapp_core.limits.breaches import Action, Breach, Usage, exceeded
from viloapp_core.limits.budget import Budget
from viloapp_core.limits.kernel import rlimits, thread_environment
from viloapp_core.limits.values import BOUNDS, INTEGERS, LIMIT_NAMES, Limits, above_defaults, asks, effective

__all__ = [
    "BOUNDS",
    "INTEGERS",
    "LIMIT_NAMES",
    "Action",
    "Breach",
    "Budget",
    "Limits",
    "Usage",
    "above_defaults",
    "asks",
    "effective",
    "exceeded",
    "rlimits",
    "thread_environment",
]
