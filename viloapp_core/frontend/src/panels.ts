// The tabs: which widget stands in which, restored, opened and closed together with the host's.

import type { ComponentChild } from "preact";

import type { Channel } from "./channel.ts";
import { t } from "./i18n.ts";
import type { Layout, Placement, TabInfo, Tree, View } from "./layout.ts";
import { own } from "./own.ts";
import { notify, notifyError } from "./shell/toasts.tsx";
import { Store } from "./store.ts";
import { EditorPane } from "./views/editor.ts";
import { PreactView } from "./views/preact-view.ts";
import { TerminalView } from "./views/terminal.ts";
import { MessageView, TextView } from "./views/text.ts";
import { type Key, WebView } from "./views/webview.ts";
import { theme } from "./theme.ts";
import { type Data, type Hello, HostError, type Instance, type SavedLayout, type SavedPanel } from "./wire.ts";

const SAVE_AFTER_MS = 800;

/** What a tab holds: another view can take its place, so that waiting and failing happen in the tab. */
class Slot implements View {
  readonly element = document.createElement("div");
  view: View | null = null;

  constructor() {
    this.element.className = "slot";
  }

  put(view: View): void {
    const focused = this.element.contains(document.activeElement);
    this.view?.dispose();
    this.view = view;
    this.element.replaceChildren(view.element);
    view.shown?.();
    if (focused) view.focus();
  }

  focus(): void {
    this.view?.focus();
  }

  shown(): void {
    this.view?.shown?.();
  }

  hidden(): void {
    this.view?.hidden?.();
  }

  dispose(): void {
    this.view?.dispose();
  }
}

interface Panel {
  id: string;
  kind: string;
  title: string;
  icon: string;
  slot: Slot;
  instance: string | null;
  widget: string;
  plugin: string;
  /** The instance whose state is kept until the widget is open again: its plugin may not be there yet. */
  waiting: string | null;
  /** The host has closed it already. */
  gone: boolean;
}

export interface LocalView {
  title: () => string;
  icon: string;
  content: () => ComponentChild;
}

export interface PanelHooks {
  channel: Channel;
  /** The page's own tabs, by kind. */
  local: Record<string, LocalView>;
  icon(widget: string): string;
  saveEditor(pane: EditorPane): void;
  mayClose(pane: EditorPane, title: string): Promise<boolean>;
  statusChanged(): void;
  /** A key that was pressed in a plugin's own page, which had no use for it. */
  frameKey(key: Key): void;
}

const KIND_ICONS: Record<string, string> = { terminal: "terminal", editor: "file", text: "text", webview: "plugin" };

export class Panels {
  /** Set once the tabs stand in the page. */
  layout!: Layout;
  /** Where the next widget goes that a plugin opens. */
  nextPlacement: Placement | null = null;
  readonly active = new Store<string | null>(null);
  readonly #panels = new Map<string, Panel>();
  #counter = 0;
  #saving = 0;
  #restored = false;

