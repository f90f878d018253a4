"""The process that `editable` starts: source, destination, ``editable`` or ``distributions``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from viloapp_core.foundation.leash import end_with_parent
from viloapp_core.resolve.source_archive import repack, unpack


def build_editable(source: Path, destination: Path) -> dict[str, str]:
    """Build an editable wheel and return its path."""
    from build import ProjectBuilder
    from build.env import DefaultIsolatedEnv

    with DefaultIsolatedEnv(installer="pip") as env:
        builder = ProjectBuilder.from_isolated_env(env, source)
        env.install(builder.build_system_requires)
        env.install(builder.get_requires_for_build("editable"))
        return {"wheel": builder.build("editable", destination)}


def build(source: Path, destination: Path) -> dict[str, str]:
    """Build a source distribution, and from that alone the wheel; return both paths."""
    from build import ProjectBuilder
    from build.env import DefaultIsolatedEnv

    with DefaultIsolatedEnv(installer="pip") as env:
        builder = ProjectBuilder.from_isolated_env(env, source)
        env.install(builder.build_system_requires)
        env.install(builder.get_requires_for_build("sdist"))
        sdist = Path(builder.build("sdist", destination))
        repack(sdist, int(os.environ["SOURCE_DATE_EPOCH"]))
        (destination / "unpacked").mkdir()
        builder = ProjectBuilder.from_isolated_env(env, unpack(sdist, destination / "unpacked"))
        env.install(builder.get_requires_for_build("wheel"))
        return {"wheel": builder.build("wheel", destination), "sdist": str(sdist)}


def main() -> int:
    """Build, and say in one line what went wrong: the build's own output came before."""
    from build import BuildBackendException, BuildException, FailedProcessError

    end_with_parent()
    os.environ.pop("PYTHONPATH", None)  # a build sees its own requirements and nothing of the host's
    source, destination, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    try:
        made = build_editable(source, destination) if kind == "editable" else build(source, destination)
    except (BuildException, BuildBackendException, FailedProcessError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    (destination / "result.json").write_text(json.dumps(made), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
