"""The workspace as a person meets it: a real Chromium, a real shell, a real file."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.e2e.conftest import CLONE, MakeApp
from tests.e2e.harness import UNSIGNED, Viloapp, Workspace, eventually

pytestmark = pytest.mark.browser

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 30_000
PLUGINS = ("hello",)
# The elements that are wider than their parent, but for those that cut themselves off or are scrolled.
WIDER = """page => [page, ...page.querySelectorAll("*")]
  .filter((each) => each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0)
  .filter((each) => getComputedStyle(each).display !== "inline")
  .filter((each) => each === page || getComputedStyle(each).overflowX === "visible")
  .map((each) => `${each.tagName} ${each.className}: ${each.textContent.slice(0, 60)}`)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; its absence is a failure, since what people see is judged here."""
    path = os.environ.get("VILOAPP_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    assert path, "these tests need Chromium: apt-get install chromium"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def app(make_app: MakeApp, tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, Path]) -> Viloapp:
    """A store with both first-party plugins and one more."""
    app = make_app(tmp_path_factory.mktemp("browser"))
    (Path(app.environ["HOME"]) / ".bashrc").write_text("PS1='\\[\\e[32m\\]\\W\\[\\e[0m\\] \\$ '\n")
    more = (wheels[name] for name in ("hello", "reaches_out", "changes_its_language"))
    app("install", "--yes", *UNSIGNED, "viloxterm", "viloedit", *more).ok()
    return app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like somebody's project."""
    path = tmp_path / "project"
    (path / "src").mkdir(parents=True)
    (path / "README.md").write_text("# A project\n\nSome *text*.\n")
    (path / "src/app.py").write_text(
        '"""An example."""\n\n\ndef greet(name: str) -> str:\n    return f"Hello, {name}!"\n'
    )
    return path


@pytest.fixture
def workspace(app: Viloapp, folder: Path) -> Iterator[Workspace]:
    """The running workspace, with nothing left open by an earlier test."""
    (app.store / "workspace.json").unlink(missing_ok=True)
    with app.workspace(folder) as workspace:
        yield workspace


@contextmanager
def opened(browser: Browser, url: str) -> Iterator[Page]:
    """Open an address in a window of its own; errors of the page and of its policy fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(url)
    try:
        yield page
        assert problems == []
        assert context.cookies() == []
    finally:
        context.close()


@pytest.fixture
def page(browser: Browser, workspace: Workspace) -> Iterator[Page]:
    """The workspace's page, connected."""
    with opened(browser, workspace.url) as page:
        expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "open")
        expect(page.get_by_test_id("status-viloxterm")).to_be_visible()  # so the commands are known
        yield page


def command(page: Page, title: str) -> None:
    """Run a command by its title, from the palette."""
    page.keyboard.press("F1")
    page.get_by_test_id("palette-input").fill(title)
    page.get_by_test_id("palette-option").first.click()


def new_terminal(page: Page) -> Locator:
    """Open a terminal and return its visible lines, once the shell has said something."""
    command(page, "Terminal: New")
    screen = page.locator(".xterm-rows").last
    expect(screen).to_contain_text(re.compile(r"[$#]"))
    return screen


