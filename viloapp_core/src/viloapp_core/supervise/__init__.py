"""The process of one plugin: started when it is first needed, watched, started again when it fails, stopped.

worker = Worker(plugin, surroundings)
result = await worker.call("command", ["hello.greet", {}], timeout_s=30)
await worker.stop()

`machine.step` decides what becomes of a plugin that fails; docs/reference/supervision.md says it for people.
"""

from viloapp_core.supervise.errors import (
    PluginDisabledError,
    PluginRestartingError,
    PluginStartError,
    StepFailedError,
    SuperviseError,
)
from viloapp_core.supervise.failures import Failure, FailureLog
from viloapp_core.supervise.log import RotatingLog
from viloapp_core.supervise.rehearsal import rehearse
from viloapp_core.supervise.stepping import run_steps
from viloapp_core.supervise.streaming import Streaming
from viloapp_core.supervise.surroundings import Surroundings
from viloapp_core.supervise.worker import Worker

__all__ = [
    "Failure",
    "FailureLog",
    "PluginDisabledError",
    "PluginRestartingError",
    "PluginStartError",
    "RotatingLog",
    "StepFailedError",
    "Streaming",
    "SuperviseError",
    "Surroundings",
    "Worker",
    "rehearse",
    "run_steps",
]
