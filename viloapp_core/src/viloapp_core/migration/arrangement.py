"""The old tabs, each split in two again and again, as the workspace's one area: split, tabs in each part.

The tab with the most panes gives the splits (of several, the one in front). The panes of the others become
tabs in its parts, in reading order: the first in the first, and so on. What is in no tab comes last.

The result is what the page keeps of an arrangement, with ``tree`` in place of its layout library's own form:
``{"axis": "horizontal", "children": [{"share": 0.6, "views": [id], "active": id}, …]}``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from viloapp_core.migration.chain import Finding

__all__ = ["Arrangement", "arrange"]

_KINDS = {
    "terminal": "terminal",
    "editor": "editor",
    "text_editor": "editor",
    "settings": "settings",
    "shortcuts": "shortcuts",
}
"""What the old application called a pane → what the page calls it."""
_WIDGETS = {"terminal": ("viloxterm.terminal", "viloxterm"), "editor": ("viloedit.editor", "viloedit")}
_REFERENCES = ("id", "widget_id", "session_id", "buffer_id")
_LEAST, _MOST = 0.1, 0.9
"""Bounds of a split's share, as the old application kept them."""


class Arrangement(NamedTuple):
    """What the workspace is to show.

    Attributes:
        layout: for the page: ``{"version", "tree", "panels"}``.
        states: by instance, what its plugin's ``restore_state`` gets.
        findings: what is shown nowhere.
    """

    layout: dict[str, Any]
    states: dict[str, dict[str, Any]]
    findings: tuple[Finding, ...]


@dataclass
class _Part:
    """A leaf of the tree: the tabs that stand in it."""

    views: list[str] = field(default_factory=list)
    active: str = ""


@dataclass
class _Split:
    """A branch: side by side (``horizontal``) or one over the other."""

    axis: str
    children: list[tuple[float, "_Part | _Split"]]


class _Tab(NamedTuple):
    name: str
    root: _Part | _Split


def arrange(document: Mapping[str, Any]) -> Arrangement:
    """Return the arrangement of a state of version 3.0."""
    panels = _Panels(document)
    workspace = document.get("workspace")
    workspace = workspace if isinstance(workspace, dict) else {}
    tabs = [tab for at, old in enumerate(_list(workspace.get("tabs"))) if (tab := panels.tab(old, at))]
    front = workspace.get("current_tab")
    front = front if isinstance(front, int) and 0 <= front < len(tabs) else 0
    chosen = max(range(len(tabs)), key=lambda at: (_count(tabs[at].root), at == front), default=None)
    root: _Part | _Split = tabs[chosen].root if chosen is not None else _Part()
    parts = list(_parts(root))
    for at, tab in enumerate(tabs):
        if at == chosen:
            continue
        for place, part in enumerate(_parts(tab.root)):
            target = parts[min(place, len(parts) - 1)]
            target.views += part.views
            if at == front:
                target.active = part.active
    parts[-1].views += panels.rest()
    tree = _tree(root if isinstance(root, _Split) else _Split("horizontal", [(1.0, root)]))
    layout = {"version": 1, "tree": tree, "panels": panels.saved}
    return Arrangement(layout, panels.states, tuple(panels.findings))


