"""One wheel, judged in full before any of it is unpacked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from viloapp_core.store.audit import bounds, contents, identity, places, record
from viloapp_core.store.audit.directory import MalformedError, Member, read_directory
from viloapp_core.store.audit.extents import locate
from viloapp_core.store.audit.finding import Finding
from viloapp_core.store.audit.members import declared_issues, view_issues
from viloapp_core.store.audit.names import name_issues, shown
from viloapp_core.store.audit.scripts import scripts_of
from viloapp_core.store.errors import UnsafeWheelError

__all__ = ["audit"]

_MOST = {"RECORD": bounds.RECORD_BYTES, "METADATA": bounds.METADATA_BYTES}


def audit(wheel: Path, *, own: bool, dev: bool = False) -> Finding:
    """Judge a wheel, reading it once in full.

    1. Its archive has one reading: `directory`, `extents`. 2. No member is what none may be, or too large:
    `members`, `bounds`. 3. Names, and where they land: `names`, `places`. Only where 1 and 2 find nothing is
    anything unpacked, in memory and in pieces: 4. It is the wheel that it is called: `identity`. 5. Its
    scripts: `scripts`. 6. Every byte is what RECORD says: `contents`, `record`.

    Args:
        wheel: the file, under its proper wheel file name.
        own: it is the plugin's own wheel, not a dependency's.
        dev: it was built from the user's own folder, where a ``.pth`` is what makes it editable.

    Raises:
        UnsafeWheelError: it may not be installed; has every reason.
    """
    try:
        called = identity.identify(wheel.name)
        with wheel.open("rb") as stream:
            members, end = read_directory(stream)
            starts, issues = locate(stream, members, end)
            issues += declared_issues(members)
            issues = issues or view_issues(stream, members)
            readable = not issues
            opened = _Wheel(stream, members, starts, called)
            issues += opened.name_issues()
            landings = opened.landings
            if readable:
                found, scripts = opened.content_issues()
                issues += found
                landings += [(f"script {name}", f"bin/{name}") for name in scripts]
    except (ValueError, OSError) as error:
        raise UnsafeWheelError(wheel.name, [f"it cannot be read as a wheel: {error}"]) from error
    if own and opened.retagged:
        issues.append(f"WHEEL: {opened.retagged}")
    issues += [
        f"{shown(clash.owner)}: {clash.why} {shown(clash.other)}"
        for clash in places.clashes(dict.fromkeys(landings))
    ]
    if own and not dev:
        issues += [
            f"{shown(name)}: a plugin's own wheel may not run code at start" for name in opened.startup
        ]
    if issues:
        raise UnsafeWheelError(wheel.name, _bounded(issues))
    files = tuple(path for _, path in landings if not path.endswith("/"))
    notes = () if own else tuple(_notes(wheel.name, opened))
    return Finding(wheel.name, tuple(opened.files), files, notes)


def _bounded(issues: Sequence[str]) -> list[str]:
    """Return the issues in a number that a person can read."""
    unique = list(dict.fromkeys(issues))
    more = len(unique) - bounds.ISSUES
    return [*unique[: bounds.ISSUES], f"and {more} more"] if more > 0 else unique


def _notes(wheel: str, opened: _Wheel) -> Iterator[str]:
    """Yield what is refused in a plugin's own wheel, and told of a dependency."""
    for name in opened.startup:
        yield f"{wheel} runs code at interpreter start ({shown(name)})"
    if opened.retagged:
        yield f"{wheel}: its WHEEL {opened.retagged}"


class _Wheel:
    """An archive that has one reading, looked at as a wheel."""

    def __init__(
        self,
        stream: BinaryIO,
        members: Sequence[Member],
        starts: Mapping[int, int],
        called: identity.Identity,
    ) -> None:
        self._stream = stream
        self._members = members
        self._starts = starts
        self._called = called
        self.files = {member.name: member for member in members if not member.is_folder}
        self._names = {member.name: list(name_issues(member.name)) for member in members}
        tops = {name.split("/")[0] for name in self.files if "/" in name}
        self._infos = [top for top in tops if top.lower().endswith(".dist-info")]
        self._info = self._infos[0] if len(self._infos) == 1 else f"{called.stem}.dist-info"
        self.retagged = ""
        """How the platforms that it is for disagree, known when its content is."""
        self._places = places.Places(f"{called.stem}.data", self._info, called.stem.partition("-")[0])

    @property
    def startup(self) -> list[str]:
        """The files that every start of the interpreter obeys."""
        return [name for name in self.files if places.start_file(name, self._places)]

    @property
    def landings(self) -> list[tuple[str, str]]:
        """Pairs of a member and where it lands; the folders of ``.data`` are the virtualenv's own."""
        good = [name for name, wrong in self._names.items() if not wrong]
        names = [name for name in good if name in self.files or ".data/" not in name]
        return [(name, path) for name in names if (path := places.landing(name, self._places))]

    def name_issues(self) -> Iterator[str]:
        """Yield what is wrong with the members' names and with where they land."""
        for name, wrong in self._names.items():
            issues = wrong or (places.place_issues(name, self._places) if name in self.files else ())
            yield from (f"{shown(name)}: {issue}" for issue in issues)

    def content_issues(self) -> tuple[list[str], list[str]]:
        """Return what is wrong with the content, and the names of the scripts that it asks for."""
        issues = list(identity.dist_info_issues(self._infos, self._called))
        scripts: list[str] = []
        try:
            if (data := self._text("METADATA", issues)) is not None:
                issues += identity.metadata_issues(data, self._called)
            if (data := self._text("WHEEL", issues)) is not None:
                issues += identity.wheel_issues(data, self._called)
                self.retagged = identity.retagged(data, self._called)
            if f"{self._info}/entry_points.txt" in self.files:
                scripts, told = scripts_of(self._text("entry_points.txt", issues) or b"")
                issues += told
            rows, told = record.parse(self._text("RECORD", issues) or b"")
        except MalformedError as error:
            return [*issues, str(error)], scripts
        issues += told
        issues += record.row_issues(rows, {m.name: m.size for m in self.files.values()}, self._info)
        issues += self._damages(rows)
        return issues, scripts

    def _text(self, name: str, issues: list[str]) -> bytes | None:
        """Return a file of ``.dist-info``; that it is missing becomes an issue.

        Raises:
            MalformedError: it is damaged or too large.
        """
        member = self.files.get(f"{self._info}/{name}")
        if member is None:
            issues.append(f"{shown(self._info)}/{name}: is missing")
            return None
        most = _MOST.get(name, bounds.FORM_BYTES)
        try:
            return contents.content(self._stream, member, self._starts[member.offset], most)
        except MalformedError as error:
            raise MalformedError(f"{shown(member.name)}: {error}") from error

    def _damages(self, rows: record.Rows) -> Iterator[str]:
        """Unpack every member, keeping none of it, and yield those that are not what RECORD says."""
        for member in self._members:
            told = rows.get(member.name, ("", ""))[0]
            hasher = record.new_hash(told)
            try:
                for piece in contents.chunks(self._stream, member, self._starts[member.offset]):
                    if hasher is not None:
                        hasher.update(piece)
            except MalformedError as error:
                yield f"{shown(member.name)}: {error}"
            else:
                if hasher is not None and not record.is_digest(told, hasher.digest()):
                    yield f"{shown(member.name)}: is not what RECORD says: its hash is another"
