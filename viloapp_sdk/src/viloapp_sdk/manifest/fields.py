"""The table of `plugin.json`'s keys: validation, the JSON Schema and the reference all come from here.

Source: ``docs/reference/manifest.md``, whose tables a test compares with this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from viloapp_sdk.manifest.errors import Issue
from viloapp_sdk.manifest.format import (
    PARAMETER_TYPES,
    RESTART_POLICIES,
    SCHEMA_VERSION,
    SETTING_TYPES,
)
from viloapp_sdk.manifest.shapes import (
    AnyJson,
    Array,
    Choice,
    Dictionary,
    Exactly,
    Field,
    Flag,
    Number,
    Table,
    Text,
    shorten,
)
from viloapp_sdk.manifest.vocabulary import SCOPES
from viloapp_sdk.manifest.vocabulary import issue as permission_issue

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_CLAUSE = r"(?:===|==|~=|!=|<=|>=|<|>) *[A-Za-z0-9.*+!_-]+"
# A name, then versions and a marker; never a URL: what a plugin needs is found by name, and verified.
_REQUIREMENT = rf"{_NAME} *(?:\(?{_CLAUSE}(?: *, *{_CLAUSE})*\)?)? *(?:;.*)?"
_IDENTIFIER = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"

IDENTIFIER = Text(_IDENTIFIER, "an id (letters, digits, '_', '-' and '.')", max_length=128)
PLUGIN_NAME = Text(_NAME, "a distribution name", max_length=128)
# With a dot in it, which no id of today has: nobody can claim another plugin's settings.
FORMER_ID = Text(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+", "an id such as 'com.acme.notes'", max_length=128)
REQUIREMENT = Text(_REQUIREMENT, "a requirement such as 'viloxterm>=1,<2'", max_length=300)


@dataclass(frozen=True)
class PermissionText(Text):
    """A permission of the vocabulary; the JSON Schema knows its categories and scopes alone."""

    def check(self, value: object, path: str) -> Iterator[Issue]:
        """Yield what is wrong with ``value``."""
        issues = list(Text(max_length=self.max_length).check(value, path))
        yield from issues
        if not issues and isinstance(value, str) and (what := permission_issue(value)):
            yield Issue(path, f"{shorten(value)} is no permission: {what}")


_SCOPES = "|".join(rf"{category}\.{name}" for category, name in SCOPES)
PERMISSION_ID = PermissionText(rf"(?:{_SCOPES}|filesystem\.\*)\.[^\s](?:.*[^\s])?", max_length=512)
EVENT = Text(
    rf"onStartup|on(?:Command|Widget|Event):{_IDENTIFIER}",
    "an activation event: onStartup, onCommand:<id>, onWidget:<id> or onEvent:<type>",
)
KEY = Text(
    r"[^\s+]+(?:\+[^\s+]+)*(?: [^\s+]+(?:\+[^\s+]+)*)?",
    "a key such as 'ctrl+alt+h' or 'ctrl+k ctrl+h'",
    max_length=64,
)
# ASCII as Python has it; what else Unicode allows in a name, Python itself has checked.
_VARIABLE = Text(
    r"[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f][^\x00-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]*", "a Python name", 128
)
_DOTTED = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
_TITLE = Text(max_length=200)
_PROSE = Text(max_length=4000, lines=True)

PERMISSION = Table(
    (
        Field(
            "id",
            PERMISSION_ID,
            "`category.scope.resource`, of those in [the reference of permissions](permissions.md).",
            required=True,
        ),
        Field("reason", Text(max_length=500), "Why, as the person who is asked reads it."),
    )
)
LIMITS = Table(
    (
        Field("memory_mb", Number(1, 1_048_576), "Megabytes of memory of the worker and its children."),
        Field("cpu_percent", Number(1, 6400), "Percent of one processor, averaged over 60 s."),
        Field("file_handles", Number(16, 1_048_576, integer=True), "Open files of one process at once."),
        Field("processes", Number(4, 65_536, integer=True), "Processes and threads at once."),
        Field("disk_mb", Number(1, 16_777_216), "Megabytes of the plugin's data, and of any one file."),
        Field("execution_time", Number(0.1, 86_400), "Seconds that one command may take."),
        Field("startup_time", Number(0.1, 86_400), "Seconds from the start to the first answer."),
    )
)
RESTART = Table(
    (
        Field("policy", Choice(RESTART_POLICIES), "When a worker that failed is started again."),
        Field("max_retries", Number(0, 1000, integer=True), "Failures it survives; one more disables it."),
    )
)
SETTING = Table(
    (
        Field("type", Choice(SETTING_TYPES), "Type of the value.", required=True),
        Field("default", AnyJson(), "Value until somebody sets another."),
        Field("description", _PROSE, "What it does."),
        Field("enum", Array(AnyJson(), 200), "The values that are allowed."),
        Field("minimum", Number(), "Least number allowed."),
        Field("maximum", Number(), "Greatest number allowed."),
    )
)
_VERSION = Text(r"[1-9][0-9]{0,5}(?:\.(?:0|[1-9][0-9]{0,5}))?", "a version such as '2' or '2.1'", 16)
STEP = Table(
    (
        Field("from", _VERSION, "The version that it takes.", required=True),
        Field("to", _VERSION, "The version that it makes.", required=True),
        Field(
            "run",
            Text(rf"{_DOTTED}:{_DOTTED}", "of the form package.module:function", 300),
            "The function, as `package.module:function`.",
            required=True,
        ),
    )
)
SETTINGS = Table(
    (
        Field("version", _VERSION, "Version of the settings and of the plugin's data.", required=True),
        Field("steps", Array(STEP, 200), "What makes those of an older version, run once at the update."),
    )
)
KEYBINDING = Table(
    (
        Field("key", KEY, "Keys pressed together, joined by `+`; a chord has a space.", required=True),
        Field("command", IDENTIFIER, "Command to run.", required=True),
        Field("when", _TITLE, "Condition; empty means always."),
    )
)
MENU = Table(
    (
        Field("menu", IDENTIFIER, "Menu to appear in, such as `palette`.", required=True),
        Field("command", IDENTIFIER, "Command to run.", required=True),
    )
)
PARAMETER = Table(
    (
        Field("name", _VARIABLE, "Keyword of the argument.", required=True),
        Field("type", Choice(PARAMETER_TYPES), "Type of the value; `any` when the annotation does not say."),
        Field("required", Flag(), "Whether a call must have it."),
        Field("default", AnyJson(), "Value when a call has none, where JSON can say it."),
    )
)
COMMAND = Table(
    (
        Field("id", IDENTIFIER, "Unique in a store, such as `hello.greet`.", required=True),
        Field("title", _TITLE, "What the palette shows; the id when absent."),
        Field("description", _PROSE, "First paragraph of the docstring."),
        Field("async", Flag(), "Whether the handler is `async def`."),
        Field("idempotent", Flag(), "Whether it may be run again when the process is lost in the middle."),
        Field("parameters", Array(PARAMETER, 100), "Arguments, in order."),
    )
)
WIDGET = Table(
    (
        Field("id", IDENTIFIER, "Unique in a store, such as `hello.panel`.", required=True),
        Field("title", _TITLE, "What the tab shows; the id when absent."),
        Field("icon", _TITLE, "Name of an icon."),
        Field(
            "kind", IDENTIFIER, "Which of the page's kinds draws it: `text`, `webview`, `terminal`, `editor`."
        ),
        Field("position", IDENTIFIER, "Where it opens first."),
        Field("description", _PROSE, "First paragraph of the docstring."),
    )
)
MANIFEST = Table(
    (
        Field("schema", Exactly(SCHEMA_VERSION), "Version of this format.", required=True),
        Field(
            "api_version",
            Text(r"(?:0|[1-9][0-9]{0,3})\.(?:0|[1-9][0-9]{0,3})", "a version such as '1.0'", 16),
            "Version of the plugin interface that the plugin was written for.",
            required=True,
        ),
        Field("permissions", Array(PERMISSION, 200), "What the plugin asks to be allowed."),
        Field("activation_events", Array(EVENT), "When the worker starts."),
        Field("requires_plugins", Array(REQUIREMENT, 200), "Plugins it calls; each is installed by itself."),
        Field("conflicts", Array(REQUIREMENT, 200), "Plugins it cannot be enabled beside."),
        Field("load_after", Array(PLUGIN_NAME, 200), "Plugins that start before it, if they are there."),
        Field("load_before", Array(PLUGIN_NAME, 200), "Plugins that start after it, if they are there."),
        Field("formerly", Array(FORMER_ID, 10), "Ids that it had in the application before this one."),
        Field("limits", LIMITS, "What the worker may use."),
        Field("restart", RESTART, "What happens when the worker ends unasked."),
        Field(
            "configuration",
            Dictionary(Text(r"[A-Za-z_][A-Za-z0-9_-]*", "a plain word", 64), SETTING, 500),
            "The plugin's settings, by name.",
        ),
        Field("settings", SETTINGS, "Which version the settings have, and how older ones become it."),
        Field("keybindings", Array(KEYBINDING), "Keys that run commands."),
        Field("menus", Array(MENU), "Menus that show commands."),
        Field("commands", Array(COMMAND), "Read from the source, never written by hand."),
        Field("widgets", Array(WIDGET), "Read from the source, never written by hand."),
    )
)
#: Keys that the build reads from the source.
DERIVED = ("commands", "widgets")
