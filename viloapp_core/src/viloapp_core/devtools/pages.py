"""A page as a list of blocks, and the two forms in which it is written."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Block", "to_html", "to_markdown"]


@dataclass(frozen=True)
class Block:
    """One block. Texts are an author's words: each writer makes them harmless in its own form.

    Args:
        kind: what it is. ``items`` are lines of a list, whose first part is code where it is followed by
            ``": "`` and the second is not empty. ``links`` are pages beside this one: each item has what is
            shown, and the page's name without its suffix and with the dot before that.
        text: of a heading, a paragraph or code.
        level: of a heading.
        items: ``(code, text)`` of each line of a list; either may be empty.
    """

    kind: Literal["heading", "code_heading", "paragraph", "code", "items", "links"]
    text: str = ""
    level: int = 1
    items: tuple[tuple[str, str], ...] = ()


def to_markdown(blocks: Sequence[Block]) -> str:
    """Write blocks as CommonMark."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def _markdown(block: Block) -> str:
    if block.kind == "heading":
        return f"{'#' * block.level} {_plain(block.text)}"
    if block.kind == "code_heading":
        return f"{'#' * block.level} {_code(block.text)}"
    if block.kind == "code":
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", block.text)), default=0))
        return f"{fence}\n{block.text}\n{fence}"
    if block.kind == "items":
        lines = (": ".join(filter(None, (_code(code), _plain(text)))) for code, text in block.items)
        return "\n".join(f"- {line}" for line in lines)
    if block.kind == "links":
        return " · ".join(f"[{_plain(text)}]({page}md)" for text, page in block.items)
    return "\n\n".join(_plain(part) for part in block.text.split("\n\n"))


def _plain(text: str) -> str:
    """Return one line of text in which nothing is HTML; what an author marked up in it stays."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")


def _code(text: str) -> str:
    """Source: CommonMark 0.31, code spans: a longer run of backticks than any within."""
    if not text:
        return ""
    line = " ".join(text.split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    space = " " if "`" in line else ""
    return f"{fence}{space}{line}{space}{fence}"


# Source: Unicode CLDR, languages whose script is written from right to left.
_RIGHT_TO_LEFT = frozenset(("ar", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"))


def to_html(blocks: Sequence[Block], title: str, language: str = "en") -> str:
    """Write blocks as a page that stands alone and runs no script.

    Args:
        blocks: of the page.
        title: of it.
        language: of most of its texts, as BCP 47 has it.
    """
    direction = ' dir="rtl"' if language.partition("-")[0] in _RIGHT_TO_LEFT else ""
    body = "\n".join(_html(block) for block in blocks)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="{html.escape(language)}"{direction}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}code,pre{font:0.9em ui-monospace,monospace}pre{overflow:auto;padding:.6rem;"
    "border:1px solid #8886}h2{border-bottom:1px solid #8886}"
)


def _html(block: Block) -> str:
    text = html.escape(block.text)
    if block.kind == "heading":
        return f"<h{block.level}>{text}</h{block.level}>"
    if block.kind == "code_heading":
        return f"<h{block.level}><code>{text}</code></h{block.level}>"
    if block.kind == "code":
        return f"<pre><code>{text}</code></pre>"
    if block.kind == "items":
        return "<ul>\n" + "\n".join(f"<li>{_item(*item)}</li>" for item in block.items) + "\n</ul>"
    if block.kind == "links":
        shown = (f'<a href="{html.escape(page)}html">{html.escape(name)}</a>' for name, page in block.items)
        return f"<p>{' · '.join(shown)}</p>"
    return "\n".join(f"<p>{part}</p>" for part in text.split("\n\n"))


def _item(code: str, text: str) -> str:
    return ": ".join(filter(None, (f"<code>{html.escape(code)}</code>" if code else "", html.escape(text))))
