// The editor: CodeMirror on a text that the plugin reads and writes.
//
// The plugin keeps the text too, so that nothing typed is lost with the page: changes are told after a
// short pause, and before anything else that could depend on them.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, type StateEffect, type Text } from "@codemirror/state";
import {
  EditorView,
  drawSelection,
  dropCursor,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  rectangularSelection,
} from "@codemirror/view";

import { t } from "../i18n.ts";
import type { View } from "../layout.ts";
import { monoFont, paint } from "../theme.ts";
import type { Data } from "../wire.ts";
import { appearance } from "./highlight.ts";
import { grammar } from "./languages.ts";

/** How long after the last key the plugin is told; a saved layout follows. */
const TELL_AFTER_MS = 400;

/** Lines and columns count from 1. */
interface Place {
  line: number;
  column: number;
}

export interface EditorHooks {
  command<T>(command: string, args: Data): Promise<T>;
  /** What the plugin would come back with: its unsaved text, if it has any. */
  state(): Promise<Data | null>;
  /** Ctrl+S: the workspace saves, since it can ask for a path or whether to overwrite. */
  save(pane: EditorPane): void;
  changed(): void;
  /** The plugin has been told the text: its state is worth keeping. */
  told(): void;
  cursor(): void;
}

/** Named apart from CodeMirror's own EditorView. */
export class EditorPane implements View {
  readonly element = document.createElement("div");
  readonly view: EditorView;
  readonly #options = new Compartment();
  readonly #language = new Compartment();
  #data: Data;
  #saved: Text;
  #dirty: boolean;
  #timer = 0;
  #isLost = false;
  #telling: Promise<unknown> = Promise.resolve();
  #scroll: StateEffect<unknown> | null = null;

