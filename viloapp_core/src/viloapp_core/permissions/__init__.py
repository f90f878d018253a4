"""What a plugin may do: the grammar of permissions and the decision, without effects.

>>> granted = [Permission.parse("filesystem.read.*")]
>>> allows(granted, Permission.parse("filesystem.read.workspace"))
True
>>> allows(granted, Permission.parse("filesystem.write.workspace"))
False
"""

from viloapp_core.permissions.errors import PermissionSyntaxError
from viloapp_core.permissions.permission import CATEGORIES, Permission, allows

__all__ = ["CATEGORIES", "Permission", "PermissionSyntaxError", "allows"]
