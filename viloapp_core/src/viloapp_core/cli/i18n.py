"""`viloapp i18n`: a plugin's texts for its author: found in the code, merged into catalogues, checked."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from viloapp_core.cli import options
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.text import one_line
from viloapp_sdk._locale import normal

if TYPE_CHECKING:
    from viloapp_core.devtools.catalogue_update import Change
    from viloapp_core.devtools.catalogues import Texts
    from viloapp_core.devtools.extraction import Use

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")


@click.group("i18n", cls=options.ViloGroup)
def i18n_command() -> None:
    """Keep a plugin's texts in several languages: `locales/*.json` in its package."""


@i18n_command.command("extract", cls=options.ViloCommand)
@options.project
@options.json_output
@pass_invocation
def extract_command(invocation: Invocation, path: Path) -> None:
    """List the texts that the project in PATH has: those that its code asks for, and its manifest's words.

    Nothing of it is run and nothing is written. A key that is put together at run time is named with its
    place; which it may be is said by a comment on the line: `# i18n: state.*`.
    """
    from viloapp_core.devtools.catalogues import project_texts

    found = project_texts(path)
    uses = found[0].uses if found else []
    words = dict(found[0].words) if found else {}
    keys: dict[str, list[Use]] = {}
    for use in uses:
        if use.key is not None:
            keys.setdefault(use.key, []).append(use)
    unknown = [f"{use.path}:{use.line}" for use in uses if use.key is None]
    if invocation.output.as_json:
        rows = [
            {
                "key": key,
                "places": [f"{use.path}:{use.line}" for use in keys[key]],
                "values": sorted({name for use in keys[key] for name in use.arguments or ()}),
            }
            for key in sorted(keys)
        ]
        unreadable = _unreadable(found)
        invocation.output.json(
            {"texts": rows, "manifest": words, "unknown": unknown, "unreadable": unreadable}
        )
        return
    for key in sorted(keys):
        places = ", ".join(f"{use.path}:{use.line}" for use in keys[key])
        invocation.output.line(one_line(f"{key}  {places}"))
    for key, text in words.items():
        invocation.output.line(one_line(f"{key}  {text}"))
    for place in unknown:
        invocation.output.note(one_line(f"{place}: the key cannot be told; add a comment: # i18n: state.*"))
    _tell_unreadable(invocation, found)


def _no_language(_ctx: click.Context, _parameter: click.Parameter, path: Path) -> Path:
    """Return the folder of a project; who names a language instead is told how that is done.

    Raises:
        click.BadParameter: there is no such folder.
    """
    if path.is_dir():
        return path
    if not _LANGUAGE.fullmatch(language := normal(str(path))):
        raise click.BadParameter(f"Directory {str(path)!r} does not exist")
    with_it = f"viloapp i18n update --add {language}"
    raise click.BadParameter(
        f"there is no folder {path}; every language is brought up to date, and {with_it} begins this one"
    )


@i18n_command.command("update", cls=options.ViloCommand)
@click.argument("path", metavar="[PATH]", default=".", type=click.Path(path_type=Path), callback=_no_language)
@click.option("--add", multiple=True, metavar="LOCALE", help="Begin a catalogue of this language, too.")
@click.option("--remove-stale", is_flag=True, help="Take out the keys that nothing asks for.")
@options.dry_run
@options.json_output
@pass_invocation
def update_command(
    invocation: Invocation, path: Path, add: tuple[str, ...], remove_stale: bool, dry_run: bool
) -> None:
    """Bring the catalogues of the project in PATH up to date; every translation is kept.

    Each language gets the keys that it lacks with an empty text, which means that it is not translated yet:
    a person reads the default language's meanwhile. What `en.json` lacks is listed, since only you can write
    it. Keys are sorted.
    """
    from viloapp_core.devtools.catalogue_update import apply, plan_updates
    from viloapp_core.devtools.catalogues import project_texts

    languages = [_language(each) for each in add]
    found = project_texts(path)
    changes = [
        change
        for at, texts in enumerate(found)
        for change in plan_updates(texts, add=languages if at == 0 else (), remove_stale=remove_stale)
    ]
    lacking = _lacking(found)
    if not dry_run:
        apply(changes)
    output = invocation.output
    if output.as_json:
        rows = [
            {key: value for key, value in asdict(each).items() if key != "content"} | {"path": str(each.path)}
            for each in changes
        ]
        unreadable = _unreadable(found)
        output.json({"catalogues": rows, "lacking": lacking, "unreadable": unreadable, "dry_run": dry_run})
        return
    for change in changes:
        _tell(invocation, change, dry_run)
    for key, place in lacking.items():
        output.line(one_line(f"en.json lacks {key}, which {place} asks for: write it"))
    _tell_unreadable(invocation, found)
    if not changes and not lacking:
        output.note("there are no catalogues; begin with src/…/locales/en.json, or --add a language")