def enter(page: Page, text: str) -> None:
    """Type a line into what has the focus."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def open_file(page: Page, name: str) -> Locator:
    """Open a file by a click in the explorer and return the editor."""
    page.get_by_test_id("file").filter(has_text=name).click()
    editor = page.locator(".cm-content").last
    expect(editor).to_be_visible()
    return editor


def test_shell_computes(page: Page, folder: Path) -> None:
    """New terminal, `echo $((6*7))`: 42, from a shell in the workspace folder."""
    screen = new_terminal(page)
    enter(page, "echo result=$((6*7))")
    expect(screen).to_contain_text("result=42")
    enter(page, "pwd > where.txt")
    eventually(lambda: (folder / "where.txt").exists() and (folder / "where.txt").read_text())
    assert (folder / "where.txt").read_text().strip() == str(folder)


def test_terminal_follows_the_window(page: Page, folder: Path) -> None:
    """The program learns the size that the person sees, also after it changed."""
    new_terminal(page)

    def size() -> tuple[int, int]:
        (folder / "size").unlink(missing_ok=True)
        enter(page, "stty size > size.new; mv size.new size")
        eventually((folder / "size").exists)
        rows, columns = (folder / "size").read_text().split()
        return int(rows), int(columns)

    rows, columns = size()
    assert rows > 24
    assert columns > 80
    page.set_viewport_size({"width": 800, "height": 500})
    eventually(lambda: size() < (rows, columns) and size()[1] < columns)


def test_ctrl_c_ends_a_flood_quickly(page: Page, folder: Path) -> None:
    """The prompt is back soon after Ctrl-C, although `yes` prints as fast as it can."""
    screen = new_terminal(page)
    enter(page, "yes")
    expect(screen).to_contain_text("y")
    # Not by a string of JavaScript: evaluated more than once it needs what the page's policy refuses.
    expect(screen).to_contain_text(re.compile(r"(?:y\s*){20}"))
    page.keyboard.press("Control+c")
    enter(page, "echo after=$((1+1)) | tee after.txt")
    eventually((folder / "after.txt").exists, within_s=5)
    expect(screen).to_contain_text("after=2")


def test_unicode_in_both_directions(page: Page, folder: Path) -> None:
    """Wide and combined characters reach the shell and come back."""
    screen = new_terminal(page)
    page.keyboard.insert_text("printf '%s' 'žluť 漢字 🙂' | tee text.txt")
    page.keyboard.press("Enter")
    eventually(lambda: (folder / "text.txt").exists() and (folder / "text.txt").read_text())
    assert (folder / "text.txt").read_text() == "žluť 漢字 🙂"
    expect(screen).to_contain_text("漢字")


def test_edited_file_is_saved(page: Page, folder: Path) -> None:
    """Open a file, change it, save: the bytes on disk changed, and only then."""
    before = (folder / "README.md").read_bytes()
    editor = open_file(page, "README.md")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("New line\n")
    assert (folder / "README.md").read_bytes() == before
    page.keyboard.press("Control+s")
    eventually(lambda: (folder / "README.md").read_bytes() == b"New line\n" + before, what="saved")


def test_what_a_plugin_tells_of_an_editor_leaves_the_typed_text(
    page: Page, app: Viloapp, folder: Path
) -> None:
    """Saving by the plugin's own command, or changing a setting, does not bring the old text back."""
    editor = open_file(page, "README.md")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("typed ")
    command(page, "Editor: Save")
    eventually(lambda: (folder / "README.md").read_text().startswith("typed # A project"))
    app("config", "set", "viloedit.fontSize", "20").ok()
    expect(page.locator(".cm-editor").last).to_have_css("font-size", "20px")
    expect(editor).to_contain_text("typed # A project")
    app("config", "unset", "viloedit.fontSize").ok()


def test_file_that_changed_on_disk_is_asked_about(page: Page, folder: Path) -> None:
    """Somebody else's change is not overwritten before the person says so."""
    editor = open_file(page, "README.md")
    (folder / "README.md").write_text("theirs\n")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("mine ")
    page.keyboard.press("Control+s")
    expect(page.get_by_test_id("dialog")).to_contain_text("changed on disk")
    assert (folder / "README.md").read_text() == "theirs\n"
    page.get_by_test_id("dialog-overwrite").click()
    eventually(lambda: (folder / "README.md").read_text().startswith("mine # A project"))


def test_binary_file_is_refused_with_its_reason(page: Page, folder: Path) -> None:
    """What is no text opens no tab, and the page says why."""
    (folder / "image.bin").write_bytes(b"\x00\x01\x02")
    page.get_by_role("button", name="Refresh").click()
    page.get_by_test_id("file").filter(has_text="image.bin").click()
    expect(page.get_by_test_id("toasts")).to_contain_text("binary")
    assert page.locator(".cm-content").count() == 0


