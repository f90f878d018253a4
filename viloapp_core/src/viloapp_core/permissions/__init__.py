"""What a plugin may do: the grammar of permissions and the decision, without effects.

>>> granted = [Permission.parse("filesystem.write.workspace"), Permission.parse("network.connect.*")]
>>> decide(granted, [], Permission.parse("filesystem.read.workspace")).allowed
True
>>> decide(granted, [], Permission.parse("network.connect.localhost:631")).reason
'network.connect.localhost:631 was not granted'
>>> in_words(granted[1])
'connect to any host on the internet'

The vocabulary, what covers what and the decision are the SDK's (`viloapp_sdk.manifest`): a plugin's build
checks them too, and the fakes of the test kit decide as the host does, by the same code.
"""

from viloapp_core.permissions.words import in_words, told, warning
from viloapp_sdk.manifest.decision import NOWHERE, Decision, Places, allows, decide, remaining
from viloapp_sdk.manifest.format import PERMISSION_CATEGORIES as CATEGORIES
from viloapp_sdk.manifest.permission import Permission, PermissionSyntaxError, is_internal, is_local

__all__ = [
    "CATEGORIES",
    "NOWHERE",
    "Decision",
    "Permission",
    "PermissionSyntaxError",
    "Places",
    "allows",
    "decide",
    "in_words",
    "is_internal",
    "is_local",
    "remaining",
    "told",
    "warning",
]
