"""Settings of the workspace and of every plugin, checked against what each declares.

The file has the shape ``{"version": "3.0", "core": {…}, "plugins": {"viloxterm": {…}}}``;
docs/reference/settings.md has it in full. A key names a plugin or ``core``, a dot and the setting:
``viloxterm.fontSize``, ``core.theme``.
"""

import json
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from viloapp_core.foundation.files import FileLock, read_json, write_json
from viloapp_core.limits import BOUNDS, INTEGERS
from viloapp_core.services.adoption import Adoption, compare
from viloapp_core.services.errors import SettingError
from viloapp_core.services.sendable import unsendable
from viloapp_core.services.theme import DEFAULT_THEME, THEMES
from viloapp_sdk.manifest.values import problem as value_problem

__all__ = ["CORE", "Settings"]

FORMAT_VERSION = "3.0"
"""A file called 2.0 is read as it is: what 3.0 has no place for is never asked for."""

_MAX_KEY = 200
_MAX_VALUE = 1024 * 1024
_LEVELS = ("enforced", "partial", "none")
CORE: Mapping[str, Mapping[str, Any]] = {
    "theme": {
        "type": "string",
        "default": DEFAULT_THEME,
        "enum": list(THEMES),
        "description": "Colours of the workspace",
    },
    "locale": {
        "type": "string",
        "default": "en",
        "description": "Language of page and plugins, such as de or pt-BR; English where it is lacking",
    },
    "worker_nice": {
        "type": "integer",
        "default": 5,
        "minimum": 0,
        "maximum": 19,
        "description": "How far plugins stand back when processors are busy (nice), from their next start on",
    },
    "minimum.permissions": {
        "type": "string",
        "default": "enforced",
        "enum": list(_LEVELS),
        "description": "How well permissions have to be enforced for a plugin to start",
    },
    "minimum.limits": {
        "type": "string",
        "default": "partial",
        "enum": list(_LEVELS),
        "description": "How well limits have to be enforced for a plugin to start",
    },
    "supervise.policy": {
        "type": "string",
        "default": "on_failure",
        "enum": ["never", "on_failure", "always", "exponential_backoff"],
        "description": "When a plugin that failed is started again, where its manifest does not say",
    },
    "supervise.max_retries": {
        "type": "integer",
        "default": 3,
        "minimum": 0,
        "maximum": 1000,
        "description": "Failures that a plugin survives within the window; one more disables it",
    },
    "supervise.delay_s": {
        "type": "number",
        "default": 1,
        "minimum": 0,
        "maximum": 3600,
        "description": "Seconds between a failure and the next start; the first of those that double",
    },
    "supervise.longest_delay_s": {
        "type": "number",
        "default": 30,
        "minimum": 0,
        "maximum": 86400,
        "description": "Seconds beyond which the delay before a start does not grow",
    },
    "supervise.window_s": {
        "type": "number",
        "default": 300,
        "minimum": 1,
        "maximum": 604800,
        "description": "Seconds for which a failure counts",
    },
    "supervise.stable_s": {
        "type": "number",
        "default": 60,
        "minimum": 0.1,
        "maximum": 604800,
        "description": "Seconds that a plugin has to run well for its failures to be forgiven",
    },
    "supervise.health_interval_s": {
        "type": "number",
        "default": 30,
        "minimum": 0,
        "maximum": 86400,
        "description": "Seconds between two checks of a plugin's health; 0 for none",
    },
    "supervise.health_timeout_s": {
        "type": "number",
        "default": 10,
        "minimum": 0.1,
        "maximum": 3600,
        "description": "Seconds that an idle plugin has to answer such a check",
    },
    "supervise.call_wait_s": {
        "type": "number",
        "default": 10,
        "minimum": 0,
        "maximum": 3600,
        "description": "Seconds that a call waits for the restart of its plugin to begin",
    },
    "supervise.awake_us": {
        "type": "integer",
        "default": 100,
        "minimum": 0,
        "maximum": 1000,
        "description": "Microseconds that a call under way keeps host and plugin awake for; 0 for none",
    },
    "supervise.start_method": {
        "type": "string",
        "default": "spawn",
        "enum": ["spawn", "forkserver"],
        "description": "How processes of plugins begin: each its own interpreter, or forked from one",
    },
    "update.health_window": {
        "type": "number",
        "default": 60,
        "minimum": 0,
        "maximum": 86400,
        "description": "Seconds that an update has to run well, or it is rolled back; 0 for no probation",
    },
}
"""What ``core.NAME`` there is."""

