"""Settings: defaults, checks, the file, and what a person types."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from viloapp_core.services import Settings
from viloapp_core.services.errors import SettingError
from viloapp_core.services.settings import CORE

DECLARED: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "viloxterm": {
        "fontSize": {"type": "integer", "default": 14, "minimum": 6, "maximum": 40},
        "cursor.style": {"type": "string", "default": "block", "enum": ["block", "bar"]},
        "bell": {"type": "boolean", "default": False},
        "ratio": {"type": "number", "default": 1},
        "free": {"default": None},
    }
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the settings are kept."""
    return tmp_path / "settings.json"


@pytest.fixture
def settings(path: Path) -> Settings:
    """Settings of one plugin and the core, nothing changed yet."""
    return Settings(path, lambda: DECLARED)


def test_defaults_hold_until_something_is_set(settings: Settings, path: Path) -> None:
    """Reading makes no file; setting writes the specification's shape; unsetting takes it back."""
    assert settings.get("viloxterm.fontSize") == 14
    assert not path.exists()
    settings.set("viloxterm.fontSize", 20)
    settings.set("viloxterm.cursor.style", "bar")
    settings.set("core.theme", "light")
    assert json.loads(path.read_text()) == {
        "version": "3.0",
        "core": {"theme": "light"},
        "plugins": {"viloxterm": {"fontSize": 20, "cursor.style": "bar"}},
    }
    assert Settings(path, lambda: DECLARED).of_plugin("viloxterm")["fontSize"] == 20
    settings.unset("viloxterm.fontSize")
    assert settings.get("viloxterm.fontSize") == 14


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("viloxterm.fontSize", "20", "type integer"),
        ("viloxterm.fontSize", True, "type integer"),
        ("viloxterm.fontSize", 5, "at least 6"),
        ("viloxterm.fontSize", 41, "at most 40"),
        ("viloxterm.cursor.style", "beam", "one of block, bar"),
        ("viloxterm.bell", 1, "type boolean"),
        ("viloxterm.nothing", 1, "there is no setting"),
        ("nobody.fontSize", 1, "there is no setting"),
        ("core.theme", "pink", "one of dark, light, high-contrast"),
        ("", 1, "there is no setting"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    settings: Settings, path: Path, key: str, value: Any, why: str
) -> None:
    """The error names the setting and what it takes."""
    with pytest.raises(SettingError, match=why):
        settings.set(key, value)
    assert not path.exists()


def test_a_close_key_is_suggested(settings: Settings) -> None:
    """A typing mistake costs one look."""
    with pytest.raises(SettingError) as caught:
        settings.get("viloxterm.fontsize")
    assert "viloxterm.fontSize" in caught.value.hint


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("viloxterm.fontSize", "16", 16),
        ("viloxterm.bell", "true", True),
        ("viloxterm.cursor.style", "16", "16"),
        ("viloxterm.ratio", "1.5", 1.5),
    ],
)
def test_text_is_read_by_the_settings_type(settings: Settings, key: str, text: str, value: Any) -> None:
    """A string needs no quotes, everything else is JSON."""
    assert settings.parse(key, text) == value


def test_text_of_the_wrong_type_is_refused(settings: Settings) -> None:
    """The error says which type was expected."""
    with pytest.raises(SettingError, match="type boolean"):
        settings.parse("viloxterm.bell", "yes please")


def test_other_writers_are_not_overwritten(settings: Settings, path: Path) -> None:
    """A change made by another process since we read stays, and so does what nobody declares."""
    settings.set("viloxterm.bell", True)
    document = json.loads(path.read_text())
    document["plugins"]["viloxterm"]["fontSize"] = 30
    document["plugins"]["gone"] = {"kept": 1}
    path.write_text(json.dumps(document))
    settings.set("viloxterm.ratio", 2)
    after = json.loads(path.read_text())["plugins"]
    assert after == {"gone": {"kept": 1}, "viloxterm": {"bell": True, "fontSize": 30, "ratio": 2}}


