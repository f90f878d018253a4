// The grammar of a language, fetched when a file of it is opened first.

import { type LanguageSupport, StreamLanguage, type StreamParser } from "@codemirror/language";
import type { Extension } from "@codemirror/state";

import { own } from "../own.ts";

type Loader = () => Promise<LanguageSupport | Extension>;

const stream = async (parser: Promise<StreamParser<unknown>>): Promise<Extension> => StreamLanguage.define(await parser);

const javascript = async (options: object): Promise<LanguageSupport> =>
  (await import("@codemirror/lang-javascript")).javascript(options);

const clike = (name: "c" | "cpp" | "java"): Loader => () =>
  stream(import("@codemirror/legacy-modes/mode/clike").then((mode) => mode[name]));

const LANGUAGES: Record<string, Loader> = {
  c: clike("c"),
  cpp: clike("cpp"),
  java: clike("java"),
  cmake: () => stream(import("@codemirror/legacy-modes/mode/cmake").then((mode) => mode.cmake)),
  css: async () => (await import("@codemirror/lang-css")).css(),
  diff: () => stream(import("@codemirror/legacy-modes/mode/diff").then((mode) => mode.diff)),
  dockerfile: () => stream(import("@codemirror/legacy-modes/mode/dockerfile").then((mode) => mode.dockerFile)),
  go: () => stream(import("@codemirror/legacy-modes/mode/go").then((mode) => mode.go)),
  html: async () => (await import("@codemirror/lang-html")).html(),
  ini: () => stream(import("@codemirror/legacy-modes/mode/properties").then((mode) => mode.properties)),
  javascript: () => javascript({ jsx: true }),
  json: async () => (await import("@codemirror/lang-json")).json(),
  less: () => stream(import("@codemirror/legacy-modes/mode/css").then((mode) => mode.less)),
  lua: () => stream(import("@codemirror/legacy-modes/mode/lua").then((mode) => mode.lua)),
  markdown: async () => (await import("@codemirror/lang-markdown")).markdown(),
  perl: () => stream(import("@codemirror/legacy-modes/mode/perl").then((mode) => mode.perl)),
  python: async () => (await import("@codemirror/lang-python")).python(),
  ruby: () => stream(import("@codemirror/legacy-modes/mode/ruby").then((mode) => mode.ruby)),
  rust: () => stream(import("@codemirror/legacy-modes/mode/rust").then((mode) => mode.rust)),
  sass: () => stream(import("@codemirror/legacy-modes/mode/css").then((mode) => mode.sCSS)),
  shell: () => stream(import("@codemirror/legacy-modes/mode/shell").then((mode) => mode.shell)),
  sql: () => stream(import("@codemirror/legacy-modes/mode/sql").then((mode) => mode.standardSQL)),
  toml: () => stream(import("@codemirror/legacy-modes/mode/toml").then((mode) => mode.toml)),
  typescript: () => javascript({ jsx: true, typescript: true }),
  xml: () => stream(import("@codemirror/legacy-modes/mode/xml").then((mode) => mode.xml)),
  yaml: () => stream(import("@codemirror/legacy-modes/mode/yaml").then((mode) => mode.yaml)),
};

/** The grammar of a language, or nothing for plain text and for what is not known. */
export async function grammar(name: string): Promise<Extension> {
  return (await own(LANGUAGES, name)?.()) ?? [];
}