  constructor(private readonly hooks: PanelHooks) {
    const { channel } = hooks;
    channel.on<Instance>("widget.opened", (instance) => this.add(instance, false));
    channel.on<{ instance: string; data?: Data; title?: string }>("widget.updated", (change) => this.#update(change));
    channel.on<{ instance: string }>("widget.removed", ({ instance }) => this.#removed(instance));
    channel.on<{ plugin: string; state: string }>("plugin.state", ({ plugin, state }) => {
      if (state === "running" || state === "starting") return;
      for (const { pane } of this.editors(plugin)) pane.lost();
    });
    addEventListener("pagehide", () => this.saveNow());
  }

  /** Bind to the tabs; from here on they ask this for their content. */
  attach(layout: Layout): void {
    this.layout = layout;
    layout.onChange(() => this.saveSoon());
    layout.active.subscribe((id) => {
      this.active.set(id);
      const panel = id ? this.#panels.get(id) : undefined;
      if (panel?.instance) void this.#request("widget.activate", { instance: panel.instance }).catch(() => {});
      this.hooks.statusChanged();
    });
  }

  // -- what the tabs ask ---------------------------------------------------------------------------------

  mount(id: string): View {
    const panel = this.#panels.get(id);
    if (!panel) return new MessageView(() => t("tab.gone"), () => t("tab.gone_text"));
    return panel.slot;
  }

  /** Whether a tab's content must stay where it is: a frame that is moved loads anew. */
  stays(id: string): boolean {
    return this.#panels.get(id)?.kind === "webview";
  }

  describe(id: string): TabInfo {
    const panel = this.#panels.get(id);
    if (!panel) return { title: t("tab.empty"), icon: "text" };
    const { view } = panel.slot;
    return { title: own(this.hooks.local, panel.kind)?.title() ?? panel.title, icon: panel.icon, dirty: view instanceof EditorPane && view.dirty };
  }

  async mayClose(id: string): Promise<boolean> {
    const view = this.view(id);
    if (!(view instanceof EditorPane) || !view.dirty) return true;
    this.layout.activate(id);
    return this.hooks.mayClose(view, this.describe(id).title);
  }

  closed(id: string): void {
    const panel = this.#panels.get(id);
    this.#panels.delete(id);
    if (panel?.instance && !panel.gone) {
      void this.#request("widget.close", { instance: panel.instance }).catch(notifyError);
    }
    this.saveSoon();
  }

  // -- opening -------------------------------------------------------------------------------------------

  /** Show a widget that is open in the host. */
  add(instance: Instance, isReplayed: boolean, placement?: Placement): void {
    const known = this.#find(instance.instance);
    if (known) {
      this.layout.activate(known.id);
      return;
    }
    const panel = this.#make(`widget-${this.#fresh()}`, instance.kind, instance.title, {
      instance: instance.instance,
      widget: instance.widget,
      plugin: instance.plugin,
    });
    if (isReplayed) void this.#resume(panel, instance);
    else this.#show(panel, instance, false);
    const where = this.nextPlacement ?? placement ?? "within";
    this.nextPlacement = null;
    this.layout.open(panel.id, panel.title, where, where === "within" ? undefined : (this.active.value ?? undefined));
    panel.slot.focus();
  }

  /** Show one of the page's own tabs; there is one of each. */
  openLocal(kind: string): void {
    const id = `local-${kind}`;
    if (!this.#panels.has(id)) {
      this.#local(id, kind);
      this.layout.open(id, this.describe(id).title);
    }
    this.layout.activate(id);
    this.#panels.get(id)?.slot.focus();
  }

  /** Show a text that is nobody's widget, such as the result of a command. */
  openText(title: string, text: string): void {
    const id = `text-${this.#fresh()}`;
    const panel = this.#make(id, "result", title, {});
    panel.slot.put(new TextView({ text }));
    this.layout.open(id, title);
    panel.slot.focus();
  }

  // -- looking -------------------------------------------------------------------------------------------

