// Every key that does something, and what it does.

import type { JSX } from "preact";

import { byTitle, rich, t } from "../i18n.ts";
import { Keycaps } from "../shell/keycaps.tsx";
import { type Store, useStore } from "../store.ts";
import type { Catalog } from "../wire.ts";

export interface Shortcut {
  title: string;
  key: string;
  where: string;
}

/** Keys of the terminal and the editor themselves, which no command stands for. */
const builtIn = (): Shortcut[] => [
  { title: t("editor.key.find"), key: "ctrl+f", where: t("shortcuts.in_editor") },
  { title: t("editor.key.tab"), key: "ctrl+m", where: t("shortcuts.in_editor") },
  { title: t("editor.key.comment"), key: "ctrl+/", where: t("shortcuts.in_editor") },
  { title: t("command.close_tab"), key: "delete", where: t("shortcuts.on_tab") },
];

export function ShortcutsView({ changes, list }: { changes: Store<Catalog>; list: () => Shortcut[] }): JSX.Element {
  useStore(changes);
  const rows = [...list(), ...builtIn()].sort(byTitle);
  return (
    <div class="page" data-testid="shortcuts-view">
      <header class="page-head">
        <h1>{t("shortcuts.title")}</h1>
        <p>{rich("shortcuts.lead", { key: <Keycaps chord="f6" /> })}</p>
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
