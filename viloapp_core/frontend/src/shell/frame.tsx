// The frame around the tabs: the bar at the top, the sidebar, the line at the bottom.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { Channel } from "../channel.ts";
import { language, languageName, rich, t } from "../i18n.ts";
import { Icon, Logo } from "../icons.tsx";
import { type Store, useStore } from "../store.ts";
import type { BrokenSave, Catalog, ThemeState } from "../wire.ts";
import { BrokenSaves } from "./broken-saves.tsx";
import { Dialogs } from "./dialogs.tsx";
import { Explorer, type ExplorerModel } from "./explorer.tsx";
import { Keycaps } from "./keycaps.tsx";
import { Palette, type PaletteHost, openPalette } from "./palette.tsx";
import { stateWords, themeName } from "../words.ts";
import { Toasts } from "./toasts.tsx";

export interface Sidebar {
  shown: boolean;
  width: number;
}

/** What the bottom line says of the front tab. */
export interface TabStatus {
  items: string[];
}

export interface FrameProps {
  channel: Channel;
  catalog: Store<Catalog>;
  folder: Store<string>;
  version: Store<string>;
  sidebar: Store<Sidebar>;
  status: Store<TabStatus>;
  theme: Store<ThemeState>;
  brokenSaves: Store<BrokenSave[]>;
  explorer: ExplorerModel;
  palette: PaletteHost;
  run(command: string): void;
  /** Puts the tabs into their place. */
  mountTabs(element: HTMLElement): void;
}

export function Frame(props: FrameProps): JSX.Element {
  const tabs = useRef<HTMLDivElement>(null);
  const { shown, width } = useStore(props.sidebar);
  useStore(language);
  useEffect(() => props.mountTabs(tabs.current!), []);
  return (
    <div class="frame">
      <TopBar {...props} />
      <BrokenSaves saves={props.brokenSaves} />
      <div class="middle">
        {shown && (
            <nav class="sidebar" style={{ width: `${width}px` }} aria-label={t("explorer.title")} data-region="sidebar">
              <Explorer model={props.explorer} />
              <Sash sidebar={props.sidebar} />
            </nav>
        )}
        <main class="tabs" data-region="tabs" ref={tabs} aria-label={t("tabs.title")} />
      </div>
      <StatusBar {...props} />
      <Connection channel={props.channel} />
      <Toasts />
      <Palette host={props.palette} />
      <Dialogs />
    </div>
  );
}

function TopBar({ folder, run, sidebar }: FrameProps): JSX.Element {
  const path = useStore(folder);
  const { shown } = useStore(sidebar);
  return (
    <header class="top" data-region="top">
      <div class="top-side">
        <Logo />
        <h1 class="brand">ViloApp</h1>
        <IconButton
          icon="sidebar"
          label={t(shown ? "explorer.hide" : "explorer.show")}
          pressed={shown}
          onClick={() => run("workspace.toggleSidebar")}
        />
      </div>
      <button class="command-box" data-testid="open-palette" title={t("command.palette")} onClick={() => openPalette()}>
        <Icon name="search" size={14} />
        <span>{path ? path.split("/").at(-1) || path : t("palette.place")}</span>
        <Keycaps chord="f1" />
      </button>
      <div class="top-side end">
        <IconButton icon="theme" label={t("status.theme")} onClick={() => run("workspace.nextTheme")} />
        <IconButton icon="plugin" label={t("plugins.title")} testid="open-plugins" onClick={() => run("workspace.plugins")} />
        <IconButton icon="activity" label={t("activity.title")} testid="open-activity" onClick={() => run("workspace.activity")} />
        <IconButton icon="settings" label={t("settings.title")} testid="open-settings" onClick={() => run("workspace.settings")} />
      </div>
    </header>
  );
}

