"""A flame graph: a picture of which function called which, and for how long. No script, nothing from outside.

The width of a box is the share of samples in which the function was on the stack; above it stands what it
called. Pointing at a box shows the whole name.

Source: Brendan Gregg, "The Flame Graph" (ACM Queue 14/2), for the picture; SVG 1.1 for the file.
"""

import zlib
from dataclasses import dataclass, field
from html import escape

from viloapp_core.profiling.profile import Profile

__all__ = ["flame_graph"]

_WIDTH, _ROW, _TOP, _SIDE = 1200.0, 18, 64, 10
_NARROWEST = 0.4
"""Pixels; what would be narrower is not drawn, so that a picture has at most some thousand boxes a row."""
_LETTER = 6.6
"""Pixels that a letter of the font takes at most."""

_STYLE = """
text { font: 11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1b1b1b; }
.title { font: 600 15px system-ui, sans-serif; }
.note { font: 12px system-ui, sans-serif; fill: #555; }
svg { background: #fff; } g:hover rect { stroke: #111; stroke-width: 1; }
@media (prefers-color-scheme: dark) {
svg { background: #16181d; } .title { fill: #e8e8e8; } .note { fill: #a8a8a8; } g:hover rect { stroke: #fff; }
}
"""


@dataclass
class _Box:
    """A function where one sequence of callers led to it."""

    name: str
    seen: int = 0
    below: dict[str, "_Box"] = field(default_factory=dict)

    def depth(self) -> int:
        """Return how many rows it and what it called take."""
        deepest, level = 0, [self]
        while level:
            deepest, level = deepest + 1, [each for box in level for each in box.below.values()]
        return deepest


def flame_graph(profile: Profile) -> str:
    """Return the picture of a profile as an SVG document."""
    root = _tree(profile)
    height = _TOP + _ROW * root.depth() + 2 * _SIDE
    whole = _WIDTH + 2 * _SIDE
    title = escape(f"{profile.plugin_id}: {profile.samples} samples in {profile.seconds:g} s")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole:g} {height}" width="{whole:g}" '
        f'height="{height}" role="img" aria-label="{title}">',
        f"<title>{title}</title><style>{_STYLE}</style>",
        f'<text class="title" x="{_SIDE}" y="26">{title}</text>',
        f'<text class="note" x="{_SIDE}" y="46">{escape(_note(profile))}</text>',
    ]
    if root.seen:
        lines += _boxes(root, height)
    return "\n".join([*lines, "</svg>", ""])


def _note(profile: Profile) -> str:
    looks = f"{profile.rate:g} looks a second with {profile.sampler}"
    if not profile.samples:
        return f"{looks}: whenever it was looked at, the plugin waited for something to do"
    idle = f"; {profile.idle} more that waited for something to do" if profile.idle > 0 else ""
    return f"{looks}{idle}"


def _tree(profile: Profile) -> _Box:
    root = _Box("all")
    for stack, seen in profile.stacks.items():
        root.seen += seen
        box = root
        for name in stack:
            box = box.below.setdefault(name, _Box(name))
            box.seen += seen
    return root


def _boxes(root: _Box, height: int) -> list[str]:
    """Draw every box that is wide enough, row by row from the bottom."""
    lines: list[str] = []
    scale = _WIDTH / root.seen
    level = [(root, float(_SIDE))]
    y = height - _SIDE - _ROW
    while level:
        above: list[tuple[_Box, float]] = []
        for box, x in level:
            lines.append(_box(box, x, y, box.seen * scale, box.seen / root.seen))
            for each in sorted(box.below.values(), key=lambda each: each.name):
                if each.seen * scale >= _NARROWEST:
                    above.append((each, x))
                x += each.seen * scale
        level, y = above, y - _ROW
    return lines


def _box(box: _Box, x: float, y: int, width: float, share: float) -> str:
    letters = int((width - 6) / _LETTER)
    shown = box.name if len(box.name) <= letters else box.name[: max(0, letters - 2)] + ".."
    text = f'<text x="{x + 3:.1f}" y="{y + 13}">{escape(shown)}</text>' if letters >= 3 else ""
    return (
        f"<g><title>{escape(box.name)}: {box.seen} samples, {share:.1%}</title>"
        f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.5, 0.3):.1f}" height="{_ROW - 1}" rx="2" '
        f'fill="{_color(box.name)}"/>{text}</g>'
    )


# The last is a worker's command line, and what that runs.
_NOT_OF_THE_PLUGIN = ("all", "(more)", "<module> (<string>:1)")


def _color(name: str) -> str:
    """Return a warm colour that a function always has; cool for what runs the plugin rather than is of it."""
    shade = zlib.crc32(name.encode())
    if "viloapp_sdk/" in name or name in _NOT_OF_THE_PLUGIN:
        return f"hsl({200 + shade % 20} {25 + shade % 11}% {72 + shade % 9}%)"
    return f"hsl({8 + shade % 44} {70 + shade % 21}% {60 + shade % 13}%)"
