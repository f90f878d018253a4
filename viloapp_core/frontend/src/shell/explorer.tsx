// The explorer: the workspace folder as a tree (the ARIA tree pattern), read folder by folder.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { Channel } from "../channel.ts";
import { isRightToLeft, language, t } from "../i18n.ts";
import { Icon } from "../icons.tsx";
import { Store, useStore } from "../store.ts";
import type { FileEntry, FileListing } from "../wire.ts";
import { rank } from "./match.tsx";
import { notifyError } from "./toasts.tsx";

const LOOK_EVERY_MS = 5000;

// What nobody edits by hand; a terminal shows them.
const HIDDEN = new Set([".git", "__pycache__", ".DS_Store"]);

// Folders of things that were made or fetched: not searched for files by name.
const NOT_SEARCHED = new Set(["node_modules", ".venv", "venv", ".tox", ".nox", "dist", "build", ".mypy_cache", ".ruff_cache"]);
const SEARCH_MAX = 5000;
const SHOWN_MAX = 100;
const SEARCH_KEPT_MS = 10_000;

interface TreeState {
  root: string;
  children: ReadonlyMap<string, FileListing>;
  open: ReadonlySet<string>;
  at: string;
}

interface Row {
  entry: FileEntry;
  level: number;
  position: number;
  siblings: number;
}

export class ExplorerModel {
  readonly state = new Store<TreeState>({ root: "", children: new Map(), open: new Set(), at: "" });

  #found: { root: string; at: number; files: string[] } | null = null;

  constructor(
    private readonly channel: Channel,
    private readonly openFile: (path: string) => void,
  ) {
    setInterval(() => document.visibilityState === "visible" && void this.refresh(), LOOK_EVERY_MS);
    addEventListener("focus", () => void this.refresh());
  }

  async start(root: string): Promise<void> {
    if (root !== this.state.value.root) this.state.set({ root, children: new Map(), open: new Set(), at: "" });
    await this.refresh();
  }

  /** Read every open folder again; folders that are gone close by themselves. */
  async refresh(): Promise<void> {
    const { root, open, children } = this.state.value;
    if (!root || this.channel.state.value !== "open") return;
    const paths = [root, ...open];
    const lists = await Promise.all(paths.map((path) => this.list(path).catch(() => null)));
    const found = new Map<string, FileListing>();
    paths.forEach((path, index) => lists[index] && found.set(path, lists[index]));
    const same = (path: string) => JSON.stringify(children.get(path)) === JSON.stringify(found.get(path));
    if (found.size === children.size && paths.every(same)) return;
    this.state.update((state) => ({
      ...state,
      children: found,
      open: new Set([...state.open].filter((path) => found.has(path))),
    }));
  }

  async list(path: string): Promise<FileListing> {
    const listing = await this.channel.request<FileListing>("files.list", { path });
    return { ...listing, entries: listing.entries.filter(({ name }) => !HIDDEN.has(name)) };
  }

  rows(): Row[] {
    const { root, children, open } = this.state.value;
    const rows: Row[] = [];
    const visit = (folder: string, level: number) => {
      const entries = children.get(folder)?.entries ?? [];
      entries.forEach((entry, index) => {
        rows.push({ entry, level, position: index + 1, siblings: entries.length });
        if (open.has(entry.path)) visit(entry.path, level + 1);
      });
    };
    visit(root, 1);
    return rows;
  }

  select(path: string): void {
    this.state.update((state) => ({ ...state, at: path }));
  }

  async toggle(path: string): Promise<void> {
    const { open } = this.state.value;
    if (open.has(path)) {
      this.state.update((state) => ({ ...state, open: new Set([...open].filter((each) => each !== path)) }));
      return;
    }
    try {
      const listing = await this.list(path);
      this.state.update((state) => ({
        ...state,
        open: new Set([...state.open, path]),
        children: new Map([...state.children, [path, listing]]),
      }));
    } catch (error) {
      notifyError(error);
    }
  }

  collapse(): void {
    this.state.update((state) => ({ ...state, open: new Set() }));
  }

  activate({ kind, path }: FileEntry): void {
    this.select(path);
    if (kind === "folder") void this.toggle(path);
    else if (kind === "file") this.openFile(path);
  }

