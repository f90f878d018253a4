// The composition root of the page: who knows whom.

import { render } from "preact";

import { Channel } from "./channel.ts";
import { KEYS, type LocalCommand, layoutCommands, tabNumber } from "./commands.ts";
import { iconElement } from "./icons.tsx";
import { Installer } from "./installer.ts";
import { type Binding, commandFor } from "./keys.ts";
import { Layout } from "./layout.ts";
import { Panels } from "./panels.ts";
import { focusRegion } from "./regions.ts";
import { ask, askPermission, askText, dialogOpen, withdrawPermission } from "./shell/dialogs.tsx";
import { ExplorerModel } from "./shell/explorer.tsx";
import { Frame, type Sidebar, type TabStatus } from "./shell/frame.tsx";
import { type PaletteCommand, type PaletteHost, openPalette, paletteOpen, runWithQuestions } from "./shell/palette.tsx";
import { notify, notifyError } from "./shell/toasts.tsx";
import { Store } from "./store.ts";
import { applyThemes, theme } from "./theme.ts";
import { ActivityView } from "./views/activity.tsx";
import { EditorPane } from "./views/editor.ts";
import { type PluginActions, PluginsView } from "./views/plugins.tsx";
import { SettingsView } from "./views/settings.tsx";
import { type Shortcut, ShortcutsView } from "./views/shortcuts.tsx";
import { TerminalView } from "./views/terminal.ts";
import type { Key } from "./views/webview.ts";
import { Welcome, type WelcomeAction } from "./views/welcome.tsx";
import { type BrokenSave, type Catalog, type Command, type Hello, HostError, type Notification, type PermissionQuestion, type ThemeState } from "./wire.ts";

const SIDEBAR = "viloapp.sidebar";
const CATALOG_AFTER_MS = 120;
const NEW_TERMINAL = "viloxterm.new";
const OPEN_FILE = "viloedit.open";
const NEW_FILE = "viloedit.new";

