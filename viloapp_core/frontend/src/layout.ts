// Tabs and splits, as the rest of the page sees them. Only this file knows dockview.

import { type DockviewApi, type DockviewGroupPanel, type DockviewOptions, type IDockviewPanel, createDockview } from "dockview";

import { label, t } from "./i18n.ts";
import { iconElement } from "./icons.tsx";
import { Store } from "./store.ts";

/** What a tab shows. */
export interface View {
  readonly element: HTMLElement;
  focus(): void;
  /** Called when the tab comes to the front, and when its size changes while it is there. */
  shown?(): void;
  hidden?(): void;
  /** Called after the language was changed. */
  translate?(): void;
  dispose(): void;
}

export type Direction = "left" | "right" | "up" | "down";
export type Placement = "within" | "left" | "right" | "above" | "below";

export interface TabInfo {
  title: string;
  icon: string;
  dirty?: boolean;
}

/** An arrangement as another application had it: an area split again and again, with tabs in each part. */
export interface Tree {
  /** Of the area above. */
  share: number;
  axis?: "horizontal" | "vertical";
  children?: Tree[];
  views?: string[];
  active?: string;
}

export interface LayoutHooks {
  /** Make the content of a tab; called for opened and for restored ones alike. */
  mount(id: string): View;
  describe(id: string): TabInfo;
  /** Whether the content must not be moved in the document. */
  stays(id: string): boolean;
  /** Whether the person lets go of the tab; asks when there is something to lose. */
  mayClose(id: string): Promise<boolean>;
  closed(id: string): void;
  /** What stands where no tab is. */
  empty(): HTMLElement;
  /** The buttons at the right end of a row of tabs. */
  actions(split: () => void): HTMLElement;
}

/** What is said to screen readers. */
const MESSAGES: NonNullable<DockviewOptions["messages"]> = {
  panelOpened: (title) => t("tabs.opened", { title }),
  panelClosed: (title) => t("tabs.closed", { title }),
  groupMaximized: (title) => t("tabs.maximized", { title }),
  groupRestored: (title) => t("tabs.restored", { title }),
  closeTab: (title) => t("tabs.close_named", { title }),
  closeTabPlain: () => t("tab.close_it"),
  movePickTarget: (source, target, current, total) => t("tabs.move_target", { source, target, current, total }),
  movePickEdge: (position, target) => t("tabs.move_edge", { position, target }),
  moveCommitted: (source, target) => t("tabs.moved", { source, target }),
  moveCancelled: () => t("tabs.move_cancelled"),
  moveNotAllowed: () => t("tabs.move_refused"),
};

export class Layout {
  readonly active = new Store<string | null>(null);
  readonly #api: DockviewApi;
  readonly #tabs = new Map<string, TabElement>();
  #changed: () => void = () => {};
  #restoring = false;

