// A plugin's own page, in a frame that has no origin: it reaches nothing but this file, by one port, and
// through it its own widget. What comes out of the port is anybody's; it is bounded before it is looked at.

import { type Key as TextKey, t } from "../i18n.ts";
import type { View } from "../layout.ts";
import type { Store } from "../store.ts";
import { type Data, HostError, type ThemeState } from "../wire.ts";
import { MessageView } from "./text.ts";

/** The longest message that a frame may send, in characters. */
const MAX_MESSAGE = 1_000_000;
/** How many requests of one frame may be unanswered. */
const MAX_UNANSWERED = 16;
/** How many messages a frame may send at once, and how many per second after that. */
const BURST = 300;
const PER_SECOND = 100;
/** What it costs, in messages, to take the keyboard from somebody who was typing elsewhere. */
const SEIZURE = 50;
/** How long after a press outside of it a frame does not get the focus by itself. */
const PRESSED_MS = 1000;

export interface Key {
  key: string;
  code: string;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

export interface WebViewHooks {
  theme: Store<ThemeState>;
  /** Where the page is for a new frame. */
  open(): Promise<{ path: string; locale: string }>;
  command(command: string, args: object): Promise<unknown>;
  /** A key that the frame had no use for. */
  key(key: Key): void;
  /** The frame was clicked or tabbed into. */
  entered(): void;
  locale(listener: (locale: string) => void): () => void;
}

export class WebView implements View {
  readonly element = document.createElement("div");
  readonly #ends: (() => void)[] = [];
  #frame: HTMLIFrameElement | null = null;
  #port: MessagePort | null = null;
  #data: Data;
  #locale = "en";
  #message: MessageView | null = null;
  #unanswered = 0;
  #credit = BURST;
  #at = performance.now();
  #disposed = false;
  #wantsFocus = false;
  #loaded = false;
  /** Whether the frame has the focus by the person's will, and what had it before. */
  #entered = false;
  #before: Element | null = null;
  /** When the person last pressed a button of the pointer outside of every frame. */
  #pressed = -Infinity;