export class Workspace {
  readonly #channel: Channel;
  readonly #catalog = new Store<Catalog>({ commands: [], widgets: [], plugins: [], offers: [] });
  readonly #folder = new Store("");
  readonly #version = new Store("");
  readonly #brokenSaves = new Store<BrokenSave[]>([]);
  readonly #ready = new Store(false);
  readonly #sidebar = new Store<Sidebar>(rememberedSidebar());
  readonly #status = new Store<TabStatus>({ items: [] });
  readonly #explorer: ExplorerModel;
  readonly #installer: Installer;
  readonly #panels: Panels;
  readonly #local: LocalCommand[];
  readonly #palette: PaletteHost = {
    commands: () => this.#paletteCommands(),
    run: (id, values) => void this.#run(id, values),
    complete: (text) => this.#explorer.complete(text),
  };
  #catalogTimer = 0;

  constructor(token: string) {
    this.#channel = new Channel(token, () => void this.#hello());
    this.#explorer = new ExplorerModel(this.#channel, (path) => this.#openFile(path));
    this.#installer = new Installer(this.#channel, () => this.#readCatalog());
    this.#panels = new Panels({
      channel: this.#channel,
      local: {
        plugins: { title: "Plugins", icon: "plugin", content: () => <PluginsView actions={this.#pluginActions()} /> },
        shortcuts: {
          title: "Shortcuts",
          icon: "keyboard",
          content: () => <ShortcutsView changes={this.#catalog} list={() => this.#shortcuts()} />,
        },
        activity: { title: "Activity", icon: "activity", content: () => <ActivityView channel={this.#channel} /> },
        settings: { title: "Settings", icon: "settings", content: () => <SettingsView channel={this.#channel} /> },
      },
      icon: (widget) => this.#catalog.value.widgets.find(({ id }) => id === widget)?.icon ?? "",
      saveEditor: (pane) => void this.#save(pane),
      mayClose: (pane, title) => this.#mayClose(pane, title),
      statusChanged: () => this.#drawStatus(),
      frameKey: (key) => this.#onFrameKey(key),
    });
    this.#local = this.#localCommands();
    this.#listen();
  }

  start(root: HTMLElement): void {
    render(
      <Frame
        channel={this.#channel}
        catalog={this.#catalog}
        folder={this.#folder}
        version={this.#version}
        sidebar={this.#sidebar}
        status={this.#status}
        theme={theme}
        brokenSaves={this.#brokenSaves}
        explorer={this.#explorer}
        palette={this.#palette}
        run={(command) => void this.#run(command)}
        mountTabs={(element) => this.#mountTabs(element)}
      />,
      root,
    );
  }

  #mountTabs(element: HTMLElement): void {
    const layout = new Layout(element, {
      mount: (id) => this.#panels.mount(id),
      describe: (id) => this.#panels.describe(id),
      stays: (id) => this.#panels.stays(id),
      mayClose: (id) => this.#panels.mayClose(id),
      closed: (id) => this.#panels.closed(id),
      empty: () => this.#welcome(),
      actions: (split) => this.#groupActions(split),
    });
    this.#panels.attach(layout);
    this.#channel.connect();
  }

  // -- the host ------------------------------------------------------------------------------------------

  async #hello(): Promise<void> {
    try {
      const hello = await this.#channel.request<Hello>("hello");
      applyThemes(hello);
      this.#catalog.set(pick(hello));
      this.#folder.set(hello.folder);
      this.#version.set(hello.version);
      this.#brokenSaves.set(hello.broken_saves ?? []);
      document.title = `${hello.folder.split("/").at(-1) || hello.folder} · ViloApp`;
      this.#panels.restore(hello);
      this.#ready.set(true);
      for (const question of hello.questions ?? []) void this.#decide(question);
      await this.#explorer.start(hello.folder);
    } catch (error) {
      notifyError(error);
    }
  }

  #listen(): void {
    this.#channel.on<PermissionQuestion>("permission.asked", (question) => void this.#decide(question));
    this.#channel.on<{ id: number }>("permission.settled", ({ id }) => withdrawPermission(id));
    for (const event of ["commands.changed", "plugins.changed", "plugin.state", "permissions.changed"]) {
      this.#channel.on(event, () => this.#readCatalog());
    }
    this.#channel.on<Notification>("notification", ({ level, message }) => notify(level, message));
    this.#channel.on<{ plugin: string; problem: BrokenSave | null }>("plugin.reload", ({ plugin, problem }) =>
      this.#brokenSaves.update((known) => [...known.filter((each) => each.plugin !== plugin), ...(problem ? [problem] : [])]),
    );
    this.#channel.on<{ theme: string }>("theme.changed", ({ theme: name }) =>
      applyThemes({ ...theme.value, theme: name }),
    );
    this.#sidebar.subscribe((sidebar) => localStorage.setItem(SIDEBAR, JSON.stringify(sidebar)));
    addEventListener("keydown", (event) => this.#onKey(event), { capture: true });
  }

  /** Put a plugin's question to the person. */
  async #decide(question: PermissionQuestion): Promise<void> {
    const answer = await askPermission(question);
    if (answer === null) return;
    try {
      await this.#channel.request("permissions.answer", { id: question.id, answer });
    } catch (error) {
      notifyError(error);
    }
  }

  /** Read what there is to run and to manage; several reasons at once make one reading. */
  #readCatalog(): void {
    clearTimeout(this.#catalogTimer);
    this.#catalogTimer = setTimeout(async () => {
      try {
        this.#catalog.set(await this.#channel.request<Catalog>("catalog"));
      } catch (error) {
        if (this.#channel.state.value === "open") notifyError(error);
      }
    }, CATALOG_AFTER_MS);
  }

  // -- commands ------------------------------------------------------------------------------------------

  async #run(id: string, values: Record<string, unknown> = {}): Promise<void> {
    const local = this.#local.find((command) => command.id === id);
    if (local) {
      local.run();
      return;
    }
    try {
      // A command may act on a text that was typed a moment ago.
      await this.#panels.flush();
      const before = this.#panels.active.value;
      const result = await this.#channel.request<unknown>("command.run", { id, arguments: values });
      this.#showResult(id, result, this.#panels.active.value !== before);
    } catch (error) {
      notifyError(error);
    }
  }

  /** A plain answer is shown; a larger one is offered, unless a tab has opened, which is the answer. */
  #showResult(id: string, result: unknown, opened: boolean): void {
    if (result === null || result === undefined || result === "" || opened) return;
    const title = this.#command(id)?.title ?? id;
    if (typeof result !== "object" && String(result).length <= 200) {
      notify("success", String(result), title);
      return;
    }
    const text = typeof result === "string" ? result : JSON.stringify(result, null, 2);
    notify("success", `${title}: done`, "", { label: "Show the result", run: () => this.#panels.openText(title, text) });
  }

  #command(id: string): Command | undefined {
    return this.#catalog.value.commands.find((command) => command.id === id);
  }

  #has(id: string): boolean {
    return this.#command(id) !== undefined;
  }

  #paletteCommands(): PaletteCommand[] {
    const keys = new Map(this.#bindings().map(({ key, command }) => [command, key]));
    const local = this.#local
      .filter(({ available }) => available?.() ?? true)
      .map(({ id, title }) => ({ id, title, detail: "", key: keys.get(id) ?? "", parameters: [] }));
    const host = this.#catalog.value.commands.filter(({ listed }) => listed !== false).map(({ id, title, plugin, parameters }) => ({
      id,
      title: title || id,
      detail: plugin,
      key: keys.get(id) ?? "",
      parameters: parameters ?? [],
    }));
    return [...local, ...host];
  }

  #localCommands(): LocalCommand[] {
    const terminal = (id: string, title: string, run: (view: TerminalView) => void): LocalCommand => ({
      id: `terminal.${id}`,
      title: `Terminal: ${title}`,
      available: () => this.#panels.activeView instanceof TerminalView,
      run: () => {
        const view = this.#panels.activeView;
        if (view instanceof TerminalView) run(view);
      },
    });
    const editor = () => this.#panels.activeView instanceof EditorPane;
    return [
      { id: "workspace.palette", title: "Show all commands", available: () => false, run: openPalette },
      { id: "workspace.openFile", title: "Go to file", available: () => this.#has(OPEN_FILE), run: () => this.#askFile() },
      { id: "workspace.save", title: "File: Save", available: editor, run: () => this.#saveActive() },
      { id: "workspace.plugins", title: "Plugins: Show", run: () => this.#panels.openLocal("plugins") },
      { id: "workspace.activity", title: "Activity: What plugins use", run: () => this.#panels.openLocal("activity") },
      { id: "workspace.settings", title: "Settings: Show", run: () => this.#panels.openLocal("settings") },
      { id: "workspace.shortcuts", title: "Help: Keyboard shortcuts", run: () => this.#panels.openLocal("shortcuts") },
      { id: "workspace.toggleSidebar", title: "View: Show or hide the explorer", run: () => this.#toggleSidebar() },
      { id: "workspace.nextTheme", title: "View: Next theme", run: () => this.#nextTheme() },
      { id: "workspace.nextRegion", title: "View: Next part of the page", run: () => this.#focusRegion(1) },
      { id: "workspace.previousRegion", title: "View: Previous part of the page", run: () => this.#focusRegion(-1) },
      ...["dark", "light", "high-contrast"].map((name) => ({
        id: `workspace.theme.${name}`,
        title: `View: Theme ${name}`,
        run: () => void this.#setTheme(name),
      })),
      ...layoutCommands(
        () => this.#panels.layout,
        () => void this.#closeActive(),
      ),
      terminal("find", "Find", (view) => view.find()),
      terminal("copy", "Copy the selection", (view) => void view.copy().catch(notifyError)),
      terminal("paste", "Paste", (view) => void view.paste()),
      terminal("clear", "Clear", (view) => view.clear()),
      terminal("splitRight", "Split right", () => this.#splitTerminal()),
      terminal("screenReader", "Screen reader mode on or off", (view) =>
        notify("info", `Screen reader mode is ${view.toggleScreenReader() ? "on" : "off"}.`),
      ),
    ];
  }

  // -- keys ----------------------------------------------------------------------------------------------

  #bindings(): Binding[] {
    const own = this.#catalog.value.commands.flatMap(({ id, keybinding }) => {
      if (!keybinding) return [];
      const { key, when } = typeof keybinding === "string" ? { key: keybinding, when: "" } : keybinding;
      return [{ key, command: id, ...(when ? { when } : {}) }];
    });
    // The page's own come last, and so first: a plugin cannot take the palette away.
    return [...own, ...KEYS];
  }

  #shortcuts(): Shortcut[] {
    const titles = new Map(this.#local.map(({ id, title }) => [id, title]));
    for (const { id, title } of this.#catalog.value.commands) titles.set(id, title || id);
    return this.#bindings().flatMap(({ key, command, when }) => {
      const title = titles.get(command);
      const where = when === "terminalFocus" ? "in a terminal" : when === "!terminalFocus" ? "outside a terminal" : "";
      return title ? [{ title, key, where }] : [];
    });
  }

  #onKey(event: KeyboardEvent): void {
    if (event.isComposing || dialogOpen()) return;
    const target = event.target instanceof Element ? event.target : null;
    const context = {
      terminalFocus: Boolean(target?.closest(".terminal-screen")),
      editorFocus: Boolean(target?.closest(".editor-view")),
      inputFocus: Boolean(target?.closest("input, textarea, select")),
    };
    const command = commandFor(event, this.#bindings(), context);
    if (!command || (paletteOpen() && command !== "workspace.palette")) return;
    event.preventDefault();
    event.stopPropagation();
    const n = tabNumber(command);
    const remote = this.#command(command);
    if (n) this.#panels.layout.nthTab(n);
    else if (remote) this.#runAsking(remote);
    else void this.#run(command);
  }

  /** A key out of a plugin's page: it runs the page's own commands alone, which only move about in it. */
  #onFrameKey(key: Key): void {
    if (dialogOpen() || paletteOpen()) return;
    const command = commandFor(key as KeyboardEvent, KEYS, {});
    if (!command?.startsWith("workspace.")) return;
    const n = tabNumber(command);
    if (n) this.#panels.layout.nthTab(n);
    else void this.#run(command);
  }

  /** Run a plugin's command as the palette would: with a question for what it needs. */
  #runAsking({ id }: Command): void {
    const command = this.#paletteCommands().find((each) => each.id === id);
    if (command) runWithQuestions(command, this.#palette);
    else void this.#run(id);
  }

  #focusRegion(step: 1 | -1): void {
    focusRegion(step, () => this.#panels.focusActive());
  }

  // -- files ---------------------------------------------------------------------------------------------

  #openFile(path: string): void {
    if (this.#panels.activateFile(path, this.#folder.value)) return;
    if (this.#has(OPEN_FILE)) void this.#run(OPEN_FILE, { path });
    else this.#offerEditor();
  }

  #askFile(): void {
    const command = this.#command(OPEN_FILE);
    if (command) this.#runAsking(command);
    else this.#offerEditor();
  }

  #offerEditor(): void {
    const offered = this.#catalog.value.offers.some(({ id }) => id === "viloedit");
    const action = offered
      ? { label: "Install viloedit", run: () => void this.#installer.install(["viloedit"]) }
      : { label: "Show the plugins", run: () => this.#panels.openLocal("plugins") };
    notify("info", "No plugin that opens files is enabled.", "", action);
  }

  #saveActive(): void {
    const view = this.#panels.activeView;
    if (view instanceof EditorPane) void this.#save(view);
  }

  /** Save an editor; true when its text is on the disk. */
  async #save(pane: EditorPane, options: { path?: string; overwrite?: boolean } = {}): Promise<boolean> {
    try {
      await pane.save(options);
      void this.#explorer.refresh();
      this.#panels.saveSoon();
      return true;
    } catch (error) {
      const { code, detail } = HostError.of(error);
      if (code === "no_path") {
        const path = await askText("Save as", "Path in the workspace folder", "", "notes.md");
        return path !== null && this.#save(pane, { path });
      }
      if (code === "changed_on_disk" || code === "file_exists") {
        const choice = await ask("Overwrite the file?", detail, [{ id: "overwrite", label: "Overwrite", kind: "danger" }]);
        return choice !== null && this.#save(pane, { ...options, overwrite: true });
      }
      notifyError(error);
      return false;
    }
  }

  async #mayClose(pane: EditorPane, title: string): Promise<boolean> {
    const choice = await ask(`Save the changes to ${title}?`, "They are lost if you do not save them.", [
      { id: "discard", label: "Don't save", kind: "danger" },
      { id: "save", label: "Save", kind: "primary" },
    ]);
    return choice === "discard" || (choice === "save" && (await this.#save(pane)));
  }

  // -- tabs ----------------------------------------------------------------------------------------------

  async #closeActive(): Promise<void> {
    const id = this.#panels.active.value;
    if (id && (await this.#panels.layout.close(id))) this.#panels.focusActive();
  }

  #splitTerminal(): void {
    this.#panels.nextPlacement = "right";
    void this.#run(NEW_TERMINAL).finally(() => {
      this.#panels.nextPlacement = null;
    });
  }

  #welcome(): HTMLElement {
    const element = document.createElement("div");
    element.className = "welcome-slot";
    const actions = (): WelcomeAction[] => [
      { icon: "terminal", label: "New terminal", needs: NEW_TERMINAL, key: this.#keyOf(NEW_TERMINAL), run: () => void this.#run(NEW_TERMINAL) },
      { icon: "file", label: "New file", needs: NEW_FILE, key: this.#keyOf(NEW_FILE), run: () => void this.#run(NEW_FILE) },
      { icon: "search", label: "Go to file", needs: OPEN_FILE, key: "ctrl+p", run: () => this.#askFile() },
      { icon: "command", label: "Show all commands", needs: "", key: "f1", run: openPalette },
      { icon: "keyboard", label: "Keyboard shortcuts", needs: "", key: "", run: () => this.#panels.openLocal("shortcuts") },
      { icon: "plugin", label: "Plugins", needs: "", key: "", run: () => this.#panels.openLocal("plugins") },
    ];
    render(
      <Welcome catalog={this.#catalog} ready={this.#ready} installer={this.#installer} actions={actions} />,
      element,
    );
    return element;
  }

  #keyOf(command: string): string {
    return this.#bindings().findLast((binding) => binding.command === command)?.key ?? "";
  }

  #groupActions(split: () => void): HTMLElement {
    const row = document.createElement("div");
    row.className = "group-actions";
    const button = (icon: string, label: string, onClick: () => void) => {
      const element = document.createElement("button");
      element.className = "icon-button";
      element.title = label;
      element.setAttribute("aria-label", label);
      element.append(iconElement(icon, 15));
      element.addEventListener("click", onClick);
      row.append(element);
    };
    button("plus", "New terminal", () =>
      this.#has(NEW_TERMINAL) ? void this.#run(NEW_TERMINAL) : this.#panels.openLocal("plugins"),
    );
    button("split", "Split right", split);
    return row;
  }

  #drawStatus(): void {
    const view = this.#panels.activeView;
    const items: string[] = [];
    if (view instanceof EditorPane) {
      const { line, column } = view.cursor;
      items.push(`Ln ${line}, Col ${column}`, view.language === "text" ? "plain text" : view.language);
    }
    this.#status.set({ items });
  }

  #toggleSidebar(): void {
    this.#sidebar.update((sidebar) => ({ ...sidebar, shown: !sidebar.shown }));
  }

  // -- themes and plugins --------------------------------------------------------------------------------

  #nextTheme(): void {
    const { theme: name, themes } = theme.value;
    void this.#setTheme(themes[(themes.indexOf(name) + 1) % themes.length] ?? "dark");
  }

  async #setTheme(name: string): Promise<void> {
    try {
      applyThemes(await this.#channel.request<ThemeState>("theme.set", { theme: name }));
    } catch (error) {
      notifyError(error);
    }
  }

  #pluginActions(): PluginActions {
    const change = async (method: string, id: string, done: string) => {
      try {
        await this.#channel.request(method, { ids: [id] });
        notify("success", `${id} ${done}.`);
      } catch (error) {
        notifyError(error);
      }
      this.#readCatalog();
    };
    return {
      catalog: this.#catalog,
      installer: this.#installer,
      enable: (id) => void change("plugins.enable", id, "is enabled"),
      disable: async (id) => {
        if (await this.#letGoOf(id)) void change("plugins.disable", id, "is disabled");
      },
      uninstall: async (id) => {
        const choice = await ask(`Uninstall ${id}?`, "Its tabs close. Its data and settings stay for another time.", [
          { id: "uninstall", label: "Uninstall", kind: "danger" },
        ]);
        if (choice && (await this.#letGoOf(id))) void change("plugins.uninstall", id, "is uninstalled");
      },
      permit: async (plugin, permission, allow) => {
        try {
          const method = allow ? "permissions.grant" : "permissions.revoke";
          const { restarted, terminals_closed } = await this.#channel.request<{
            restarted: boolean;
            terminals_closed: boolean;
          }>(method, { plugin, permissions: [permission] });
          const hint = restarted ? `${plugin} was started anew.` : terminals_closed ? "Its terminals were closed." : "";
          notify("success", allow ? `${plugin} may ${permission}.` : `${plugin} may not ${permission} any more.`, hint);
        } catch (error) {
          notifyError(error);
        }
        this.#readCatalog();
      },
    };
  }

  /** Ask for each text of a plugin that is not saved: the plugin is about to go. */
  async #letGoOf(plugin: string): Promise<boolean> {
    for (const { id } of this.#panels.editors(plugin)) {
      if (!(await this.#panels.mayClose(id))) return false;
    }
    return true;
  }
}

function pick({ commands, widgets, plugins, offers }: Catalog): Catalog {
  return { commands, widgets, plugins, offers };
}

function rememberedSidebar(): Sidebar {
  const narrow = innerWidth < 720;
  try {
    const { shown, width } = JSON.parse(localStorage.getItem(SIDEBAR) ?? "{}");
    return { shown: typeof shown === "boolean" ? shown : !narrow, width: typeof width === "number" ? width : 236 };
  } catch {
    return { shown: !narrow, width: 236 };
  }
}
