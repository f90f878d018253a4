// What a plugin's own page imports: `import { connect } from "./viloapp.js"`. It runs in the plugin's frame,
// which has no origin; everything goes through one port to the workspace's page.

export { Rows, type RowsOptions } from "./rows.ts";

/** The longest message that the workspace takes, in characters. */
const MAX_MESSAGE = 1_000_000;

export interface Theme {
  name: string;
  colors: Record<string, string>;
}

type Listener = (value: never) => void;

/** What a request was refused with: what happened, and what to do next. */
export class ViloError extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly hint: string,
  ) {
    super(detail);
    this.name = "ViloError";
  }
}

export class View {
  /** What the plugin's widget said last, under "data". */
  data: unknown = null;
  theme: Theme = { name: "dark", colors: {} };
  /** The language of the workspace, such as "en". */
  locale = "en";
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: ViloError) => void }>();
  readonly #listeners = new Map<string, Set<Listener>>();
  #port: MessagePort | null = null;
  #next = 1;

  /** Ask the plugin: its widget's `handle_command(command, args)`; the answer is what that returns. */
  request<T = unknown>(command: string, args: object = {}): Promise<T> {
    const id = this.#next++;
    const text = JSON.stringify({ id, command, args });
    if (text.length > MAX_MESSAGE) {
      const detail = `${command}: its arguments make a message of ${text.length} characters, more than ${MAX_MESSAGE}`;
      return Promise.reject(new ViloError("message_too_long", detail, "send less at a time"));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#port?.postMessage(text);
    });
  }

  /** Hear of "data", "theme" or "locale" whenever it changes; call what is returned to end that. */
  on(event: "data" | "theme" | "locale", listener: (value: never) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** @internal */
  take(port: MessagePort, message: Record<string, unknown>): void {
    this.#port = port;
    port.onmessage = ({ data }) => this.#hear(data);
    this.#change(message);
    addEventListener("keydown", (event) => this.#pass(event));
  }

  #hear(message: Record<string, unknown>): void {
    if (typeof message["id"] !== "number") {
      this.#change(message);
      return;
    }
    const waiting = this.#waiting.get(message["id"]);
    this.#waiting.delete(message["id"]);
    const error = message["error"] as Record<string, string> | undefined;
    if (error) waiting?.reject(new ViloError(error["code"] ?? "error", error["detail"] ?? "", error["hint"] ?? ""));
    else waiting?.resolve(message["result"]);
  }

  #change(message: Record<string, unknown>): void {
    if ("theme" in message) this.#paint(message["theme"] as Theme);
    if ("locale" in message) {
      this.locale = String(message["locale"]);
      document.documentElement.lang = this.locale;
    }
    if ("data" in message) this.data = message["data"];
    for (const event of ["theme", "locale", "data"] as const) {
      if (event in message) for (const listener of this.#listeners.get(event) ?? []) listener(this[event] as never);
    }
  }

  /** Give the page the workspace's colours, as the CSS variables --background, --accent … */
  #paint(theme: Theme): void {
    this.theme = theme;
    const root = document.documentElement;
    root.dataset["theme"] = theme.name;
    root.style.colorScheme = theme.name === "light" ? "light" : "dark";
    for (const [name, color] of Object.entries(theme.colors)) root.style.setProperty(`--${name}`, color);
  }

  /** The workspace's own keys work in a frame too: what nobody here took is passed on. */
  #pass(event: KeyboardEvent): void {
    const { key, code, ctrlKey, shiftKey, altKey, metaKey } = event;
    const plain = !ctrlKey && !altKey && !metaKey && !/^F\d+$/.test(key);
    if (event.defaultPrevented || event.isComposing || plain) return;
    // The browser would show its help, or print.
    if (key === "F1" || key === "F6" || (ctrlKey && !altKey && key.toLowerCase() === "p")) event.preventDefault();
    this.#port?.postMessage(JSON.stringify({ key: { key, code, ctrlKey, shiftKey, altKey, metaKey } }));
  }
}

let view: Promise<View> | null = null;

/** The connection to the workspace, made once. */
export function connect(): Promise<View> {
  view ??= new Promise((resolve) => {
    const made = new View();
    addEventListener("message", function hear(event) {
      const [port] = event.ports;
      if (event.source !== parent || !port) return;
      removeEventListener("message", hear);
      made.take(port, event.data);
      resolve(made);
    });
    parent.postMessage("viloapp.ready", "*");
  });
  return view;
}
