"""Asks a person whom to trust, and whether a plugin may have the permissions that it names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from viloapp_core.cli.errors import CliError
from viloapp_core.cli.output import Output
from viloapp_core.cli.progress import View
from viloapp_core.cli.text import one_line
from viloapp_core.limits import Limits, asks

if TYPE_CHECKING:
    from viloapp_core.manifest import PluginDescription
    from viloapp_core.store import InstalledPlugin, Store
    from viloapp_core.trust import Examination


class Prompt:
    """The `Consent` port of the operations, on a terminal.

    Args:
        output: where the question is put.
        view: what to pause meanwhile.
        accept: take everything as accepted (``--yes``); what is accepted is still told.
        installed: what the installed plugins have been allowed, by id.
        locale: the person's language: a plugin's reasons are told in it where it has them.
    """

    def __init__(
        self,
        output: Output,
        view: View,
        *,
        accept: bool,
        installed: Callable[[], Mapping[str, InstalledPlugin]] = dict,
        locale: str = "en",
    ) -> None:
        self._locale = locale
        self._output = output
        self._view = view
        self._accept = accept
        self._installed = installed

    def ask_publisher(self, plugin: PluginDescription, examination: Examination) -> bool | None:
        """Tell who signed a plugin of whom nobody is pinned yet, and take the answer.

        Whether this is the right publisher only a person can say: ``--yes`` does not, and where nobody is
        there is no answer.
        """
        if not self._somebody_is_there() or examination.signer is None:
            return None
        with self._view.paused():
            name = one_line(plugin.plugin_id)
            self._output.say(f"{name} {plugin.version} is used for the first time; it is")
            for line in examination.signer.lines():
                self._output.say(f"  {one_line(line)}")
            question = f"Is that who publishes {name}? It is asked of every later version too."
            return click.confirm(question, default=False, err=True)

    def ask_unsigned(self, plugin: PluginDescription, why: str) -> None:
        """Return None: on the command line a plugin without a signature is allowed by its name alone."""

    def _somebody_is_there(self) -> bool:
        return bool(sys.stdin and sys.stdin.isatty() and self._output.on_terminal())

    def ask(self, plugin: PluginDescription, permissions: Sequence[str]) -> bool:
        """Tell what the plugin asks for, and take the answer.

        Raises:
            CliError: nobody is there to answer, and ``--yes`` was not given.
        """
        with self._view.paused():
            tell = self._output.note if self._accept else self._output.say
            known = self._installed().get(plugin.plugin_id)
            for line in question(
                plugin.in_language(self._locale), permissions, known.permissions if known else None
            ):
                tell(line)
            if self._accept:
                return True
            if not self._somebody_is_there():
                raise CliError(
                    "needs_consent",
                    f"{plugin.plugin_id} {plugin.version} asks for "
                    f"{', '.join((*permissions, *asks(plugin.manifest.limits, Limits())))}, "
                    "and nobody is here to allow it",
                    "run it again with --yes to allow it, or on a terminal to be asked",
                )
            return click.confirm(f"Install {one_line(plugin.plugin_id)}?", default=False, err=True)


def prompt(output: Output, view: View, store: Store, *, accept: bool) -> Prompt:
    """Return what asks a person about the plugins of a store."""
    from viloapp_core.services.language import locale_of

    return Prompt(output, view, accept=accept, installed=store.plugins, locale=locale_of(store.root))


def question(
    plugin: PluginDescription, permissions: Sequence[str], before: Sequence[str] | None = None
) -> list[str]:
    """Return the lines of the question: who asks, for what in plain words, why, and what changed.

    Args:
        plugin: who asks.
        permissions: what for.
        before: what the installed version has; None where none is installed.
    """
    from viloapp_core.permissions import Permission, in_words, warning

    lines = [f"{one_line(plugin.plugin_id)} {plugin.version} asks for:"]
    reasons = {permission.id: permission.reason for permission in plugin.manifest.permissions}
    for id in permissions:
        parsed, reason = Permission.parse(id), one_line(reasons.get(id, ""))
        new = "new: " if before is not None and id not in before else ""
        says = f' — it says: "{reason}"' if reason else ""
        lines.append(f"  {new}{one_line(id)}: {in_words(parsed)}{says}")
        if text := warning(parsed):
            lines.append(f"    {text}")
    lines += [f"  more than others may use: {line}" for line in asks(plugin.manifest.limits, Limits())]
    lines += [f"  no more: {one_line(id)}" for id in before or () if id not in permissions]
    lines += [f"  it calls the plugin {one_line(each)}" for each in plugin.manifest.requires_plugins]
    return lines
