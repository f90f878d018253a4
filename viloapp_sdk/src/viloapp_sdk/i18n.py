"""The plugin's texts in the person's language: `PluginI18n`, one file for each language.

``locales/en.json`` in the plugin's package, and others beside it, each one flat object:

    {"terminal.connection_error": "Failed to connect to terminal: {error}"}

A text is looked for in the current language, in what that is a variety of (``pt-BR``, then ``pt``), in the
default one; where none has it, its key stands for it. Values are put in as they are: what looks like a
placeholder in one is text, and so are apostrophes, quotes and HTML. ``{count, plural, one {# file} other {#
files}}``, ``select`` and formats such as ``{day, date, long}`` are ICU's.

What is broken is for the author, whom `viloapp validate` and the build tell. A person gets the text of the
default language instead, or the key; the log says so once.

Source: the specification, Internationalization.
"""

import os
import warnings

from viloapp_sdk._filling import fill
from viloapp_sdk._locale import normal, wider
from viloapp_sdk._messages import parse
from viloapp_sdk.errors import ViloError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable
    from types import ModuleType
    from typing import Any

    from viloapp_sdk._messages import Node

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
        self._wanted = self.default_locale
        self._parsed: dict[str, tuple[tuple[Node, ...], list[str]]] = {}
        self._told: set[str] = set()
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
        self._use(found or self.default_locale, wanted)
        return self.current_locale

    def follow(self, locale: str) -> None:
        """Take the workspace's language; one that this plugin has not is no mistake of anybody's."""
        wanted = normal(locale)
        found = next((each for each in wider(wanted) if each in self.translations), None)
        self._use(found or self.default_locale, wanted)

    def _use(self, locale: str, wanted: str) -> None:
        changed = wanted != self._wanted
        self._wanted = wanted
        if changed or locale != self.current_locale:
            self.current_locale = locale
            for listener in tuple(self._listeners):
                listener(locale)

    def on_change(self, listener: "Callable[[str], Any]") -> "Callable[[], None]":
        """Call ``listener`` with the new language after each change; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def t(self, key: str, /, **kwargs: "Any") -> str:
        """Return the text of a key, with ``{name}`` replaced by the argument of that name.

        A placeholder without an argument stays as it is written. An empty text is one that nobody has
        translated yet, except in the default language.
        """
        for locale in (*wider(self.current_locale), self.default_locale):
            text = self.translations.get(locale, {}).get(key)
            if text is None or (not text and locale != self.default_locale):
                continue
            if "{" not in text and "}" not in text:
                return text
            nodes, issues = self._parsed.get(text) or self._parsed.setdefault(text, parse(text))
            if not issues:
                return fill(nodes, kwargs, _Rules(self._variety(locale), self._tell))
            self._tell(f"locales/{locale}.json: {key} cannot be used: {'; '.join(issues)}")
        return key

    def _variety(self, locale: str) -> str:
        """Return the person's own variety of a text's language, by which numbers are written: ``de-CH``."""
        return self._wanted if locale in wider(self._wanted) else locale

    def _tell(self, what: str) -> None:
        """Say something in the plugin's log, once."""
        if what not in self._told:
            self._told.add(what)
            import logging

            logging.getLogger("viloapp_sdk.i18n").warning(what)

    # -- numbers and dates, in the language of the texts; each raises `ViloError` (``no_babel``) ---------

    def number(self, value: "Any", decimals: "int | None" = None) -> str:
        """Return a number: ``1.234,5`` in German.

        Args:
            value: an int, a float, a Decimal.
            decimals: how many digits after the point; by default as many as there are, three at most.
        """
        return str(_formats().number(self._language, value, "", decimals))

    def percent(self, value: "Any", decimals: int = 0) -> str:
        """Return a share: 0.25 is ``25%``."""
        return str(_formats().number(self._language, value, "percent", decimals))

    def currency(self, value: "Any", code: str) -> str:
        """Return an amount of money.

        Args:
            value: the amount.
            code: of the currency, by ISO 4217, such as ``EUR``.
        """
        return str(_formats().currency(self._language, value, code))

    def date(self, value: "datetime.date | float", style: str = "medium") -> str:
        """Return a date.

        Args:
            value: a date, a datetime, or seconds since 1970, which are told in local time.
            style: ``short``, ``medium``, ``long`` or ``full``.
        """
        return str(_formats().date(self._language, value, style))

    def time(self, value: "datetime.time | datetime.datetime | float", style: str = "medium") -> str:
        """Return a time of day; arguments as of `date`."""
        return str(_formats().time(self._language, value, style))

    def list(self, values: "Iterable[Any]", style: str = "") -> str:
        """Return an enumeration: ``a, b, and c``; with the style ``or``: ``a, b, or c``."""
        return str(_formats().listed(self._language, values, style))

    def relative(self, value: "datetime.datetime | datetime.date | datetime.timedelta | float") -> str:
        """Return how far something is from now: ``3 days ago``.

        Args:
            value: when it is, or how far away: a timedelta or seconds, negative for what is past.
        """
        return str(_formats().relative(self._language, value))

    @property
    def _language(self) -> str:
        return self._variety(self.current_locale)


def _formats() -> "ModuleType":
    """Return what needs Babel.

    Raises:
        ViloError: (``no_babel``) the plugin has it not among its dependencies.
    """
    try:
        from viloapp_sdk import _formats as module
    except ImportError:
        raise ViloError(
            "no_babel",
            "numbers and dates by language need Babel, which is not installed",
            'have "viloapp-sdk[i18n]" among the plugin\'s dependencies',
        ) from None
    return module


class _Rules:
    """What is a language's own, of the one that a text is in, not the one that was asked for.

    Babel's where the plugin has it among its dependencies; else 1 is ``one`` and the rest ``other``, and
    values are shown as they are.
    """

    def __init__(self, locale: str, tell: "Callable[[str], None]") -> None:
        self._locale = locale
        self._tell = tell

    def plural(self, number: "Any", ordinal: bool) -> str:
        try:
            return str(_formats().category(self._locale, number, ordinal))
        except ViloError:
            return "one" if number == 1 and not ordinal else "other"
        except (ArithmeticError, ValueError, TypeError):  # of what is no number, such as NaN
            return "other"

    def show(self, value: "Any", kind: str, style: str) -> "str | None":
        """Return a value as the language has it; None, and a word in the log, where that cannot be told."""
        try:
            formats = _formats()
            if kind == "number":
                return None if isinstance(value, bool) else str(formats.number(self._locale, value, style))
            if kind == "list":
                return None if isinstance(value, str) else str(formats.listed(self._locale, value, style))
            if kind == "relative":
                return str(formats.relative(self._locale, value))
            return str(getattr(formats, kind)(self._locale, value, style))
        except ViloError as error:
            self._tell(f"{error.detail}: {error.hint}")
        except Exception as error:  # whatever a value does that was not meant for this
            self._tell(f"a {type(value).__name__} cannot be shown as a {kind}: {type(error).__name__}")
        return None
