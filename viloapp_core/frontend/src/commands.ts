// The page's own commands and keys; the plugins' come from the host and are run there.

import type { Layout } from "./layout.ts";
import { type Key, t } from "./i18n.ts";
import type { Binding } from "./keys.ts";

export interface LocalCommand {
  id: string;
  /** In the language of this moment. */
  title: () => string;
  key?: string;
  /** Only offered while this holds. */
  available?: () => boolean;
  run: () => void;
}

/** Keys that are not a command's own: the condition says where they would be missed by something else. */
export const KEYS: Binding[] = [
  { key: "f1", command: "workspace.palette" },
  { key: "ctrl+shift+p", command: "workspace.palette" },
  { key: "f6", command: "workspace.nextRegion" },
  { key: "shift+f6", command: "workspace.previousRegion" },
  { key: "alt+w", command: "workspace.closeTab" },
  { key: "alt+pagedown", command: "workspace.nextTab" },
  { key: "alt+pageup", command: "workspace.previousTab" },
  { key: "alt+shift+left", command: "workspace.focusLeft" },
  { key: "alt+shift+right", command: "workspace.focusRight" },
  { key: "alt+shift+up", command: "workspace.focusUp" },
  { key: "alt+shift+down", command: "workspace.focusDown" },
  { key: "ctrl+alt+\\", command: "workspace.splitRight" },
  { key: "ctrl+alt+-", command: "workspace.splitDown" },
  // A shell needs these itself.
  { key: "ctrl+b", command: "workspace.toggleSidebar", when: "!terminalFocus" },
  { key: "ctrl+,", command: "workspace.settings", when: "!terminalFocus" },
  { key: "ctrl+p", command: "workspace.openFile", when: "!terminalFocus" },
  { key: "ctrl+s", command: "workspace.save", when: "!terminalFocus" },
  { key: "ctrl+shift+f", command: "terminal.find", when: "terminalFocus" },
  { key: "ctrl+shift+c", command: "terminal.copy", when: "terminalFocus" },
  { key: "ctrl+shift+v", command: "terminal.paste", when: "terminalFocus" },
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ({ key: `alt+${n}`, command: `workspace.tab${n}` })),
];

/** Moving about in the tabs. */
export function layoutCommands(layout: () => Layout, closeActive: () => void): LocalCommand[] {
  const go = (id: string, title: Key, run: (layout: Layout) => void): LocalCommand => ({
    id: `workspace.${id}`,
    title: () => t(title),
    run: () => run(layout()),
  });
  const commands = [
    { id: "workspace.closeTab", title: () => t("command.close_tab"), run: closeActive },
    go("nextTab", "command.next_tab", (tabs) => tabs.nextTab(1)),
    go("previousTab", "command.previous_tab", (tabs) => tabs.nextTab(-1)),
    go("splitRight", "command.split_right", (tabs) => tabs.split("right")),
    go("splitDown", "command.split_down", (tabs) => tabs.split("down")),
    go("maximize", "command.maximize", (tabs) => tabs.toggleMaximized()),
    go("wider", "command.wider", (tabs) => tabs.resize("width", 60)),
    go("narrower", "command.narrower", (tabs) => tabs.resize("width", -60)),
    go("taller", "command.taller", (tabs) => tabs.resize("height", 40)),
    go("lower", "command.lower", (tabs) => tabs.resize("height", -40)),
  ];
  for (const direction of ["left", "right", "up", "down"] as const) {
    const name = direction.charAt(0).toUpperCase() + direction.slice(1);
    commands.push(
      go(`focus${name}`, `command.focus.${direction}`, (tabs) => tabs.focusGroup(direction)),
      go(`move${name}`, `command.move.${direction}`, (tabs) => tabs.moveTab(direction)),
    );
  }
  return commands;
}

/** Alt+1 to Alt+9; too many to list in the palette. */
export function tabNumber(command: string): number {
  return Number(/^workspace\.tab([1-9])$/.exec(command)?.[1] ?? 0);
}