@pytest.mark.parametrize("content", ["{", "[]", "null x"])
def test_a_damaged_file_is_an_error_and_stays_as_it_is(path: Path, content: str) -> None:
    """Nobody's settings are thrown away because a bracket is missing."""
    path.write_text(content)
    with pytest.raises(Exception, match=r"settings\.json"):
        Settings(path, lambda: DECLARED)
    assert path.read_text() == content


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), [float("nan")], b"bytes", {"deep": {1, 2}}], ids=repr
)
@pytest.mark.parametrize("key", ["viloxterm.ratio", "viloxterm.free"])
def test_a_value_that_json_has_not_is_refused(settings: Settings, path: Path, key: str, value: Any) -> None:
    """Python would write NaN into the file, and no page could be told of any setting then."""
    with pytest.raises(SettingError, match=key):
        settings.set(key, value)
    assert not path.exists()


def test_a_value_has_a_bound(settings: Settings, path: Path) -> None:
    """The file is read at each start and rewritten at each change."""
    with pytest.raises(SettingError, match="more than 1048576"):
        settings.set("viloxterm.free", "x" * 1024 * 1024)
    assert not path.exists()


def test_a_giant_key_is_refused_at_once_and_not_repeated(settings: Settings) -> None:
    """It may come from a plugin, and to look for what is close to it would hold up the host for seconds."""
    before = time.monotonic()
    with pytest.raises(SettingError) as caught:
        settings.get("viloxterm." + "ab" * 4_000_000)
    assert len(str(caught.value)) < 1000
    assert time.monotonic() - before < 0.5


def test_limits_of_a_plugin_are_the_persons(settings: Settings) -> None:
    """They can be set and taken back, are no settings that the plugin sees, and are listed once set."""
    assert settings.get("viloxterm.limits.memory_mb") is None
    settings.set("viloxterm.limits.memory_mb", 300)
    assert settings.limits_of("viloxterm") == {"memory_mb": 300}
    assert "limits.memory_mb" not in settings.of_plugin("viloxterm")
    assert [row["key"] for row in settings.list() if ".limits.memory" in row["key"]] == [
        "viloxterm.limits.memory_mb"
    ]
    settings.unset("viloxterm.limits.memory_mb")
    assert settings.limits_of("viloxterm") == {}


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("viloxterm.limits.memory_mb", 0, "at least 1"),
        ("viloxterm.limits.file_handles", 50.5, "type integer"),
        ("viloxterm.limits.memory", 5, "there is no setting"),
        ("core.limits.memory_mb", 5, "there is no setting"),
        ("nobody.limits.memory_mb", 5, "there is no setting"),
    ],
)
def test_limits_have_bounds(settings: Settings, key: str, value: Any, why: str) -> None:
    """Those of the manifest; and only plugins have any."""
    with pytest.raises(SettingError) as caught:
        settings.set(key, value)
    assert why in caught.value.detail


def test_a_plugin_called_core_takes_nothing_of_the_core(tmp_path: Path) -> None:
    """Installing refuses that name; whatever came to be installed all the same cannot hide or set these."""
    declared = {"core": {"theme": {"type": "string", "default": "its own"}}}
    settings = Settings(tmp_path / "settings.json", lambda: declared)
    assert settings.get("core.theme") == CORE["theme"]["default"]
    assert settings.get("core.minimum.permissions") == "enforced"


def test_what_a_host_goes_by_is_a_value_that_can_be(tmp_path: Path) -> None:
    """A settings file that was written by hand cannot make the host count with words."""
    path = tmp_path / "settings.json"
    path.write_text('{"version": "3.0", "core": {"supervise.delay_s": "soon", "supervise.max_retries": 5}}')
    settings = Settings(path, dict)
    assert (settings.core("supervise.delay_s"), settings.core("supervise.max_retries")) == (1, 5)


@pytest.mark.parametrize("value", ["half a character: \ud83d", {"n": 2**64}])
def test_what_no_plugin_can_be_told_is_refused(settings: Settings, value: Any) -> None:
    """It would keep the plugin from starting; set or taken over, nothing is changed."""
    with pytest.raises(SettingError, match=r"viloxterm.free cannot be .* a value cannot be sent"):
        settings.set("viloxterm.free", value)
    done = settings.adopt({"version": "3.0", "plugins": {"viloxterm": {"free": value, "bell": True}}})
    assert [change.key for change in done.changes] == ["viloxterm.bell"]
    assert settings.get("viloxterm.free") is None
