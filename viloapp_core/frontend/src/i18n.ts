// The page's own words. Catalogues are flat, one for each language, with placeholders, plurals and choices as
// ICU writes them, as the plugins' are (docs/reference/languages.md); English comes with the page, the others
// when they are chosen. Which language it is says the host (`core.locale`), for this page and all plugins alike.

import english from "./locales/en.json";
import { Store } from "./store.ts";

export type Key = keyof typeof english;
type Catalogue = { readonly [key in Key]?: string };
export type Values = Record<string, unknown>;

const CATALOGUES: Record<string, () => Promise<Catalogue>> = {
  en: async () => english,
  ar: async () => (await import("./locales/ar.json")).default,
  de: async () => (await import("./locales/de.json")).default,
  fr: async () => (await import("./locales/fr.json")).default,
  // Longer and accented: finds what is no catalogue's, and what does not fit.
  "en-xa": async () => (await import("./pseudo.ts")).pseudo(english),
};

/** The languages that a person can choose here; a plugin may have others. */
export const LANGUAGES = ["en", "ar", "de", "fr"];
const RIGHT_TO_LEFT = new Set(["ar", "dv", "fa", "he", "ps", "ur", "yi"]);
const REMEMBERED = "viloapp.locale";
const MAX_DEPTH = 10;

/** The language that is drawn now. */
export const language = new Store("en");
let texts: Catalogue = english;
let wanted = "";

/** Draw in a language from now on; in English where the page has not got it, nor what it is a variety of. */
export async function setLocale(locale: string): Promise<void> {
  wanted = locale;
  const name = widened(locale).find((each) => Object.hasOwn(CATALOGUES, each.toLowerCase())) ?? "en";
  const found = await CATALOGUES[name.toLowerCase()]!().catch(() => english);
  if (wanted !== locale) return; // another was chosen meanwhile
  texts = found;
  const root = document.documentElement;
  root.lang = name;
  root.dir = isRightToLeft(name) ? "rtl" : "ltr";
  localStorage.setItem(REMEMBERED, locale);
  // A variety that is no catalogue of its own still says how numbers and dates are written.
  language.set(name === "en" && !locale.toLowerCase().startsWith("en") ? "en" : usable(locale));
  for (const element of document.querySelectorAll<HTMLElement>("[data-label]")) relabel(element);
}

/** The next visit begins in this language instead of a flash of English. */
export async function applyRememberedLocale(): Promise<void> {
  await setLocale(localStorage.getItem(REMEMBERED) ?? "en");
}

export const isRightToLeft = (locale: string): boolean => RIGHT_TO_LEFT.has(locale.split("-")[0]!.toLowerCase());

function widened(locale: string): string[] {
  const parts = locale.replaceAll("_", "-").split("-");
  return parts.map((_, index) => parts.slice(0, parts.length - index).join("-"));
}

function usable(locale: string): string {
  try {
    return Intl.getCanonicalLocales(locale.replaceAll("_", "-"))[0] ?? "en";
  } catch {
    return "en";
  }
}

/** A language in its own words: "Deutsch". */
export function languageName(locale: string): string {
  return new Intl.DisplayNames([locale], { type: "language" }).of(locale) ?? locale;
}

/** The text of a key, with its values. */
export function t(key: Key, values: Values = {}): string {
  return rich(key, values).map(String).join("");
}

/** The same for what the host names: nothing where no catalogue has the key. */
export function known(key: string, values: Values = {}): string | null {
  return Object.hasOwn(english, key) ? t(key as Key, values) : null;
}

/** The same in parts, so that a value can be an element. */
export function rich<T>(key: Key, values: Record<string, T | string | number>): (T | string)[] {
  const own = texts[key];
  return fill(own ?? english[key], values, own === undefined ? "en" : language.value, null, 0) as (T | string)[];
}

export const number = (value: number, options: Intl.NumberFormatOptions = {}): string =>
  new Intl.NumberFormat(language.value, options).format(value);

export const dateTime = (value: Date): string =>
  new Intl.DateTimeFormat(language.value, { dateStyle: "medium", timeStyle: "medium" }).format(value);

export const list = (items: string[]): string => new Intl.ListFormat(language.value, { type: "unit" }).format(items);

export const byTitle = (a: { title: string }, b: { title: string }): number => a.title.localeCompare(b.title, language.value);

/** Give an element a title and a label that follow the language; for what Preact does not draw. */
export function label(element: HTMLElement, key: Key): void {
  element.dataset["label"] = key;
  relabel(element);
}

function relabel(element: HTMLElement): void {
  const text = t(element.dataset["label"] as Key);
  element.title = text;
  element.setAttribute("aria-label", text);
}

// -- messages: the same as `viloapp_sdk/_messages.py` ------------------------------------------------------

const CHOICE = /^\s*([^{},]+?)\s*,\s*(plural|select)\s*,/;
const CASE = /^\s*(=\d+|[^\s{}=]+)\s*\{/;
const PLAIN = /^([^{},]*)\}/;

function fill(text: string, values: Values, locale: string, count: number | null, depth: number): unknown[] {
  const shown: unknown[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at + 1);
    const plain = text[at] === "{" ? PLAIN.exec(rest) : null;
    const choice = text[at] === "{" && !plain && depth < MAX_DEPTH ? readChoice(rest) : null;
    if (text[at] === "#" && count !== null) shown.push(number(count));
    else if (plain) {
      const name = plain[1]!;
      shown.push(Object.hasOwn(values, name) ? isolated(values[name]) : `{${plain[0]}`);
      at += plain[0].length;
    } else if (choice && Object.hasOwn(values, choice.name)) {
      const value = values[choice.name];
      const inner = choice.kind === "plural" ? Number(value) : count;
      const chosen = choice.cases[`=${value}`] ?? choice.cases[category(choice.kind, value, locale)] ?? choice.cases["other"]!;
      shown.push(...fill(chosen, values, locale, inner, depth + 1));
      at += choice.length;
    } else shown.push(text[at]);
    at++;
  }
  return shown;
}

const category = (kind: string, value: unknown, locale: string): string =>
  kind === "plural" ? new Intl.PluralRules(locale).select(Number(value)) : String(value);

/** A value in a text of the other direction keeps its own: a path stays a path. */
function isolated(value: unknown): unknown {
  if (typeof value === "number") return number(value);
  return typeof value === "string" && isRightToLeft(language.value) ? `\u2068${value}\u2069` : value;
}

interface ChoiceText {
  name: string;
  kind: string;
  cases: Record<string, string>;
  length: number;
}

function readChoice(text: string): ChoiceText | null {
  const head = CHOICE.exec(text);
  if (!head) return null;
  const cases: Record<string, string> = Object.create(null);
  let at = head[0].length;
  for (let found = CASE.exec(text.slice(at)); found; found = CASE.exec(text.slice(at))) {
    const start = at + found[0].length;
    const end = closing(text, start);
    if (end < 0) return null;
    cases[found[1]!] = text.slice(start, end);
    at = end + 1;
  }
  const space = text.slice(at).search(/\S/);
  if (cases["other"] === undefined || text[at + space] !== "}") return null;
  return { name: head[1]!, kind: head[2]!, cases, length: at + space + 1 };
}

function closing(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    depth += text[at] === "{" ? 1 : text[at] === "}" ? -1 : 0;
    if (depth === 0) return at;
  }
  return -1;
}