LIMITS = "limits."
"""Begins the names of what a person sets about a plugin. No plugin's own setting has a dot (its manifest's
schema), and the host lets none be set by a plugin."""
LIMIT_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    f"{LIMITS}{name}": {
        "type": "integer" if name in INTEGERS else "number",
        "default": None,
        "minimum": least,
        "maximum": greatest,
        "description": "Overrides what the plugin asks for, or the default; from its next start on",
    }
    for name, (least, greatest) in BOUNDS.items()
}

Configuration = Mapping[str, Mapping[str, Any]]


class Settings:
    """Reads and writes ``settings.json``.

    Args:
        path: the file; it need not exist.
        configurations: returns what each installed plugin declares, by plugin id.
        on_change: called with key and value after each change.
        former: returns the ids that installed plugins had before, and theirs.
        in_words: returns what a plugin declares in the person's language, for listings.

    Attributes:
        document: what the file has; another object after each change, which is how a change is noticed.
    """

    def __init__(
        self,
        path: Path,
        configurations: Callable[[], Mapping[str, Configuration]],
        on_change: Callable[[str, Any], None] = lambda key, value: None,
        former: Callable[[], Mapping[str, str]] = dict,
        in_words: Callable[[str, Configuration], Configuration] = lambda plugin_id, declared: declared,
    ) -> None:
        self._former = former
        self._in_words = in_words
        self._path = path
        self._on_change = on_change
        self._configurations = configurations
        self.document = load(path)
        self._limits: tuple[dict[str, Any], dict[str, dict[str, Any]]] = (self.document, {})

    def get(self, key: str) -> Any:
        """Return the value of a setting, or its default.

        Raises:
            SettingError: there is no such setting.
        """
        owner, name, schema = self._find(key)
        return self._stored(owner).get(name, schema.get("default"))

    def core(self, name: str) -> Any:
        """Return the value of ``core.name``, which there is; costs no look at what plugins declare.

        A value that the file has and that cannot be counts as not set: a host goes by it at any time.
        """
        schema = CORE[name]
        value = self._stored("core").get(name, schema["default"])
        return schema["default"] if value_problem(schema, value) else value

    def of_plugin(self, plugin_id: str) -> dict[str, Any]:
        """Return every setting that a plugin declares, with its current value."""
        stored = self._stored(plugin_id)
        declared = self._configurations().get(plugin_id, {})
        return {name: stored.get(name, schema.get("default")) for name, schema in declared.items()}

    def limits_of(self, plugin_id: str) -> Mapping[str, Any]:
        """Return the limits that the person set for a plugin, by name; what it declares is not among them.

        The same object until a setting changes; not to be changed by who gets it.
        """
        document, limits = self._limits
        if document is not self.document:  # each call of a plugin asks; a change is a new document
            document, limits = self._limits = (self.document, {})
        if plugin_id not in limits:
            stored = self._stored(plugin_id)
            limits[plugin_id] = {
                name.removeprefix(LIMITS): value for name, value in stored.items() if name.startswith(LIMITS)
            }
        return limits[plugin_id]

    def reload(self) -> None:
        """Read the file again, which something else has changed.

        Raises:
            FoundationError: it cannot be read.
            SettingError: it holds no settings.
        """
        self.document = load(self._path)

    def set(self, key: str, value: Any) -> None:
        """Change a setting and write the file.

        Raises:
            SettingError: there is no such setting, or it cannot have that value.
        """
        owner, name, schema = self._find(key)
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise SettingError(f"{key} cannot have a value that JSON has not: {error}") from None
        problem = (
            f"more than {_MAX_VALUE} characters"
            if len(text) > _MAX_VALUE
            else value_problem(schema, value) or unsendable(value)
        )
        if problem:
            raise SettingError(f"{key} cannot be {text[:80]}: {problem}")
        self._change(lambda document: _section(document, owner).__setitem__(name, value))
        self._on_change(key, value)

    def unset(self, key: str) -> None:
        """Take a setting back to its default and write the file.

        Raises:
            SettingError: there is no such setting.
        """
        owner, name, schema = self._find(key)
        self._change(lambda document: _section(document, owner).pop(name, None))
        self._on_change(key, schema.get("default"))

    def parse(self, key: str, text: str) -> Any:
        """Read what a person typed as a value of the setting's type.

        Raises:
            SettingError: there is no such setting, or the text is no value of its type.
        """
        *_, schema = self._find(key)
        if schema.get("type") == "string":
            return text
        try:
            return json.loads(text)
        except ValueError:
            raise SettingError(f"{key} cannot be {text!r}: it is of type {schema.get('type')}") from None

    def plan(self, document: Mapping[str, Any]) -> Adoption:
        """Say what `adopt` would do with a document of the file's own shape; nothing is changed."""
        return compare(self.document, document, self._owners(), self._former())

    def adopt(self, document: Mapping[str, Any]) -> Adoption:
        """Take over the settings of a document, those of plugins that are not installed yet too.

        What is set here and not there stays. What its owner does not allow is refused, and the rest is taken.

        Raises:
            FoundationError: the file cannot be written.
        """
        done = self.plan(document)
        if done.changes:
            self._change(done.apply)
            for change in done.changes:
                self._on_change(change.key, change.after)
        return done

    def list(self) -> list[dict[str, Any]]:
        """Return ``{"key", "value", "default", "type", "description", "enum", "changed"}`` of every setting.

        Where its values have words for people, ``enum_labels`` has them by value.
        Of the limits only those that were set: seven for each plugin would bury the rest.
        """
        rows = []
        for owner, configuration in self._owners().items():
            stored = self._stored(owner)
            limits = {name: LIMIT_SETTINGS[name] for name in stored if name in LIMIT_SETTINGS}
            if owner != "core":
                configuration = self._in_words(owner, configuration)
            for name, schema in sorted({**configuration, **limits}.items()):
                rows.append(
                    {
                        "key": f"{owner}.{name}",
                        "value": stored.get(name, schema.get("default")),
                        "default": schema.get("default"),
                        "type": schema.get("type", ""),
                        "description": schema.get("description", ""),
                        "enum": schema.get("enum"),
                        **({"enum_labels": schema["enum_labels"]} if "enum_labels" in schema else {}),
                        "changed": name in stored,
                    }
                )
        return rows

    def _owners(self) -> dict[str, Configuration]:
        return {"core": CORE} | {
            id: declared for id, declared in sorted(self._configurations().items()) if id != "core"
        }

    def _find(self, key: str) -> tuple[str, str, Mapping[str, Any]]:
        # A plugin id has no dots (PEP 503), a setting's name may.
        owner, _, name = key.partition(".")
        if owner == "core" and name in CORE:  # what plugins declare need not be looked at
            return owner, name, CORE[name]
        owners = self._owners()
        schema = owners.get(owner, {}).get(name)
        if schema is None and owner in owners and owner != "core":
            schema = LIMIT_SETTINGS.get(name)
        if schema is None:
            known = [f"{id}.{each}" for id, configuration in owners.items() for each in configuration]
            known += [f"{owner}.{each}" for each in LIMIT_SETTINGS if owner in owners and owner != "core"]
            # What a plugin sends may be megabytes, and to look for what is close would take seconds.
            shown = key if len(key) <= _MAX_KEY else f"{key[:_MAX_KEY]}…"
            close = get_close_matches(key, known, n=3) if shown == key else []
            hint = (
                f"did you mean {' or '.join(close)}?" if close else "`viloapp config list` shows all settings"
            )
            raise SettingError(f"there is no setting {shown!r}", hint)
        return owner, name, schema

    def _stored(self, owner: str) -> dict[str, Any]:
        return _section(self.document, owner)

    def _change(self, change: Callable[[dict[str, Any]], object]) -> None:
        with locked(self._path):
            document = load(self._path)
            change(document)
            if document.get("version") == "2.0":
                document["version"] = FORMAT_VERSION
            write_json(self._path, document)
        self.document = document


def locked(path: Path) -> FileLock:
    """Return the lock under which a settings file is changed, held."""
    return FileLock(path.with_name("settings.lock")).acquire()


def load(path: Path) -> dict[str, Any]:
    """Return the content of a settings file, that of none where there is no such file.

    Raises:
        FoundationError: it cannot be read.
        SettingError: it holds no settings.
    """
    document = read_json(path)
    if document is None:
        return {"version": FORMAT_VERSION, "core": {}, "plugins": {}}
    if not isinstance(document, dict):
        raise SettingError(f"{path} holds no settings", "move the file away; it is made anew")
    return document


def _section(document: dict[str, Any], owner: str) -> dict[str, Any]:
    parent = document if owner == "core" else document.setdefault("plugins", {})
    section = parent.setdefault(owner, {})
    return section if isinstance(section, dict) else {}
