"""A curve, or how far the targets are, as an SVG that can be read on a light and on a dark page.

Written by hand: a plotting library would bring a hundred megabytes (matplotlib) or no quartiles on
logarithmic axes (pygal), and neither follows the reader's colour scheme, which here is one media query.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from benchmarks.points import Curve, Point

__all__ = ["bars", "curve"]

_WIDTH, _HEIGHT = 860, 420
_CHARACTER = 6
"""Pixels of one, about, in the letters of a label."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 236, 66, 58
# Colours that people tell apart who see few (after Okabe and Ito), lighter on a dark page; and dashes.
_LIGHT = ("#555555", "#0072b2", "#d55e00", "#00785a", "#a0508c", "#8a6d00")
_DARK = ("#b8b8b8", "#56b4e9", "#ff8c42", "#2fd1a5", "#e39bc8", "#f0e442")
_DASHES = ("6 4", "", "", "2 3", "8 3 2 3", "1 4")
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:var(--ink)}.t{font-weight:600;font-size:16px}"
    ".s{font-size:11.5px}"
    ".g{stroke:var(--grid)}.a{stroke:var(--ink)}.p{fill:var(--page)}"
)


@dataclass(frozen=True)
class _Axis:
    """A logarithmic axis from one pixel to another."""

    least: float
    most: float
    first: float
    last: float

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        if self.least == self.most:
            return (self.first + self.last) / 2
        share = math.log(value / self.least) / math.log(self.most / self.least)
        return self.first + share * (self.last - self.first)


def curve(drawn: Curve) -> str:
    """Draw lines with the quartiles of each point, and what is to be reached."""
    every = [point for points in drawn.lines.values() for point in points]
    places = sorted({point.x for point in every})
    ys = [each for p in every for each in (p.low, p.high)] + [goal.y for goal in drawn.goals]
    bottom, top = _decade_part(min(ys), down=True), _decade_part(max(ys), down=False)
    x = _Axis(places[0], places[-1], _LEFT + 14, _WIDTH - _RIGHT - 14)
    y = _Axis(bottom, top, _HEIGHT - _BOTTOM, _TOP)
    parts = [_text(20, 26, drawn.title, "t"), _text(20, 45, f"{drawn.y}; quartiles as bars", "s")]
    parts += _grid(drawn, places, x, y)
    for number, points in enumerate(drawn.lines.values()):
        parts += _line(points, x, y, number if drawn.limited else number + 1)
    parts += _names(drawn, y)
    for goal in drawn.goals:
        at = f"{x.at(goal.x):.1f} {y.at(goal.y):.1f}"
        parts.append(
            f'<path class="a p" d="M{at}m0 -6l6 6l-6 6l-6 -6z"><title>{escape(goal.what)}</title></path>'
        )
    return _document(drawn.title, _HEIGHT, parts)


def bars(targets: Sequence[Mapping[str, Any]]) -> str:
    """Draw how each figure compares with the most that it may be, as a bar to one side of it or the other."""
    height, right, row = 78 + 22 * len(targets), 100, 22
    left = 30 + _CHARACTER * max(len(each["what"]) for each in targets)
    width = left + 360 + right
    shares = [each["value"] / each["limit"] for each in targets]
    axis = _Axis(min(0.1, *shares), max(4.0, *shares), left, width - right)
    parts = [
        _text(20, 26, "Measured, by the most that it may be", "t"),
        _text(20, 45, "left of the line is met; each figure is a ratio within one run; logarithmic", "s"),
    ]
    for share in (0.1, 0.25, 0.5, 1, 2, 4):
        at = axis.at(share)
        kind = "a" if share == 1 else "g"
        parts.append(f'<path class="{kind}" d="M{at:.1f} 56V{height - 6}"/>')
        parts.append(_text(at, 70, f"{share:g}", "s", anchor="middle"))
    for number, (each, share) in enumerate(zip(targets, shares, strict=True)):
        top = 80 + row * number
        ends = sorted((axis.at(1), axis.at(share)))
        colour = 3 if each["met"] else 2
        parts.append(_text(left - 10, top + 10, each["what"], "s", anchor="end"))
        parts.append(
            f'<rect x="{ends[0]:.1f}" y="{top}" width="{max(1, ends[1] - ends[0]):.1f}" height="12" '
            f'fill="var(--c{colour})"/>'
        )
        if each.get("low") and each.get("high"):
            low, high = (axis.at(max(axis.least, each[end] / each["limit"])) for end in ("low", "high"))
            parts.append(f'<path class="a" d="M{low:.1f} {top + 6}H{high:.1f}"/>')
        verdict = "met" if each["met"] else "missed"
        parts.append(_text(width - right + 8, top + 10, f"{share:.2f} {verdict}", "s"))
    return _document("Measured, by the most that it may be", height, parts, width)


