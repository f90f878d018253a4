"""The process of one plugin: started when it is first needed, watched, stopped.

worker = Worker(plugin, surroundings)
result = await worker.call("command", ["hello.greet", {}], timeout_s=30)
await worker.stop()
"""

from viloapp_core.supervise.errors import PluginStartError, SuperviseError
from viloapp_core.supervise.log import RotatingLog
from viloapp_core.supervise.worker import Surroundings, Worker

__all__ = ["PluginStartError", "RotatingLog", "SuperviseError", "Surroundings", "Worker"]