def test_unsaved_text_and_shell_survive_a_reload(page: Page, app: Viloapp) -> None:
    """Reloading the page loses neither what was typed nor the shell with its variables."""
    screen = new_terminal(page)
    enter(page, "kept=still-here")
    editor = open_file(page, "README.md")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("typed and not saved ")
    # The page tells the plugin after a pause.
    eventually(lambda: [each for each in app.call("viloedit.list") if each["modified"]])
    page.reload()
    expect(page.locator(".cm-content").last).to_contain_text("typed and not saved")
    page.get_by_role("tab").filter(has_not_text="README.md").first.click()
    screen = page.locator(".xterm-rows").last
    expect(screen).to_contain_text("kept=still-here")
    page.locator(".xterm-helper-textarea").last.focus()
    enter(page, "echo is-$kept")
    expect(screen).to_contain_text("is-still-here")


def test_workspace_comes_back_after_a_restart(app: Viloapp, browser: Browser, folder: Path) -> None:
    """Tabs, unsaved text and a shell in the same folder are there when the host was ended and started."""
    (app.store / "workspace.json").unlink(missing_ok=True)
    with app.workspace(folder) as workspace, opened(browser, workspace.url) as page:
        editor = open_file(page, "README.md")
        editor.click()
        page.keyboard.press("Control+Home")
        page.keyboard.type("typed and not saved ")
        new_terminal(page)
        kept = app.store / "workspace.json"
        eventually(
            lambda: (
                kept.exists()
                and "typed and not saved" in kept.read_text()
                and "viloxterm" in kept.read_text()
            )
        )
        workspace.stop(signal.SIGTERM)
    with app.workspace(folder) as workspace, opened(browser, workspace.url) as page:
        expect(page.get_by_role("tab")).to_have_count(2)
        page.get_by_role("tab").filter(has_text="README.md").click()
        expect(page.locator(".cm-content").last).to_contain_text("typed and not saved")
        page.get_by_role("tab").filter(has_not_text="README.md").click()
        expect(page.locator(".xterm-rows").last).to_contain_text(re.compile(r"[$#]"))
    (app.store / "workspace.json").unlink(missing_ok=True)


def test_what_was_open_in_the_old_application_is_open(app: Viloapp, browser: Browser, folder: Path) -> None:
    """After `migrate state`: unsaved text with its selection, a shell in its folder with its history."""
    (app.store / "workspace.json").unlink(missing_ok=True)
    place = {"line": 2, "column": 3}
    editor = {"id": "e", "path": "README.md", "content": "# Mine\n\nnot <b>saved</b>\n", "is_modified": True}
    editor |= {"cursor": place, "selection": {"start": {"line": 2, "column": 0}, "end": place}}
    terminal: dict[str, object] = {
        "id": "t",
        "title": "Build",
        "working_directory": str(folder / "src"),
        "shell": "/bin/bash",
    }
    terminal |= {"env_vars": {"MARK": "here"}, "command_history": ["make old-target"]}
    leaves = [
        {"type": "leaf", "id": id, "widget_type": type} for id, type in (("t", "terminal"), ("e", "editor"))
    ]
    root: dict[str, object] = {
        "type": "split",
        "orientation": "horizontal",
        "ratio": 0.7,
        "first": leaves[0],
        "second": leaves[1],
    }
    state = {"terminals": [terminal], "editors": [editor], "tabs": [{"split_state": {"root": root}}]}
    (folder / "state.json").write_text(json.dumps(state))
    app("migrate", "state", folder / "state.json", "--folder", folder, "--yes").ok()
    with app.workspace(folder) as workspace, opened(browser, workspace.url) as page:
        screen = page.locator(".xterm-rows:visible")
        expect(screen).to_contain_text("src")
        text = page.locator(".cm-content:visible")
        expect(text).to_contain_text("not <b>saved</b>")
        text.focus()
        page.keyboard.type("now")  # in place of what is selected
        expect(text).to_contain_text("now <b>saved</b>")
        shell, file = screen.bounding_box(), text.bounding_box()
        assert shell is not None
        assert file is not None
        assert shell["x"] < file["x"]
        assert file["x"] > 600
        page.get_by_role("tab").filter(has_text="Build").click()
        page.locator(".xterm-helper-textarea").last.focus()
        enter(page, 'echo "$MARK $(history | head -1)" > ../told; pwd >> ../told')
        eventually(lambda: (folder / "told").exists() and (folder / "told").read_text().count("\n") == 2)
        first, second = (folder / "told").read_text().splitlines()
        assert first.split() == ["here", "1", "make", "old-target"]
        assert second == str(folder / "src")
    assert (folder / "README.md").read_text().startswith("# A project")
    (app.store / "workspace.json").unlink(missing_ok=True)


