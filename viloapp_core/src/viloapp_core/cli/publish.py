"""`viloapp publish`: from a folder to an index, after a look at what people will see."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from viloapp_core.cli import options
from viloapp_core.cli.errors import CliError
from viloapp_core.cli.invocation import Invocation, pass_invocation
from viloapp_core.cli.text import one_line

if TYPE_CHECKING:
    from viloapp_core.cli.progress import View
    from viloapp_core.manifest import PluginDescription
    from viloapp_core.operations import PackageOutcome


@click.command("publish", cls=options.ViloCommand)
@options.project
@click.option(
    "--index",
    metavar="URL_OR_NAME",
    help="Where to: an address that takes uploads, or a name in .pypirc.  [default: pypi]",
)
@click.option(
    "--unsigned", is_flag=True, help="Upload no attestation: who installs it has to allow that by name."
)
@click.option(
    "--identity-token",
    metavar="TOKEN",
    envvar="SIGSTORE_IDENTITY_TOKEN",
    help="Attest as whoever this token names; better given as $SIGSTORE_IDENTITY_TOKEN.",
)
@options.trust_config
@options.index_url
@options.find_links
@options.dry_run
@options.yes
@options.json_output
@pass_invocation
def publish_command(
    invocation: Invocation,
    /,
    path: Path,
    index: str | None,
    unsigned: bool,
    identity_token: str | None,
    trust_config: Path | None,
    index_url: str | None,
    find_links: tuple[str, ...],
    dry_run: bool,
    yes: bool,
) -> None:
    """Check, build, attest and upload the plugin in PATH.

    What `viloapp validate` refuses is not published. Before anything leaves, it shows what people will see
    who install it, and asks. Credentials are twine's: $TWINE_USERNAME and $TWINE_PASSWORD, .pypirc, the
    keyring, or Trusted Publishing in CI. The attestation (PEP 740) is made as `viloapp sign --attestation`
    does.
    """
    from viloapp_core.cli.progress import view
    from viloapp_core.devtools.publishing import Identity, publish
    from viloapp_core.operations import InstallOptions

    person = bool(sys.stdin and sys.stdin.isatty() and invocation.output.on_terminal())
    if not (person or yes or dry_run):  # before minutes of building
        raise CliError("no_answer", f"nobody is here to agree that {path} is uploaded", "add --yes")
    with view(invocation.output) as shown:
        asking = _Asking(invocation, shown, "no attestation" if unsigned else "", dry_run=dry_run, yes=yes)
        done = publish(
            invocation.store(),
            path,
            index=index,
            identity=None if unsigned else Identity(identity_token, trust_config, person),
            agree=asking,
            options=InstallOptions(index_url=index_url, find_links=find_links),
            environ=invocation.environ,
            say=invocation.output.note,
            progress=shown,
        )
    name = f"{done.plugin.plugin_id} {done.plugin.version}"
    if invocation.output.as_json:
        invocation.output.json(
            {
                "plugin": done.plugin.plugin_id,
                "version": str(done.plugin.version),
                "files": [each.name for each in (done.made.path, done.made.sdist) if each],
                "sha256": done.made.sha256,
                "attested": done.attested,
                "uploaded": done.uploaded,
                "shown": asking.lines,
            }
        )
        return
    if done.uploaded:
        invocation.output.line(f"{name} is published")
    else:
        invocation.output.note(f"{name} was not uploaded")


class _Asking:
    """Shows what people will see who install the plugin, and takes the answer."""

    def __init__(self, invocation: Invocation, view: View, missing: str, *, dry_run: bool, yes: bool) -> None:
        self._output, self._view, self._missing = invocation.output, view, missing
        self._dry_run, self._yes = dry_run, yes
        self.lines: list[str] = []

    def __call__(self, plugin: PluginDescription, made: PackageOutcome) -> bool:
        """Return whether it may be uploaded."""
        self.lines = seen_at_install(plugin, unsigned=bool(self._missing))
        with self._view.paused():
            tell = self._output.note if self._yes else self._output.say
            tell("who installs it will see:")
            for line in self.lines:
                tell(f"  {line}")
            if self._dry_run or self._yes:
                return not self._dry_run
            return click.confirm(f"Upload {one_line(made.path.name)}?", default=False, err=True)


def seen_at_install(plugin: PluginDescription, *, unsigned: bool) -> list[str]:
    """Return what a listing and the question of an install show of a plugin."""
    from viloapp_core.cli.consent import question

    about = [plugin.summary, plugin.author and f"by {plugin.author}", plugin.license]
    lines = [f"{plugin.plugin_id} {plugin.version}: {one_line('; '.join(filter(None, about)))}"]
    lines += question(plugin, [entry.id for entry in plugin.manifest.permissions])
    if not plugin.manifest.permissions:
        lines[1] = "it asks for no permissions" if len(lines) == 2 else lines[1]
    if unsigned:
        lines.append(f"UNSIGNED: refused, unless they add --allow-unsigned {plugin.plugin_id}")
    return [one_line(line) if not line.startswith(" ") else line for line in lines]
