"""Workers really started, and what they can really reach."""

import errno
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from viloapp_core.sandbox import Probe, first_code, stage2

from .conftest import Installed, Interpreter, interpreters

# Whether a path could be written, without writing: as root some of these are switches of the machine.
WRITABLE = "import os\nanswer = [path for path in {!r} if os.access(path, os.W_OK)]"
READABLE = "import os\nanswer = [path for path in {!r} if os.access(path, os.R_OK)]"


@pytest.mark.parametrize("interpreter", interpreters(), ids=lambda one: one.version)
def test_each_python_of_this_machine_starts(
    install: Callable[[Interpreter, Probe], Installed], confinement: Probe, interpreter: Interpreter
) -> None:
    """In its own virtualenv, wherever the interpreter lies, and with its own standard library."""
    worker = install(interpreter, confinement)
    code = "import ssl, sqlite3, ctypes, sys\nanswer = [sys.version_info[:2], sys.prefix, sys.argv[1:]]"
    major, minor = map(int, interpreter.version.split("."))
    assert worker.run(code) == [[major, minor], str(worker.request.generation / "venv"), []]


@pytest.mark.parametrize("kind", ["the host's", "another"])
def test_the_bootstrap_runs_on_any_interpreter(
    worker: Installed, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """As the host compiled it, or else from its file; nothing of it is left, or says where the core is."""
    if kind == "another":
        compiled = {**first_code.compiled(), "magic": b"4242", "steps": b"", "bootstrap": b""}
        monkeypatch.setattr(stage2, "compiled", lambda: compiled)
    code = """
import gc, os, sys
frame, files = sys._getframe(), set()
while frame := frame.f_back:
    files.add(os.path.basename(frame.f_code.co_filename))
spaces = [each for each in gc.get_objects() if type(each) is dict and each.get("__name__") == "bootstrap"]
left = sorted(name for name in vars(sys.modules["__main__"]) if not name.startswith("__"))
answer = [sorted(files), sys.argv, len(spaces), left, vars(sys.modules["__main__"]).get("__file__")]
answer += ["ctypes" in sys.modules, gc.isenabled()]
"""
    files, argv, spaces, left, main, loaded, collecting = worker.run(code)
    assert files == ["<string>", "worker.py"]
    assert argv == ["/run/viloapp/bootstrap.py"]
    assert spaces == 0
    assert left == ["fds", "gc", "main", "site", "sys"]
    assert main is None  # else multiprocessing would run it again in each process of the plugin's
    assert collecting
    assert not loaded


@pytest.mark.parametrize("allow_unsandboxed", [False, True])
def test_a_script_of_the_cores_has_its_cycles_collected(
    worker: Installed, tmp_path: Path, allow_unsandboxed: bool
) -> None:
    """It may run for as long as a plugin does."""
    script = tmp_path / "script.py"
    script.write_text("import gc, sys\nprint(gc.isenabled(), *sys.argv[1:])")
    assert worker.run_script(script, ("one",), allow_unsandboxed=allow_unsandboxed) == "True one\n"


def test_the_environment_is_the_plugins(worker: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Language is passed on; nothing else of the person is. The home is the plugin's data."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("LC_TIME", "de_DE.UTF-8")
    seen = worker.run("import os\nanswer = [dict(os.environ), os.getcwd()]")
    environment, folder = seen
    assert folder == environment["HOME"] == str(worker.request.data_dir)
    assert environment["LC_TIME"] == "de_DE.UTF-8"
    names = {"HOME", "LANG", "LC_TIME", "PATH", "PWD", "TMPDIR", "TZ", "VIRTUAL_ENV", "LC_ALL", "LC_CTYPE"}
    assert environment.keys() <= names | {"LANGUAGE"}


def test_what_it_may_write(worker: Installed) -> None:
    """Its data and its private scratch folder; not its code, the interpreter, the system or the root."""
    data = str(worker.request.data_dir)
    paths = [data, "/tmp", "/", "/usr", "/etc", "/run", sys.base_prefix]
    paths += [str(worker.request.generation), str(worker.request.python), "/run/viloapp/bootstrap.py"]
    assert worker.run(WRITABLE.format(paths)) == [data, "/tmp"]


def test_the_kernels_switches_are_closed(worker: Installed) -> None:
    """Below /proc only its own processes, also for root, and no namespace of its own can be made."""
    code = """
import ctypes, os
answer = []
for folder, folders, files in os.walk("/proc"):
    folders[:] = [name for name in folders if not name.isdigit() and not name.endswith("self")]
    answer += [path for name in files if os.access(path := os.path.join(folder, name), os.W_OK)]
libc, clone_newuser, clone_newns = ctypes.CDLL(None, use_errno=True), 0x10000000, 0x20000
for call in (libc.unshare(clone_newuser | clone_newns), libc.mount(b"p", b"/tmp", b"proc", 0, None),
             libc.umount2(b"/proc/sys", 0)):
    answer.append([call, ctypes.get_errno()])
"""
    assert worker.run(code) == [[-1, errno.EPERM]] * 3


def test_it_is_alone(worker: Installed) -> None:
    """No process, file, socket or temporary file of the person is in sight."""
    code = "import os\nanswer = [[p for p in os.listdir('/proc') if p.isdigit()], os.listdir('/tmp')]"
    processes, scratch = worker.run(code)
    assert processes == ["1", "2"]
    assert str(os.getpid()) not in processes
    own = {
        Path(path).relative_to("/tmp").parts[0]
        for path in map(str, worker.request.generation.parents)
        if path.startswith("/tmp/")
    }
    assert set(scratch) <= own
    hidden = [
        "/etc/shadow",
        "/etc/gshadow",
        "/etc/ssl/private",
        "/run/dbus",
        "/var",
        "/sys",
        "/boot",
        "/home",
        str(Path.home()),
        __file__,
    ]
    assert worker.run(READABLE.format(hidden)) == []


def test_it_has_no_capability(worker: Installed) -> None:
    """None in force and none to gain by running another program."""
    code = """
answer = {line.split(":")[0]: line.split()[1] for line in open("/proc/self/status")
          if line.startswith(("CapEff", "CapPrm", "CapInh", "CapAmb", "NoNewPrivs"))}
"""
    seen = worker.run(code)
    assert seen.pop("NoNewPrivs") == "1"
    assert {int(value, 16) for value in seen.values()} == {0}


def test_a_shared_home_keeps_its_secrets(worker: Installed, tmp_path: Path, isolated_home: Path) -> None:
    """The person's files are there to read and write as granted; keys are not, and the store is not."""
    home = isolated_home / "home"
    (home / ".ssh").mkdir()
    (home / ".ssh/id_ed25519").write_text("key")
    (home / ".netrc").write_text("password")
    (home / "notes.txt").write_text("hello")
    code = f"""
import os
home = {str(home)!r}
def content(name):
    try:
        return open(home + name).read()
    except OSError as error:
        return error.strerror
answer = [content("/notes.txt"), content("/.netrc"), content("/.ssh/id_ed25519"),
          [n for n in ("/notes.txt", "/.ssh") if os.access(home + n, os.W_OK)]]
"""
    expected = ["hello", "Permission denied", "No such file or directory"]
    read = worker.run(code, workspace=home, permissions=("filesystem.read.workspace",))
    assert read == [*expected, []]
    written = worker.run(code, workspace=home, permissions=("filesystem.write.workspace",))
    assert written == [*expected, ["/notes.txt"]]
    assert worker.run(READABLE.format([str(home)]), workspace=home) == []


def test_other_plugins_are_hidden_in_a_store_below_the_workspace(worker: Installed) -> None:
    """Somebody who opens the folder that holds the store does not share it."""
    store = worker.request.store
    other = store / "plugins/other/data"
    other.mkdir(parents=True, exist_ok=True)
    paths = [str(other), str(worker.request.data_dir), str(store.parent)]
    permissions = ("filesystem.write.workspace",)
    seen = worker.run(READABLE.format(paths), workspace=store.parent, permissions=permissions)
    assert seen == paths[1:]


def test_an_editable_source_is_there_read_only(worker: Installed, tmp_path: Path) -> None:
    """The project folder of ``--dev`` is where the author has it, also behind a link."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "plugin.py").write_text("x = 1")
    (tmp_path / "link").symlink_to(project)
    path = str(tmp_path / "link/plugin.py")
    code = f"import os\nanswer = [open({path!r}).read(), os.access({path!r}, os.W_OK)]"
    assert worker.run(code, dev_source=tmp_path / "link") == ["x = 1", False]


def test_a_copy_is_shown_in_the_place_of_an_editable_source(worker: Installed, tmp_path: Path) -> None:
    """At the folder's own path, read-only, and nothing of the folder itself."""
    project, copy = tmp_path / "project", tmp_path / "copy"
    for folder, text in ((project, "x = 'broken'"), (copy, "x = 'good'")):
        folder.mkdir()
        (folder / "plugin.py").write_text(text)
    (project / "more.py").touch()
    path = str(project / "plugin.py")
    code = f"""
import os
answer = [open({path!r}).read(), os.access({path!r}, os.W_OK), os.listdir({str(project)!r})]
"""
    seen = worker.run(code, dev_source=project, dev_copy=copy)
    assert seen == ["x = 'good'", False, ["plugin.py"]]


def test_processes_of_a_plugin_find_its_packages(worker: Installed) -> None:
    """Its interpreter can be run again, and multiprocessing works, though the bootstrap starts with -I -S."""
    code = """
import json, multiprocessing, subprocess, sys
again = subprocess.run([sys.executable, "-c", "import viloapp_sdk.worker, sys; print(sys.prefix)"],
                       capture_output=True, text=True)
with multiprocessing.get_context("spawn").Pool(1) as pool:
    answer = [again.stdout.strip(), pool.apply(json.dumps, ([1],))]
"""
    assert worker.run(code) == [str(worker.request.generation / "venv"), "[1]"]


# A host that starts a worker, has it run some code, and waits.
HOST = """
import json, os, sys
from pathlib import Path
from viloapp_core.process import Spawner
from viloapp_core.sandbox import Probe, Request, launch_plan

from viloapp_core.sandbox.observing.observation import Observation
from viloapp_core.sandbox.observing.observer import Observer

request, found, code, watched = json.loads(sys.argv[1])
request = Request(**{key: Path(value) if "/" in str(value) else value for key, value in request.items()})
probe = Probe(**{**found, "bwrap": Path(found["bwrap"])})
their_in, our_out = os.pipe()
our_in, their_out = os.pipe()
observer = Observer(Observation()) if watched else None
watch = observer.theirs if watched else None
plan = launch_plan(request, probe, allow_unsandboxed=True, fds=(their_in, their_out), watch=watch)
Spawner().spawn(plan.argv, env=plan.env, cwd=plan.cwd, pass_fds=plan.pass_fds, stdout=1, stderr=2)
if watched:
    observer.begin(plan.observed, print)
os.write(our_out, json.dumps(code).encode() + b"\\n")
os.close(1)
os.read(our_in, 1)
"""
BUSY = "import os\nos.write(1, b'busy')\nos.close(1)\nwhile True: pass"
WATCHED = """
libc = ctypes.CDLL(None)
while True: libc.open(b"/nowhere", 0)
"""
GRANDCHILD = """
import subprocess, sys
argv = [sys.executable, "-c", "import time; time.sleep(1000)"]
subprocess.Popen(argv, stdout=subprocess.DEVNULL, start_new_session={new_session})
"""


@pytest.mark.parametrize("backend", ["bubblewrap", "landlock", "none", "watched"])
def test_nothing_outlives_a_killed_host(worker: Installed, confinement: Probe, backend: str) -> None:
    """Kill -9 of the host: within 2 s the busy worker is gone, and what it started where it is sandboxed.

    Under bubblewrap also what left its session; with Landlock alone nothing can leave that. While it is
    watched its calls fail once nobody listens (ENOSYS), and it is ended all the same.
    """
    watched, backend = backend == "watched", backend.replace("watched", "bubblewrap")
    request = {
        key: str(value) if isinstance(value, Path) else value
        for key, value in asdict(worker.request).items()
        if value
    }
    code = GRANDCHILD.format(new_session=backend == "bubblewrap") * (backend != "none") + BUSY
    found = {**asdict(confinement), "backend": backend, "bwrap": str(confinement.bwrap)}
    if watched:  # without a grandchild, which says what it meets while it starts
        code = "import ctypes\n" + BUSY.replace("while True: pass", WATCHED)
    setup = json.dumps([request, found, code, watched])
    # Each process of the tree inherits this as its standard error: its end is the end of them all.
    alive, theirs = os.pipe()
    host = subprocess.Popen([sys.executable, "-c", HOST, setup], stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    assert host.stdout is not None
    with host.stdout:
        assert host.stdout.read(4) == b"busy"
    assert not select.select([alive], [], [], 0)[0]
    host.kill()
    host.wait()
    ended = select.select([alive], [], [], 2)[0]
    said = os.read(alive, 10000) if ended else b"still alive"
    os.close(alive)
    assert said == b""


def test_no_folder_above_a_secret_can_be_renamed(worker: Installed, isolated_home: Path) -> None:
    """What is hidden by its path would be found elsewhere at the next start, hence those paths stay."""
    home = isolated_home / "home"
    (home / ".config/gh").mkdir(parents=True)
    (home / ".config/gh/hosts.yml").write_text("token")
    (home / "notes").mkdir()
    code = f"""
import os
answer = []
for name in (".config", ".config/gh", "notes"):
    try:
        os.rename({str(home)!r} + "/" + name, {str(home)!r} + "/elsewhere")
        answer.append("renamed")
    except OSError as error:
        answer.append(error.errno)
with open({str(home)!r} + "/.config/new", "w") as file:
    file.write("it may still write beside them")
"""
    granted = ("filesystem.write.home_directory",)
    assert worker.run(code, permissions=granted) == [errno.EBUSY, errno.EXDEV, "renamed"]
    assert (home / ".config/new").exists()
    look = (
        f"import os\nos.chdir({str(home)!r})\nanswer = [os.listdir(p) for p in ('.config/gh', 'elsewhere')]"
    )
    assert worker.run(look, permissions=granted) == [[], []]


def test_no_lease_keeps_the_host_from_opening_a_file(worker: Installed) -> None:
    """Who opens a file under somebody's lease waits for 45 seconds."""
    code = """
import fcntl, os
descriptor = os.open("held", os.O_RDWR | os.O_CREAT)
try:
    answer = fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
except OSError as error:
    answer = error.errno
"""
    assert worker.run(code) == errno.EPERM
