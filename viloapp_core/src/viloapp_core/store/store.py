"""`Store`: everything that is installed, and the only writer of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viloapp_core.foundation.clock import Clock
from viloapp_core.foundation.errors import FoundationError, LockHeldError
from viloapp_core.foundation.files import FileLock, read_bytes, sync_dir, write_atomic, write_json
from viloapp_core.foundation.paths import first_free
from viloapp_core.store import belongings, binding, forgetting, index, journal, probation, truth, withdrawals
from viloapp_core.store.errors import CollisionError, NotInstalledError, StoreError, StoreFolderError
from viloapp_core.store.identities import Identities
from viloapp_core.store.index import InstalledPlugin, Plugins
from viloapp_core.store.layout import Layout
from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.trust import TrustStore, VerifiedArtifact

Stamp = tuple[int, int, int]
_NEVER: Stamp = (0, 0, 0)
_NAME_DIGITS = 12
"""How much of a lock's digest a generation's name has; the whole of it is in the receipt."""


class Store:
    """The folder of everything installed.

    Readers read ``index.json`` and never wait. A change holds ``store.lock`` only while it is made visible,
    under an entry of the journal, so that a process that dies leaves the state before or the state after.

    Args:
        root: the store's folder; it is made when something is first written.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self.layout = Layout(self.root)
        self._index = str(self.layout.index)  # looked at whenever a plugin asks for what needs a permission
        # One value, so that a thread that reads meanwhile never sees half of it.
        self._cached: tuple[Stamp, tuple[int, Plugins]] | None = None

    # Reading

    def plugins(self) -> Plugins:
        """Return what is installed, by plugin id."""
        return self._load()[1]

    def plugin(self, plugin_id: str) -> InstalledPlugin:
        """Return one installed plugin.

        Raises:
            NotInstalledError: there is none of that id.
        """
        if (plugin := self.plugins().get(plugin_id)) is None:
            raise NotInstalledError(plugin_id)
        return plugin

    def damage(self) -> dict[str, str]:
        """Return what is wrong with plugins that cannot be used, by id, with what to do.

        Somebody removed files by hand, or the Python that a virtualenv stands on.
        """
        plugins, found = self.plugins(), {}
        # Every listing asks this: of a whole plugin nothing is decoded, and the disk is asked one question.
        for plugin_id in plugins.unusual():
            plugin = plugins.get(plugin_id)
            if plugin is None or not plugin.generation.is_dir():
                what = "its files are damaged"
            elif not plugin.python.exists():
                what = f"the Python {plugin.python_version} it was installed with is gone"
            else:
                continue
            found[plugin_id] = f"{what}; use: viloapp repair {plugin_id}"
        return found

    def receipt(self, plugin_id: str) -> dict[str, Any]:
        """Return the receipt of an installed plugin's current generation.

        Raises:
            NotInstalledError: there is none of that id.
            StoreError: the receipt is damaged.
        """
        if (generation := truth.current_generation(self.layout, plugin_id)) is None:
            raise NotInstalledError(plugin_id)
        return truth.read_receipt(self.layout.generations(plugin_id) / generation)

    def revision(self) -> int:
        """Return a number that grows with each change of the store."""
        return self._load()[0]

    def index_stamp(self) -> Stamp:
        """Return modification time (ns), inode and size of the index: unequal to the last means changed."""
        try:
            status = os.stat(self._index)
        except OSError:
            return _NEVER
        return (status.st_mtime_ns, status.st_ino, status.st_size)

    def _load(self) -> tuple[int, Plugins]:
        stamp, cached = self.index_stamp(), self._cached
        if cached is None or cached[0] != stamp:
            cached = self._cached = (stamp, self._decode_or_rebuild())
        return cached[1]

    def _decode_or_rebuild(self) -> tuple[int, Plugins]:
        try:
            if (data := read_bytes(self.layout.index)) is not None:
                return index.decode(data, self.layout)
        except (FoundationError, StoreError):
            pass
        rows = truth.read_rows(self.layout)
        revision = int(truth.read_state(self.layout)["revision"])
        data = index.encode(revision, rows)
        # A reader never waits: whoever holds the lock is about to write the index anyway.
        with contextlib.suppress(FoundationError):
            if rows:
                with FileLock(self.layout.lock).acquire(blocking=False):
                    write_atomic(self.layout.index, data)
        return index.decode(data, self.layout)

    # Changing

    def recover(self) -> list[str]:
        """Finish or undo what a process that died had begun; return a line for each thing done.

        Cheap when there is nothing to do. Called before every change, and by the command line when the
        journal is not empty.
        """
        try:
            if not os.listdir(self.layout.journal):
                return []
        except OSError:
            return []
        done: list[str] = []
        with contextlib.ExitStack() as kept:
            with self.locked():
                orphans = [kept.enter_context(entry) for entry in journal.orphans(self.layout.journal)]
                done += [self._settle(entry) for entry in orphans]
                if orphans:
                    self._publish_recovered(orphans)
                for entry in orphans:
                    if entry.facts.get("kind") == "uninstall" and entry.facts.get("purge"):
                        # What is damaged is told of by whoever uses it, not by each command from now on.
                        with contextlib.suppress(ViloError):
                            self._forget(str(entry.facts.get("plugin_id")))
            for entry in orphans:
                entry.close()
        return [line for line in done if line]

    def _publish_recovered(self, orphans: Sequence[journal.Entry]) -> None:
        # What was uninstalled is forgotten, or it would come back as disabled as it was.
        gone = {str(entry.facts.get("plugin_id")) for entry in orphans} - {*truth.installed_ids(self.layout)}
        back = {
            str(each.facts["plugin_id"]): each.facts["state"] for each in orphans if "state" in each.facts
        }
        self._publish(back | dict.fromkeys(gone))
        for name in ("state", "index"):  # both are written under the lock, which is ours
            for partial in self.root.glob(f".{name}.json.*.tmp"):
                partial.unlink(missing_ok=True)

    def begin(self, kind: str, **facts: Any) -> journal.Entry:
        """Open a change that needs a scratch folder; close the entry when done.

        Raises:
            StoreFolderError: the store cannot be written to.
        """
        with self.locked():
            return journal.open_entry(self.layout.journal, {"kind": kind, **facts})

    def begin_install(self, artifact: VerifiedArtifact) -> tuple[journal.Entry, Path]:
        """Open the installation of a new generation and make its folder, which is its final place.

        Its name is ``<version>-<lockdigest>``; a number is added when there is one of that name.

        Args:
            artifact: what was verified; there is no generation without.
        """
        plugin_id, name = artifact.plugin_id, f"{artifact.version}-{artifact.lock_digest[:_NAME_DIGITS]}"
        with self.locked():
            generation = first_free(self.layout.generations(plugin_id), name)
            facts = {"kind": "install", "plugin_id": plugin_id, "generation": generation.name}
            with journal.open_entry(self.layout.journal, facts) as entry:
                generation.mkdir(mode=0o700, parents=True)
            return entry, generation

    def commit_install(
        self,
        entry: journal.Entry,
        artifact: VerifiedArtifact,
        receipt: Mapping[str, Any],
        clock: Clock,
        check: Callable[[], None] = lambda: None,
    ) -> InstalledPlugin:
        """Make a complete generation the current one and return the plugin as installed.

        The publisher is pinned and the version remembered in the same moment, the evidence of the signature
        is kept in the generation.

        Args:
            entry: from `begin_install`.
            artifact: what that was given.
            receipt: what is kept of the installation; what concerns trust is taken from the artifact.
            clock: for what is pinned.
            check: called when nothing can change any more; what it raises leaves everything as it was.

        Raises:
            CollisionError: another plugin took one of its ids meanwhile.
            StoreError: the plugin was uninstalled meanwhile, or the generation is not the artifact's.
            BelongingsError: its settings and data are not what it needs, and do not lie ready.
            TrustError: the pin cannot be written.
        """
        plugin_id, name = entry.facts["plugin_id"], entry.facts["generation"]
        generation = self.layout.generations(plugin_id) / name
        with self.locked():
            if not generation.is_dir():
                raise StoreError("changed_meanwhile", f"{plugin_id} was uninstalled while it was installed")
            if clashes := self.clashes(plugin_id, receipt["manifest"]):
                raise CollisionError(plugin_id, clashes)
            binding.check_generation(plugin_id, generation, artifact)
            check()
            replaces = truth.current_generation(self.layout, plugin_id)
            facts = {"schema": truth.RECEIPT_SCHEMA, "replaces": replaces, **receipt}
            facts |= binding.receipt_facts(artifact)
            for evidence, data in artifact.evidence_files().items():
                write_atomic(generation / evidence, data, 0o600)
            self._make_fit(entry, facts["manifest"])
            if facts["replaces"] == replaces:  # a repair takes the place of what it repairs, and leaves none
                belongings.forget_left(self.layout, plugin_id, str(replaces or "none"))
            probation.begin(self.layout, plugin_id, generation, facts)
            write_json(generation / "receipt.json", facts)
            self._trust().record(artifact, clock)
            self.layout.data(plugin_id).mkdir(mode=0o700, exist_ok=True)
            self.layout.log(plugin_id).mkdir(mode=0o700, exist_ok=True)
            self._point(plugin_id, name, entry)
            self._exchange(entry)
            self._publish({})
        entry.close()
        return self.plugin(plugin_id)

    def prospective(
        self, entry: journal.Entry, artifact: VerifiedArtifact, receipt: Mapping[str, Any]
    ) -> InstalledPlugin:
        """Return the plugin as `commit_install` would leave it; nothing is changed."""
        plugin_id, facts = entry.facts["plugin_id"], {**receipt, **binding.receipt_facts(artifact)}
        return index.plugin(plugin_id, index.entry(facts, entry.facts["generation"], {}), self.layout)

    def _make_fit(self, entry: journal.Entry, manifest: Mapping[str, Any]) -> None:
        """See that settings and data are what a generation needs, or lie ready in the journal's entry.

        Raises:
            BelongingsError: they are not; or have changed since.
        """
        plugin_id, coming = entry.facts["plugin_id"], belongings.coming_folder(entry)
        try:
            move = belongings.judge(self.layout, plugin_id, manifest)
        except belongings.BelongingsError:
            raise
        except ViloError:
            if coming.exists():
                raise
            return  # settings that cannot be read are left alone, whatever they are
        if coming.exists():
            belongings.check_base(self.layout, plugin_id, coming)
        elif move.kind in ("steps", "restore"):
            text = f"{plugin_id}: its settings changed while it was installed; nothing was changed"
            raise belongings.BelongingsError("changed_meanwhile", text, "try again")
        elif move.kind == "record":
            belongings.write_coming(coming, belongings.recorded(self.layout, plugin_id, move.after))

    def _exchange(self, entry: journal.Entry) -> None:
        """Put what lies ready in an entry in the place of settings and data; again makes no difference."""
        plugin_id, source = entry.facts["plugin_id"], belongings.coming_folder(entry)
        if source.exists():
            receipt = truth.read_receipt(self.layout.generations(plugin_id) / entry.facts["generation"])
            leaving = str(receipt.get("replaces") or "none")
            belongings.exchange(self.layout, plugin_id, leaving, source)

    def switch(self, plugin_id: str, name: str, check: Callable[[], None] = lambda: None) -> InstalledPlugin:
        """Make another complete generation of a plugin the current one; the one that was stays.

        Args:
            plugin_id: the plugin.
            name: of the generation.
            check: as `commit_install` has it.

        Raises:
            CollisionError: another plugin took one of its ids meanwhile.
            StoreError: there is no such generation, or it is not complete.
            BelongingsError: there is no way to the settings and data that it needs.
        """
        with self.locked():
            receipt = truth.read_receipt(self.layout.generations(plugin_id) / name)
            if clashes := self.clashes(plugin_id, receipt["manifest"]):
                raise CollisionError(plugin_id, clashes)
            check()
            was = truth.current_generation(self.layout, plugin_id)
            facts = {"kind": "switch", "plugin_id": plugin_id, "generation": name, "was": was}
            move = belongings.judge(self.layout, plugin_id, receipt["manifest"], name)
            facts |= {"restores": move.source.name} if move.source is not None else {}
            if was is not None and was != name:
                belongings.forget_left(self.layout, plugin_id, was)
            with journal.open_entry(self.layout.journal, facts) as entry:
                if move.kind == "record":
                    section = belongings.recorded(self.layout, plugin_id, move.after)
                    belongings.write_coming(belongings.coming_folder(entry), section)
                self._point(plugin_id, name, entry)
                self._settle(entry)
                self._publish({})
        entry.close()
        return self.plugin(plugin_id)

    def on_probation(self, plugin: InstalledPlugin) -> bool:
        """Return whether a plugin's generation has yet to show that it keeps well; see `probation`."""
        return probation.of(plugin.generation) is not None

    def probation_of(self, plugin_id: str) -> probation.Probation | None:
        """Return what is kept of a plugin whose generation is on probation, else None."""
        return probation.of(self.plugin(plugin_id).generation)

    def settings_of(self, plugin_id: str) -> Mapping[str, Any]:
        """Return what the file of settings has of a plugin."""
        return belongings.recorded(self.layout, plugin_id, "").values or {}

    def withdrawn(self, plugin_id: str) -> Sequence[Mapping[str, Any]]:
        """Return what updates of a plugin were taken back, the oldest first: version, reason, lock_digest."""
        return withdrawals.withdrawn(truth.read_state(self.layout)["plugins"].get(plugin_id, {}))

    def withdraw(
        self, plugin_id: str, reason: str, clock: Clock, check: Callable[[], None] = lambda: None
    ) -> InstalledPlugin:
        """Take a generation on probation back: code, lock and settings are those before the update again.

        The plugin is enabled afterwards. What was taken back stays in the store until `gc`.

        Args:
            plugin_id: the plugin.
            reason: why, for people.
            clock: for when it was.
            check: as `commit_install` has it.

        Raises:
            NotOnProbationError: it is on none, or nothing was before it.
            CollisionError: another plugin took one of its ids meanwhile.
            StoreError: what was before it is damaged.
        """
        with self.locked():
            if (name := truth.current_generation(self.layout, plugin_id)) is None:
                raise NotInstalledError(plugin_id)
            state = truth.read_state(self.layout)["plugins"].get(plugin_id, {})
            facts = probation.withdrawal(self.layout, plugin_id, name, reason, state, clock)
            former = truth.read_receipt(self.layout.generations(plugin_id) / facts["generation"])
            if clashes := self.clashes(plugin_id, former["manifest"]):
                raise CollisionError(plugin_id, clashes)
            check()
            belongings.forget_left(self.layout, plugin_id, name)
            with journal.open_entry(self.layout.journal, facts) as entry:
                self._settle(entry)
                self._publish({plugin_id: facts["state"]})
        entry.close()
        return self.plugin(plugin_id)

    def confirm(self, plugin_id: str) -> None:
        """Take a plugin's generation off probation: it kept well. What was said of it before is forgotten."""
        with self.locked():
            if (name := truth.current_generation(self.layout, plugin_id)) is None:
                return
            state = truth.read_state(self.layout)["plugins"].get(plugin_id, {})
            folder = self.layout.generations(plugin_id) / name
            digest = truth.read_receipt(folder).get("lock_digest")
            rows = withdrawals.withdrawn(state)
            kept = [row for row in rows if row.get("lock_digest") != digest]
            probation.end(folder)
            if len(kept) < len(rows):
                with journal.open_entry(self.layout.journal, {"kind": "state"}) as entry:
                    self._publish({plugin_id: {"enabled": True, **state, withdrawals.KEY: kept}})
                entry.close()

    def hold(self, plugin: InstalledPlugin) -> FileLock:
        """Return a shared lock on a plugin's generation: while it is held, `gc` leaves that alone."""
        lock = self.layout.generation_lock(plugin.plugin_id, plugin.generation.name)
        lock.parent.mkdir(mode=0o700, exist_ok=True)
        return FileLock(lock).acquire(shared=True)

    def user_of(self, plugin_id: str) -> int | None:
        """Return the user id that a plugin runs as; None where the host is no root, and it runs as that.

        Raises:
            StoreError: there is none to give.
        """
        return Identities(self.layout.identities).of(plugin_id) if os.geteuid() == 0 else None

    def abandon_install(self, entry: journal.Entry) -> None:
        """End an installation that failed: nothing of it stays, unless it failed after the switch.

        Then it has happened, and the index is made to say so. Where that cannot be written either, the entry
        stays, and the next command writes it.
        """
        plugin_id = entry.facts["plugin_id"]
        with entry, self.locked():
            self._settle(entry)
            if truth.current_generation(self.layout, plugin_id) == entry.facts["generation"]:
                self._publish({})
        entry.close()

    def clashes(
        self, plugin_id: str, manifest: Mapping[str, Any], leaving: Collection[str] = ()
    ) -> list[str]:
        """Return, for people, which command and widget ids of `manifest` another plugin has.

        Args:
            plugin_id: whose manifest it is.
            manifest: as a receipt has it.
            leaving: plugins that go in the same operation, whose ids are free.
        """
        rows = truth.read_rows(self.layout)
        staying = {other: row for other, row in rows.items() if other not in leaving}
        return index.clashes(plugin_id, manifest, staying)

    def remove(self, plugin_id: str, *, purge: bool, check: Callable[[], None] = lambda: None) -> None:
        """Uninstall a plugin, even a damaged one; its data stays unless `purge`.

        With `purge`, data that an earlier uninstallation left is removed too.

        Args:
            plugin_id: the plugin.
            purge: remove its data, its settings and what was decided about it too.
            check: as `commit_install` has it.

        Raises:
            NotInstalledError: there is none of that id.
        """
        with self.locked():
            current = self.layout.current(plugin_id)
            if not os.path.lexists(current) and not (purge and self.layout.data(plugin_id).is_dir()):
                raise NotInstalledError(plugin_id)
            check()
            facts = {"kind": "uninstall", "plugin_id": plugin_id, "purge": purge}
            with journal.open_entry(self.layout.journal, facts) as entry:
                current.unlink(missing_ok=True)
                self._settle(entry)
                self._publish({plugin_id: None})
                if purge:
                    self._forget(plugin_id)
        entry.close()

    def _forget(self, plugin_id: str) -> None:
        if not os.path.lexists(self.layout.current(plugin_id)):
            forgetting.forget(self.root, self.layout.settings, plugin_id)

    def set_enabled(
        self,
        plugin_ids: Sequence[str],
        enabled: bool,
        reason: str = "",
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Enable or disable plugins, all or none.

        Args:
            plugin_ids: the plugins.
            enabled: what they shall be.
            reason: why they are disabled, for listings.
            check: as `commit_install` has it.

        Raises:
            NotInstalledError: one of them is not installed.
        """
        with self.locked():
            for plugin_id in plugin_ids:
                if truth.current_generation(self.layout, plugin_id) is None:
                    raise NotInstalledError(plugin_id)
            check()
            state = {"enabled": enabled, "reason": "" if enabled else reason}
            with journal.open_entry(self.layout.journal, {"kind": "state"}) as entry:
                self._publish(dict.fromkeys(plugin_ids, state))
        entry.close()

    def locked(self) -> FileLock:
        """Make the store's folders and take its lock; for what changes more than one plugin at once."""
        try:
            layout = self.layout
            for folder in (self.root, layout.plugins, layout.archives, layout.wheels, layout.journal):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreFolderError(f"{self.root} cannot be written to: {error.strerror}") from error
        try:
            return FileLock(self.layout.lock).acquire()
        except LockHeldError:
            raise
        except FoundationError as error:
            raise StoreFolderError(error.detail) from error

    def _trust(self) -> TrustStore:
        """Return the pins of this store."""
        from viloapp_core.trust import TrustStore  # readers of the index do without

        return TrustStore(self.root)

    def _point(self, plugin_id: str, name: str, entry: journal.Entry) -> None:
        """Flip a plugin's ``current``: the moment at which a change happens."""
        link = entry.scratch / "current"
        link.unlink(missing_ok=True)  # of one who died here
        link.symlink_to(f"generations/{name}")
        os.replace(link, self.layout.current(plugin_id))
        sync_dir(self.layout.plugin(plugin_id))

    def _publish(self, states: Mapping[str, Mapping[str, Any] | None]) -> None:
        """Write state and index from what the folders hold. The caller holds the lock.

        Args:
            states: what to change in the state: a plugin's new part, or None to forget it.
        """
        state = truth.read_state(self.layout)
        for plugin_id, part in states.items():
            was = state["plugins"].pop(plugin_id, {})
            if part is not None:
                remembered = {key: was[key] for key in (withdrawals.KEY,) if key in was}
                state["plugins"][plugin_id] = remembered | dict(part)
        state["revision"] = int(state["revision"]) + 1
        write_json(self.layout.state, state)
        write_atomic(self.layout.index, index.encode(state["revision"], truth.read_rows(self.layout)))

    def _settle(self, entry: journal.Entry) -> str:
        """Bring one begun change to its end, forward or back; return what was done, for people.

        Folders that go are moved to the entry's scratch, which is deleted when it is closed: so they are
        gone at once, and a second crash in the middle of a long deletion is harmless.
        """
        kind, plugin_id = entry.facts.get("kind"), str(entry.facts.get("plugin_id", ""))
        if kind == "install":
            name = entry.facts["generation"]
            if truth.current_generation(self.layout, plugin_id) == name:
                self._exchange(entry)
                return f"finished the installation of {plugin_id}"
            _discard(self.layout.generations(plugin_id) / name, entry)
            _remove_if_empty(self.layout.generations(plugin_id), self.layout.plugin(plugin_id))
            return f"undid the unfinished installation of {plugin_id}"
        if kind == "switch" and truth.current_generation(self.layout, plugin_id) == entry.facts["generation"]:
            leaving, source = str(entry.facts["was"] or "none"), belongings.coming_folder(entry)
            if isinstance(name := entry.facts.get("restores"), str):
                source = self.layout.left(plugin_id) / name
            belongings.exchange(self.layout, plugin_id, leaving, source)
            return f"finished the switch of {plugin_id}"
        if kind == "withdraw" and truth.current_generation(self.layout, plugin_id) in (
            entry.facts["was"],
            entry.facts["generation"],
        ):
            # Forward, each time: from the moment that the entry was written it is decided.
            probation.put_settings_back(self.layout, entry.facts)
            self._point(plugin_id, entry.facts["generation"], entry)
            probation.end(self.layout.generations(plugin_id) / entry.facts["was"])
            return f"took {plugin_id} back to {entry.facts['generation'].rpartition('-')[0]}"
        if kind == "uninstall" and not os.path.lexists(self.layout.current(plugin_id)):
            layout = self.layout
            going = [layout.generations(plugin_id), layout.log(plugin_id), layout.locks(plugin_id)]
            going += [layout.left(plugin_id)]
            going += [self.layout.data(plugin_id)] if entry.facts.get("purge") else []
            for folder in going:
                _discard(folder, entry)
            _remove_if_empty(self.layout.data(plugin_id), self.layout.plugin(plugin_id))
            return f"finished the removal of {plugin_id}"
        return ""


def _discard(folder: Path, entry: journal.Entry) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.replace(folder, first_free(entry.scratch, folder.name))


def _remove_if_empty(*folders: Path) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
