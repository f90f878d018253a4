"""Plugins and widgets written for the application before this one, without a change to their code.

    from viloapp_sdk import Plugin
    from viloapp_sdk.compat import LegacyWidgetAdapter

    from oldpanel import OldPanel

    class Panel(LegacyWidgetAdapter):
        id = "hello.panel"
        title = "Panel"
        legacy = OldPanel

    class Hello(Plugin):
        widgets = (Panel,)

Source: the specification, Backward Compatibility.
"""

from viloapp_sdk.compat.plugin import LegacyPluginAdapter
from viloapp_sdk.compat.shim import create_compatibility_shim
from viloapp_sdk.compat.widget import LegacyWidgetAdapter

__all__ = ["LegacyPluginAdapter", "LegacyWidgetAdapter", "create_compatibility_shim"]
