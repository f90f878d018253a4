"""What is fixed about `plugin.json`: versions, names and the words that it may use."""

#: Version of the format; it changes only when an old reader could misread a new file.
SCHEMA_VERSION = 1
#: Version of the interface between plugin and core that this SDK speaks.
API_VERSION = "1.0"
#: Name of the file in the wheel's ``.dist-info``, or in the plugin's package.
FILE_NAME = "plugin.json"
#: Entry-point group in which a wheel advertises its one plugin class.
ENTRY_POINT_GROUP = "viloapp.plugins"
#: First part of every permission.
PERMISSION_CATEGORIES = ("system", "filesystem", "network", "process", "ui", "services", "plugins")
#: Types a parameter of a command can have.
PARAMETER_TYPES = ("string", "integer", "number", "boolean", "array", "object", "any")
#: Types a setting can have.
SETTING_TYPES = ("string", "integer", "number", "boolean", "array", "object")
#: What the supervisor can do when a worker ends.
RESTART_POLICIES = ("never", "on_failure", "always", "exponential_backoff")