function IconButton(props: {
  icon: string;
  label: string;
  testid?: string;
  pressed?: boolean;
  onClick: () => void;
}): JSX.Element {
  return (
    <button
      class="icon-button"
      aria-label={props.label}
      aria-pressed={props.pressed}
      title={props.label}
      data-testid={props.testid}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}

const MIN_WIDTH = 160;
const MAX_WIDTH = 560;

/** The edge of the sidebar: dragged, or moved with the arrow keys (the ARIA window splitter pattern). */
function Sash({ sidebar }: { sidebar: Store<Sidebar> }): JSX.Element {
  const { width } = useStore(sidebar);
  const resize = (next: number) =>
    sidebar.update((now) => ({ ...now, width: Math.round(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, next))) }));
  const onPointerDown = (down: PointerEvent) => {
    const handle = down.currentTarget as HTMLElement;
    handle.setPointerCapture(down.pointerId);
    const move = (event: PointerEvent) => resize(width + (event.clientX - down.clientX) * along(handle));
    handle.addEventListener("pointermove", move);
    handle.addEventListener("lostpointercapture", () => handle.removeEventListener("pointermove", move), { once: true });
  };
  return (
    <div
      class="sash"
      role="separator"
      tabIndex={0}
      aria-label={t("explorer.width")}
      aria-orientation="vertical"
      aria-valuenow={width}
      aria-valuemin={MIN_WIDTH}
      aria-valuemax={MAX_WIDTH}
      onPointerDown={onPointerDown}
      onKeyDown={(event) => {
        const step = 16 * along(event.currentTarget);
        if (event.key === "ArrowLeft") resize(width - step);
        else if (event.key === "ArrowRight") resize(width + step);
      }}
    />
  );
}

/** 1 where the sidebar grows to the right, -1 where the page is mirrored. */
const along = (element: Element): 1 | -1 => (getComputedStyle(element).direction === "rtl" ? -1 : 1);

function StatusBar({ channel, catalog, folder, version, status, theme, run }: FrameProps): JSX.Element {
  const connection = useStore(channel.state);
  const { plugins } = useStore(catalog);
  const path = useStore(folder);
  const number = useStore(version);
  const { items } = useStore(status);
  const { theme: name } = useStore(theme);
  return (
    <footer class="status" data-region="status" aria-label={t("status.title")}>
      <span class={`status-item connection ${connection}`} data-testid="connection" data-state={connection} role="status">
        <span class="dot" aria-hidden="true" />
        {t(`connection.${connection}`)}
      </span>
      <span class="status-item path" title={path} data-testid="folder">
        <Icon name="folder" size={13} />
        {path}
      </span>
      {plugins
        .filter(({ enabled }) => enabled)
        .map(({ id, state, detail }) => (
          <button
            key={id}
            class={`status-item state ${state ?? "stopped"}`}
            data-testid={`status-${id}`}
            data-state={state}
            title={`${id}: ${stateWords(state ?? "stopped")}${detail ? `, ${detail}` : ""}`}
            onClick={() => run("workspace.plugins")}
          >
            <span class="dot" aria-hidden="true" />
            {id}
          </button>
        ))}
      <span class="grow" />
      {items.map((item) => (
        <span key={item} class="status-item">
          {item}
        </span>
      ))}
      <button class="status-item language" title={t("status.language")} data-testid="language" onClick={() => openPalette(t("command.language", { name: "" }).replaceAll(/[\u2068\u2069]/g, "").trim())}>
        {languageName(language.value)}
      </button>
      <button class="status-item" title={t("status.theme")} onClick={() => run("workspace.nextTheme")}>
        {themeName(name)}
      </button>
      <span class="status-item faint">{number}</span>
    </footer>
  );
}

/** What is said over everything while nothing can be done. */
function Connection({ channel }: { channel: Channel }): JSX.Element | null {
  const state = useStore(channel.state);
  if (state === "refused") {
    return (
      <div class="curtain" role="alertdialog" aria-labelledby="curtain-title" data-testid="refused">
        <div class="curtain-box">
          <Logo size={36} />
          <h1 id="curtain-title">{t("connection.refused_title")}</h1>
          <p>{rich("connection.refused_text", { hash: <code>#</code>, command: <code>viloapp</code> })}</p>
        </div>
      </div>
    );
  }
  if (state !== "lost") return null;
  return (
    <div class="lost" role="status" data-testid="lost">
      <span class="spinner" aria-hidden="true" />
      {t("connection.lost_text")}
      <button class="link" onClick={() => channel.retryNow()}>
        {t("connection.retry")}
      </button>
    </div>
  );
}
