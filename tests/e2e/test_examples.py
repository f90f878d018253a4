"""The plugins of examples/ as a person uses them: in the page, at the prompt, beside another pandas."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.e2e.conftest import CLONE, MakeApp
from tests.e2e.harness import UNSIGNED, Viloapp, Workspace, eventually
from tests.e2e.test_browser import browser, command, opened

__all__ = ["browser"]

pytestmark = pytest.mark.browser

LOG = "2026-01-02 10:00:00 INFO ready\n2026-01-02 10:00:01 ERROR it failed\nTraceback: no\n"
TABLE = "city,people\nPraha,1357000\nBrno,400000\nLisboa,545000\n"


@pytest.fixture(scope="module")
def app(make_app: MakeApp, tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, Path]) -> Viloapp:
    """A store with both examples, from copies of their projects, and a plugin with another pandas."""
    app = make_app(tmp_path_factory.mktemp("examples"))
    sources = tmp_path_factory.mktemp("sources")
    for name in ("logviewer", "tableviewer"):
        made = shutil.ignore_patterns("*.egg-info", "__pycache__", ".*_cache", "build")
        shutil.copytree(CLONE / "examples" / name, sources / name, ignore=made)
        app("install", "--yes", "--dev", sources / name).ok()
    app("install", "--yes", *UNSIGNED, wheels["needs_pandas_3"]).ok()
    return app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with something to look at."""
    path = tmp_path / "project"
    path.mkdir()
    (path / "app.log").write_text(LOG, "utf-8")
    (path / "cities.csv").write_text(TABLE, "utf-8")
    return path


@pytest.fixture
def workspace(app: Viloapp, folder: Path) -> Iterator[Workspace]:
    """The running workspace, with nothing left open by an earlier test."""
    (app.store / "workspace.json").unlink(missing_ok=True)
    with app.workspace(folder) as workspace:
        yield workspace


@pytest.fixture
def page(browser: Browser, workspace: Workspace) -> Iterator[Page]:
    """The workspace's page, connected."""
    with opened(browser, workspace.url) as page:
        expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "open")
        expect(page.get_by_test_id("status-logviewer")).to_be_visible()
        yield page


def frame(page: Page) -> FrameLocator:
    """Return the page of the plugin that was opened last."""
    return page.frame_locator("iframe >> nth=-1")


def test_a_log_is_opened_filtered_and_followed(page: Page, folder: Path) -> None:
    """From the palette, after the question for that one file; a theme and the workspace's keys reach it."""
    command(page, "Log: Open file")
    page.get_by_test_id("palette").get_by_role("combobox").fill("app.log")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"filesystem.read.{folder}/app.log")).to_be_visible()
    page.get_by_role("button", name="Until ViloApp ends").click()
    log = frame(page)
    expect(log.locator(".row")).to_have_count(3)
    expect(log.locator(".row .level-error")).to_have_text("ERROR")
    log.locator(".level.error").click()
    expect(log.locator(".row")).to_have_count(2)
    with (folder / "app.log").open("a", encoding="utf-8") as file:
        file.write("2026-01-02 10:00:02 ERROR again\n")
    expect(log.locator(".row")).to_have_count(3)
    log.locator(".row").first.click()
    expect(log.locator("#text")).to_have_text("2026-01-02 10:00:01 ERROR it failed")
    page.keyboard.press("F1")
    page.get_by_test_id("palette-input").fill("Theme light")
    page.get_by_test_id("palette-option").first.click()
    expect(log.locator("html")).to_have_attribute("data-theme", "light")


def test_a_table_is_sorted_and_filtered(page: Page, app: Viloapp, folder: Path) -> None:
    """Opened from a prompt; what the tab showed is there again after the page was loaded anew."""
    app("permissions", "grant", "tableviewer", f"filesystem.read.{folder}/cities.csv").ok()
    app.call("tableviewer.open", path="cities.csv")
    table = frame(page)
    expect(table.locator(".row")).to_have_count(3)
    table.get_by_role("button", name="people").click()
    expect(table.locator(".row").first).to_contain_text("Brno")
    table.locator("#filter").fill("people>500_000")
    expect(table.locator("#status")).to_have_text("2 of 3 rows, 2 columns")
    table.locator("#summary").click()
    expect(table.locator("#side")).to_contain_text("1357000")
    found = app.call("tableviewer.rows", path="cities.csv", filter="city=Praha")
    assert found["first"] == [{"city": "Praha", "people": "1357000"}]


def test_two_plugins_have_a_pandas_each(app: Viloapp, workspace: Workspace) -> None:
    """Of releases that cannot be in one environment, at the same time."""
    ours, other = app.call("tableviewer.versions"), app.call("pandas3.report")
    assert (ours["pandas"].split(".")[0], other["pandas"].split(".")[0], other["sum"]) == ("2", "3", 6)
    eventually(lambda: sum("needs-pandas-3" in line for line in app.processes().values()))
    assert any("tableviewer" in line for line in app.processes().values())
