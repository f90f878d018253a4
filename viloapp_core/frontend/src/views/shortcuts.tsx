// Every key that does something, and what it does.

import type { JSX } from "preact";

import { Keycaps } from "../shell/keycaps.tsx";
import { type Store, useStore } from "../store.ts";
import type { Catalog } from "../wire.ts";

export interface Shortcut {
  title: string;
  key: string;
  where: string;
}

/** Keys of the terminal and the editor themselves, which no command stands for. */
const BUILT_IN: Shortcut[] = [
  { title: "Editor: Find and replace", key: "ctrl+f", where: "in an editor" },
  { title: "Editor: Tab moves the focus, on or off", key: "ctrl+m", where: "in an editor" },
  { title: "Editor: Toggle comment", key: "ctrl+/", where: "in an editor" },
  { title: "Tabs: Close", key: "delete", where: "on a tab" },
];

export function ShortcutsView({ changes, list }: { changes: Store<Catalog>; list: () => Shortcut[] }): JSX.Element {
  useStore(changes);
  const rows = [...list(), ...BUILT_IN].sort((a, b) => a.title.localeCompare(b.title));
  return (
    <div class="page" data-testid="shortcuts-view">
      <header class="page-head">
        <h1>Keyboard shortcuts</h1>
        <p>
          A terminal keeps Tab for its program: <Keycaps chord="f6" /> leaves it for the next part of the page.
        </p>
      </header>
      <ul class="shortcuts">
        {rows.map(({ title, key, where }) => (
          <li key={`${title} ${key}`}>
            <span>
              {title} {where && <span class="quiet">{where}</span>}
            </span>
            <Keycaps chord={key} />
          </li>
        ))}
      </ul>
    </div>
  );
}
