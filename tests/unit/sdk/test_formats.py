"""Numbers, dates, lists and distances by language.

How three things are listed changed between releases of CLDR for Hindi, so two are. The values are those of
ICU 78 (CLDR 48), asked through the `Intl` of Node 24, not Babel's own answers.
"""
# ruff: noqa: RUF001 (digits of other scripts are what this is about)

from __future__ import annotations

import datetime
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from viloapp_sdk.errors import ViloError
from viloapp_sdk.i18n import PluginI18n

MOMENT = datetime.datetime(2026, 3, 5, 15, 4, 9)
# Locale → number, percent, euros, long date, short date, short time, and, or, three days ago, in two hours.
KNOWN = {
    "de": [
        *("1.234.567,891", "26\xa0%", "1.234,50\xa0€", "5. März 2026", "05.03.26", "15:04"),
        *("a und b", "a, b oder c", "vor 3 Tagen", "in 2 Stunden"),
    ],
    "fr": [
        *("1\u202f234\u202f567,891", "26\xa0%", "1\u202f234,50\xa0€", "5 mars 2026", "05/03/2026", "15:04"),
        *("a et b", "a, b ou c", "il y a 3 jours", "dans 2 heures"),
    ],
    "pt-BR": [
        *("1.234.567,891", "26%", "€\xa01.234,50", "5 de março de 2026", "05/03/2026", "15:04"),
        *("a e b", "a, b ou c", "há 3 dias", "em 2 horas"),
    ],
    "ar-EG": [
        "١٬٢٣٤٬٥٦٧٫٨٩١",
        "٢٦٪\u061c",
        "\u200f١٬٢٣٤٫٥٠\xa0€",
        "٥ مارس ٢٠٢٦",
        "٥\u200f/٣\u200f/٢٠٢٦",
        "٣:٠٤ م",
        *("a وb", "a أو b أو c", "قبل ٣ أيام", "خلال ساعتين"),
    ],
    "ja": [
        *("1,234,567.891", "26%", "€1,234.50", "2026年3月5日", "2026/03/05", "15:04"),
        *("a、b", "a、b、またはc", "3 日前", "2 時間後"),
    ],
    "hi": [
        *("12,34,567.891", "26%", "€1,234.50", "5 मार्च 2026", "5/3/26", "3:04 pm"),
        *("a और b", "a, b या c", "3 दिन पहले", "2 घंटे में"),
    ],
    "en": [
        *("1,234,567.891", "26%", "€1,234.50", "March 5, 2026", "3/5/26", "3:04\u202fPM"),
        *("a and b", "a, b, or c", "3 days ago", "in 2 hours"),
    ],
}
MESSAGES = {
    "number": "{x, number}",
    "percent": "{x, number, percent}",
    "euros": "{x, number, ::currency/EUR}",
    "long": "{x, date, long}",
    "short": "{x, date, short}",
    "time": "{x, time, short}",
    "and": "{x, list}",
    "or": "{x, list, or}",
    "relative": "{x, relative}",
    "count": "{x, plural, offset:1 =1 {only you} one {you and one} other {you and # others}}",
    "rank": "{x, selectordinal, one {#st} two {#nd} few {#rd} other {#th}}",
}


@pytest.fixture
def texts(tmp_path: Path) -> PluginI18n:
    """The same messages in every language."""
    (tmp_path / "locales").mkdir()
    for locale in (*KNOWN, "ar"):
        (tmp_path / "locales" / f"{locale}.json").write_text(json.dumps(MESSAGES))
    return PluginI18n(tmp_path)


