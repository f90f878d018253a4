"""The audit hook of learn mode: it sees what Python reaches for and changes nothing."""

import json
import subprocess
import sys
from pathlib import Path

SEEING = """
import json, os, sys
from viloapp_sdk.worker._learning import watch
seen = watch()
import subprocess
folder = sys.argv[1]
open(folder + "/there").close()
for path, mode in ((folder + "/missing", "r"), (folder + "/new", "w")):
    try:
        open(path, mode).close()
    except OSError:
        pass
os.listdir(folder)
os.remove(folder + "/new")
open(0, closefd=False)
try:
    subprocess.run(["/no/such/program"])
except OSError:
    pass
print(json.dumps(seen()))
"""


def test_paths_and_programs_are_seen(tmp_path: Path) -> None:
    """Reads, writes, lists and programs, each with whether it could be reached; descriptors are nothing."""
    (tmp_path / "there").touch()
    run = subprocess.run(
        [sys.executable, "-c", SEEING, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    seen = {(kind, what): reachable for kind, what, reachable in json.loads(run.stdout)}
    assert seen["read", f"{tmp_path}/there"] is True
    assert seen["read", f"{tmp_path}/missing"] is False
    assert seen["write", f"{tmp_path}/new"] is True
    assert seen["read", str(tmp_path)] is True
    assert seen["execute", "/no/such/program"] is True