  view(id: string | null): View | null {
    return (id && this.#panels.get(id)?.slot.view) || null;
  }

  get activeView(): View | null {
    return this.view(this.active.value);
  }

  /** Draw anew what Preact does not: the language was changed. */
  translate(): void {
    for (const { id, slot } of this.#panels.values()) {
      slot.view?.translate?.();
      this.layout.describe(id);
    }
    this.hooks.statusChanged();
  }

  focusActive(): void {
    const id = this.active.value;
    if (id) this.#panels.get(id)?.slot.focus();
  }

  editors(plugin?: string): { id: string; title: string; pane: EditorPane }[] {
    const found = [];
    for (const { id, title, plugin: owner, slot } of this.#panels.values()) {
      if (slot.view instanceof EditorPane && (!plugin || owner === plugin)) found.push({ id, title, pane: slot.view });
    }
    return found;
  }

  /** Bring the editor of a file to the front, if there is one. */
  activateFile(path: string, folder: string): boolean {
    for (const { id, pane } of this.editors()) {
      const own = pane.path && (pane.path.startsWith("/") ? pane.path : `${folder}/${pane.path}`);
      if (own === path) {
        this.layout.activate(id);
        pane.focus();
        return true;
      }
    }
    return false;
  }

  /** Tell the plugins every text that was typed and not told yet. */
  async flush(): Promise<void> {
    await Promise.all(this.editors().map(({ pane }) => pane.flush()));
  }

  // -- coming back ---------------------------------------------------------------------------------------

  /** Show what the host has open: at the first connection as it was arranged, later what changed. */
  restore(hello: Hello): void {
    const open = new Map(hello.instances.map((instance) => [instance.instance, instance]));
    if (!this.#restored) {
      this.#restored = true;
      const saved = hello.layout;
      if (saved && isLayout(saved.layout)) this.#restoreSaved(saved.layout, saved.states ?? {}, open);
    } else {
      for (const panel of [...this.#panels.values()]) {
        if (panel.instance && !open.has(panel.instance)) this.#removed(panel.instance);
      }
    }
    for (const instance of hello.instances) if (!this.#find(instance.instance)) this.add(instance, true);
  }

  saveSoon(): void {
    clearTimeout(this.#saving);
    this.#saving = setTimeout(() => this.saveNow(), SAVE_AFTER_MS);
  }

  saveNow(): void {
    clearTimeout(this.#saving);
    if (!this.#restored) return;
    void this.flush();
    const panels: SavedPanel[] = [...this.#panels.values()]
      .filter(({ id, kind }) => kind !== "result" && this.layout.has(id))
      .map(({ id, kind, title, instance, waiting, widget, plugin }) => {
        const kept = instance ?? waiting;
        return { id, kind, title, ...(widget ? { widget, plugin } : {}), ...(kept ? { instance: kept } : {}) };
      });
    const layout: SavedLayout = { version: 1, dock: this.layout.save(), panels };
    void this.#request("layout.save", { layout }).catch((error) => {
      if (HostError.of(error).code !== "not_connected") notifyError(error);
    });
  }

  #restoreSaved(saved: SavedLayout, states: Record<string, unknown>, open: Map<string, Instance>): void {
    for (const { id, kind, title, instance, widget, plugin } of saved.panels) {
      if (own(this.hooks.local, kind)) this.#local(id, kind);
      else if (widget) this.#make(id, kind, title, { instance: instance ?? null, widget, plugin: plugin ?? "" });
    }
    if (!(saved.tree ? this.layout.restoreTree(saved.tree as Tree) : this.layout.restore(saved.dock))) {
      this.#panels.clear();
      return;
    }
    for (const id of this.layout.ids()) {
      const panel = this.#panels.get(id);
      if (!panel) this.layout.remove(id);
      else if (panel.widget) {
        const live = panel.instance ? open.get(panel.instance) : undefined;
        if (live) void this.#resume(panel, live);
        else void this.#reopen(panel, panel.instance ? states[panel.instance] : null);
      }
    }
    for (const id of [...this.#panels.keys()]) if (!this.layout.has(id)) this.#panels.delete(id);
  }

  /** Show a widget that was open before this page was: what the host keeps of an editor is how it began. */
  async #resume(panel: Panel, instance: Instance): Promise<void> {
    if (instance.kind !== "editor") {
      this.#show(panel, instance, true);
      return;
    }
    const id = instance.instance;
    panel.slot.put(new MessageView(() => ""));
    try {
      const state = await this.#request<Data | null>("widget.state", { instance: id });
      if (typeof state?.["text"] === "string") {
        instance = { ...instance, data: { ...instance.data, ...state, modified: true } };
      } else if (typeof state?.["path"] === "string") {
        // Nothing is unsaved, so that the file itself is what the editor shows.
        const data = await this.#request<Data>("widget.command", { instance: id, command: "reload" });
        instance = { ...instance, data: { ...data, cursor: state["cursor"] ?? data["cursor"] } };
      }
    } catch (error) {
      notifyError(error);
    }
    if (this.#panels.has(panel.id)) this.#show(panel, instance, true);
  }

  async #reopen(panel: Panel, state: unknown): Promise<void> {
    panel.waiting ??= panel.instance;
    panel.instance = null;
    panel.slot.put(new MessageView(() => t("tab.starting", { title: panel.title })));
    try {
      const instance = await this.#request<Instance>("widget.open", {
        widget: panel.widget,
        state: state ?? null,
        plugin: panel.plugin,
      });
      if (this.#panels.has(panel.id)) this.#show(panel, instance, true);
      else void this.#request("widget.close", { instance: instance.instance }).catch(() => {});
      this.saveSoon();
    } catch (error) {
      const { detail, hint } = HostError.of(error);
      panel.slot.put(
        new MessageView(() => t("tab.failed", { title: panel.title }), () => [detail, hint].filter(Boolean).join(". "), [
          { label: () => t("tab.retry"), run: () => void this.#reopen(panel, state) },
          { label: () => t("tab.close_it"), run: () => this.layout.remove(panel.id) },
        ]),
      );
    }
  }

  // -- the inside ----------------------------------------------------------------------------------------

  #make(id: string, kind: string, title: string, about: Partial<Panel>): Panel {
    const icon = (about.widget && this.hooks.icon(about.widget)) || own(KIND_ICONS, kind) || "text";
    const panel: Panel = {
      id,
      kind,
      title,
      icon,
      slot: new Slot(),
      instance: null,
      waiting: null,
      widget: "",
      plugin: "",
      gone: false,
      ...about,
    };
    this.#panels.set(id, panel);
    return panel;
  }

  #local(id: string, kind: string): void {
    const { title, icon, content } = this.hooks.local[kind]!;
    const panel = this.#make(id, kind, title(), { icon });
    panel.slot.put(new PreactView(`${kind}-tab`, content));
  }

  #show(panel: Panel, instance: Instance, isReplayed: boolean): void {
    panel.instance = instance.instance;
    panel.waiting = null;
    panel.title = instance.title;
    panel.slot.put(this.#viewFor(panel, instance, isReplayed));
    this.layout.describe(panel.id);
    if (this.active.value === panel.id) {
      void this.#request("widget.activate", { instance: instance.instance }).catch(() => {});
      this.hooks.statusChanged();
    }
  }

  #viewFor(panel: Panel, { kind, data, instance }: Instance, isReplayed: boolean): View {
    const { channel } = this.hooks;
    if (kind === "terminal") {
      return new TerminalView(data, { channel, isReplayed, notify: (level, message) => notify(level, message) });
    }
    if (kind === "editor") {
      return new EditorPane(data, {
        command: (command, args) => this.#request("widget.command", { instance, command, arguments: args }),
        state: () => this.#request("widget.state", { instance }),
        save: (pane) => this.hooks.saveEditor(pane),
        changed: () => {
          this.layout.describe(panel.id);
          this.hooks.statusChanged();
        },
        told: () => this.saveSoon(),
        cursor: () => this.hooks.statusChanged(),
      });
    }
    if (kind === "text") return new TextView(data);
    if (kind === "webview") return this.#webview(panel, data, instance);
    return new MessageView(
      () => t("tab.unknown"),
      () => t("tab.unknown_text", { kind, plugin: panel.plugin }),
    );
  }

  #webview(panel: Panel, data: Data, instance: string): WebView {
    return new WebView(data, panel.title, {
      theme,
      open: () => this.#request("widget.page", { instance }),
      command: (command, args) => this.#request("widget.command", { instance, command, arguments: args }),
      key: (key) => this.hooks.frameKey(key),
      entered: () => this.layout.activate(panel.id),
      locale: (listener) =>
        this.hooks.channel.on<{ key: string; value: unknown }>("settings.changed", ({ key, value }) => {
          if (key === "core.locale" && typeof value === "string") listener(value);
        }),
    });
  }

  #update({ instance, data, title }: { instance: string; data?: Data; title?: string }): void {
    const panel = this.#find(instance);
    if (!panel) return;
    if (title) panel.title = title;
    const { view } = panel.slot;
    if (data && (view instanceof TerminalView || view instanceof EditorPane || view instanceof TextView || view instanceof WebView)) {
      view.update(data);
    }
    this.layout.describe(panel.id);
  }

  #removed(instance: string): void {
    const panel = this.#find(instance);
    if (!panel) return;
    panel.gone = true;
    this.layout.remove(panel.id);
  }

  #find(instance: string): Panel | undefined {
    return [...this.#panels.values()].find((panel) => panel.instance === instance);
  }

  #fresh(): string {
    return `${Date.now().toString(36)}${(this.#counter++).toString(36)}`;
  }

  #request<T>(method: string, params: object): Promise<T> {
    return this.hooks.channel.request<T>(method, params);
  }
}

function isLayout(value: unknown): value is SavedLayout {
  const { version, dock, tree, panels } = (value ?? {}) as Partial<SavedLayout>;
  return version === 1 && typeof (tree ?? dock) === "object" && Array.isArray(panels);
}
