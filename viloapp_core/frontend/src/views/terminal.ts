// The terminal: xterm.js on a socket that carries the program's bytes and nothing else.
//
// What xterm.js has taken in is acknowledged; the host stops reading the program while more than 256 KiB
// are unacknowledged and goes on below 64 KiB. The step must stay below that, or the output stands still.

import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";

import type { Channel } from "../channel.ts";
import { t } from "../i18n.ts";
import type { View } from "../layout.ts";
import { monoFont, paint, terminalColors, theme } from "../theme.ts";
import type { Data } from "../wire.ts";
import { FindBar } from "./find-bar.ts";

const ACK_BYTES = 32 * 1024;
const PASTE_BYTES = 64 * 1024;
const RETRY_MS = 500;

// What a terminal answers when a program asks what it is. The scrollback that is replayed to a page that
// comes back holds such questions, long answered: a second answer would be typed into the shell.
const REPORT = /^\x1b(?:\[[?>=]?[\d;]*[cnRy]|\]\d+;|P)/;
const REPLAY_MS = 1500;

const GONE = 4404;

export interface TerminalHooks {
  channel: Channel;
  /** Whether this page has shown the terminal before, or another page has: then the host replays. */
  isReplayed: boolean;
  notify(level: "info" | "warning", message: string): void;
}

export class TerminalView implements View {
  readonly element = document.createElement("div");
  readonly terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #search = new SearchAddon();
  readonly #screen = document.createElement("div");
  readonly #find: FindBar;
  readonly #stopTheme: () => void;
  #data: Data;
  #socket: WebSocket | null = null;
  #unacknowledged = 0;
  #replayUntil = 0;
  #ended = false;
  #disposed = false;
  #retry = 0;

