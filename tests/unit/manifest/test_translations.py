"""The words of a manifest in other languages, as a wheel and an installed package have them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from viloapp_core.manifest import read_source, read_wheel
from viloapp_core.manifest.package_files import find_package
from viloapp_core.manifest.translations import MAX_BYTES, folder_reader, parse, texts

WheelMaker = Callable[..., Path]
TITLE = "manifest.command.hello.greet.title"
REASON = "manifest.permission.process.spawn.terminal.reason"


def test_a_wheel_speaks_the_persons_language(wheel: WheelMaker) -> None:
    """The nearest variety counts, then what it is one of, then the manifest; ids and permissions stay."""
    path = wheel(
        {
            "hello/locales/pt.json": json.dumps({TITLE: "Dizer olá", "manifest.summary": "Diz olá"}),
            "hello/locales/pt_br.json": json.dumps({TITLE: "Dizer oi", "plain": "text"}),
        }
    )
    described = read_wheel(path)
    brazil = described.in_language("pt-BR")
    assert brazil.manifest.commands[0]["title"] == "Dizer oi"
    assert brazil.summary == "Diz olá"
    assert described.in_language("pt").manifest.commands[0]["title"] == "Dizer olá"
    assert brazil.manifest.permissions == described.manifest.permissions
    assert described.in_language("de") is described
    assert described.in_language("en") is described
    assert "translations" not in described.to_json()


def test_a_reason_is_translated_and_what_it_is_for_is_not(wheel: WheelMaker) -> None:
    """A catalogue cannot rename a permission, and cannot hide what a terminal would show."""
    hostile = {REASON: "\u202eharmlos\x1b[2J", "manifest.permission.process.spawn.terminal.id": "ui.none"}
    german = read_wheel(wheel({"hello/locales/de.json": json.dumps(hostile)})).in_language("de")
    (asked,) = german.manifest.permissions
    assert (asked.id, asked.reason) == ("process.spawn.terminal", "\ufffdharmlos\ufffd[2J")


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"[]",
        b"{",
        b'{"manifest.summary": 1}',
        b'{"manifest.summary": {"a": "b"}}',
        b'{"manifest.summary": "a", "manifest.summary": "b"}',
        b"[" * 100_000,
        b'{"manifest.summary": "' + b"x" * MAX_BYTES + b'"}',
        json.dumps({f"manifest.{number}": "x" for number in range(20_001)}).encode(),
    ],
    ids=["bytes", "list", "cut", "number", "table", "twice", "deep", "large", "many"],
)
def test_nothing_is_taken_of_what_is_no_catalogue(content: bytes, wheel: WheelMaker) -> None:
    """The plugin can still be installed: its manifest has words of its own."""
    assert parse(content) == {}
    path = wheel({"hello/locales/de.json": content})
    assert read_wheel(path).in_language("de").summary == "Says hello"


def test_an_installed_package_is_read_where_it_lies(tmp_path: Path) -> None:
    """No link is followed, no pipe waited for, nothing read beside the package."""
    package = tmp_path / "venv" / "lib" / "python3.11" / "site-packages" / "hello"
    (package / "locales").mkdir(parents=True)
    secret = tmp_path / "de.json"
    secret.write_text(json.dumps({TITLE: "secret"}))
    (package / "locales" / "de.json").symlink_to(secret)
    os.mkfifo(package / "locales" / "fr.json")
    (package / "locales" / "ar.json").write_text(json.dumps({TITLE: "قل مرحبا"}))

    def words(locale: str, entry_point: str = "hello.plugin:Hello") -> dict[str, str]:
        found = find_package(entry_point, tmp_path, None)
        return texts(folder_reader(found), locale) if found is not None else {}

    assert words("ar-EG") == {TITLE: "قل مرحبا"}
    for locale in ("de", "fr", "nl", "../../de", "en"):
        assert words(locale) == {}
    for entry_point in ("hello", "../site-packages/hello.x:Y", ":", "other.plugin:X"):
        assert words("ar", entry_point) == ({TITLE: "قل مرحبا"} if entry_point == "hello" else {})
    (package / "locales").rename(tmp_path / "elsewhere")
    (package / "locales").symlink_to(tmp_path / "elsewhere")
    assert words("ar") == {}


def test_a_project_speaks_before_it_is_built(tmp_path: Path) -> None:
    """`viloapp info DIR` shows what its wheel will."""
    package = tmp_path / "src" / "hello"
    (package / "locales").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "locales" / "de.json").write_text(json.dumps({"manifest.summary": "Grüßt"}))
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "hello"\nversion = "1"\ndescription = "Greets"\n'
        '[project.entry-points."viloapp.plugins"]\nhello = "hello:P"\n'
        '[tool.viloapp]\napi_version = "1.0"\n'
    )
    assert read_source(tmp_path).in_language("de-AT").summary == "Grüßt"