def _marks(kept: Path) -> dict[str, str]:
    """Return the marks of the old widget's states by instance, as the workspace keeps them."""
    folders = json.loads(kept.read_text())["folders"].values() if kept.exists() else []
    states = [each for folder in folders for each in folder["states"].items()]
    return {id: state["mark"] for id, state in states if isinstance(state, dict) and "mark" in state}


def test_an_old_widget_and_its_tab_outlive_its_plugin(
    app: Viloapp, browser: Browser, folder: Path, wheels: dict[str, Path]
) -> None:
    """One of the old interface runs in the page as it is; without its plugin the tab says what it was."""
    old = wheels["keeps_an_old_widget"]
    (app.store / "workspace.json").unlink(missing_ok=True)
    app("install", "--yes", *UNSIGNED, old).ok()
    kept, shown = app.store / "workspace.json", "given commands, theme, workspace; theme dark"
    with app.workspace(folder) as workspace, opened(browser, workspace.url) as page:
        expect(page.get_by_test_id("status-keeps-an-old-widget")).to_be_visible()  # so its command is known
        command(page, "Open the old panel")
        expect(page.get_by_text(shown)).to_be_visible()
        expect(page.get_by_role("tab").filter(has_text="Old panel")).to_be_visible()
        before = eventually(lambda: _marks(kept))
        workspace.stop(signal.SIGTERM)
    app("uninstall", "--yes", "keeps-an-old-widget").ok()
    with app.workspace(folder) as workspace, opened(browser, workspace.url) as page:
        expect(page.get_by_text("Old panel cannot be shown")).to_be_visible()
        told = "keeps-an-old-widget.panel is a widget of keeps-an-old-widget, which is not installed"
        expect(page.get_by_text(told)).to_be_visible()
        expect(page.get_by_text("viloapp install keeps-an-old-widget")).to_be_visible()
        app("install", "--yes", *UNSIGNED, old).ok()
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text(shown)).to_be_visible()
        # Another instance by now, of the state that waited while its plugin was away.
        after = eventually(lambda: {id: mark for id, mark in _marks(kept).items() if id not in before})
        assert set(after.values()) == set(before.values())
    app("uninstall", "--yes", "keeps-an-old-widget").ok()
    kept.unlink(missing_ok=True)


def test_what_plugins_use_is_shown_and_reached_by_keyboard(page: Page) -> None:
    """A chart of each kind, told in words; the rest opens with Enter."""
    page.get_by_test_id("open-activity").click()
    row = page.locator('[data-testid="activity"][data-id="hello"]')
    for chart in ("Memory: ", "Processor: ", "Calls: "):
        expect(row.get_by_role("img", name=chart)).to_be_visible()
    row.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(row.get_by_text("Restarts")).to_be_visible()


