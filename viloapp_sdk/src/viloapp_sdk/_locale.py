"""How a language is written, and what it is a variety of. Nothing is imported: every worker loads this.

>>> normal("pt_br"), list(wider("zh-Hant-TW"))
('pt-BR', ['zh-Hant-TW', 'zh-Hant', 'zh'])

Source: BCP 47 (RFC 5646, section 2.1.1, for the letters' case; RFC 4647, section 3.4, for the order).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["normal", "wider"]


def normal(locale: str) -> str:
    """Return a language as BCP 47 writes it: ``pt_br`` and ``PT-br`` are ``pt-BR``."""
    language, *rest = locale.replace("_", "-").split("-")
    sizes = {2: str.upper, 4: str.title}
    return "-".join([language.lower(), *(sizes.get(len(part), str.lower)(part) for part in rest)])


def wider(locale: str) -> "Iterator[str]":
    """Yield a language and what it is a variety of: ``zh-Hant-TW``, ``zh-Hant``, ``zh``."""
    while locale:
        yield locale
        locale = locale.rpartition("-")[0]