  constructor(
    data: Data,
    private readonly hooks: TerminalHooks,
  ) {
    this.#data = data;
    this.element.className = "view terminal-view";
    this.#screen.className = "terminal-screen";
    this.#screen.dir = "ltr";
    this.terminal = new Terminal({
      allowProposedApi: true,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      macOptionIsMeta: true,
      minimumContrastRatio: 4.5,
      // Addresses that a program marks as links itself (OSC 8).
      linkHandler: { activate: (event, address) => this.#follow(event, address) },
      ...this.#appearance(),
    });
    this.#load();
    this.#find = new FindBar({
      find: (text, forward) => {
        if (forward) this.#search.findNext(text, { decorations: FOUND });
        else this.#search.findPrevious(text, { decorations: FOUND });
      },
      closed: () => {
        this.#search.clearDecorations();
        this.terminal.focus();
      },
    });
    this.element.append(this.#screen, this.#find.element);
    // What is on the screen is in the terminal's buffer, not in the page's tree: for those who look from outside.
    Object.assign(this.element, { terminal: this.terminal });
    this.terminal.open(this.#screen);
    this.#paint();
    this.#stopTheme = theme.subscribe(() => this.#paint());
    this.#replayUntil = hooks.isReplayed ? performance.now() + REPLAY_MS : 0;
    this.#connect();
  }

  focus(): void {
    this.terminal.focus();
  }

  shown(): void {
    // Once the tab has its final size: dockview says so before the browser has laid it out.
    requestAnimationFrame(() => {
      if (this.element.isConnected && this.element.clientWidth > 0) this.#fit.fit();
    });
  }

  update(data: Data): void {
    // Only what changed is told: a new font size says nothing of the terminal.
    const next = { ...this.#data, ...data };
    const moved = next["terminal"] !== this.#data["terminal"];
    this.#data = next;
    Object.assign(this.terminal.options, this.#appearance());
    this.#paint();
    this.shown();
    if (moved) {
      this.#ended = false;
      this.#socket?.close();
      this.terminal.reset();
      this.#connect();
    }
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#retry);
    this.#stopTheme();
    this.#socket?.close();
    this.terminal.dispose();
  }

  find(): void {
    this.#find.open(this.terminal.getSelection());
  }

  clear(): void {
    this.terminal.clear();
  }

  async copy(): Promise<void> {
    const text = this.terminal.getSelection();
    if (!text) return;
    await navigator.clipboard.writeText(text);
    this.terminal.clearSelection();
  }

  async paste(): Promise<void> {
    try {
      this.terminal.paste(await navigator.clipboard.readText());
    } catch {
      this.hooks.notify("warning", t("terminal.clipboard"));
    }
  }

  toggleScreenReader(): boolean {
    const on = !this.terminal.options.screenReaderMode;
    this.terminal.options.screenReaderMode = on;
    return on;
  }

  #load(): void {
    this.terminal.loadAddon(this.#fit);
    this.terminal.loadAddon(this.#search);
    this.terminal.loadAddon(new Unicode11Addon());
    this.terminal.unicode.activeVersion = "11";
    this.terminal.loadAddon(
      new WebLinksAddon((event, address) => this.#follow(event, address)),
    );
    this.terminal.onData((data) => this.#type(data));
    this.terminal.onBinary((data) => this.#send(Uint8Array.from(data, (character) => character.charCodeAt(0))));
    this.terminal.onResize(({ rows, cols }) => this.#note({ type: "resize", rows, cols }));
  }

  /** Open an address; with Ctrl, so that selecting text near it does not. */
  #follow(event: MouseEvent, address: string): void {
    if (!event.ctrlKey && !event.metaKey) this.hooks.notify("info", t("terminal.click"));
    else if (/^https?:/i.test(address)) window.open(address, "_blank", "noopener,noreferrer");
  }

  #appearance() {
    const { fontSize, fontFamily, cursorStyle, scrollback } = this.#data;
    return {
      fontFamily: monoFont(fontFamily),
      fontSize: typeof fontSize === "number" ? fontSize : 14,
      lineHeight: 1.2,
      cursorStyle: (["block", "underline", "bar"] as const).find((style) => style === cursorStyle) ?? "block",
      scrollback: typeof scrollback === "number" ? scrollback : 1000,
    };
  }

  #paint(): void {
    const name = String(this.#data["theme"] ?? "auto");
    paint(this.element, name);
    this.terminal.options.theme = terminalColors(name);
  }

  #connect(): void {
    const id = this.#data["terminal"];
    if (typeof id !== "string" || !id) {
      this.#say(t("terminal.no_program"));
      return;
    }
    const socket = this.hooks.channel.open(`/ws/terminal/${encodeURIComponent(id)}`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.#unacknowledged = 0;
      this.shown();
      this.#note({ type: "resize", rows: this.terminal.rows, cols: this.terminal.cols });
    };
    socket.onmessage = ({ data }) => this.#take(data, socket);
    socket.onclose = ({ code }) => this.#closed(socket, code);
  }

  #take(data: ArrayBuffer | string, socket: WebSocket): void {
    if (typeof data === "string") {
      const message = JSON.parse(data);
      if (message.type === "exit") this.#exited(message.code);
      else if (message.type === "refused") this.hooks.notify("warning", `${message.detail}; ${message.hint}.`);
      return;
    }
    const bytes = new Uint8Array(data);
    this.terminal.write(bytes, () => {
      this.#unacknowledged += bytes.length;
      if (this.#unacknowledged >= ACK_BYTES && this.#socket === socket) {
        this.#note({ type: "ack", bytes: this.#unacknowledged });
        this.#unacknowledged = 0;
      }
    });
  }

  #closed(socket: WebSocket, code: number): void {
    if (this.#socket !== socket || this.#disposed) return;
    this.#socket = null;
    if (code === GONE && !this.#ended) this.#exited(null);
    if (this.#ended) return;
    // The connection went, not the program: come back with the page, and draw the replayed scrollback on a
    // clean screen.
    this.#retry = setTimeout(() => {
      const { state } = this.hooks.channel;
      if (state.value === "open") this.#reconnect();
      else {
        const stop = state.subscribe((now) => {
          if (now !== "open") return;
          stop();
          if (!this.#disposed) this.#reconnect();
        });
      }
    }, RETRY_MS);
  }

  #reconnect(): void {
    this.terminal.reset();
    this.#replayUntil = performance.now() + REPLAY_MS;
    this.#connect();
  }

  #exited(code: number | null): void {
    this.#ended = true;
    this.#say(code ? t("terminal.ended_code", { code: String(code) }) : t("terminal.ended"));
    this.element.classList.add("ended");
  }

  #say(text: string): void {
    this.terminal.write(`\r\n\x1b[2m${text}\x1b[0m\r\n\x1b[?25l`);
  }

  #type(data: string): void {
    if (performance.now() < this.#replayUntil && REPORT.test(data)) return;
    this.#send(new TextEncoder().encode(data));
  }

  #send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    for (let at = 0; at < bytes.length; at += PASTE_BYTES) this.#socket.send(bytes.subarray(at, at + PASTE_BYTES));
  }

  #note(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

const FOUND = {
  matchBackground: "#6b5420",
  matchOverviewRuler: "#e0b15e",
  activeMatchBackground: "#b07a1a",
  activeMatchColorOverviewRuler: "#f2cb84",
};

