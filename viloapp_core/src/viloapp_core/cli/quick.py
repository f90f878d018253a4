"""The quick answers: `viloapp --version` and `viloapp list`, without the command line's machinery.

Half of the time of a whole command is spent on importing click and what it needs. What is asked most, by
people, prompts and scripts, is answered here where everything is as usual. Where anything is not (a command
that died, a damaged plugin, a block list, a plugin that is held back, a change since the last listing, any
other option), `viloapp_core.cli.command_line` answers as if this had not been asked.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from viloapp_core.cli.listing_memory import Memory

_MAX_BYTES = 64 * 1024 * 1024


def answer(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return what a command prints, or None where the whole command line has to run.

    Args:
        arguments: those of the command, without the program's name.
        environ: the environment, which says where the store is.
    """
    if "_VILOAPP_COMPLETE" in environ:
        return None
    if arguments == ["--version"]:
        from viloapp_core.foundation.version import __version__

        return f"viloapp {__version__}\n"
    if arguments in (["list"], ["list", "--json"]):
        try:
            return _listing(environ, as_json=len(arguments) > 1)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None  # the whole command says what is wrong
    return None


def _listing(environ: Mapping[str, str], *, as_json: bool) -> str | None:
    """Return the table or the JSON of a store in which everything is as usual; None of any other."""
    store = _store(environ)
    if store is None or not _settled(store):
        return None
    from viloapp_core.cli.listing_memory import recall

    memory = recall(store)
    if memory is None or not all(map(os.path.exists, memory.needed)):
        return None
    if not as_json:
        return memory.table
    # With a language chosen, the summaries are in the plugins' catalogues.
    return _json(store, memory) if b"locale" not in (_read(f"{store}/settings.json") or b"") else None


def _json(store: str, memory: Memory) -> str:
    from viloapp_core.cli.shapes import SCHEMA, encode
    from viloapp_core.operations.rows import listed_row, unmanaged_row
    from viloapp_core.store import listed

    _, rows = listed.split(_read(f"{store}/index.json") or b"")
    plugins = [
        {**listed_row(plugin_id, row), "held": False, "sandbox": memory.sandbox}
        for plugin_id, row in rows.items()
    ]
    beside = [unmanaged_row(name, version) for name, version in memory.unmanaged]
    plugins += [{**row, "held": False, "sandbox": ""} for row in beside]
    return encode({"schema": SCHEMA, "plugins": plugins}, indent=2) + "\n"


def _store(environ: Mapping[str, str]) -> str | None:
    """Return the store's folder as `viloapp_core.foundation.paths.store_root` has it, where that is plain."""
    import sys

    if home := environ.get("VILOAPP_HOME"):
        return os.path.realpath(home) if home.startswith("/") else None
    data, user = environ.get("XDG_DATA_HOME", "").strip(), environ.get("HOME", "")
    if sys.platform != "linux" or not (data or user).startswith("/"):
        return None
    return os.path.realpath(f"{data or user + '/.local/share'}/viloapp")


def _settled(store: str) -> bool:
    """Tell whether no change died half done, no host holds plugins back, and no block list is in force."""
    try:
        if os.listdir(f"{store}/journal"):
            return False
    except FileNotFoundError:
        pass
    if (note := _read(f"{store}/host.json")) is not None:
        import json

        if json.loads(note).get("holds"):
            return False
    trust = _read(f"{store}/trust.toml")
    return trust is None or b"[block_lists." not in trust


def _read(path: str) -> bytes | None:
    """Return what is in an ordinary file, or None where there is none.

    Raises:
        OSError, ValueError: it cannot be read, or is none of ours.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb", buffering=0) as stream:
        size = os.fstat(descriptor).st_size
        if not size or size > _MAX_BYTES:
            raise ValueError(path)
        return stream.read()