class _Panels:
    """Makes the panels of a page, one for each entry and each pane."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        plugins = document["plugins"]
        self._entries = {("terminal", each["id"]): each for each in plugins["viloxterm"]["sessions"]} | {
            ("editor", each["id"]): each for each in plugins["viloedit"]["buffers"]
        }
        self.saved: list[dict[str, Any]] = []
        self.states: dict[str, dict[str, Any]] = {}
        self.findings: list[Finding] = []

    def tab(self, old: Any, at: int) -> _Tab | None:
        """Return one of the old tabs; None when nothing in it can be shown."""
        path = f"workspace.tabs[{at}]"
        old = old if isinstance(old, dict) else {}
        split = old.get("split_state", old)
        node = self._node(split.get("root", split) if isinstance(split, dict) else None, path)
        return _Tab(str(old.get("name", "")), node) if node else None

    def _node(self, node: Any, path: str) -> _Part | _Split | None:
        if isinstance(node, dict) and node.get("type") == "split":
            axis = "vertical" if node.get("orientation") == "vertical" else "horizontal"
            first, second = (self._node(node.get(name), f"{path}.{name}") for name in ("first", "second"))
            if first is None or second is None:
                return first or second
            share = _share(node.get("ratio"))
            return _Split(axis, [*_merged(axis, share, first), *_merged(axis, 1 - share, second)])
        if isinstance(node, dict) and (view := self._pane(node)):
            return _Part([view], view)
        if node is not None:
            self.findings.append(Finding("left", path, "there is nothing today that shows it"))
        return None

    def _pane(self, leaf: dict[str, Any]) -> str:
        """Return the panel of a leaf; empty when there is no such kind any more."""
        kind = _KINDS.get(str(leaf.get("widget_type", "")).lower(), "")
        if kind in ("settings", "shortcuts"):
            id = f"local-{kind}"
            if all(panel["id"] != id for panel in self.saved):
                self.saved.append({"id": id, "kind": kind, "title": kind.title()})
                return id
            return ""
        named = [str(leaf[name]) for name in _REFERENCES if isinstance(leaf.get(name), (str, int))]
        for reference in named:
            for each in (kind,) if kind else ("terminal", "editor"):
                if entry := self._entries.pop((each, reference), None):
                    return self._panel(each, entry)
        return self._panel(kind, None) if kind else ""

    def _panel(self, kind: str, entry: dict[str, Any] | None) -> str:
        instance = f"migrated-{len(self.saved) + 1}"
        widget, plugin = _WIDGETS[kind]
        name = "session" if kind == "terminal" else "buffer"
        self.saved.append(
            {
                "id": f"widget-{instance}",
                "kind": kind,
                "title": _title(kind, entry),
                "instance": instance,
                "widget": widget,
                "plugin": plugin,
            }
        )
        if entry is not None:
            self.states[instance] = {name: entry}
        return f"widget-{instance}"

    def rest(self) -> list[str]:
        """Return panels of the entries that are in no tab."""
        return [self._panel(kind, entry) for (kind, _), entry in self._entries.items()]


def _title(kind: str, entry: dict[str, Any] | None) -> str:
    if kind == "terminal":
        return str(entry["title"] if entry else "Terminal")
    path = str((entry or {}).get("file_path") or "")
    return path.replace("\\", "/").rpartition("/")[2] or "Untitled"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _share(ratio: Any) -> float:
    usable = isinstance(ratio, (int, float)) and not isinstance(ratio, bool) and ratio == ratio
    return min(max(float(ratio), _LEAST), _MOST) if usable else 0.5


def _merged(axis: str, share: float, node: _Part | _Split) -> list[tuple[float, _Part | _Split]]:
    """Return a child of a split, or its children where it is split the same way: one row instead of two."""
    if isinstance(node, _Split) and node.axis == axis:
        return [(share * inner, child) for inner, child in node.children]
    return [(share, node)]


def _parts(node: _Part | _Split) -> Iterator[_Part]:
    if isinstance(node, _Part):
        yield node
    else:
        for _, child in node.children:
            yield from _parts(child)


def _count(node: _Part | _Split) -> int:
    return sum(1 for _ in _parts(node))


def _tree(node: _Part | _Split, share: float = 1.0) -> dict[str, Any]:
    if isinstance(node, _Part):
        active = node.active or (node.views[0] if node.views else "")
        return {"share": round(share, 4), "views": node.views, "active": active}
    children = [_tree(child, inner) for inner, child in node.children]
    return {"share": round(share, 4), "axis": node.axis, "children": children}
