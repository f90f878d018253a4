"""Control groups: found, refused with the reason, and used for real where this machine hands one over."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from viloapp_core.limits import LIMIT_NAMES, Limits
from viloapp_core.process.cgroup import Groups, NoGroups
from viloapp_core.process.limit_support import probe_limits

MB = 1024 * 1024


def proc(tmp_path: Path, *, controllers: str, path: str = "/mine") -> Path:
    """Lay out what /proc/self says of a group below ``tmp_path``."""
    group = tmp_path / "cgroup" / path.lstrip("/")
    group.mkdir(parents=True)
    (group / "cgroup.controllers").write_text(controllers)
    (group / "cgroup.type").write_text("domain\n")
    (group / "cgroup.procs").write_text("1\n")
    folder = tmp_path / "proc"
    folder.mkdir()
    (folder / "cgroup").write_text(f"4:memory:/elsewhere\n0::{path}\n")
    mounts = f"30 23 0:26 / {tmp_path / 'cgroup'} rw,relatime shared:9 - cgroup2 cgroup2 rw\n"
    (folder / "mountinfo").write_text("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + mounts)
    return folder


@pytest.mark.parametrize(
    ("controllers", "systemd", "reason"),
    [
        ("hugetlb\n", False, "version 1"),
        ("cpu memory pids\n", True, "not handed"),
        ("cpu memory pids\n", False, "other processes share"),
    ],
)
def test_a_group_that_is_not_ours_is_left_alone(
    tmp_path: Path, controllers: str, systemd: bool, reason: str
) -> None:
    """Each refusal has its reason and a remedy, and nothing is written."""
    folder = proc(tmp_path, controllers=controllers)
    before = sorted(tmp_path.rglob("*"))
    found = Groups.of_this_process(folder, systemd=systemd)
    assert isinstance(found, NoGroups)
    assert reason in found.reason
    assert found.remedy
    assert sorted(tmp_path.rglob("*")) == before


def test_no_cgroup_v2_at_all(tmp_path: Path) -> None:
    """A machine with version 1 alone says so."""
    (tmp_path / "cgroup").write_text("4:memory:/\n")
    (tmp_path / "mountinfo").write_text("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n")
    assert isinstance(Groups.of_this_process(tmp_path), NoGroups)


@pytest.fixture
def groups() -> Iterator[Groups]:
    """Groups of this very machine, in a process's part of cgroup v2 if it has one."""
    found = Groups.of_this_process()
    if isinstance(found, NoGroups):
        pytest.skip(f"no control groups here: {found.reason}")
    yield found
    assert not list(found.folder.glob("viloapp-worker-*"))


def test_memory_of_the_tree_is_bounded_by_the_kernel(groups: Groups) -> None:
    """A tree that needs more than its memory ends as a whole; one that does not, does not."""
    if "memory" not in groups.controllers:
        pytest.skip("no memory controller")
    group = groups.make("hog", Limits(memory_mb=50))
    assert group is not None
    ended = subprocess.run(group.enter(["python3", "-c", f"x = b'x' * (200 * {MB})"]), check=False)
    assert ended.returncode != 0
    assert group.out_of_memory()
    group.remove()


def test_processor_time_is_bounded_by_the_kernel(groups: Groups) -> None:
    """Held at 20 %, two seconds of work take ten; freed, they take two."""
    if "cpu" not in groups.controllers:
        pytest.skip("no cpu controller")
    group = groups.make("busy", Limits())
    assert group is not None
    group.hold(20)
    with subprocess.Popen(group.enter(["python3", "-c", "while True: pass"])) as busy:
        began, before = time.monotonic(), group.cpu_s()
        while time.monotonic() - began < 3:
            time.sleep(0.1)
        share = (group.cpu_s() - before) / (time.monotonic() - began)
        group.kill()
        assert busy.wait(10) != 0
    assert share == pytest.approx(0.2, abs=0.06)
    group.remove()


def test_every_limit_has_a_level_a_reason_and_a_remedy() -> None:
    """What the person reads when a limit is not enforced."""
    found = {each.limit: each for each in probe_limits(Groups.of_this_process())}
    assert tuple(found) == (
        *("memory_mb", "cpu_percent", "file_handles", "processes", "disk_mb"),
        *("execution_time", "startup_time"),
    )
    assert set(found) == set(LIMIT_NAMES)
    for support in found.values():
        assert support.level in ("enforced", "partial")
        assert support.by
        assert bool(support.reason) == (support.level != "enforced")


def test_without_the_kernels_own_limits_they_are_none() -> None:
    """Where no sandbox applies them, nobody is told that they hold."""
    found = {each.limit: each for each in probe_limits(NoGroups("none", "x"), rlimits=False, nproc=False)}
    assert found["file_handles"].level == "none"
    assert found["processes"].level == "partial"
    assert found["memory_mb"].level == "partial"
    assert "RLIMIT" not in found["memory_mb"].by


def test_a_file_system_of_cgroups_says_where_we_are() -> None:
    """On this machine too the answer is groups or a reason; looking changes nothing for our processes."""
    before = Path("/proc/self/cgroup").read_text()
    found = Groups.of_this_process()
    if isinstance(found, NoGroups):
        assert Path("/proc/self/cgroup").read_text() == before
    else:
        assert os.access(found.folder, os.W_OK)
