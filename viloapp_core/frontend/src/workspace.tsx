// The composition root of the page: who knows whom.

import { render } from "preact";

import { Channel } from "./channel.ts";
import { KEYS, type LocalCommand, layoutCommands, tabNumber } from "./commands.ts";
import { LANGUAGES, type Key, label, language, languageName, setLocale, t } from "./i18n.ts";
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
import type { Key as FrameKey } from "./views/webview.ts";
import { Welcome, type WelcomeAction } from "./views/welcome.tsx";
import { type BrokenSave, type Catalog, type Command, type Hello, HostError, type Notification, type PermissionQuestion, type ThemeState } from "./wire.ts";
import { themeName } from "./words.ts";

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
        plugins: { title: () => t("plugins.title"), icon: "plugin", content: () => <PluginsView actions={this.#pluginActions()} /> },
        shortcuts: {
          title: () => t("shortcuts.tab"),
          icon: "keyboard",
          content: () => <ShortcutsView changes={this.#catalog} list={() => this.#shortcuts()} />,
        },
        activity: { title: () => t("activity.title"), icon: "activity", content: () => <ActivityView channel={this.#channel} /> },
        settings: { title: () => t("settings.title"), icon: "settings", content: () => <SettingsView channel={this.#channel} /> },
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
      await setLocale(hello.locale);
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
    this.#channel.on<{ locale: string }>("locale.changed", ({ locale }) => {
      void setLocale(locale);
      this.#readCatalog();
    });
    language.subscribe(() => this.#panels.translate());
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
    notify("success", t("result.done", { title }), "", { label: t("result.show"), run: () => this.#panels.openText(title, text) });
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
      .map(({ id, title }) => ({ id, title: title(), detail: "", key: keys.get(id) ?? "", parameters: [] }));
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
    const terminal = (id: string, title: Key, run: (view: TerminalView) => void): LocalCommand => ({
      id: `terminal.${id}`,
      title: () => t(title),
      available: () => this.#panels.activeView instanceof TerminalView,
      run: () => {
        const view = this.#panels.activeView;
        if (view instanceof TerminalView) run(view);
      },
    });
    const editor = () => this.#panels.activeView instanceof EditorPane;
    return [
      { id: "workspace.palette", title: () => t("command.palette"), available: () => false, run: () => openPalette() },
      { id: "workspace.openFile", title: () => t("command.open_file"), available: () => this.#has(OPEN_FILE), run: () => this.#askFile() },
      { id: "workspace.save", title: () => t("command.save"), available: editor, run: () => this.#saveActive() },
      { id: "workspace.plugins", title: () => t("command.plugins"), run: () => this.#panels.openLocal("plugins") },
      { id: "workspace.activity", title: () => t("command.activity"), run: () => this.#panels.openLocal("activity") },
      { id: "workspace.settings", title: () => t("command.settings"), run: () => this.#panels.openLocal("settings") },
      { id: "workspace.shortcuts", title: () => t("command.shortcuts"), run: () => this.#panels.openLocal("shortcuts") },
      { id: "workspace.toggleSidebar", title: () => t("command.toggle_sidebar"), run: () => this.#toggleSidebar() },
      { id: "workspace.nextTheme", title: () => t("command.next_theme"), run: () => this.#nextTheme() },
      { id: "workspace.nextRegion", title: () => t("command.next_region"), run: () => this.#focusRegion(1) },
      { id: "workspace.previousRegion", title: () => t("command.previous_region"), run: () => this.#focusRegion(-1) },
      ...["dark", "light", "high-contrast"].map((name) => ({
        id: `workspace.theme.${name}`,
        title: () => t("command.theme", { name: themeName(name) }),
        run: () => void this.#setTheme(name),
      })),
      ...LANGUAGES.map((name) => ({
        id: `workspace.language.${name}`,
        title: () => t("command.language", { name: languageName(name) }),
        run: () => void this.#channel.request("settings.set", { key: "core.locale", value: name }).catch(notifyError),
      })),
      ...layoutCommands(
        () => this.#panels.layout,
        () => void this.#closeActive(),
      ),
      terminal("find", "command.terminal.find", (view) => view.find()),
      terminal("copy", "command.terminal.copy", (view) => void view.copy().catch(notifyError)),
      terminal("paste", "command.terminal.paste", (view) => void view.paste()),
      terminal("clear", "command.terminal.clear", (view) => view.clear()),
      terminal("splitRight", "command.terminal.split", () => this.#splitTerminal()),
      terminal("screenReader", "command.terminal.screen_reader", (view) =>
        notify("info", t("terminal.screen_reader", { on: view.toggleScreenReader() ? "on" : "off" })),
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
    const titles = new Map(this.#local.map(({ id, title }) => [id, title()]));
    for (const { id, title } of this.#catalog.value.commands) titles.set(id, title || id);
    return this.#bindings().flatMap(({ key, command, when }) => {
      const title = titles.get(command);
      const where = when === "terminalFocus" ? t("shortcuts.in_terminal") : when === "!terminalFocus" ? t("shortcuts.outside_terminal") : "";
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
  #onFrameKey(key: FrameKey): void {
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
      ? { label: t("install.install_one", { name: "viloedit" }), run: () => void this.#installer.install(["viloedit"]) }
      : { label: t("plugins.show"), run: () => this.#panels.openLocal("plugins") };
    notify("info", t("file.no_editor"), "", action);
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
        const path = await askText(t("file.save_as"), t("file.path"), "", "notes.md");
        return path !== null && this.#save(pane, { path });
      }
      if (code === "changed_on_disk" || code === "file_exists") {
        const choice = await ask(t("file.overwrite_title"), detail, [{ id: "overwrite", label: t("file.overwrite"), kind: "danger" }]);
        return choice !== null && this.#save(pane, { ...options, overwrite: true });
      }
      notifyError(error);
      return false;
    }
  }

  async #mayClose(pane: EditorPane, title: string): Promise<boolean> {
    const choice = await ask(t("file.save_changes", { title }), t("file.lost_if_not"), [
      { id: "discard", label: t("file.discard"), kind: "danger" },
      { id: "save", label: t("file.save"), kind: "primary" },
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
      { icon: "terminal", label: t("welcome.new_terminal"), needs: NEW_TERMINAL, key: this.#keyOf(NEW_TERMINAL), run: () => void this.#run(NEW_TERMINAL) },
      { icon: "file", label: t("welcome.new_file"), needs: NEW_FILE, key: this.#keyOf(NEW_FILE), run: () => void this.#run(NEW_FILE) },
      { icon: "search", label: t("command.open_file"), needs: OPEN_FILE, key: "ctrl+p", run: () => this.#askFile() },
      { icon: "command", label: t("command.palette"), needs: "", key: "f1", run: () => openPalette() },
      { icon: "keyboard", label: t("shortcuts.title"), needs: "", key: "", run: () => this.#panels.openLocal("shortcuts") },
      { icon: "plugin", label: t("plugins.title"), needs: "", key: "", run: () => this.#panels.openLocal("plugins") },
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
    const button = (icon: string, text: Key, onClick: () => void) => {
      const element = document.createElement("button");
      element.className = "icon-button";
      label(element, text);
      element.append(iconElement(icon, 15));
      element.addEventListener("click", onClick);
      row.append(element);
    };
    button("plus", "welcome.new_terminal", () =>
      this.#has(NEW_TERMINAL) ? void this.#run(NEW_TERMINAL) : this.#panels.openLocal("plugins"),
    );
    button("split", "tabs.split", split);
    return row;
  }

  #drawStatus(): void {
    const view = this.#panels.activeView;
    const items: string[] = [];
    if (view instanceof EditorPane) {
      const { line, column } = view.cursor;
      items.push(t("editor.place", { line, column }), view.language === "text" ? t("editor.plain_text") : view.language);
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
    const change = async (method: string, id: string, done: Key) => {
      try {
        await this.#channel.request(method, { ids: [id] });
        notify("success", t(done, { plugin: id }));
      } catch (error) {
        notifyError(error);
      }
      this.#readCatalog();
    };
    return {
      catalog: this.#catalog,
      installer: this.#installer,
      enable: (id) => void change("plugins.enable", id, "plugin.enabled"),
      disable: async (id) => {
        if (await this.#letGoOf(id)) void change("plugins.disable", id, "plugin.disabled");
      },
      uninstall: async (id) => {
        const choice = await ask(t("plugin.uninstall_title", { plugin: id }), t("plugin.uninstall_text"), [
          { id: "uninstall", label: t("plugin.uninstall"), kind: "danger" },
        ]);
        if (choice && (await this.#letGoOf(id))) void change("plugins.uninstall", id, "plugin.uninstalled");
      },
      permit: async (plugin, permission, allow) => {
        try {
          const method = allow ? "permissions.grant" : "permissions.revoke";
          const { restarted, terminals_closed } = await this.#channel.request<{
            restarted: boolean;
            terminals_closed: boolean;
          }>(method, { plugin, permissions: [permission] });
          const hint = restarted
            ? t("permission.restarted", { plugin })
            : terminals_closed
              ? t("permission.terminals_closed")
              : "";
          notify("success", t(allow ? "permission.granted" : "permission.revoked", { plugin, permission }), hint);
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
