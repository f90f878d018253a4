"""The words of a manifest in other languages."""

import pytest

from viloapp_sdk.manifest import translatable, translated, validate
from viloapp_sdk.manifest.translations import clean, enum_labels, languages

MANIFEST = {
    "schema": 1,
    "api_version": "1.0",
    "permissions": [
        {"id": "network.connect.api.example.com", "reason": "fetch the greeting"},
        {"id": "ui.read.active_widget"},
    ],
    "configuration": {
        "style": {"type": "string", "description": "How to greet", "enum": ["warm", "cool"]},
        "size": {"type": "integer", "enum": [1, 2]},
    },
    "commands": [{"id": "hello.greet", "title": "Say hello", "description": "Greets."}],
    "widgets": [{"id": "hello.panel", "title": "Hello"}],
}
GERMAN = {
    "manifest.command.hello.greet.title": "Grüßen",
    "manifest.permission.network.connect.api.example.com.reason": "den Gruß holen",
    "manifest.permission.ui.read.active_widget.reason": "nur so",
    "manifest.setting.style.description": "Wie gegrüßt wird",
    "manifest.setting.style.enum.warm": "herzlich",
    "manifest.unknown": "nichts",
}


def test_every_word_has_a_key() -> None:
    """Summary, titles, descriptions, reasons and values that are strings; what is empty has none."""
    assert translatable(MANIFEST, "Greets people") == {
        "manifest.summary": "Greets people",
        "manifest.command.hello.greet.title": "Say hello",
        "manifest.command.hello.greet.description": "Greets.",
        "manifest.widget.hello.panel.title": "Hello",
        "manifest.permission.network.connect.api.example.com.reason": "fetch the greeting",
        "manifest.setting.style.description": "How to greet",
        "manifest.setting.style.enum.warm": "warm",
        "manifest.setting.style.enum.cool": "cool",
    }


def test_what_a_catalogue_has_takes_the_place_of_the_manifests_words() -> None:
    """The rest stays, ids and permissions above all; a reason is not added where the manifest has none."""
    before = repr(MANIFEST)
    german = translated(MANIFEST, GERMAN)
    assert repr(MANIFEST) == before
    assert german["commands"] == [{"id": "hello.greet", "title": "Grüßen", "description": "Greets."}]
    assert german["permissions"] == [
        {"id": "network.connect.api.example.com", "reason": "den Gruß holen"},
        {"id": "ui.read.active_widget"},
    ]
    assert german["widgets"] == MANIFEST["widgets"]
    assert german["configuration"]["style"]["description"] == "Wie gegrüßt wird"
    assert german["configuration"]["style"]["enum"] == ["warm", "cool"]
    assert enum_labels("style", german["configuration"]["style"], GERMAN) == {"warm": "herzlich"}
    assert validate(german) == []


@pytest.mark.parametrize("key", translatable(MANIFEST, "x"))
def test_a_hostile_translation_is_still_a_valid_manifest(key: str) -> None:
    """Too long, with control characters and reversed text: cut and made safe, it is a manifest."""
    hostile = {key: "\u202eevil\x1b[2J\x00" + "x" * 10_000}
    assert validate(translated(MANIFEST, hostile)) == []
    assert "\u202e" not in clean(key, hostile[key])
    assert len(clean(key, hostile[key])) <= 4000


def test_languages_are_the_nearest_first_and_safe_in_a_files_name() -> None:
    """A variety, then what it is one of; the default language needs no catalogue."""
    assert languages("pt_br") == ("pt-BR", "pt")
    assert languages("zh-hant-tw") == ("zh-Hant-TW", "zh-Hant", "zh")
    assert languages("en") == ()
    assert languages("en-GB") == ("en-GB",)
    for wrong in ("", "../../etc", "de/../x", "de\x00", "x" * 300, "de-" + "a" * 100):
        assert languages(wrong) == ()
