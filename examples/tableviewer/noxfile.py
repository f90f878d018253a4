"""The checks of this plugin: `nox` runs all of them, `nox -s tests` one."""

import nox

nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"


@nox.session
def lint(session: nox.Session) -> None:
    """Style and format."""
    session.install("--group", "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    session.install("-e", ".", "--group", "types")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """The tests; what stands after `--` goes to pytest."""
    session.install("-e", ".", "--group", "test")
    session.run("pytest", *session.posargs)
