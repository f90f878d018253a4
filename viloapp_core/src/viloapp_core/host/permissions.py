"""What every plugin may do now: the one place that grants, denies, asks and checks."""

import os
import shlex
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viloapp_core.foundation.clock import Clock
from viloapp_core.host.prompts import Prompts
from viloapp_core.ledger import AuditLog, Entry, Ledger, LedgerError, Standing, consented_by
from viloapp_core.permissions import NOWHERE, Decision, Permission, Places, decide, in_words, told
from viloapp_core.store import InstalledPlugin, Store
from viloapp_core.store.wording import Texts, reason_in
from viloapp_sdk.errors import InvalidArgumentsError, PermissionDeniedError
from viloapp_sdk.manifest.printable import make_safe

__all__ = ["FREE", "PermissionManager", "grant_command"]

FREE = (Permission("filesystem", "write", "plugin_data"), Permission("filesystem", "write", "temp_files"))
"""What every plugin has, since it is its own."""

_REMEMBERED = 200

Denied = Callable[[dict[str, str]], None]


@dataclass(slots=True)
class _Run:
    """What holds for one plugin until the host ends; the person was asked, and did not say for ever."""

    granted: dict[Permission, bool] = field(default_factory=dict)
    """With whether it is for one use only."""
    denied: list[Permission] = field(default_factory=list)


@dataclass(slots=True)
class _Known:
    """What a plugin has but for this run, and what was decided by it, until ledger or plugin change."""

    stamp: object
    plugin: InstalledPlugin
    standing: Standing
    decisions: dict[Permission, Decision] = field(default_factory=dict)