@pytest.mark.parametrize("locale", KNOWN)
def test_what_cldr_says(texts: PluginI18n, locale: str) -> None:
    """In messages and by methods."""
    texts.set_locale(locale)
    past, future = datetime.timedelta(days=-3), 7200
    t: Any = texts.t
    shown = [
        t("number", x=1234567.891),
        t("percent", x=0.256),
        t("euros", x=Decimal("1234.5")),
        t("long", x=MOMENT),
        t("short", x=MOMENT.date()),
        t("time", x=MOMENT.time()),
        t("and", x=["a", "b"]),
        t("or", x=("a", "b", "c")),
        t("relative", x=past),
        t("relative", x=future),
    ]
    assert shown == KNOWN[locale]
    assert shown == [
        texts.number(1234567.891),
        texts.percent(0.256),
        texts.currency(1234.5, "EUR"),
        texts.date(MOMENT, "long"),
        texts.date(MOMENT, "short"),
        texts.time(MOMENT, "short"),
        texts.list("ab"),
        texts.list("abc", "or"),
        texts.relative(past),
        texts.relative(future),
    ]


def test_arabic(texts: PluginI18n) -> None:
    """All six plural forms were tested elsewhere; a date has the language's month."""
    texts.set_locale("ar")
    assert "مارس" in texts.date(MOMENT, "long")
    assert texts.list(["a", "b"]) == "a وb"


def test_choices_by_number(texts: PluginI18n) -> None:
    """An offset, exact numbers whatever their type, and ordinal numbers."""
    assert [texts.t("count", x=x) for x in (1, 1.0, Decimal(1))] == ["only you"] * 3
    assert texts.t("count", x=2) == "you and one"
    assert texts.t("count", x=2345) == "you and 2,344 others"
    assert [texts.t("rank", x=x) for x in (1, 2, 3, 4, 11, 22)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "22nd",
    ]


def test_decimals_and_moments(texts: PluginI18n) -> None:
    """As many digits as are asked for; seconds since 1970 are local time; today is today."""
    assert (texts.number(1.5, 2), texts.number(2, 0), texts.percent(0.1234, 1)) == ("1.50", "2", "12.3%")
    assert texts.date(MOMENT.timestamp(), "long") == "March 5, 2026"
    assert texts.time(MOMENT.timestamp(), "short") == texts.time(MOMENT, "short")
    assert "0" in texts.relative(datetime.date.today())
    aware = MOMENT.replace(tzinfo=datetime.timezone.utc)
    assert "UTC" in texts.time(aware, "long")
    assert texts.time(MOMENT.time(), "long") == texts.time(MOMENT)


def test_the_persons_variety_decides_how_a_number_is_written(texts: PluginI18n) -> None:
    """German texts, Austrian money; no Swedish numbers in an English text."""
    texts.follow("de-AT")
    assert (texts.current_locale, texts.currency(1.5, "EUR")) == ("de", "€\xa01,50")
    texts.follow("sv")
    assert texts.t("number", x=1.5) == texts.number(1.5) == "1.5"


@pytest.mark.parametrize("value", [None, "soon", object(), float("nan"), True, 10**400, {"a": 1}])
def test_a_value_of_another_kind_is_shown_as_it_is(texts: PluginI18n, value: Any) -> None:
    """No text fails at a person's screen, whatever the plugin passes."""
    for key in MESSAGES:
        assert isinstance(texts.t(key, x=value), str)
    assert texts.t("long", x="soon") == texts.t("number", x="soon") == "soon"


def test_without_the_extra(
    texts: PluginI18n, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A method names it; a text shows the value as it is, and the log names it once."""
    monkeypatch.setitem(sys.modules, "viloapp_sdk._formats", None)
    monkeypatch.delattr("viloapp_sdk._formats", raising=False)
    with pytest.raises(ViloError, match="need Babel") as caught:
        texts.number(1)
    assert caught.value.code == "no_babel"
    assert "viloapp-sdk[i18n]" in caught.value.hint
    assert [texts.t("number", x=1.5), texts.t("and", x=[1])] == ["1.5", "[1]"]
    assert len([each for each in caplog.records if "viloapp-sdk[i18n]" in each.getMessage()]) == 1