  constructor(
    element: HTMLElement,
    private readonly hooks: LayoutHooks,
  ) {
    this.#api = createDockview(element, {
      theme: { name: "viloapp", className: "vilo-dock", gap: 0, dndOverlayMounting: "absolute", dndPanelOverlay: "group" },
      defaultTabComponent: "tab",
      disableFloatingGroups: true,
      noPanelsOverlay: "watermark",
      getTabContextMenuItems: () => [],
      messages: MESSAGES,
      createComponent: ({ id }) => this.#content(id),
      createTabComponent: ({ id }) => {
        const tab = new TabElement(hooks.describe(id), () => void this.close(id));
        this.#tabs.set(id, tab);
        return { element: tab.element, init: () => {} };
      },
      createWatermarkComponent: () => ({ element: hooks.empty(), init: () => {} }),
      createRightHeaderActionComponent: (group) => ({
        element: hooks.actions(() => this.split("right", group)),
        init: () => {},
        dispose: () => {},
      }),
    });
    this.#api.onDidActivePanelChange(() => this.active.set(this.#api.activePanel?.id ?? null));
    this.#api.onDidRemovePanel((panel) => {
      this.#tabs.delete(panel.id);
      if (!this.#restoring) hooks.closed(panel.id);
    });
    this.#api.onDidLayoutChange(() => {
      if (!this.#restoring) this.#changed();
    });
    // dockview closes a tab on Delete by itself, without asking.
    element.addEventListener("keydown", (event) => this.#onTabKey(event), { capture: true });
  }

  onChange(listener: () => void): void {
    this.#changed = listener;
  }

  ids(): string[] {
    return this.#api.panels.map((panel) => panel.id);
  }

  has(id: string): boolean {
    return this.#api.getPanel(id) !== undefined;
  }

  open(id: string, title: string, placement: Placement = "within", beside?: string): void {
    const renderer = this.hooks.stays(id) ? "always" : "onlyWhenVisible";
    const panel = { id, title, component: "view", renderer } as const;
    const reference = beside ? this.#api.getPanel(beside) : undefined;
    if (reference) {
      this.#api.addPanel({ ...panel, position: { referencePanel: reference, direction: placement } });
    } else if (placement === "within" || this.#api.groups.length === 0) {
      this.#api.addPanel(panel);
    } else {
      this.#api.addPanel({ ...panel, position: { direction: placement } });
    }
    this.activate(id);
  }

  activate(id: string): void {
    this.#api.getPanel(id)?.api.setActive();
  }

  describe(id: string): void {
    const info = this.hooks.describe(id);
    this.#tabs.get(id)?.draw(info);
    const panel = this.#api.getPanel(id);
    if (panel && panel.title !== info.title) panel.api.setTitle(info.title);
  }

  /** Close a tab if the person lets go of it. */
  async close(id: string): Promise<boolean> {
    if (!this.has(id) || !(await this.hooks.mayClose(id))) return false;
    this.remove(id);
    return true;
  }

  /** Take a tab away without asking: what it showed is gone already. */
  remove(id: string): void {
    const panel = this.#api.getPanel(id);
    if (panel) this.#api.removePanel(panel);
  }

  /** Split the group: its front tab moves into the new half, or the half stays empty for the next one. */
  split(direction: "right" | "down", group: DockviewGroupPanel | undefined = this.#api.activeGroup): void {
    const side = direction === "right" ? "right" : "below";
    if (group && group.panels.length > 1 && group.activePanel) {
      group.activePanel.api.moveTo({ group, position: direction === "right" ? "right" : "bottom" });
    } else if (group) {
      this.#api.addGroup({ referenceGroup: group, direction: side });
    }
  }

  focusGroup(direction: Direction): void {
    const from = this.#api.activeGroup;
    const to = from && this.#neighbour(from, direction);
    to?.activePanel?.api.setActive();
    if (to && !to.activePanel) to.focus();
  }

  /** Move the front tab to the neighbouring group, or into a new one where there is none. */
  moveTab(direction: Direction): void {
    const panel = this.#api.activePanel;
    if (!panel) return;
    const to = this.#neighbour(panel.group, direction);
    if (to) panel.api.moveTo({ group: to, position: "center" });
    else if (panel.group.panels.length > 1) {
      const position = direction === "up" ? "top" : direction === "down" ? "bottom" : direction;
      panel.api.moveTo({ group: panel.group, position });
    }
    panel.api.setActive();
  }

  /** Make the group of the front tab wider or narrower, taller or lower; for those without a mouse. */
  resize(axis: "width" | "height", pixels: number): void {
    const group = this.#api.activeGroup;
    if (!group) return;
    const size = axis === "width" ? { width: group.width + pixels } : { height: group.height + pixels };
    group.api.setSize(size);
  }

  nextTab(step: 1 | -1): void {
    const group = this.#api.activeGroup;
    const panels = group?.panels ?? [];
    const at = panels.findIndex((panel) => panel === group?.activePanel);
    panels[(at + step + panels.length) % panels.length]?.api.setActive();
  }

  nthTab(n: number): void {
    const panels = this.#api.activeGroup?.panels ?? [];
    (n === 9 ? panels.at(-1) : panels[n - 1])?.api.setActive();
  }

  toggleMaximized(): void {
    const panel = this.#api.activePanel;
    if (this.#api.hasMaximizedGroup()) this.#api.exitMaximizedGroup();
    else if (panel) this.#api.maximizeGroup(panel);
  }

  save(): unknown {
    return this.#api.toJSON();
  }

  /** Take an arrangement back; false when it cannot be read, and then there are no tabs. */
  restore(saved: unknown): boolean {
    this.#restoring = true;
    try {
      this.#api.fromJSON(saved as Parameters<DockviewApi["fromJSON"]>[0]);
      return true;
    } catch {
      this.#api.clear();
      return false;
    } finally {
      this.#restoring = false;
      this.active.set(this.#api.activePanel?.id ?? null);
    }
  }

  /** Take an arrangement of another application; false when it cannot be read, and then there are no tabs. */
  restoreTree(tree: Tree): boolean {
    // Sizes count in proportion only.
    const width = 1200;
    const height = 800;
    const axis = tree.axis ?? "horizontal";
    const panels: Record<string, object> = {};
    let groups = 0;
    // Which axis splits the area above, and how large that is, decide how large a node is.
    const node = ({ views, active, children = [], share }: Tree, above: boolean, w: number, h: number): object => {
      const [width, height] = above ? [w * share, h] : [w, h * share];
      const size = above ? width : height;
      if (!views) return { type: "branch", data: children.map((each) => node(each, !above, width, height)), size };
      for (const id of views) {
        panels[id] = { id, contentComponent: "view", tabComponent: "tab", title: this.hooks.describe(id).title };
      }
      return { type: "leaf", data: { id: String(++groups), views, ...(active ? { activeView: active } : {}) }, size };
    };
    const across = axis === "horizontal";
    const orientation = across ? "HORIZONTAL" : "VERTICAL";
    try {
      const root = node({ ...tree, share: 1 }, !across, width, height);
      return this.restore({ grid: { root, width, height, orientation }, panels, activeGroup: "1" });
    } catch {
      return false;
    }
  }

  #content(id: string) {
    const view = this.hooks.mount(id);
    return {
      element: view.element,
      init: ({ api }: { api: IDockviewPanel["api"] }) => {
        const shown = () => {
          view.shown?.();
          this.#tabs.get(id)?.element.scrollIntoView({ block: "nearest", inline: "nearest" });
        };
        api.onDidDimensionsChange(() => api.isVisible && shown());
        api.onDidVisibilityChange(({ isVisible }) => (isVisible ? shown() : view.hidden?.()));
      },
      dispose: () => view.dispose(),
    };
  }

  /** The nearest group on one side, by where the groups stand on the screen. */
  #neighbour(from: DockviewGroupPanel, direction: Direction): DockviewGroupPanel | undefined {
    const a = from.element.getBoundingClientRect();
    const distance = (group: DockviewGroupPanel): number => {
      const b = group.element.getBoundingClientRect();
      const overlapX = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const overlapY = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      const gap = { left: a.left - b.right, right: b.left - a.right, up: a.top - b.bottom, down: b.top - a.bottom }[direction];
      const beside = direction === "left" || direction === "right" ? overlapY > 0 : overlapX > 0;
      return gap >= -2 && beside ? gap : Number.POSITIVE_INFINITY;
    };
    const others = this.#api.groups.filter((group) => group !== from && Number.isFinite(distance(group)));
    return others.sort((one, other) => distance(one) - distance(other))[0];
  }

  #onTabKey(event: KeyboardEvent): void {
    if (event.key !== "Delete" || !(event.target instanceof Element)) return;
    const tab = event.target.closest(".dv-tab");
    if (!tab) return;
    event.stopPropagation();
    event.preventDefault();
    for (const [id, { element }] of this.#tabs) {
      if (tab.contains(element)) void this.close(id);
    }
  }
}

/** A tab's face. The closing cross is for the mouse; the keyboard has Delete and Alt+W. */
class TabElement {
  readonly element = document.createElement("div");
  readonly #title = document.createElement("span");
  readonly #icon = document.createElement("span");

  constructor(info: TabInfo, close: () => void) {
    this.element.className = "tab";
    this.#icon.className = "tab-icon";
    this.#title.className = "tab-title";
    this.#title.dir = "auto";
    const cross = document.createElement("span");
    cross.className = "tab-close";
    label(cross, "tab.close");
    cross.setAttribute("aria-hidden", "true");
    cross.append(iconElement("close", 14));
    cross.addEventListener("pointerdown", (event) => event.stopPropagation());
    cross.addEventListener("click", (event) => {
      event.stopPropagation();
      close();
    });
    this.element.addEventListener("auxclick", (event) => {
      if (event.button === 1) close();
    });
    this.element.append(this.#icon, this.#title, cross);
    this.draw(info);
  }

  draw({ title, icon, dirty }: TabInfo): void {
    this.#title.textContent = title;
    this.#icon.replaceChildren(iconElement(icon, 15));
    this.element.classList.toggle("dirty", Boolean(dirty));
    this.element.title = dirty ? t("file.unsaved", { title }) : title;
  }
}
