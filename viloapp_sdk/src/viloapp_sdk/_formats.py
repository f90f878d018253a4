"""Numbers, dates, lists and plural rules as a language has them: Babel's, imported when they are asked for.

Babel is the extra ``viloapp-sdk[i18n]`` of the plugin. What it does not do of CLDR is here: the
digits and the percent sign of a language that has its own.

Source: CLDR, through Babel; UTS 35, part 3, for numbering systems.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

import babel
from babel import dates, lists, numbers

from viloapp_sdk._locale import wider

__all__ = ["category", "currency", "date", "listed", "number", "relative", "time"]

# The zero of each decimal numbering system that is the default one of a language in CLDR.
_ZEROS = {
    "adlm": 0x1E950,
    "arab": 0x660,
    "arabext": 0x6F0,
    "beng": 0x9E6,
    "cakm": 0x11136,
    "deva": 0x966,
    "hmnp": 0x1E140,
    "mymr": 0x1040,
    "nkoo": 0x7C0,
    "olck": 0x1C50,
    "rohg": 0x10D30,
    "tibt": 0xF20,
}
_known: dict[str, babel.Locale] = {}


def _locale(tag: str) -> babel.Locale:
    """Return what is known of a language, or of what it is a variety of; English for one that is unknown."""
    if tag not in _known:
        for each in (*wider(tag), "en"):
            try:
                _known[tag] = babel.Locale.parse(each, sep="-")
                break
            except (babel.UnknownLocaleError, ValueError):
                continue
    return _known[tag]


def _system(locale: babel.Locale) -> str:
    system = str(locale.default_numbering_system)
    return system if system in _ZEROS else "latn"


def _digits(text: str, locale: babel.Locale) -> str:
    zero = _ZEROS.get(_system(locale))
    return text if zero is None else text.translate({48 + each: zero + each for each in range(10)})


def category(tag: str, value: Any, ordinal: bool) -> str:
    """Return the CLDR category of a number."""
    locale = _locale(tag)
    return str((locale.ordinal_form if ordinal else locale.plural_form)(abs(value)))


def number(tag: str, value: Any, style: str = "", decimals: int | None = None) -> str:
    """Return a number, in one of the styles of `viloapp_sdk._messages.FORMATS`."""
    locale = _locale(tag)
    system = _system(locale)
    if style.startswith("::currency/"):
        return currency(tag, value, style.rpartition("/")[2])
    percent = style.endswith("percent")
    patterns = locale.percent_formats if percent else locale.decimal_formats
    pattern = patterns[None]
    decimals = 0 if style == "integer" else decimals
    if decimals is not None:
        pattern = _with_decimals(pattern, decimals)
    show = numbers.format_percent if percent else numbers.format_decimal
    text = show(value, format=pattern, locale=locale, numbering_system=system)
    if percent:  # the languages' own sign, which Babel leaves out
        text = text.replace("%", locale.number_symbols.get(system, {}).get("percentSign") or "%")
    return _digits(text, locale)


def _with_decimals(pattern: Any, decimals: int) -> Any:
    """Return a pattern of a language with so many digits after the point, no more and no fewer."""
    copied = numbers.parse_pattern(pattern.pattern)
    copied.frac_prec = (decimals, decimals)
    return copied


def currency(tag: str, value: Any, code: str) -> str:
    """Return an amount of money."""
    locale = _locale(tag)
    return _digits(
        numbers.format_currency(value, code, locale=locale, numbering_system=_system(locale)), locale
    )


def date(tag: str, value: Any, style: Any = "medium") -> str:
    """Return the date of a date, a datetime or seconds since 1970."""
    locale = _locale(tag)
    if not isinstance(value, datetime.date):
        value = datetime.datetime.fromtimestamp(value)
    return _digits(dates.format_date(value, style or "medium", locale=locale), locale)


def time(tag: str, value: Any, style: Any = "medium") -> str:
    """Return the time of a time, a datetime or seconds since 1970; the long styles name its zone."""
    locale = _locale(tag)
    if not isinstance(value, (datetime.time, datetime.datetime)):
        value = datetime.datetime.fromtimestamp(value)
    if style in ("long", "full") and value.tzinfo is None:
        # Babel takes what has no zone for UTC, and would say so.
        value, style = (value, "medium") if isinstance(value, datetime.time) else (value.astimezone(), style)
    return _digits(dates.format_time(value, style or "medium", locale=locale), locale)


def listed(tag: str, values: Iterable[Any], style: Any = "") -> str:
    """Return an enumeration."""
    styles: dict[str, Any] = {"": "standard"}
    return lists.format_list([str(each) for each in values], styles.get(style, style), locale=_locale(tag))


def relative(tag: str, value: Any, now: datetime.datetime | None = None) -> str:
    """Return how far a datetime, a timedelta or seconds are away: ``3 days ago``, ``in 2 hours``."""
    locale = _locale(tag)
    if isinstance(value, datetime.datetime):
        value = value - (now or datetime.datetime.now(value.tzinfo))
    elif isinstance(value, datetime.date):
        value = value - (now or datetime.datetime.now()).date()
        if not value:
            value = datetime.timedelta(0)
        return _digits(
            dates.format_timedelta(value, granularity="day", add_direction=True, locale=locale), locale
        )
    delta = value if isinstance(value, datetime.timedelta) else datetime.timedelta(seconds=value)
    return _digits(dates.format_timedelta(delta, add_direction=True, locale=locale), locale)
