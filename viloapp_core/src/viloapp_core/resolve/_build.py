"""The process that `editable` starts: source folder, destination folder, ``editable`` or ``wheel``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Literal

from viloapp_core.foundation.leash import end_with_parent


def build(source: str, destination: str, kind: Literal["editable", "wheel"]) -> None:
    """Build a wheel and write its path to ``result.json`` in `destination`."""
    from build import ProjectBuilder
    from build.env import DefaultIsolatedEnv

    with DefaultIsolatedEnv(installer="pip") as env:
        builder = ProjectBuilder.from_isolated_env(env, source)
        env.install(builder.build_system_requires)
        env.install(builder.get_requires_for_build(kind))
        wheel = builder.build(kind, destination)
    (Path(destination) / "result.json").write_text(json.dumps({"wheel": wheel}), encoding="utf-8")


def main() -> int:
    """Build, and say in one line what went wrong: the build's own output came before."""
    from build import BuildBackendException, BuildException, FailedProcessError

    end_with_parent()
    os.environ.pop("PYTHONPATH", None)  # a build sees its own requirements and nothing of the host's
    try:
        build(sys.argv[1], sys.argv[2], "editable" if sys.argv[3] == "editable" else "wheel")
    except (BuildException, BuildBackendException, FailedProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
