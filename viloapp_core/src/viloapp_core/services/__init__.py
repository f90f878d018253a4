"""What the host offers to plugins, as plain state: no process, no wire, no page.

`host` connects these to the workers and checks permissions before it calls them.
"""

from viloapp_core.services.commands import Command, Commands
from viloapp_core.services.events import EventBus
from viloapp_core.services.settings import Settings
from viloapp_core.services.theme import Theme
from viloapp_core.services.workspace import Instance, Workspace

__all__ = ["Command", "Commands", "EventBus", "Instance", "Settings", "Theme", "Workspace"]