def _tell(invocation: Invocation, change: Change, dry_run: bool) -> None:
    name = change.path.name
    state = ("would be written" if dry_run else "written") if change.written else "is up to date"
    waiting = f", {change.untranslated} not translated" if change.untranslated else ""
    invocation.output.line(one_line(f"{name}: {state}{waiting}"))
    for key in change.added:
        invocation.output.line(f"  + {one_line(key)}")
    for key in change.stale:
        sign = "-" if change.removed else "?"
        hint = "" if change.removed else "  (nothing asks for it: --remove-stale)"
        invocation.output.line(f"  {sign} {one_line(key)}{hint}")


def _unreadable(found: list[Texts]) -> list[dict[str, object]]:
    """Return the sources that cannot be read, as rows."""
    sources = found[0].unreadable if found else ()  # all packages of a project have the same
    return [{"path": each.path, "line": each.line, "message": each.message} for each in sources]


def _tell_unreadable(invocation: Invocation, found: list[Texts]) -> None:
    for each in found[0].unreadable if found else ():
        message = f"{each.place}: it cannot be told what this source asks for: {each.message}"
        invocation.output.note(one_line(message))


def _lacking(found: list[Texts]) -> dict[str, str]:
    """Return key → place of what the code asks for and the default language has not."""
    return {
        use.key: f"{use.path}:{use.line}"
        for texts in found
        for use in (texts.uses if texts.alone else ())
        if use.key is not None and use.exact and use.key not in texts.base.texts
    }


def _language(text: str) -> str:
    """Return a language as a file is named by it.

    Raises:
        click.BadParameter: it is none.
    """
    found = normal(text)
    if not _LANGUAGE.fullmatch(found):
        raise click.BadParameter(f"{text!r} is no language, such as de, pt-BR or zh-Hans", param_hint="--add")
    return found


@i18n_command.command("check", cls=options.ViloCommand)
@options.project
@options.sarif_file
@options.json_output
@pass_invocation
def check_command(invocation: Invocation, path: Path, sarif_file: Path | None) -> None:
    """Fail when a catalogue of the project in PATH is broken, or lacks a text, or has one too many.

    The findings are those of `viloapp validate`, which fails on the errors among them only: what is not
    translated yet is a warning there.
    """
    from viloapp_core.devtools.catalogues import catalogue_findings, dependencies_of, project_texts
    from viloapp_core.devtools.findings import ordered
    from viloapp_core.devtools.sarif import sarif
    from viloapp_core.foundation.files import write_atomic
    from viloapp_sdk.manifest.project import read_pyproject

    found = project_texts(path)
    dependencies = dependencies_of(read_pyproject(path))
    findings = ordered(
        each for texts in found for each in (*texts.unreadable, *catalogue_findings(texts, dependencies))
    )
    if sarif_file is not None:
        write_atomic(sarif_file, json.dumps(sarif(findings), indent=1).encode() + b"\n", 0o644)
    if invocation.output.as_json:
        invocation.output.json({"ok": not findings, "findings": [asdict(each) for each in findings]})
    for each in () if invocation.output.as_json else findings:
        level = "" if each.level == "error" else f"{each.level}: "
        invocation.output.line(one_line(f"{each.place}: {level}{each.message}"))
    if findings:
        click.get_current_context().exit(1)
    count = sum(len(texts.catalogues) for texts in found)
    invocation.output.note(f"{count} {'catalogue has' if count == 1 else 'catalogues have'} nothing wrong")


@i18n_command.command("pseudo", cls=options.ViloCommand)
@options.project
@click.option("--remove", is_flag=True, help="Take them away again.")
@options.json_output
@pass_invocation
def pseudo_command(invocation: Invocation, path: Path, remove: bool) -> None:
    """Write `en-XA.json` (accents, longer) and `ar-XB.json` (right to left) of the project in PATH.

    They are made of the default language, to see what is cut, what is not translated and what does not
    mirror: `viloapp config set core.locale en-XA`. They are no part of a release.
    """
    from viloapp_core.devtools.catalogue_update import CatalogueError, rendered
    from viloapp_core.devtools.catalogues import project_texts
    from viloapp_core.foundation.files import write_atomic
    from viloapp_sdk.manifest.pseudo import PSEUDO, pseudo_catalogue

    files: dict[Path, bytes] = {}
    for texts in project_texts(path):
        base = texts.base
        if base.issues:
            raise CatalogueError([f"en.json:{line}: {message}" for line, message in base.issues])
        words = {**base.texts, **texts.words}
        folder = texts.package / "locales"
        files |= {folder / f"{each}.json": rendered(pseudo_catalogue(each, words)) for each in PSEUDO}
    for file, content in files.items():
        if remove:
            file.unlink(missing_ok=True)
        else:
            file.parent.mkdir(exist_ok=True)
            write_atomic(file, content, 0o644)
    if invocation.output.as_json:
        invocation.output.json({"files": [str(file) for file in files], "removed": remove})
        return
    for file in files:
        invocation.output.line(str(file))
    if not remove:
        invocation.output.note("  see them: viloapp config set core.locale en-XA")
