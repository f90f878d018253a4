// The connection to the host: requests with answers, events, and a connection that comes back by itself.

import { t } from "./i18n.ts";
import { Store } from "./store.ts";
import { HostError } from "./wire.ts";

const SUBPROTOCOL = "vilo.v1";
const KEY = "viloapp.token";
const RETRY_MS = [250, 500, 1000, 2000, 4000];

export type ConnectionState =
  | "connecting"
  | "open"
  | "lost"
  /** The host answers but does not know this page's token: it was started anew. */
  | "refused";

/**
 * Take the token out of the address, where it must not stay: it would be in the history and in what a
 * person copies. Session storage belongs to this tab and this port alone.
 */
export function takeToken(): string {
  const match = /^#token=([\w-]+)$/.exec(location.hash);
  if (match?.[1]) {
    sessionStorage.setItem(KEY, match[1]);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEY) ?? "";
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: HostError) => void;
}

export class Channel {
  readonly state = new Store<ConnectionState>("connecting");
  #socket: WebSocket | null = null;
  #next = 1;
  #waiting = new Map<number, Waiting>();
  #listeners = new Map<string, Set<(data: never) => void>>();
  #attempt = 0;
  #timer = 0;

  /** `onOpen` runs after each connection, the first and every later one. */
  constructor(
    private readonly token: string,
    private readonly onOpen: () => void,
  ) {
    // A laptop that wakes up should not wait out the pause between two attempts.
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.retryNow();
    });
  }

  connect(): void {
    if (!this.token) {
      this.state.set("refused");
      return;
    }
    const socket = this.open("/ws");
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempt = 0;
      this.state.set("open");
      this.onOpen();
    };
    socket.onmessage = ({ data }) => this.#take(String(data));
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#abandon();
      void this.#retry();
    };
  }

  /** A socket to the host that carries the token; a browser cannot send it as a header. */
  open(path: string): WebSocket {
    return new WebSocket(`ws://${location.host}${path}`, [SUBPROTOCOL, `vilo.auth.${this.token}`]);
  }

  retryNow(): void {
    if (this.state.value === "lost" && this.#timer) {
      clearTimeout(this.#timer);
      this.#timer = 0;
      this.connect();
    }
  }

  request<T>(method: string, params: object = {}): Promise<T> {
    const socket = this.#socket;
    if (!socket || socket.readyState !== WebSocket.OPEN) {
      return Promise.reject(new HostError("not_connected", t("error.not_connected"), ""));
    }
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      socket.send(JSON.stringify({ id, method, params }));
    });
  }

  on<T>(event: string, listener: (data: T) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener as (data: never) => void);
    return () => listeners.delete(listener as (data: never) => void);
  }

  #take(text: string): void {
    const message = JSON.parse(text);
    if (typeof message.event === "string") {
      for (const listener of this.#listeners.get(message.event) ?? []) listener(message.data as never);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error) waiting?.reject(HostError.from(message.error));
    else waiting?.resolve(message.result);
  }

  #abandon(): void {
    const error = new HostError("connection_lost", t("error.connection_lost"), "");
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  async #retry(): Promise<void> {
    this.state.set((await this.#isRefused()) ? "refused" : "lost");
    if (this.state.value === "refused") return;
    const wait = RETRY_MS[Math.min(this.#attempt++, RETRY_MS.length - 1)]!;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.connect();
    }, wait);
  }

  /** A failed WebSocket does not say why; an ordinary request does. */
  async #isRefused(): Promise<boolean> {
    try {
      const headers = { Authorization: `Bearer ${this.token}` };
      return (await fetch("/session", { headers, cache: "no-store" })).status === 401;
    } catch {
      return false;
    }
  }
}