def test_split_shows_two_at_once_and_looks_well(page: Page) -> None:
    """A terminal beside an editor, both visible; the picture is kept for people to judge."""
    page.get_by_test_id("file").filter(has_text="src").click()
    open_file(page, "app.py")
    page.get_by_role("button", name="Split right").first.click()
    screen = new_terminal(page)
    enter(page, "ls -la --color=always; echo $((6*7))")
    expect(screen).to_contain_text("42")
    expect(page.locator(".cm-content:visible")).not_to_have_count(0)
    expect(page.locator(".xterm-rows:visible")).to_have_count(1)
    pictures = CLONE / "test-results"
    pictures.mkdir(exist_ok=True)
    page.screenshot(path=pictures / "workspace.png")
    command(page, "View: Theme light")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.screenshot(path=pictures / "workspace-light.png")
    command(page, "View: Theme dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_palette_runs_a_plugins_command(page: Page) -> None:
    """F1, a few letters, Enter: the answer of a plugin appears."""
    command(page, "Say hello")
    expect(page.get_by_test_id("toasts")).to_contain_text("Hello, world!")


def test_commands_of_another_shell_show_in_the_page(page: Page, app: Viloapp, folder: Path) -> None:
    """`viloapp call` opens a tab in the page; installing and disabling change its palette at once."""
    made = app.call("viloedit.open", path="README.md")
    expect(page.get_by_role("tab").filter(has_text="README.md")).to_be_visible()
    assert made["path"] == "README.md"
    terminal = app.call("viloxterm.new", name="from outside")
    expect(page.get_by_role("tab").filter(has_text="from outside")).to_be_visible()
    app.call("viloxterm.close", terminal=terminal["terminal"])
    expect(page.get_by_role("tab").filter(has_text="from outside")).to_have_count(0)
    app("disable", "hello").ok()
    expect(page.get_by_test_id("status-hello")).to_have_count(0)
    page.keyboard.press("F1")
    page.get_by_test_id("palette-input").fill("Say hello")
    expect(page.get_by_test_id("palette-option").filter(has_text="Say hello")).to_have_count(0)
    page.keyboard.press("Escape")
    app("enable", "hello").ok()
    expect(page.get_by_test_id("status-hello")).to_be_visible()
    command(page, "Say hello")
    expect(page.get_by_test_id("toasts")).to_contain_text("Hello, world!")


def test_killed_worker_of_an_open_widget(page: Page, app: Viloapp) -> None:
    """The shell goes on when the terminal plugin's process is killed, and new terminals open."""
    screen = new_terminal(page)
    states = {each["id"]: each for each in app("status", "--json").json()["plugins"]}
    os.kill(states["viloxterm"]["pid"], signal.SIGKILL)
    enter(page, "echo still=$((20+2))")
    expect(screen).to_contain_text("still=22")
    new_terminal(page)


def test_first_run_offers_both_plugins(
    make_app: MakeApp, browser: Browser, tmp_path: Path, folder: Path
) -> None:
    """The page offers to install both, says that nobody signed them, asks, and then has a terminal."""
    fresh = make_app(tmp_path / "fresh")
    with fresh.workspace(folder) as workspace, opened(browser, workspace.url) as page:
        expect(page.get_by_test_id("first-run")).to_be_visible()
        page.get_by_test_id("install-first").click()
        for _ in range(2):
            expect(page.get_by_test_id("dialog")).to_contain_text("unsigned: carried by this core")
            page.get_by_test_id("dialog-allow").click()
            expect(page.get_by_test_id("dialog")).to_contain_text("asks for")
            page.get_by_test_id("dialog-allow").click()
        expect(page.get_by_test_id("first-run")).to_have_count(0, timeout=90_000)
        screen = new_terminal(page)
        enter(page, "echo $((6*7))")
        expect(screen).to_contain_text("42")
    assert {id: plugin["signature"] for id, plugin in fresh.plugins().items()} == {
        "viloxterm": "UNSIGNED",
        "viloedit": "UNSIGNED",
    }


def test_address_without_its_token_is_refused(browser: Browser, workspace: Workspace) -> None:
    """Another person of this machine who finds the port gets no shell."""
    for url in (workspace.url.split("#")[0], workspace.url[:-4] + "aaaa"):
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        expect(page.get_by_test_id("refused")).to_be_visible()
        context.close()


def test_a_plugin_asks_and_the_person_decides(page: Page, app: Viloapp, tmp_path: Path) -> None:
    """Who wants what and why; a stray key denies; what was allowed is in the list, and taken back there."""
    question = page.get_by_test_id("dialog")
    command(page, "Reach: ask for a variable")
    expect(question).to_contain_text("reaches-out asks to read the environment variable LANG")
    expect(question).to_contain_text("speak your language")
    expect(page.get_by_test_id("dialog-cancel")).to_be_focused()
    page.screenshot(path=os.environ.get("VILOAPP_SCREENSHOT", str(tmp_path / "question.png")))
    page.keyboard.press("Enter")  # meant for something else, as likely as not
    expect(question).to_have_count(0)
    expect(page.get_by_test_id("toasts")).to_contain_text(
        "viloapp permissions grant reaches-out system.environment.LANG"
    )
    app("permissions", "reset", "reaches-out").ok()  # a denial holds for the run, until somebody decides anew
    command(page, "Reach: ask for a variable")
    page.get_by_test_id("dialog-always").click()
    expect(question).to_have_count(0)
    command(page, "Plugins: Show")
    page.get_by_test_id("permissions-reaches-out").click()
    row = page.get_by_test_id("permission").and_(page.locator("[data-id='system.environment.LANG']"))
    expect(row).to_have_attribute("data-state", "granted")
    expect(row).to_contain_text("May read the environment variable LANG")
    row.get_by_role("button").click()
    expect(row).to_have_attribute("data-state", "denied")
    shown = app("permissions", "show", "reaches-out", "--json").json()["permissions"]
    assert {each["id"]: each["state"] for each in shown}["system.environment.LANG"] == "denied"
    app("permissions", "reset", "reaches-out").ok()


@pytest.fixture
def language(app: Viloapp) -> Iterator[Callable[[str], None]]:
    """Changes the workspace's language on the command line; English again afterwards."""

    def change(locale: str) -> None:
        app("config", "set", "core.locale", locale).ok()

    yield change
    app("config", "unset", "core.locale").ok()


def test_language_is_switched_live(page: Page, app: Viloapp, language: Callable[[str], None]) -> None:
    """The page, every plugin's widgets, titles and reasons follow, and nothing that was typed is lost."""
    editor = open_file(page, "README.md")
    editor.click()
    page.keyboard.type("typed ")
    command(page, "Talk: Begin")
    panel = page.locator(".text-view")
    expect(panel).to_have_text("2 words")
    page.evaluate("window.loadedOnce = true")
    root = page.locator("html")

    language("de")
    expect(root).to_have_attribute("lang", "de")
    expect(panel).to_have_text("2 Wörter")
    expect(page.get_by_role("tab").filter(has_text="Gespräch")).to_be_visible()
    expect(page.get_by_test_id("connection")).to_have_text("Verbunden")
    command(page, "Plugins: Zeigen")
    page.get_by_test_id("permissions-changes-its-language").click()
    row = page.get_by_test_id("permission").and_(page.locator("[data-id='system.read.information']"))
    # What it allows is said by the host, in its own words; the reason alone is the plugin's.
    expect(row).to_contain_text("Darf Namen, System, Prozessoren und Speicher dieses Rechners erfahren")
    expect(row.locator("q")).to_have_text("einfach so")
    page.keyboard.press("F1")
    page.get_by_test_id("palette-input").fill("Gespräch")
    expect(page.get_by_test_id("palette-option").first).to_contain_text("Gespräch: Beginnen")
    page.keyboard.press("Escape")
    described = app("info", "changes-its-language", "--json").json()
    assert described["manifest"]["commands"][0]["title"] == "Gespräch: Beginnen"

    # The page's own menu; Arabic runs to the left, and a program's text does not.
    page.get_by_test_id("language").click()
    page.locator("[data-id='workspace.language.ar']").click()
    expect(root).to_have_attribute("dir", "rtl")
    page.get_by_role("tab").filter(has_text="Talk").click()
    expect(panel).to_have_text("2 words")  # which the plugin has not got in Arabic
    sidebar, tabs = (page.locator(f"[data-region={name}]").bounding_box() for name in ("sidebar", "tabs"))
    assert sidebar is not None
    assert tabs is not None
    assert sidebar["x"] > tabs["x"]
    page.get_by_role("tab").filter(has_text="README.md").click()
    expect(editor).to_contain_text("typed")
    expect(editor).to_have_css("direction", "ltr")
    assert page.evaluate("window.loadedOnce")
    page.reload()
    expect(root).to_have_attribute("dir", "rtl")
    expect(page.get_by_test_id("connection")).to_have_text("متصل")


def test_longer_words_fit(page: Page, language: Callable[[str], None]) -> None:
    """With all texts two fifths longer, and narrow, nothing is wider than what holds it."""
    page.set_viewport_size({"width": 420, "height": 800})
    command(page, "View: Show or hide the explorer")
    language("en-XA")
    expect(page.locator("html")).to_have_attribute("lang", "en-XA")
    for view in ("plugins", "settings", "activity"):
        page.get_by_test_id(f"open-{view}").click()
        shown = page.get_by_test_id(f"{view}-view")
        expect(shown.locator("h1")).to_contain_text("~]")
        expect(shown.locator(".card, .setting, .activity").first).to_be_visible()
        assert shown.evaluate(WIDER) == []
