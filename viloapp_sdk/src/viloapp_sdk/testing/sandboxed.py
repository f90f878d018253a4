"""What ``viloapp test --sandboxed`` runs instead of a plugin: pytest, in the worker and the sandbox.

It is no plugin that anybody installs: the environment for tests names it instead of the project's own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from viloapp_sdk.plugin import Plugin

__all__ = ["SandboxedRun"]

# Nothing of the project can be written here; the worker has a handler for crashes of its own.
_ALWAYS = ("-p", "no:cacheprovider", "-p", "no:faulthandler", "--color=no")
# A worker is made of the SDK, so that it is imported before pytest can look at the kit's asserts.
_QUIET = ("-W", "ignore:Module already imported so cannot be rewritten:pytest.PytestAssertRewriteWarning")


class SandboxedRun(Plugin):
    """Runs the tests of a project in this process."""

    def handle_command(self, command: str, args: Mapping[str, Any]) -> int:
        """Run pytest and return its exit code.

        Args:
            command: whatever it is.
            args: ``project``, the folder, and ``arguments``, pytest's own.
        """
        import pytest

        os.chdir(args["project"])
        os.environ["COLUMNS"] = str(args.get("columns", 80))
        sys.dont_write_bytecode = True
        return int(pytest.main([*_ALWAYS, *_QUIET, *args["arguments"]]))
