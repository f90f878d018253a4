"""The template as a Git repository of this machine, which is what `copier update` compares versions in.

The core carries the template as a folder, of its own version alone. Each version that makes a project here is
put into one repository under its tag; its commits depend on nothing but the template and the version, so that
every machine has the same ones.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from viloapp_core.devtools.errors import ScaffoldError
from viloapp_core.foundation import commands
from viloapp_core.foundation.files import FileLock

__all__ = ["TEMPLATE", "publish_template"]

TEMPLATE = Path(__file__).with_name("template")
_TIMEOUT_S = 60.0
# 1980-01-01: a date that says nothing, so that equal content is an equal commit.
_DATE = "315532800 +0000"
_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "ViloApp"), ("EMAIL", "viloapp@invalid"), ("DATE", _DATE))
}


def publish_template(
    folder: Path, environ: Mapping[str, str], *, template: Path = TEMPLATE, release: str = ""
) -> str | None:
    """Put this core's template into a repository and return its tag; None where there is no Git.

    Args:
        folder: of the repository; made when missing.
        environ: the user's environment, for ``PATH``.
        template: the folder of the template.
        release: the version it is of; the core's when empty.

    Raises:
        ScaffoldError: Git failed.
    """
    git = shutil.which("git", path=environ.get("PATH", os.defpath))
    if git is None:
        return None
    tag = f"v{release or version('viloapp-core')}"
    # The user's settings (hooks, signing, line ends) would change the commit or ask for something.
    env = {
        "PATH": environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **_IDENTITY,
    }

    def run(*arguments: str) -> str:
        argv = [git, f"--git-dir={folder / '.git'}", *arguments]
        finished = commands.run(argv, env=env, cwd=template, timeout_s=_TIMEOUT_S)
        if finished.returncode:
            raise ScaffoldError(f"git failed: {finished.stderr.strip()[-300:]}")
        return finished.stdout.strip()

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScaffoldError(f"{folder} cannot be made: {error.strerror}") from error
    with FileLock(folder / ".lock").acquire():
        if not (folder / ".git" / "HEAD").is_file():
            run("init", "-q", "--initial-branch=main", str(folder))
        run(f"--work-tree={template}", "add", "--all", "--force", ".")
        commit = run("commit-tree", run("write-tree"), "-m", f"The template of viloapp-core {tag[1:]}")
        run("update-ref", f"refs/tags/{tag}", commit)
        run("update-ref", "refs/heads/main", commit)
    return tag
