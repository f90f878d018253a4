"""Where things are."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from viloapp_core.foundation.errors import FolderError
from viloapp_core.foundation.paths import first_free, private_dir, runtime_dir, store_root


def test_store_root_is_the_variable_else_the_users_data_folder(isolated_home: Path) -> None:
    """$VILOAPP_HOME wins; a relative one is refused, for it would mean another folder each time."""
    assert store_root({"VILOAPP_HOME": "/srv/vilo"}) == Path("/srv/vilo")
    assert store_root({}) == isolated_home / "home/.local/share/viloapp"
    with pytest.raises(FolderError, match="absolute"):
        store_root({"VILOAPP_HOME": "vilo"})


def test_runtime_dir_is_private_short_and_one_per_store(tmp_path: Path) -> None:
    """Two stores do not meet, nobody else can enter, and a socket's path fits."""
    environ = dict(os.environ)
    one, other = (runtime_dir(tmp_path / name, environ) for name in ("one", "other"))
    assert one != other
    assert runtime_dir(tmp_path / "one", environ) == one
    assert stat.S_IMODE(one.stat().st_mode) == 0o700
    assert len(os.fsencode(one / "host.sock")) < 100


def test_runtime_dir_falls_back_when_the_sessions_path_is_too_long(tmp_path: Path) -> None:
    """A deep $XDG_RUNTIME_DIR is passed over."""
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    found = runtime_dir(tmp_path, {"XDG_RUNTIME_DIR": str(deep)})
    assert not found.is_relative_to(deep)
    found.rmdir()


def test_private_dir_refuses_links_and_files(tmp_path: Path) -> None:
    """What someone may have put there first is not followed."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with pytest.raises(FolderError, match=name):
            private_dir(tmp_path / name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_private_dir_refuses_what_is_anothers(tmp_path: Path) -> None:
    """A folder of another user is refused, even an open one."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    with pytest.raises(FolderError, match="another user"):
        private_dir(folder)


def test_private_dir_closes_what_is_ours_and_open(tmp_path: Path) -> None:
    """Our own folder is made private again."""
    folder = tmp_path / "ours"
    folder.mkdir(mode=0o755)
    assert stat.S_IMODE(private_dir(folder).stat().st_mode) == 0o700


def test_first_free_counts_up(tmp_path: Path) -> None:
    """The name itself first, then numbers; a dangling link is taken too."""
    assert first_free(tmp_path, "1.0").name == "1.0"
    (tmp_path / "1.0").mkdir()
    (tmp_path / "1.0-2").symlink_to("nowhere")
    assert first_free(tmp_path, "1.0").name == "1.0-3"
