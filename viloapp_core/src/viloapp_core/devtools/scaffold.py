"""Make a plugin's project from the template, whole or not at all; bring one up to a newer template."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from viloapp_core.devtools.errors import ScaffoldError, TargetExistsError, ToolMissingError
from viloapp_core.devtools.project_name import ProjectName
from viloapp_core.devtools.template_source import TEMPLATE, publish_template
from viloapp_core.foundation.paths import template_dir

__all__ = ["ANSWERS", "KINDS", "Project", "create_project", "split_author", "update_project"]

KINDS = ("basic", "widget", "service", "command", "webview")
ANSWERS = ".copier-answers.yml"
_MAX_TEXT = 200
_ADDRESS = re.compile(r"(?P<name>[^<>]*[^<>\s])\s*<(?P<email>[^<>@\s\"\\]+@[^<>@\s\"\\]+)>")


@dataclass(frozen=True, slots=True)
class Project:
    """What a new project is to be.

    Args:
        name: of distribution, package and class.
        kind: one of `KINDS`.
        author: a name.
        email: of the author; may be empty.
        description: one sentence.
    """

    name: ProjectName
    kind: str
    author: str
    email: str
    description: str


def split_author(text: str) -> tuple[str, str]:
    """Return name and address of ``Name <address>``; the address is empty where there is none.

    >>> split_author("A. Name <a@example.org>")
    ('A. Name', 'a@example.org')
    """
    match = _ADDRESS.fullmatch(text.strip())
    return (match["name"], match["email"]) if match else (text.strip(), "")


def create_project(project: Project, parent: Path, environ: Mapping[str, str]) -> Path:
    """Make the project's folder in `parent` and return it; it appears in one step.

    Args:
        project: what it is to be.
        parent: the folder that gets it; made where there is none.
        environ: the user's environment.

    Raises:
        TargetExistsError: there is something of its name.
        ScaffoldError: it cannot be made.
        ToolMissingError: copier is not installed.
    """
    for label, text in (("author", project.author), ("description", project.description)):
        if not text.strip() or not text.isprintable() or len(text) > _MAX_TEXT:
            raise ScaffoldError(
                f"the {label} has to be one printable line of at most {_MAX_TEXT} characters",
                f"give --{label}",
            )
    folder = parent / project.name.name
    if os.path.lexists(folder):
        raise TargetExistsError(f"{folder} exists already", "take another name, or another folder with -o")
    if os.path.lexists(parent) and not parent.is_dir():
        raise ScaffoldError(f"{parent} is not a folder", "name another with -o")
    source, tag = _source(environ)
    with _present(parent):
        try:
            scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=parent))
        except OSError as error:
            raise ScaffoldError(f"{parent} cannot be written: {error.strerror}") from error
        try:
            made = scratch / folder.name
            _render(source, tag, made, project)
            _move(made, folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder


@contextlib.contextmanager
def _present(parent: Path) -> Iterator[None]:
    """Make a folder, with those above it; what was made goes again where the context ends in an error.

    Raises:
        ScaffoldError: it cannot be made.
    """
    missing = [each for each in (parent, *parent.parents) if not each.exists()]
    try:
        try:
            parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = f"{parent} cannot be made: {error.strerror}"
            raise ScaffoldError(why, "name another folder with -o") from error
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # somebody else has put something there meanwhile
            for each in missing:
                each.rmdir()
        raise


def update_project(folder: Path, environ: Mapping[str, str]) -> None:
    """Merge this core's template into a project that an older one made; conflicts are marked in its files.

    Raises:
        ScaffoldError: it was not made by `create_project`, or cannot be updated as it is.
        ToolMissingError: copier is not installed.
    """
    if not (folder / ANSWERS).is_file():
        raise ScaffoldError(f"{folder} has no {ANSWERS}", "only what create-plugin made can be updated")
    _, tag = _source(environ)
    if tag is None:
        raise ScaffoldError("git is not installed, which merges the changes", "install git")
    with _copier("updating a project") as copier:
        copier.run_update(folder, vcs_ref=tag, defaults=True, overwrite=True, quiet=True)


def _source(environ: Mapping[str, str]) -> tuple[str, str | None]:
    """Return where copier takes the template from, the same words for everybody, and its tag."""
    folder = template_dir()
    tag = publish_template(folder, environ)
    if tag is None:
        return str(TEMPLATE), None
    home = Path(environ.get("HOME", "/")).expanduser()
    return (f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)), tag


def _render(source: str, tag: str | None, made: Path, project: Project) -> None:
    answers = {
        **asdict(project.name),
        "template": project.kind,
        "author": project.author,
        "email": project.email,
        "description": project.description,
    }
    with _copier("create-plugin") as copier:
        copier.run_copy(source, made, data=answers, vcs_ref=tag, defaults=True, overwrite=True, quiet=True)


def _move(made: Path, folder: Path) -> None:
    """Let the project appear under its name.

    Raises:
        TargetExistsError: somebody made something of its name meanwhile.
    """
    try:
        os.mkdir(folder)  # fails where the name is taken; a rename alone replaces an empty folder
        os.rename(made, folder)
    except FileExistsError as error:
        raise TargetExistsError(f"{folder} exists already", "take another name") from error
    except OSError as error:
        raise ScaffoldError(f"{folder} cannot be made: {error.strerror}") from error


class _Copier:
    """The two functions of copier that are used; see its documentation."""

    def __init__(self) -> None:
        from copier import run_copy, run_update

        self.run_copy, self.run_update = run_copy, run_update


@contextlib.contextmanager
def _copier(what: str) -> Iterator[_Copier]:
    """Yield copier; what it raises becomes an error of ours."""
    try:
        library = _Copier()
    except ImportError as error:
        raise ToolMissingError(what, "copier") from error
    from copier.errors import CopierError
    from jinja2 import TemplateError
    from plumbum import ProcessExecutionError

    try:
        yield library
    except (CopierError, TemplateError) as error:
        raise ScaffoldError(" ".join(str(error).split()) or type(error).__name__) from error
    except ProcessExecutionError as error:
        raise ScaffoldError(f"git failed: {' '.join(str(error.stderr).split())[-300:]}") from error
    except OSError as error:
        raise ScaffoldError(
            f"{error.filename or 'the project'} cannot be written: {error.strerror}"
        ) from error
