"""`viloapp trust`: whom this store trusts, and by which root; `block_list` has its subcommands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from viloapp_core.cli import options
from viloapp_core.cli.block_list import block_list_command
from viloapp_core.cli.completion import plugin_ids
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation

if TYPE_CHECKING:
    from viloapp_core.trust import Book, TrustStore

_id = click.argument("plugin_id", metavar="ID", shell_complete=plugin_ids)


@click.group("trust", cls=options.ViloGroup)
def trust_command() -> None:
    """Say who the publisher of a plugin is, and see whom you trust.

    IDENTITY is like github:OWNER/REPO@.github/workflows/FILE.yml, gitlab:GROUP/PROJECT@.gitlab-ci.yml or
    email:NAME@HOST,issuer=URL.
    """


trust_command.add_command(block_list_command)


@trust_command.command("list", cls=options.ViloCommand)
@options.json_output
@pass_invocation
def trust_list(invocation: Invocation) -> None:
    """List the pinned publishers, what is allowed unsigned, and which trusted root counts."""
    from viloapp_core.foundation.clock import SystemClock

    keeper = _keeper(invocation)
    book, authority = keeper.read(), keeper.authority(SystemClock().now())
    rows = _rows(book)
    if invocation.output.as_json:
        invocation.output.json(
            {"plugins": rows, "root": {"name": authority.name, "warnings": list(authority.warnings)}}
        )
        return
    header = ("plugin", "publisher", "highest version", "since")
    invocation.output.table(
        header, [[row["plugin"], row["publisher"], row["highest_version"], row["since"]] for row in rows]
    )
    invocation.output.note(f"trusted root: {authority.name}")
    for warning in authority.warnings:
        invocation.output.warning(warning)


@trust_command.command("pin", cls=options.ViloCommand)
@_id
@click.argument("identity", metavar="IDENTITY", callback=options.identity)
@pass_invocation
def trust_pin(invocation: Invocation, plugin_id: str, identity: str) -> None:
    """Say who the publisher of a plugin is, before it is installed or in place of who was."""
    from viloapp_core.foundation.clock import SystemClock
    from viloapp_core.trust import parse_publisher

    name = _normal(plugin_id)
    publisher = parse_publisher(identity)
    _keeper(invocation).pin(name, publisher, SystemClock())
    _log(invocation, name, "pinned", str(publisher))
    invocation.output.line(f"{name} is pinned to {publisher}")


@trust_command.command("unpin", cls=options.ViloCommand)
@_id
@pass_invocation
def trust_unpin(invocation: Invocation, plugin_id: str) -> None:
    """Forget who the publisher of a plugin is, that it may be unsigned, and its highest version.

    The next installation asks again. What is installed stays.
    """
    name, keeper = _normal(plugin_id), _keeper(invocation)
    book = keeper.read()
    if name not in book.plugins and name not in book.unsigned:
        raise CliError("not_pinned", f"nothing is known of {name}", "viloapp trust list shows what is")
    keeper.unpin(name)
    _log(invocation, name, "unpinned", "")
    invocation.output.line(f"{name} is not pinned any more")


@trust_command.command("refresh", cls=options.ViloCommand)
@options.json_output
@pass_invocation
def trust_refresh(invocation: Invocation) -> None:
    """Take Sigstore's trusted root anew, by TUF. It needs the network; a failure changes nothing."""
    from viloapp_core.foundation.clock import SystemClock
    from viloapp_core.trust import refresh_root

    keeper = _keeper(invocation)
    cached = refresh_root(keeper, SystemClock())
    _log(invocation, "", "root refreshed", cached.sha256)
    if keeper.read().config is not None:
        invocation.output.note("an organisation's own Sigstore is configured, which counts before it")
    if invocation.output.as_json:
        invocation.output.json({"sha256": cached.sha256, "taken_at": cached.taken_at})
        return
    invocation.output.line(f"the trusted root is of {cached.taken_at}, sha256 {cached.sha256}")


@trust_command.command("configure", cls=options.ViloCommand)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--public", is_flag=True, help="Go back to the public Sigstore.")
@pass_invocation
def trust_configure(invocation: Invocation, file: Path | None, public: bool) -> None:
    """Trust an organisation's own Sigstore instead of the public one.

    FILE is its client configuration (ClientTrustConfig, JSON); a copy is taken. What is installed stays.
    """
    from viloapp_core.foundation.clock import SystemClock

    if (file is None) != public:
        raise click.UsageError("name either a FILE or --public")
    keeper = _keeper(invocation)
    keeper.configure(file, SystemClock())
    name = keeper.authority(SystemClock().now()).name
    _log(invocation, "", "configured", name)
    invocation.output.line(f"trusted root: {name}")


@trust_command.command("accept-edits", cls=options.ViloCommand)
@options.yes
@pass_invocation
def trust_accept_edits(invocation: Invocation, yes: bool) -> None:
    """Take over a trust.toml that was changed by something else, after showing what it says now."""
    keeper = _keeper(invocation)
    book = keeper.read_edited()
    invocation.output.say(f"{keeper.path} says now:")
    for row in _rows(book):
        invocation.output.say(
            f"  {row['plugin']}: {row['publisher']} (highest version {row['highest_version']})"
        )
    if book.root is not None:
        invocation.output.say(f"  a trusted root of {book.root.taken_at}, sha256 {book.root.sha256}")
    if book.config is not None:
        invocation.output.say(f"  an organisation's own Sigstore, sha256 {book.config.sha256}")
    for name, listed in book.block_lists.items():
        invocation.output.say(f"  block list {name} of {listed.publisher}")
    if not yes and not click.confirm("Is that what you want to trust?", default=False, err=True):
        raise CliError("refused", "nothing was taken over", "nothing is trusted until the file is put right")

    def how(edited: Book) -> Book:
        if edited != book:
            raise CliError("changed_meanwhile", f"{keeper.path} was changed again", "look at it once more")
        return edited

    keeper.change(how, edited=True)
    _log(invocation, "", "edits accepted", "")


def _rows(book: Book) -> list[dict[str, str]]:
    rows = [
        {
            "plugin": plugin_id,
            "publisher": str(pin.publisher),
            "highest_version": pin.highest_version,
            "since": pin.pinned_at,
        }
        for plugin_id, pin in book.plugins.items()
    ]
    rows += [
        {
            "plugin": plugin_id,
            "publisher": "UNSIGNED, as allowed",
            "highest_version": row.highest_version,
            "since": row.allowed_at,
        }
        for plugin_id, row in book.unsigned.items()
        if plugin_id not in book.plugins
    ]
    return sorted(rows, key=lambda row: row["plugin"])


def _keeper(invocation: Invocation) -> TrustStore:
    from viloapp_core.trust import TrustStore

    return TrustStore(invocation.store().root)


def _normal(plugin_id: str) -> str:
    from packaging.utils import canonicalize_name

    from viloapp_core.store.layout import check_plugin_id

    return check_plugin_id(canonicalize_name(plugin_id))


def _log(invocation: Invocation, plugin_id: str, outcome: str, detail: str) -> None:
    from viloapp_core.ledger import AuditLog

    log = AuditLog(invocation.store().root)
    log.record("trust", plugin_id, call="trust", outcome=outcome, detail=detail)
    log.close()
