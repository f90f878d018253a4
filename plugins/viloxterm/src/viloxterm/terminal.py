"""The terminal widget: one tab, one terminal that the host keeps.

The host's terminals outlive this plugin's process and the page, so a tab that comes back looks for its
terminal first and opens a new one, in the same folder and profile, only when that has ended.
"""

from os.path import join
from typing import Any, ClassVar

from viloapp_sdk import Widget
from viloapp_sdk.errors import UnknownWidgetError, ViloError
from viloxterm.profiles import Profile, choose
from viloxterm.sessions import Session, read_session

__all__ = ["APPEARANCE", "Terminal"]

APPEARANCE = ("fontSize", "fontFamily", "cursorStyle", "scrollback", "theme")
"""The settings that the page draws with; a change reaches every open terminal at once."""


class Terminal(Widget):
    """A terminal in a tab."""

    id = "viloxterm.terminal"
    title = "Terminal"
    icon = "terminal"
    kind = "terminal"
    position = "main"

    opened: ClassVar[dict[str, "Terminal"]] = {}
    """The open tabs of this worker by instance id, for the commands that act on one of them."""

    def __init__(self) -> None:
        self.terminal = ""
        self.profile = ""
        self.cwd = ""
        self.name = ""
        self.program = ""
        self.session: Session | None = None
        self._state: dict[str, Any] = {}

    def get_title(self) -> str:
        """Return the name that the person gave, else the host's title for the program."""
        return self.name or self.program or self.context.i18n.t("terminal")

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take back which terminal this tab showed; called before `create`."""
        self._state = dict(state)

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        """Attach to the terminal of the restored state, or open one.

        Args:
            params: ``{"cwd"?, "profile"?, "name"?}``; a restored state may have a ``session`` besides, of
                the application before this one (`read_session`).

        Raises:
            ProfileError: the settings hold no such profile.
        """
        wanted = {**params, **self._state}
        self.profile = str(wanted.get("profile") or "")
        self.session = read_session(self._state.get("session"))
        title, cwd = (self.session.title, self.session.cwd) if self.session else ("", "")
        self.name = str(wanted.get("name", title) or "")
        if not self._reattach(str(wanted.get("terminal") or "")):
            self._open(str(wanted.get("cwd") or cwd))
        self.opened[self.instance_id] = self
        return self.data()

    def _reattach(self, terminal: str) -> bool:
        if not terminal:
            return False
        for living in self.context.services.terminals.list():
            if living["id"] == terminal:
                self._take(living)
                return True
        return False

    def _open(self, cwd: str) -> None:
        if self.session is None:
            self._start(self._profile(), cwd)
            return
        profile = self._profile()
        env = {**profile.env, **self.session.variables(self.context.storage)}
        try:
            self._start(profile._replace(argv=self.session.argv or profile.argv, env=env), cwd)
        except ViloError as error:
            # The shell or the folder of another day, or of another machine: not the whole tab is lost for it.
            self._start(profile._replace(env=env), "")
            self.context.services.notifications.show(
                self.context.i18n.t("elsewhere", name=self.name, problem=error.detail),
                "warning",
            )

    def _start(self, profile: Profile, cwd: str) -> None:
        # Relative to the workspace folder, as everything is that a person types there.
        where = join(self.context.services.workspace.get_folder(), cwd or profile.cwd)
        self._take(
            self.context.services.terminals.open(
                profile.argv,
                cwd=where,
                env=profile.env,
                title=self.name or profile.title,
            )
        )

    def _profile(self) -> Profile:
        settings = self.context.settings
        return choose(
            self.profile, shell=str(settings.get("shell", "auto")), profiles=settings.get("profiles") or {}
        )

    def _take(self, terminal: dict[str, Any]) -> None:
        self.terminal = terminal["id"]
        self.cwd = str(terminal.get("cwd") or "")
        self.program = str(terminal.get("title") or "")

    def data(self) -> dict[str, Any]:
        """Return what the page draws: the terminal's id and how it looks."""
        values = self.context.settings.as_dict()
        return {"terminal": self.terminal} | {name: values[name] for name in APPEARANCE if name in values}

    def handle_command(self, command: str, args: dict[str, Any]) -> Any:
        """Answer the page: ``rename`` {"name"}, ``restart`` {} when the program has ended."""
        if command == "rename":
            self.rename(str(args.get("name", "")))
            return {"title": self.get_title()}
        if command == "restart":
            self._open(self.cwd)
            self.update(self.data(), title=self.get_title())
            return self.data()
        return super().handle_command(command, args)

    def rename(self, name: str) -> None:
        """Show ``name`` on the tab; an empty name shows the program's title again."""
        self.name = name.strip()
        self.update(title=self.get_title())

    def get_state(self) -> dict[str, Any]:
        """Return which terminal this is, and enough to open its like when it has ended.

        The folder is where the program is now, as far as the host can tell.
        """
        for living in self.context.services.terminals.list():
            if living["id"] == self.terminal:
                self.cwd = str(living.get("cwd") or self.cwd)
        state = {"terminal": self.terminal, "cwd": self.cwd, "profile": self.profile, "name": self.name}
        return state | {"session": self.session.as_dict()} if self.session else state

    def destroy(self) -> None:
        """End the terminal when its tab was closed.

        A worker that ends destroys its widgets too, while their tabs stay open: the one that follows it,
        after an update of this plugin, finds the terminals again.
        """
        self.opened.pop(self.instance_id, None)
        if self._is_open():
            return
        living = {terminal["id"] for terminal in self.context.services.terminals.list()}
        if self.terminal in living:
            self.context.services.terminals.close(self.terminal)

    def _is_open(self) -> bool:
        """Return whether the workspace still shows this tab."""
        try:
            self.update()
        except UnknownWidgetError:
            return False
        return True