class PermissionManager:
    """The permissions of all plugins of one store; `Host.permissions`, and a `ledger.Gate` for the rest.

        host.permissions.check_permission("hello", Permission.parse("network.connect.example.com"))

    Args:
        store: what is installed.
        workspace: the folder that the person works in.
        changed: told ``(plugin id, by)`` after a change; before those of `on_change`.
        clock: for ledger and audit log.

    Attributes:
        prompts: who can put a question to a person.
    """

    def __init__(
        self,
        store: Store,
        workspace: Path,
        changed: Callable[[str, str], None] = lambda plugin_id, by: None,
        clock: Clock | None = None,
    ) -> None:
        self.prompts = Prompts()
        self._store = store
        self._workspace = str(workspace)
        self._home = os.path.realpath(Path.home())
        self._ledger = Ledger(store.root, clock)
        self._log = AuditLog(store.root, clock)
        self._runs: dict[str, _Run] = {}
        self._changed = changed
        self._listeners: list[Callable[[str], None]] = []
        self._denied: list[Denied] = []
        self._used: list[Callable[[str, str], None]] = []
        self._known: dict[str, tuple[Permission, ...]] = {}
        self._looked: tuple[object, bytes] = (None, b"")
        self._standings: dict[str, _Known] = {}

    def close(self) -> None:
        """Write what the audit log still holds."""
        self._log.close()

    @property
    def problem(self) -> str:
        """Why the audit log does not have what happened last; empty when it has."""
        return self._log.problem

    # -- the specification's names -------------------------------------------------------------------

    def grant_permission(
        self,
        plugin_id: str,
        permission: Permission,
        *,
        lasting: str = "always",
        by: str = "command",
        reason: str = "",
    ) -> None:
        """Allow a plugin something.

        Args:
            plugin_id: which.
            permission: what; a ``*`` may stand in it.
            lasting: ``always``, ``run`` (until the host ends) or ``once`` (for the next use).
            by: ``command`` or ``prompt``.
            reason: what the plugin said it is for.

        Raises:
            LedgerError: the ledger cannot be used.
        """
        run = self._runs.setdefault(plugin_id, _Run())
        run.denied = [each for each in run.denied if not permission.covers(each)]
        if lasting == "always":
            self._ledger.decide(plugin_id, [permission], "granted", by=by, reason=reason)
        else:
            run.granted[permission] = lasting == "once"
        self.audit("grant", plugin_id, str(permission), by, lasting, reason)
        self._tell(plugin_id, by)

    def revoke_permission(self, plugin_id: str, permission: Permission, *, by: str = "command") -> None:
        """Deny a plugin something from now on, whatever it was granted.

        Raises:
            InvalidArgumentsError: it is what every plugin has.
            LedgerError: the ledger cannot be used.
        """
        if any(permission.denies(each) for each in FREE):
            raise InvalidArgumentsError(f"{permission} cannot be taken away: the folder is the plugin's own")
        self._ledger.decide(plugin_id, [permission], "denied", by=by)
        self.audit("revoke", plugin_id, str(permission), by, "always")
        self._tell(plugin_id, by)

    def reset(self, plugin_id: str, *, by: str = "command") -> None:
        """Go back to what was accepted at the plugin's installation.

        Raises:
            LedgerError: the ledger cannot be used.
        """
        self._runs.pop(plugin_id, None)
        self._ledger.reset(plugin_id)
        self.audit("reset", plugin_id, call=by, outcome="as installed")
        self._tell(plugin_id, by)

    def check_permission(self, plugin_id: str, permission: Permission) -> bool:
        """Return whether a plugin may do something; nothing is written and nobody told."""
        return self.allowed(plugin_id, permission).allowed

    async def request_permission(self, plugin_id: str, permission: Permission, reason: str = "") -> bool:
        """Ask the person for something that a plugin wants now, unless that is settled.

        Anything of the vocabulary may be asked for, declared or not: a plugin can then start with little.

        Raises:
            InvalidArgumentsError: a ``*`` stands in it: only an installation may ask for that.
        """
        if permission.wildcard:
            raise InvalidArgumentsError(
                f"{permission} cannot be asked for while running", "ask for one thing, or declare it"
            )
        if self.check_permission(plugin_id, permission):
            return True
        if any(each.denies(permission) for each in self._denials(plugin_id)):
            self._deny(plugin_id, permission, "request_permission", "it was denied before")
            return False
        self.audit("prompt", plugin_id, str(permission), "request_permission", "", reason)
        answer = await self.prompts.put(plugin_id, permission, reason)
        self.audit("answer", plugin_id, str(permission), "request_permission", answer, reason)
        if answer in ("once", "run", "always"):
            self.grant_permission(plugin_id, permission, lasting=answer, by="prompt", reason=reason)
            return True
        if answer == "deny":
            self._runs.setdefault(plugin_id, _Run()).denied.append(permission)
        why = {
            "deny": "it was denied",
            "nobody": "nobody is here to be asked",
            "late": "nobody answered in time",
            "too often": "it has asked too often",
        }
        self._deny(plugin_id, permission, "request_permission", why[answer])
        return False

    # -- the gate ------------------------------------------------------------------------------------

    def require(self, plugin_id: str, wanted: Permission, call: str) -> Permission:
        """Return the grant that allows ``wanted``; see `viloapp_core.ledger.Gate.require`.

        Raises:
            PermissionDeniedError: nothing does.
        """
        decision = self.allowed(plugin_id, wanted)
        if not decision.allowed or decision.by is None:
            raise self._deny(plugin_id, wanted, call, decision.reason)
        for callback in tuple(self._used):
            callback(plugin_id, str(wanted))
        run = self._runs.get(plugin_id)
        if run is not None and run.granted.get(decision.by):
            del run.granted[decision.by]
        return decision.by

    def allowed(self, plugin_id: str, wanted: Permission) -> Decision:
        """Decide without telling anybody. What cannot be read allows nothing."""
        plugin = self._store.plugins().get(plugin_id)
        if plugin is None:
            return Decision(False, None, f"{plugin_id} is not installed")
        try:
            known = self._look_up(plugin)
        except LedgerError as error:
            return Decision(False, None, error.detail)
        run = self._runs.get(plugin_id)
        if run is None or not (run.granted or run.denied):
            decision = known.decisions.get(wanted)
            if decision is None:
                decision = self._decide(plugin, known.standing, wanted)
                # Names of things are a plugin's to choose, so neither many nor long ones are remembered.
                if len(known.decisions) < _REMEMBERED and len(wanted.resource) <= _REMEMBERED:
                    known.decisions[wanted] = decision
            return decision
        return self._decide(plugin, self._with_run(known.standing, run), wanted)

    def _decide(self, plugin: InstalledPlugin, standing: Standing, wanted: Permission) -> Decision:
        granted: Sequence[Permission] = standing.granted
        if once := self._single_uses(plugin.plugin_id):
            # They come last, so that no use is spent where another grant would do.
            granted = sorted(granted, key=lambda each: each in once)
        places = self.places(plugin) if wanted.category == "filesystem" else NOWHERE
        return decide(granted, standing.denied, wanted, places)

    def granted(self, plugin_id: str) -> list[Permission]:
        """Return what a plugin may now, but for what every plugin has.

        Raises:
            LedgerError: the ledger cannot be used.
        """
        plugin = self._store.plugins().get(plugin_id)
        if plugin is None:
            return []
        return [each for each in self._standing(plugin).effective if each not in FREE]

    def audit(
        self,
        event: str,
        plugin_id: str,
        permission: str = "",
        call: str = "",
        outcome: str = "",
        detail: str = "",
    ) -> None:
        """Write to the audit log; see `viloapp_core.ledger.AuditLog.record`."""
        self._log.record(event, plugin_id, permission, call, outcome, detail)

    def on_change(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call ``callback(plugin id)`` after a plugin's permissions changed; return what ends that."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def on_denied(self, callback: Denied) -> Callable[[], None]:
        """Call ``callback`` for each denial; return what ends that.

        It gets ``{"plugin", "permission", "call", "reason", "message", "command"}``.
        """
        self._denied.append(callback)
        return lambda: self._denied.remove(callback)

    def on_used(self, callback: Callable[[str, str], None]) -> Callable[[], None]:
        """Call ``callback(plugin id, permission)`` for each thing that was allowed; return what ends that."""
        self._used.append(callback)
        return lambda: self._used.remove(callback)

    def places(self, plugin: InstalledPlugin) -> Places:
        """Return where the named places are for a plugin."""
        return Places(self._home, {"workspace": self._workspace, "plugin_data": str(plugin.data_dir)})

    def describe(self, plugin: InstalledPlugin, texts: Texts | None = None) -> list[dict[str, Any]]:
        """Return every permission that a plugin has, had or asked for.

        ``words`` are always the host's; the ``reason`` alone is the plugin's to translate.

        Rows of ``{"id", "state", "by", "at", "reason", "lasting"}`` and what `told` says; ``state`` is
        ``granted`` or ``denied``.

        Args:
            plugin: which.
            texts: its words in the person's language; see `viloapp_core.store.wording`.

        Raises:
            LedgerError: the ledger cannot be used.
        """
        entries = {(each.permission, each.state): each for each in self._ledger.entries(plugin.plugin_id)}
        standing = self._standing(plugin)
        runs = self._runs.get(plugin.plugin_id, _Run())
        effective = set(standing.effective)
        rows = []
        for permission in dict.fromkeys([*standing.granted, *standing.denied]):
            if permission in FREE:
                continue
            state = "granted" if permission in effective else "denied"
            entry = entries.get((permission, state))
            brief = permission in (runs.granted if state == "granted" else runs.denied) and entry is None
            lasting = ("once" if runs.granted.get(permission) else "run") if brief else "always"
            rows.append(
                {
                    "id": str(permission),
                    "state": state,
                    **told(permission),
                    "by": entry.by if entry else "prompt" if brief else "install",
                    "at": entry.at if entry else "",
                    "reason": _reason(entry, texts or {}),
                    "lasting": lasting,
                }
            )
        return rows

    def watch(self, plugin_id: str, granted: Iterable[Permission]) -> None:
        """Say what a process starts with, for `look` to compare with."""
        self._known.setdefault(plugin_id, tuple(granted))

    def look(self, plugin_ids: Collection[str]) -> None:
        """Notice what other processes have changed in the ledger since the last look.

        Args:
            plugin_ids: of plugins that somebody has asked for; of others the ledger's entries alone are
                compared.
        """
        for plugin_id in self._changed_in_ledger().difference(self._known):
            self._tell(plugin_id, "command")
        for plugin_id in plugin_ids:
            try:
                now = tuple(self.granted(plugin_id))
            except LedgerError:
                now = ()
            if self._known.setdefault(plugin_id, now) != now:
                self._tell(plugin_id, "command")

    # -- within --------------------------------------------------------------------------------------

    def _changed_in_ledger(self) -> set[str]:
        """Return the installed plugins with other entries than at the last look; none at the first."""
        try:
            stamp = self._ledger.stamp()
            before, content = self._looked
            if stamp == before:
                return set()
            self._looked = (stamp, self._ledger.content())
            changed = self._ledger.changed_since(content) if before is not None else set()
        except LedgerError:
            return set()  # whoever asks is refused
        return changed.intersection(self._store.plugins())

    def _standing(self, plugin: InstalledPlugin) -> Standing:
        """Return what a plugin has in all."""
        standing, run = self._look_up(plugin).standing, self._runs.get(plugin.plugin_id)
        return standing if run is None else self._with_run(standing, run)

    def _look_up(self, plugin: InstalledPlugin) -> _Known:
        """Return what was granted and denied; read anew when the ledger's file or the plugin has changed."""
        stamp = self._ledger.stamp()
        known = self._standings.get(plugin.plugin_id)
        if known is None or known.stamp != stamp or known.plugin is not plugin:
            consented = consented_by(plugin.permissions, plugin.requires_plugins)
            standing = self._ledger.standing(plugin.plugin_id, consented)
            standing = Standing((*FREE, *standing.granted), standing.denied)
            known = self._standings[plugin.plugin_id] = _Known(stamp, plugin, standing)
        return known

    @staticmethod
    def _with_run(standing: Standing, run: _Run) -> Standing:
        granted = dict.fromkeys([*standing.granted, *run.granted])
        return Standing(tuple(granted), (*standing.denied, *run.denied))

    def _denials(self, plugin_id: str) -> tuple[Permission, ...]:
        plugin = self._store.plugins().get(plugin_id)
        return self._standing(plugin).denied if plugin is not None else ()

    def _single_uses(self, plugin_id: str) -> set[Permission]:
        run = self._runs.get(plugin_id)
        return {each for each, once in run.granted.items() if once} if run is not None else set()

    def _tell(self, plugin_id: str, by: str) -> None:
        try:
            self._known[plugin_id] = tuple(self.granted(plugin_id))
        except LedgerError:
            self._known[plugin_id] = ()
        if by != "prompt":
            self.prompts.forget(plugin_id)
        self._changed(plugin_id, by)
        for callback in tuple(self._listeners):
            callback(plugin_id)

    def _deny(self, plugin_id: str, wanted: Permission, call: str, reason: str) -> PermissionDeniedError:
        """Write a denial down, tell whoever shows it, and return it as an error."""
        # A path may have anything in it, and this is read on a terminal.
        command = make_safe(grant_command(plugin_id, wanted), 5000)
        message = make_safe(f"{plugin_id} may not {in_words(wanted)}: {reason} ({call})", 5000)
        self.audit("deny", plugin_id, str(wanted), call, "denied", reason)
        told = {"plugin": plugin_id, "permission": str(wanted), "call": call, "reason": reason}
        for callback in tuple(self._denied):
            callback({**told, "message": message, "command": command})
        return PermissionDeniedError(message, command)


def grant_command(plugin_id: str, permission: Permission) -> str:
    """Return the command line that would grant it."""
    return f"viloapp permissions grant {plugin_id} {shlex.quote(str(permission))}"


def _reason(entry: Entry | None, texts: Texts) -> str:
    """Return why a permission was asked for; what was said at run time is in the right language."""
    if entry is None:
        return ""
    return reason_in(texts, str(entry.permission), entry.reason) if entry.by == "install" else entry.reason