  constructor(
    data: Data,
    private readonly hooks: EditorHooks,
  ) {
    this.#data = data;
    this.element.className = "view editor-view";
    this.element.dir = "ltr";
    const state = EditorState.create({ doc: textOf(data), extensions: this.#extensions() });
    this.view = new EditorView({ state, parent: this.element });
    // Only the visible lines are in the page's tree: for those who look from outside.
    Object.assign(this.element, { editor: this.view });
    this.#saved = state.doc;
    this.#dirty = data["modified"] === true;
    this.#draw();
    void this.#loadGrammar();
    this.#restoreCursor();
  }

  get dirty(): boolean {
    return this.#dirty || !this.view.state.doc.eq(this.#saved);
  }

  get path(): string | null {
    return typeof this.#data["path"] === "string" ? this.#data["path"] : null;
  }

  get language(): string {
    return String(this.#data["language"] ?? "text");
  }

  get cursor(): Place {
    return this.#place(this.view.state.selection.main.head);
  }

  /** What is selected, from where to where; null when nothing is. */
  get selection(): { anchor: Place; head: Place } | null {
    const { anchor, head, empty } = this.view.state.selection.main;
    return empty ? null : { anchor: this.#place(anchor), head: this.#place(head) };
  }

  focus(): void {
    this.view.focus();
  }

  shown(): void {
    // Taking a hidden tab's element out of the page loses where it was scrolled to.
    if (this.#scroll) this.view.dispatch({ effects: this.#scroll });
    this.#scroll = null;
    this.view.requestMeasure();
  }

  translate(): void {
    this.#draw();
  }

  hidden(): void {
    this.#scroll = this.view.scrollSnapshot();
  }

  find(): void {
    openSearchPanel(this.view);
  }

  /** Take what the plugin says of the text's surroundings; of the text itself see `#reconcile`. */
  update(data: Data): void {
    this.#data = { ...this.#data, ...data };
    this.#draw();
    if ("language" in data) void this.#loadGrammar();
    this.hooks.changed();
    if ("text" in data || "modified" in data) void this.#reconcile();
  }

  /** The plugin's process has ended: the one that follows may know an older text than this. */
  lost(): void {
    this.#isLost = true;
  }

  /**
   * Agree with the plugin on the text after it said that something changed. What it sent may be older than
   * what was typed here since, so the text that stands here is told first and gives way only to the file,
   * and only when nothing is unsaved on either side.
   */
  async #reconcile(): Promise<void> {
    const { doc } = this.view.state;
    try {
      if (this.#isLost && this.dirty) this.#tellSoon();
      this.#isLost = false;
      await this.flush();
      const state = await this.hooks.state();
      const unsaved = typeof state?.["text"] === "string";
      if (!unsaved && typeof state?.["path"] === "string") {
        const { text } = await this.hooks.command<Data>("reload", {});
        if (!this.view.state.doc.eq(doc)) return; // typed on meanwhile: told and marked as any other change
        if (typeof text === "string") this.#replace(text);
        this.#saved = this.view.state.doc;
      }
      this.#dirty = unsaved;
      this.hooks.changed();
    } catch {
      // The plugin cannot say: what stands here stands, and the mark with it.
    }
  }

  /** Tell the plugin the text as it is now; resolves once it knows. */
  flush(): Promise<unknown> {
    if (this.#timer) {
      clearTimeout(this.#timer);
      this.#timer = 0;
      this.#telling = this.hooks
        .command("changed", { text: this.view.state.doc.toString(), cursor: this.cursor, selection: this.selection })
        .then(() => this.hooks.told())
        .catch(() => undefined);
    }
    return this.#telling;
  }

  async save(options: { path?: string; overwrite?: boolean } = {}): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const { doc } = this.view.state;
    const saved = await this.hooks.command<{ path: string }>("save", { text: doc.toString(), ...options });
    this.#data = { ...this.#data, path: saved.path };
    this.#saved = doc;
    this.#dirty = false;
    this.hooks.changed();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.view.destroy();
  }

  #extensions(): Extension {
    return [
      highlightSpecialChars(),
      history(),
      drawSelection(),
      dropCursor(),
      rectangularSelection(),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      autocompletion(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSelectionMatches(),
      search({ top: true }),
      EditorState.allowMultipleSelections.of(true),
      this.#options.of(this.#optionExtensions()),
      this.#language.of([]),
      appearance,
      keymap.of([
        { key: "Mod-s", preventDefault: true, run: () => (this.hooks.save(this), true) },
        ...closeBracketsKeymap,
        ...completionKeymap,
        ...defaultKeymap,
        ...searchKeymap,
        ...historyKeymap,
        ...foldKeymap,
        indentWithTab,
      ]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged || update.selectionSet) {
          this.hooks.cursor();
          this.#tellSoon();
        }
        if (update.docChanged) this.hooks.changed();
      }),
    ];
  }

  #optionExtensions(): Extension {
    const { tabSize, wordWrap, lineNumbers: numbers } = this.#data;
    const width = typeof tabSize === "number" ? tabSize : 4;
    return [
      EditorState.tabSize.of(width),
      indentUnit.of(" ".repeat(width)),
      wordWrap === true ? EditorView.lineWrapping : [],
      numbers === false ? [] : lineNumbers(),
      EditorState.phrases.of(phrases()),
      EditorView.contentAttributes.of({ "aria-label": this.path ?? t("editor.untitled") }),
    ];
  }

  #draw(): void {
    const { fontSize, fontFamily } = this.#data;
    paint(this.element, String(this.#data["theme"] ?? "auto"));
    this.element.style.fontFamily = monoFont(fontFamily);
    this.element.style.fontSize = `${typeof fontSize === "number" ? fontSize : 14}px`;
    this.view.dispatch({ effects: this.#options.reconfigure(this.#optionExtensions()) });
  }

  async #loadGrammar(): Promise<void> {
    const wanted = this.language;
    const extension = await grammar(wanted);
    if (wanted === this.language) this.view.dispatch({ effects: this.#language.reconfigure(extension) });
  }

  #replace(text: string): void {
    const { doc } = this.view.state;
    if (doc.toString() !== text) this.view.dispatch({ changes: { from: 0, to: doc.length, insert: text } });
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #restoreCursor(): void {
    const selection = this.#data["selection"] as { anchor?: unknown; head?: unknown } | null | undefined;
    const head = this.#offset(selection ? selection.head : this.#data["cursor"]);
    this.view.dispatch({ selection: { anchor: selection ? this.#offset(selection.anchor) : head, head } });
    if (head > 0) this.#scroll = EditorView.scrollIntoView(head, { y: "center" });
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #place(offset: number): Place {
    const line = this.view.state.doc.lineAt(offset);
    return { line: line.number, column: offset - line.from + 1 };
  }

  /** The nearest offset to a place; the text may be another since it was told. */
  #offset(place: unknown): number {
    const { line, column } = (place ?? {}) as { line?: unknown; column?: unknown };
    const { doc } = this.view.state;
    const { from, to } = doc.line(Math.min(Math.max(1, Number(line) || 1), doc.lines));
    return Math.min(from + Math.max(0, (Number(column) || 1) - 1), to);
  }

  #tellSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), TELL_AFTER_MS);
  }
}

/** What CodeMirror itself says. */
const phrases = (): Record<string, string> => ({
  Find: t("editor.find.find"),
  Replace: t("editor.find.replace_field"),
  next: t("editor.find.next"),
  previous: t("editor.find.previous"),
  all: t("editor.find.all"),
  "match case": t("editor.find.case"),
  "by word": t("editor.find.by_word"),
  regexp: t("editor.find.regexp"),
  replace: t("editor.find.replace"),
  "replace all": t("editor.find.replace_all"),
  close: t("editor.find.close"),
  "current match": t("editor.find.current"),
  "on line": t("editor.find.on_line"),
  "replaced match on line $": t("editor.find.replaced"),
  "replaced $ matches": t("editor.find.replaced_all"),
});

function textOf(data: Data): string {
  return typeof data["text"] === "string" ? data["text"] : "";
}
