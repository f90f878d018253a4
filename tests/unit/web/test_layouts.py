"""The arrangement of the tabs comes back, with the widgets' states."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from viloapp_core.web import layouts
from viloapp_core.web.errors import LayoutError
from viloapp_core.web.layouts import Layouts

LAYOUT = {"version": 1, "dock": {"grid": []}, "panels": [{"id": "p", "instance": "one"}, {"id": "q"}, 7]}


async def state_of(instance: str) -> Any:
    """What a widget would say."""
    return {"of": instance}


def test_layout_comes_back_with_the_states_of_its_widgets(tmp_path: Path) -> None:
    """Another object, as after a restart, reads what was saved."""
    path = tmp_path / "workspace.json"
    asyncio.run(Layouts(path, tmp_path, state_of).save(LAYOUT, {"one", "elsewhere"}))
    assert Layouts(path, tmp_path, state_of).load() == {"layout": LAYOUT, "states": {"one": {"of": "one"}}}
    assert path.stat().st_mode & 0o077 == 0


def test_each_folder_has_its_own(tmp_path: Path) -> None:
    """Opening another folder neither shows nor loses this one's tabs."""
    path = tmp_path / "workspace.json"
    asyncio.run(Layouts(path, tmp_path / "a", state_of).save(LAYOUT, ()))
    other = Layouts(path, tmp_path / "b", state_of)
    assert other.load() is None
    asyncio.run(other.save({"panels": []}, ()))
    kept = Layouts(path, tmp_path / "a", state_of).load()
    assert kept is not None
    assert kept["layout"] == LAYOUT


def test_widget_that_cannot_say_keeps_what_it_said_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that hangs nor one that fails loses its state, nor keeps the others from being saved."""
    monkeypatch.setattr(layouts, "STATE_TIMEOUT_S", 0.01)
    path = tmp_path / "workspace.json"
    panels = {"panels": [{"instance": name} for name in ("hangs", "fails", "fine")]}
    names = {"hangs", "fails", "fine"}
    asyncio.run(Layouts(path, tmp_path, state_of).save(panels, names))

    async def later(instance: str) -> Any:
        if instance == "hangs":
            await asyncio.Event().wait()
        if instance == "fails":
            raise ValueError
        return "new"

    again = Layouts(path, tmp_path, later)
    asyncio.run(again.save(panels, names))
    kept = again.load()
    assert kept is not None
    assert kept["states"] == {"hangs": {"of": "hangs"}, "fails": {"of": "fails"}, "fine": "new"}


def test_state_of_a_closed_widget_goes(tmp_path: Path) -> None:
    """What no tab shows any more is not kept for ever."""
    path = tmp_path / "workspace.json"
    kept = Layouts(path, tmp_path, state_of)
    asyncio.run(kept.save(LAYOUT, {"one"}))
    asyncio.run(kept.save({"panels": []}, {"one"}))
    assert kept.load() == {"layout": {"panels": []}, "states": {}}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 9}', '{"version": 1, "folders": []}', "[" * 99999]
)
def test_unreadable_file_is_a_first_visit(tmp_path: Path, text: str) -> None:
    """It is only an arrangement: nobody is kept from working by it, and the next save mends it."""
    path = tmp_path / "workspace.json"
    path.write_text(text)
    kept = Layouts(path, tmp_path, state_of)
    assert kept.load() is None
    asyncio.run(kept.save(LAYOUT, ()))
    assert kept.load() == {"layout": LAYOUT, "states": {}}


def test_too_large_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    """The bound is said, and nothing is half written."""
    path = tmp_path / "workspace.json"
    kept = Layouts(path, tmp_path, state_of)
    asyncio.run(kept.save(LAYOUT, ()))
    with pytest.raises(LayoutError, match="bytes"):
        asyncio.run(kept.save({"panels": [], "x": "y" * layouts.MAX_BYTES}, ()))
    assert kept.load() == {"layout": LAYOUT, "states": {}}


def test_number_of_folders_is_bounded(tmp_path: Path) -> None:
    """The oldest goes first."""
    path = tmp_path / "workspace.json"

    async def fill() -> None:
        for number in range(layouts.MAX_FOLDERS + 2):
            await Layouts(path, Path(f"/{number}"), state_of).save({"panels": []}, ())

    asyncio.run(fill())
    kept = list(json.loads(path.read_text())["folders"])
    assert len(kept) == layouts.MAX_FOLDERS
    assert kept[0] == "/2"


@pytest.mark.parametrize("bad", [float("nan"), b"bytes", {"deep": [float("inf")]}], ids=repr)
def test_a_state_that_is_not_json_costs_only_its_own_widget(tmp_path: Path, bad: Any) -> None:
    """The file that every page is told of holds what a browser reads, whatever a plugin answers."""

    async def answers(instance: str) -> Any:
        return bad if instance == "bad" else "fine"

    panels = {"panels": [{"instance": "bad"}, {"instance": "good"}]}
    kept = Layouts(tmp_path / "workspace.json", tmp_path, answers)
    asyncio.run(kept.save(panels, ("bad", "good")))
    assert kept.load() == {"layout": panels, "states": {"good": "fine"}}


def test_a_file_with_what_no_page_can_read_is_an_arrangement_to_start_afresh(tmp_path: Path) -> None:
    """Python's JSON has NaN, the browser's has not: the page would never open again."""
    path = tmp_path / "workspace.json"
    kept = Layouts(path, tmp_path, state_of)
    asyncio.run(kept.save({"panels": [], "size": 17.5}, ()))
    path.write_text(path.read_text().replace("17.5", "NaN"))
    assert kept.load() is None