  /** Paths that a typed text could mean: what is in the folder that it names, else files by name. */
  async complete(text: string): Promise<string[]> {
    const { root } = this.state.value;
    try {
      if (text && !text.endsWith("/")) {
        return rank(text, await this.#files(), (path) => path).slice(0, SHOWN_MAX).map(({ item }) => item);
      }
      const { entries } = await this.list(`${root}/${text}`);
      return entries
        .filter(({ kind }) => kind !== "other")
        .slice(0, SHOWN_MAX)
        .map(({ name, kind }) => `${text}${name}${kind === "folder" ? "/" : ""}`);
    } catch {
      return [];
    }
  }

  /** The files of the workspace, nearest first, up to a bound; read anew when they are a while old. */
  async #files(): Promise<string[]> {
    const { root } = this.state.value;
    if (this.#found && this.#found.root === root && performance.now() - this.#found.at < SEARCH_KEPT_MS) {
      return this.#found.files;
    }
    const files: string[] = [];
    let folders = [root];
    while (folders.length > 0 && files.length < SEARCH_MAX) {
      const lists = await Promise.all(folders.slice(0, 32).map((path) => this.list(path).catch(() => null)));
      folders = folders.slice(32);
      for (const { name, path, kind } of lists.flatMap((listing) => listing?.entries ?? [])) {
        if (kind === "file") files.push(path.slice(root.length + 1));
        else if (kind === "folder" && !NOT_SEARCHED.has(name)) folders.push(path);
      }
    }
    this.#found = { root, at: performance.now(), files };
    return files;
  }
}

export function Explorer({ model }: { model: ExplorerModel }): JSX.Element {
  const { root, open, at, children } = useStore(model.state);
  const tree = useRef<HTMLUListElement>(null);
  const rows = model.rows();
  const current = rows.some(({ entry }) => entry.path === at) ? at : rows[0]?.entry.path;
  useEffect(() => {
    if (tree.current?.contains(document.activeElement)) {
      tree.current.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
    }
  }, [at]);

  const onKey = (event: KeyboardEvent) => {
    const index = rows.findIndex(({ entry }) => entry.path === current);
    const row = rows[index];
    if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
    const go = (target: number) => rows[target] && model.select(rows[target].entry.path);
    const isOpen = open.has(row.entry.path);
    const [inward, outward] = isRightToLeft(language.value) ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"];
    if (event.key === "ArrowDown") go(index + 1);
    else if (event.key === "ArrowUp") go(index - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(rows.length - 1);
    else if (event.key === "Enter" || event.key === " ") model.activate(row.entry);
    else if (event.key === inward && row.entry.kind === "folder") {
      if (isOpen) go(index + 1);
      else void model.toggle(row.entry.path);
    } else if (event.key === outward) {
      if (isOpen) void model.toggle(row.entry.path);
      else go(rows.findLastIndex((each, place) => place < index && each.level < row.level));
    } else if (event.key.length === 1) {
      const letter = event.key.toLowerCase();
      const order = [...rows.slice(index + 1), ...rows.slice(0, index)];
      const hit = order.find(({ entry }) => entry.name.toLowerCase().startsWith(letter));
      if (hit) model.select(hit.entry.path);
    } else return;
    event.preventDefault();
  };
  return (
    <div class="explorer">
      <div class="sidebar-heading">
        <h2 title={root}>{root.split("/").at(-1) || root}</h2>
        <button class="icon-button" aria-label={t("explorer.collapse")} title={t("explorer.collapse")} onClick={() => model.collapse()}>
          <Icon name="collapse" size={14} />
        </button>
        <button class="icon-button" aria-label={t("explorer.refresh")} title={t("explorer.refresh")} onClick={() => void model.refresh()}>
          <Icon name="refresh" size={14} />
        </button>
      </div>
      <ul ref={tree} class="tree" role="tree" aria-label={t("explorer.files")} data-testid="explorer" onKeyDown={onKey}>
        {rows.map(({ entry, level, position, siblings }) => (
          <li
            key={entry.path}
            role="treeitem"
            class={`tree-row ${entry.kind}${entry.name.startsWith(".") ? " dim" : ""}`}
            style={{ paddingInlineStart: `${8 + (level - 1) * 14}px` }}
            tabIndex={entry.path === current ? 0 : -1}
            aria-level={level}
            aria-posinset={position}
            aria-setsize={siblings}
            aria-selected={entry.path === at}
            aria-expanded={entry.kind === "folder" ? open.has(entry.path) : undefined}
            data-testid="file"
            data-path={entry.path}
            title={entry.path}
            onClick={() => model.activate(entry)}
            onFocus={() => entry.path !== at && model.select(entry.path)}
          >
            <span class="twist">{entry.kind === "folder" && <Icon name="chevron" size={12} />}</span>
            <Icon name={entry.kind === "folder" ? (open.has(entry.path) ? "folder-open" : "folder") : "file"} size={15} />
            <span class="tree-name" dir="auto">{entry.name}</span>
          </li>
        ))}
      </ul>
      {rows.length === 0 && children.has(root) && <p class="quiet pad">{t("explorer.empty")}</p>}
      {[...children.values()].some(({ truncated }) => truncated) && (
        <p class="quiet pad">{t("explorer.truncated")}</p>
      )}
    </div>
  );
}