  constructor(
    data: Data,
    private readonly title: string,
    private readonly hooks: WebViewHooks,
  ) {
    this.element.className = "view webview";
    this.element.tabIndex = -1;
    this.#data = data;
    const hear = (event: MessageEvent) => this.#greet(event);
    const blur = () => document.activeElement === this.#frame && this.#frame && this.#enter(this.#frame);
    const left = ({ target }: FocusEvent) => this.#leave(target);
    const pressed = () => (this.#pressed = performance.now());
    addEventListener("message", hear);
    addEventListener("blur", blur);
    document.addEventListener("focusin", left);
    document.addEventListener("pointerdown", pressed, true);
    this.#ends.push(
      () => removeEventListener("message", hear),
      () => removeEventListener("blur", blur),
      () => document.removeEventListener("focusin", left),
      () => document.removeEventListener("pointerdown", pressed, true),
      hooks.theme.subscribe(() => this.#tell({ theme: this.#theme() })),
      hooks.locale((locale) => {
        this.#locale = locale;
        this.#tell({ locale });
      }),
    );
    void this.#load();
  }

  update(data: Data): void {
    this.#data = { ...this.#data, ...data };
    // Who names a page wants it loaded: the plugin was started anew, or shows another one.
    if ("page" in data) void this.#load();
    else if ("data" in data) this.#tell({ data: this.#data["data"] ?? null });
  }

  /** A frame takes the focus once it has loaded: before, keys would go nowhere. */
  focus(): void {
    this.#wantsFocus = !this.#loaded;
    this.#entered = this.#loaded;
    (this.#loaded ? this.#frame : this.element)?.focus({ preventScroll: true });
  }

  translate(): void {
    this.#message?.translate();
  }

  dispose(): void {
    this.#disposed = true;
    for (const end of this.#ends) end();
    this.#port?.close();
    this.element.replaceChildren();
  }

  async #load(): Promise<void> {
    this.#port?.close();
    this.#port = null;
    try {
      const { path, locale } = await this.hooks.open();
      if (this.#disposed) return;
      this.#locale = locale;
      this.#show(path);
    } catch (error) {
      const { detail, hint } = HostError.of(error);
      this.#fail("webview.failed", () => [detail, hint].filter(Boolean).join(". "));
    }
  }

  #show(path: string): void {
    const frame = document.createElement("iframe");
    // Never with allow-same-origin: the frame would be the workspace.
    frame.setAttribute("sandbox", "allow-scripts");
    frame.setAttribute("allow", "");
    frame.setAttribute("referrerpolicy", "no-referrer");
    frame.title = this.title;
    frame.dataset["testid"] = "webview";
    frame.src = path;
    this.#frame = frame;
    frame.addEventListener("load", () => {
      this.#loaded = true;
      const { activeElement, body } = document;
      if (this.#wantsFocus && (activeElement === body || activeElement === this.element)) this.focus();
    });
    this.#loaded = false;
    this.#message = null;
    this.element.replaceChildren(frame);
  }

  #fail(title: TextKey, detail: () => string): void {
    this.#port?.close();
    this.#port = null;
    this.#frame = null;
    const again = { label: () => t("webview.again"), run: () => void this.#load() };
    this.#message = new MessageView(() => t(title), detail, [again]);
    this.element.replaceChildren(this.#message.element);
  }

  /** The frame has the focus. Its page can take that at any time, also from a terminal in which a password is
   *  being typed: it goes back, unless it was given or the pointer says that the person went there. */
  #enter(frame: HTMLIFrameElement): void {
    const before = this.#before;
    const welcome = this.#entered || frame.matches(":hover") || matchMedia("(hover: none)").matches;
    const busy = typedInto(before) || performance.now() - this.#pressed < PRESSED_MS;
    if (welcome || (!busy && frame.checkVisibility({ visibilityProperty: true }))) {
      this.#entered = true;
      this.hooks.entered();
      return;
    }
    // Not within the event: the browser has not yet given the frame what is taken from it here.
    setTimeout(() => {
      if (this.#disposed || this.#entered) return;
      frame.blur();
      window.focus();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    });
    this.#pays(SEIZURE, "webview.seized");
  }

  #leave(target: EventTarget | null): void {
    if (target === this.#frame || !(target instanceof Element)) return;
    this.#entered = false;
    this.#before = target;
  }

  /** Hand a port to the page that has loaded; an older one ends with the document that had it. */
  #greet(event: MessageEvent): void {
    const frame = this.#frame;
    // Whatever comes costs, from frames within the frame too, and before it is unpacked.
    if (!frame || !isWithin(event.source, frame.contentWindow) || !this.#pays()) return;
    if (event.source !== frame.contentWindow || event.data !== "viloapp.ready") return;
    this.#port?.close();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = (event) => this.#port === port1 && this.#hear(event.data, port1);
    const hello = { data: this.#data["data"] ?? null, theme: this.#theme(), locale: this.#locale };
    // A frame without an origin cannot be named otherwise; that it is ours is what `source` says.
    frame.contentWindow?.postMessage(hello, "*", [port2]);
  }

  #hear(text: unknown, port: MessagePort): void {
    if (!this.#pays()) return;
    const message = parsed(text);
    if (!message) return;
    const { id, command, args, key } = message;
    if (isKey(key)) {
      if (document.activeElement === this.#frame) this.hooks.key(key);
    } else if (Number.isSafeInteger(id) && typeof command === "string" && command.length <= 200 && isObject(args)) {
      void this.#answer(id as number, command, args, port);
    }
  }

  async #answer(id: number, command: string, args: object, port: MessagePort): Promise<void> {
    if (this.#unanswered >= MAX_UNANSWERED) {
      port.postMessage({ id, error: { code: "too_many_requests", detail: `${MAX_UNANSWERED} requests are unanswered`, hint: "wait for them" } });
      return;
    }
    this.#unanswered++;
    try {
      port.postMessage({ id, result: await this.hooks.command(command, args) });
    } catch (error) {
      const { code, detail, hint } = HostError.of(error);
      port.postMessage({ id, error: { code, detail, hint } });
    } finally {
      this.#unanswered--;
    }
  }

  /** Whether one more message is within what a frame may send; one that floods is taken off the page. */
  #pays(cost = 1, why: TextKey = "webview.flooded"): boolean {
    const now = performance.now();
    this.#credit = Math.min(BURST, this.#credit + ((now - this.#at) / 1000) * PER_SECOND) - cost;
    this.#at = now;
    if (this.#credit >= 0) return true;
    this.#fail("webview.stopped", () => t(why, { count: PER_SECOND }));
    return false;
  }

  #theme(): { name: string; colors: Record<string, string> } {
    const { theme, palettes } = this.hooks.theme.value;
    return { name: theme, colors: palettes[theme] ?? {} };
  }

  #tell(message: object): void {
    this.#port?.postMessage(message);
  }
}

/** Whether a window is that of a frame, or of one within it. */
function isWithin(source: MessageEventSource | null, frame: Window | null): boolean {
  let each = source as Window | null;
  while (each && each !== frame && each !== each.parent) each = each.parent;
  return each !== null && each === frame;
}

/** Whether keys that go to an element are text. */
function typedInto(element: Element | null): element is HTMLElement {
  return element instanceof HTMLElement && element.isConnected && (element.isContentEditable || element.closest("input, textarea") !== null);
}

function parsed(text: unknown): Record<string, unknown> | null {
  if (typeof text !== "string" || text.length > MAX_MESSAGE) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isKey(value: unknown): value is Key {
  if (!isObject(value)) return false;
  const key = value as Record<string, unknown>;
  return (
    [key["key"], key["code"]].every((each) => typeof each === "string" && each.length <= 20) &&
    [key["ctrlKey"], key["shiftKey"], key["altKey"], key["metaKey"]].every((each) => typeof each === "boolean")
  );
}
