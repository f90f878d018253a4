"""The settings of the plugin under test, checked as the host checks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from viloapp_sdk.errors import PermissionDeniedError, ViloError
from viloapp_sdk.manifest.values import problem

__all__ = ["FakeSettings"]


class FakeSettings:
    """Values of what the plugin's ``configuration`` declares.

    Args:
        plugin_id: of the plugin under test.
        configuration: as in the manifest.
        on_change: called with name and value after each change.
    """

    def __init__(
        self,
        plugin_id: str,
        configuration: Mapping[str, Mapping[str, Any]],
        on_change: Callable[[str, Any], None],
    ) -> None:
        self._plugin_id = plugin_id
        self._declared = configuration
        self._values: dict[str, Any] = {}
        self._on_change = on_change

    def as_dict(self) -> dict[str, Any]:
        """Return every declared setting with its value."""
        return {name: self.get(name) for name in self._declared}

    def get(self, name: str) -> Any:
        """Return a value, or its default.

        Raises:
            ViloError: (``bad_setting``) there is no such setting.
        """
        return self._values.get(name, self._schema(name).get("default"))

    def set(self, name: str, value: Any) -> None:
        """Change a setting, as the person or the plugin does.

        Raises:
            PermissionDeniedError: it is one of the limits, which the person alone sets.
            ViloError: (``bad_setting``) there is no such setting, or it cannot have that value.
        """
        if name.startswith("limits."):
            raise PermissionDeniedError(
                f"{self._plugin_id} tried to set {name}: that is for the person to say"
            )
        if why := problem(self._schema(name), value):
            raise ViloError("bad_setting", f"{self._plugin_id}.{name} cannot be {value!r}: {why}")
        self._values[name] = value
        self._on_change(name, value)

    def _schema(self, name: str) -> Mapping[str, Any]:
        if name not in self._declared:
            known = ", ".join(self._declared) or "none"
            raise ViloError(
                "bad_setting",
                f"there is no setting '{self._plugin_id}.{name}'",
                f"[tool.viloapp.configuration] declares: {known}",
            )
        return self._declared[name]
