"""The plugin's texts in the person's language: `PluginI18n`, one file for each language.

``locales/en.json`` in the plugin's package, and others beside it, each one flat object:

    {"terminal.connection_error": "Failed to connect to terminal: {error}"}

A text is looked for in the current language, in what that is a variety of (``pt-BR``, then ``pt``), in the
default one; where none has it, its key stands for it. Values are put in as they are: what looks like a
placeholder in one is text, and so are apostrophes, quotes and HTML. ``{count, plural, one {# file} other {#
files}}`` and ``select`` are ICU's.

Source: the specification, Internationalization.
"""

import os
import warnings

from viloapp_sdk._locale import normal, wider
from viloapp_sdk._messages import fill

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["PluginI18n"]


class PluginI18n:
    """Translates the keys of one plugin.

    Args:
        plugin_path: the folder that has ``locales/``, such as ``context.resource_path``.
        default_locale: the language that has every text.
    """

    def __init__(self, plugin_path: "str | os.PathLike[str]", default_locale: str = "en") -> None:
        self.plugin_path = plugin_path
        self.default_locale = normal(default_locale)
        self.current_locale = self.default_locale
        self.translations: dict[str, dict[str, str]] = {}
        self._listeners: list[Callable[[str], Any]] = []
        self._load_translations()

    def _load_translations(self) -> None:
        """Read every language that there is; a file that is no catalogue is left out, and said."""
        import json

        folder = os.path.join(self.plugin_path, "locales")
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        for name in (name for name in names if name.endswith(".json")):
            try:
                with open(os.path.join(folder, name), encoding="utf-8") as stream:
                    found = json.load(stream)
                if not isinstance(found, dict):
                    raise ValueError("it has to hold one object")
            except (OSError, ValueError, RecursionError) as error:
                warnings.warn(f"locales/{name} cannot be used: {error}", RuntimeWarning, stacklevel=3)
                continue
            texts = {key: text for key, text in found.items() if isinstance(text, str)}
            self.translations[normal(name.removesuffix(".json"))] = texts

    @property
    def locales(self) -> "list[str]":
        """The languages that there are, sorted."""
        return sorted(self.translations)

    def set_locale(self, locale: str) -> str:
        """Change the language and return the one that is used from now on.

        Of a variety that there is not (``pt-BR``) it is what it is a variety of; of a language that there is
        not, the default one, with a warning.
        """
        wanted = normal(locale)
        found = next((each for each in wider(wanted) if each in self.translations), None)
        if found is None and wanted != self.default_locale:
            warnings.warn(
                f"locale {locale} is not available, using {self.default_locale}", UserWarning, stacklevel=2
            )
        self._use(found or self.default_locale)
        return self.current_locale

    def follow(self, locale: str) -> None:
        """Take the workspace's language; one that this plugin has not is no mistake of anybody's."""
        found = next((each for each in wider(normal(locale)) if each in self.translations), None)
        self._use(found or self.default_locale)

    def _use(self, locale: str) -> None:
        if locale != self.current_locale:
            self.current_locale = locale
            for listener in tuple(self._listeners):
                listener(locale)

    def on_change(self, listener: "Callable[[str], Any]") -> "Callable[[], None]":
        """Call ``listener`` with the new language after each change; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def t(self, key: str, /, **kwargs: "Any") -> str:
        """Return the text of a key, with ``{name}`` replaced by the argument of that name.

        A placeholder without an argument stays as it is written.
        """
        for locale in (*wider(self.current_locale), self.default_locale):
            text = self.translations.get(locale, {}).get(key)
            if text is not None:
                return text if "{" not in text else fill(text, kwargs, _Rules(locale))
        return key


class _Rules:
    """The CLDR categories of numbers, by the language that a text is in, not by the one that was asked for.

    Babel's where the plugin has it among its own dependencies; else ``one`` for 1 and ``other`` for the rest.
    """

    def __init__(self, locale: str) -> None:
        self._locale = locale

    def __call__(self, number: "Any") -> str:
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            return "other"
        from importlib import import_module

        try:
            babel = import_module("babel")
        except ImportError:
            return "one" if number == 1 else "other"
        try:
            return str(babel.Locale.parse(self._locale, sep="-").plural_form(abs(number)))
        except (babel.UnknownLocaleError, ValueError):
            return "other"
