"""What is deprecated warns once in a process, at the line that uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from viloapp_sdk import compat
from viloapp_sdk._deprecated import NAMES
from viloapp_sdk.manifest import deprecations, validate
from viloapp_sdk.manifest.fields import MANIFEST

USES = """
import sys
from viloapp_sdk.compat import LegacyWidgetAdapter
assert "warnings" not in sys.modules or BARE
import warnings
warnings.simplefilter("always")
class Old:
    widget_id = "old.panel"
one, other = LegacyWidgetAdapter(Old()), LegacyWidgetAdapter(Old())
def use(widget):
    return widget.widget_id
use(one)
use(other)
print(one.widget_id)
"""


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_once_in_a_process_at_the_callers_line() -> None:
    """With the replacement and the version; nothing of `warnings` is loaded before."""
    bare = _run("import sys; print('warnings' in sys.modules)").stdout.strip()
    done = _run(USES.replace("BARE", bare))
    assert done.stdout == "old.panel\n"
    warned = [line for line in done.stderr.splitlines() if "Deprecat" in line]
    assert warned == [
        "<string>:11: DeprecationWarning: widget_id is deprecated, use get_widget_id(); "
        "viloapp-sdk 2.0 has it no more"
    ]


def test_pytest_has_it_in_its_summary(tmp_path: Path) -> None:
    """With the line of the author's code; `viloapp test` is pytest."""
    (tmp_path / "panel.py").write_text(
        "from viloapp_sdk.compat import LegacyWidgetAdapter\n\n"
        "def name(old):\n    return LegacyWidgetAdapter(old).widget_id\n"
    )
    (tmp_path / "test_panel.py").write_text(
        "from panel import name\n\n"
        "class Old:\n    widget_id = 'old'\n\n"
        "def test_name():\n    assert name(Old()) == name(Old()) == 'old'\n"
    )
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_panel.py"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "warnings summary" in done.stdout
    assert done.stdout.count("DeprecationWarning: widget_id is deprecated, use get_widget_id()") == 1
    assert "panel.py:4: DeprecationWarning" in done.stdout


def test_every_name_that_is_deprecated_is_there() -> None:
    """The table names what the SDK has: one that was removed is taken out of it too."""
    for name in NAMES:
        module, _, rest = name.partition("viloapp_sdk.compat.")
        assert not module
        found: object = compat
        for part in rest.split("."):
            found = getattr(found, part)


def test_the_reference_lists_them() -> None:
    """With what takes their place, as the code says it."""
    text = (Path(__file__).parents[3] / "docs/reference/versions.md").read_text("utf-8")
    for name, going in NAMES.items():
        assert f"| `{name}` | `{going.use}` | viloapp-sdk {going.gone_in} |" in text


def test_a_deprecated_key_of_the_manifest_is_told_and_still_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it stands, with its path; it is no issue, and the JSON Schema tells an editor."""
    from viloapp_sdk._deprecated import Deprecation
    from viloapp_sdk.manifest.fields import LIMITS, SETTING

    for table, name in ((LIMITS, "memory_mb"), (SETTING, "minimum")):
        field = next(each for each in table.fields if each.name == name)
        monkeypatch.setitem(field.__dict__, "deprecated", Deprecation("another", "2.0"))
    data = {
        "schema": 1,
        "api_version": "1.0",
        "limits": {"memory_mb": 7, "cpu_percent": 3},
        "configuration": {"size": {"type": "integer", "minimum": 1}, "other": {"type": "string"}},
    }
    assert [str(issue) for issue in deprecations(data)] == [
        "limits.memory_mb: memory_mb is deprecated, use another; API 2.0 has it no more",
        "configuration.size.minimum: minimum is deprecated, use another; API 2.0 has it no more",
    ]
    assert not validate(data)
    told = MANIFEST.json_schema()["properties"]["limits"]["properties"]
    assert told["memory_mb"]["deprecated"] is True
    assert "deprecated" not in told["cpu_percent"]
    nonsense: object
    for nonsense in (5, {"limits": []}, {"configuration": {"size": 7}, "commands": [3]}):
        assert deprecations(nonsense) == []
