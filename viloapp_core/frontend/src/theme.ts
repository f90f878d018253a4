// One table of colours, the host's, drives everything that is drawn: as CSS variables for the page, the
// tabs and the editor, and as a colour table for the terminal, which draws for itself.

import type { ITheme } from "@xterm/xterm";

import { own } from "./own.ts";
import { Store } from "./store.ts";
import type { ThemeState } from "./wire.ts";

const REMEMBERED = "viloapp.theme";

export const theme = new Store<ThemeState>({ theme: "dark", themes: ["dark"], palettes: {} });

/** Take over the host's themes and draw with the current one. */
export function applyThemes(state: ThemeState): void {
  theme.set({ theme: state.theme, themes: state.themes, palettes: state.palettes });
  paint(document.documentElement, state.theme);
  // The next visit begins with these colours instead of a flash of others.
  localStorage.setItem(REMEMBERED, JSON.stringify([state.theme, state.palettes[state.theme]]));
}

export function applyRemembered(): void {
  try {
    const [name, colors] = JSON.parse(localStorage.getItem(REMEMBERED) ?? "[]");
    if (typeof name === "string") setVariables(document.documentElement, name, colors ?? {});
  } catch {
    // Nothing remembered that could be read: the style sheet's own colours do.
  }
}

/** Give an element and all in it the colours of a theme; "auto" means the page's. */
export function paint(element: HTMLElement, name: string): void {
  const { palettes } = theme.value;
  const colors = own(palettes, name);
  if (colors) setVariables(element, name, colors);
  else clearVariables(element);
}

function setVariables(element: HTMLElement, name: string, colors: Record<string, string>): void {
  element.dataset.theme = name;
  element.style.colorScheme = name === "light" ? "light" : "dark";
  for (const [key, value] of Object.entries(colors)) element.style.setProperty(`--${key}`, value);
}

function clearVariables(element: HTMLElement): void {
  delete element.dataset.theme;
  element.style.colorScheme = "";
  for (const property of [...element.style]) {
    if (property.startsWith("--")) element.style.removeProperty(property);
  }
}

type Ansi = Pick<
  ITheme,
  | "black" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "white"
  | "brightBlack" | "brightRed" | "brightGreen" | "brightYellow"
  | "brightBlue" | "brightMagenta" | "brightCyan" | "brightWhite"
>;

const ANSI: Record<string, Ansi> = {
  dark: {
    black: "#3b4150", red: "#f07f83", green: "#7cc38a", yellow: "#e0b15e",
    blue: "#6ea8fe", magenta: "#c79bf2", cyan: "#67c7d4", white: "#c9cedb",
    brightBlack: "#7a8294", brightRed: "#ff9da0", brightGreen: "#9adba6", brightYellow: "#f2cb84",
    brightBlue: "#9cc4ff", brightMagenta: "#ddbcff", brightCyan: "#8fe0ea", brightWhite: "#f3f5f9",
  },
  light: {
    black: "#22262e", red: "#b4232a", green: "#1d7a3a", yellow: "#8a5a00",
    blue: "#1a5fd0", magenta: "#8b3fb8", cyan: "#0b7285", white: "#6b7280",
    brightBlack: "#5d6673", brightRed: "#c92a2a", brightGreen: "#237a3e", brightYellow: "#8f6200",
    brightBlue: "#2469dc", brightMagenta: "#9c4bcb", brightCyan: "#0c7c90", brightWhite: "#3a404b",
  },
  "high-contrast": {
    black: "#000000", red: "#ff8080", green: "#5cff8d", yellow: "#ffd75c",
    blue: "#82b7ff", magenta: "#ff9cf5", cyan: "#5cf0ff", white: "#ffffff",
    brightBlack: "#b0b0b0", brightRed: "#ffa5a5", brightGreen: "#9dffba", brightYellow: "#ffe79a",
    brightBlue: "#b0d2ff", brightMagenta: "#ffc4fa", brightCyan: "#a8f7ff", brightWhite: "#ffffff",
  },
};

/** The terminal's colours under a theme; "auto" means the page's. */
export function terminalColors(name: string): ITheme {
  const { theme: current, palettes } = theme.value;
  const shown = own(palettes, name) ? name : current;
  const colors = palettes[shown] ?? {};
  return {
    ...(ANSI[shown] ?? ANSI["dark"]),
    background: colors["background"] ?? "#1b1d23",
    foreground: colors["foreground"] ?? "#d8dce5",
    cursor: colors["cursor"] ?? "#d8dce5",
    cursorAccent: colors["background"] ?? "#1b1d23",
    selectionBackground: colors["selection"] ?? "#34476b",
    scrollbarSliderBackground: `${colors["muted"] ?? "#949cab"}40`,
    scrollbarSliderHoverBackground: `${colors["muted"] ?? "#949cab"}70`,
    scrollbarSliderActiveBackground: `${colors["muted"] ?? "#949cab"}90`,
  };
}

const MONO = 'ui-monospace, "JetBrains Mono", "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace';

/** The font of a setting; plain "monospace" means the best one that the machine has. */
export function monoFont(setting: unknown): string {
  const font = typeof setting === "string" ? setting.trim() : "";
  return !font || font === "monospace" ? MONO : `${font}, ${MONO}`;
}