def _grid(drawn: Curve, places: Sequence[float], x: _Axis, y: _Axis) -> list[str]:
    parts = []
    for value in _ticks(y.least, y.most):
        at = y.at(value)
        parts.append(f'<path class="g" d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(_text(_LEFT - 8, at + 4, _short(value), "s", anchor="end"))
    parts.append(f'<path class="a" fill="none" d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}"/>')
    for place in places:
        at = x.at(place)
        parts.append(f'<path class="a" d="M{at:.1f} {_HEIGHT - _BOTTOM}v5"/>')
        name = _bytes(place) if drawn.x == "bytes" else f"{place:,.0f}"
        parts.append(_text(at, _HEIGHT - _BOTTOM + 19, name, "s", anchor="middle"))
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(_text(middle, _HEIGHT - 16, f"{drawn.x} (both axes logarithmic)", "s", anchor="middle"))
    return parts


def _line(points: Sequence[Point], x: _Axis, y: _Axis, number: int) -> list[str]:
    colour, dash = f"var(--c{number % len(_LIGHT)})", _DASHES[number % len(_DASHES)]
    way = "L".join(f"{x.at(point.x):.1f} {y.at(point.y):.1f}" for point in points)
    parts = [f'<path fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}" d="M{way}"/>']
    for point in points:
        at, low, high = x.at(point.x), y.at(point.low), y.at(point.high)
        parts.append(f'<path stroke="{colour}" d="M{at:.1f} {low:.1f}V{high:.1f}"/>')
        told = f"<title>{point.x:,.0f}: {_short(point.y)}</title>"
        parts.append(f'<circle cx="{at:.1f}" cy="{y.at(point.y):.1f}" r="3" fill="{colour}">{told}</circle>')
    return parts


def _names(drawn: Curve, y: _Axis) -> list[str]:
    """Write each name at the end of its line, none over another."""
    first = 0 if drawn.limited else 1
    ends = [
        (y.at(points[-1].y), first + number, f"{name} (limit)" if number + first == 0 else name)
        for number, (name, points) in enumerate(drawn.lines.items())
    ]
    parts, lowest = [], _TOP - 12.0
    for at, number, name in sorted(ends):
        lowest = max(at, lowest + 16)
        left, colour = _WIDTH - _RIGHT + 10, f"var(--c{number % len(_LIGHT)})"
        dash = _DASHES[number % len(_DASHES)]
        stroke = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
        parts.append(f'<path {stroke} d="M{left} {lowest:.1f}h22"/>')
        parts.append(_text(left + 28, lowest + 4, name, "s"))
    for what in dict.fromkeys(goal.what for goal in drawn.goals):
        lowest += 20
        parts.append(f'<path class="a p" d="M{left + 11} {lowest:.1f}m0 -6l6 6l-6 6l-6 -6z"/>')
        parts.append(_text(left + 28, lowest + 4, what, "s"))
    return parts


def _document(title: str, height: int, parts: Sequence[str], width: int = _WIDTH) -> str:
    light, dark = (
        f"--ink:{ink};--grid:{grid};--page:{page};" + "".join(f"--c{n}:{c};" for n, c in enumerate(colours))
        for ink, grid, page, colours in (
            ("#1f2328", "#d8dee4", "#ffffff", _LIGHT),
            ("#e6edf3", "#3a414a", "#0d1117", _DARK),
        )
    )
    style = f"svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}{_STYLE}"
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{escape(title)}</title>'
    page = f'<rect class="p" width="{width}" height="{height}"/>'
    return "\n".join([head, f"<style>{style}</style>", page, *parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _decade_part(value: float, *, down: bool) -> float:
    """Return the next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    parts = [power * part for part in (0.5, 1, 2, 5, 10)]
    return (
        max(p for p in parts if p <= value * 1.001) if down else min(p for p in parts if p >= value * 0.999)
    )


def _ticks(least: float, most: float) -> list[float]:
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    fine = (1, 2, 5) if most / least < 1000 else (1,)
    values = [part * 10.0**power for power in powers for part in fine]
    return [value for value in values if least * 0.999 <= value <= most * 1.001]


def _short(value: float) -> str:
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= 10 * unit or (unit == 1e6 and value >= unit):
            return f"{value / unit:.3g}{name}"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _bytes(value: float) -> str:
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if value >= unit:
            return f"{value / unit:g} {name}"
    return f"{value:g} B"
