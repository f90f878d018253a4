// What travels between this page and the host. The host checks what it gets; the page checks what it
// builds on, since a plugin's data is anybody's.

import type { Said } from "./words.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Data = { [key: string]: unknown };

export interface Parameter {
  name: string;
  type: "string" | "integer" | "number" | "boolean" | "array" | "object" | "any";
  required: boolean;
  default?: unknown;
  description?: string;
}

export interface Command {
  id: string;
  title: string;
  description?: string;
  plugin: string;
  parameters?: Parameter[];
  /** Whether the palette shows it; a plugin may list those that it shows. */
  listed?: boolean;
  keybinding?: string | { key: string; when?: string } | null;
}

export interface WidgetType {
  id: string;
  title: string;
  icon?: string;
  kind: string;
  position?: string;
  plugin: string;
}

/** A widget that is open in the host. */
export interface Instance {
  instance: string;
  widget: string;
  plugin: string;
  kind: string;
  title: string;
  data: Data;
}

export interface Plugin {
  id: string;
  name?: string;
  version: string;
  summary?: string;
  enabled: boolean;
  held?: boolean;
  on_probation?: boolean;
  rolled_back?: string;
  reason?: string;
  source?: string;
  signature?: string;
  publisher?: string;
  dependencies?: string;
  sandbox?: string;
  state?: string;
  detail?: string;
  pid?: number | null;
  health?: string;
  managed?: boolean;
  permissions?: Held[];
}

/** Seconds since the epoch, megabytes, percent of one processor, calls. */
export type Sample = [number, number, number, number];

/** A plugin with what was measured of it; docs/reference/metrics.md has every field. */
export interface MeasuredPlugin extends Plugin {
  state: string;
  pid: number | null;
  throttled: boolean;
  limits: { memory_mb: number; cpu_percent: number };
  startup_time: number;
  memory_usage_mb: number;
  memory_kind: string;
  cpu_percent: number;
  cpu_time: number;
  command_count: number;
  command_avg_time: number;
  command_p50_time: number;
  command_p95_time: number;
  command_p99_time: number;
  error_count: number;
  last_error: string;
  restarts: number;
  active_time: number;
  resource_violations: string[];
  over_limits: string[];
  history: Sample[];
}

export interface Measured {
  every_s: number;
  plugins: MeasuredPlugin[];
}

/** What is kept of a failure; of a file that somebody changed, any part may be missing. */
export interface CrashReport {
  name: string;
  at?: string;
  kind?: string;
  error?: string;
  exit?: { code: number | null; signal: string | null };
  running?: { call: string; for_s: number }[];
  versions?: { [name: string]: string };
  traceback?: string;
  log?: string[];
}

export interface Offer {
  id: string;
  title: string;
  summary: string;
}

export interface Catalog {
  commands: Command[];
  widgets: WidgetType[];
  plugins: Plugin[];
  offers: Offer[];
}

export interface ThemeState {
  theme: string;
  themes: string[];
  palettes: Record<string, Record<string, string>>;
}

export interface Hello extends Catalog, ThemeState {
  locale: string;
  version: string;
  folder: string;
  instances: Instance[];
  layout: { layout: SavedLayout; states: Record<string, unknown> } | null;
  questions?: PermissionQuestion[];
  broken_saves?: BrokenSave[];
}

/** What an author saved and does not run. */
export interface BrokenSave {
  plugin: string;
  message: string;
  /** Below the project; empty where it is not known. */
  file: string;
  line: number;
  stack: string;
  /** Whether what ran before does. */
  goes_on: boolean;
}

/** The arrangement as it is kept between two visits. */
export interface SavedLayout {
  version: 1;
  dock?: unknown;
  /** In place of `dock`, when another application arranged it: see `Tree` of layout.ts. */
  tree?: unknown;
  panels: SavedPanel[];
}

export interface SavedPanel {
  id: string;
  kind: string;
  title: string;
  instance?: string;
  widget?: string;
  plugin?: string;
}

export interface FileEntry {
  name: string;
  path: string;
  kind: "folder" | "file" | "other";
  size: number;
}

export interface FileListing {
  path: string;
  entries: FileEntry[];
  truncated: boolean;
}

export interface Permission {
  id: string;
  reason: string;
  words?: string;
  said?: Said;
  warning?: string;
  warned?: string;
}

/** A permission that a plugin has, or was denied. */
export interface Held {
  id: string;
  state: "granted" | "denied";
  words: string;
  said?: Said;
  by: string;
  at: string;
  reason: string;
  lasting: "always" | "run" | "once";
}

/** What a plugin asks for while it runs. */
export interface PermissionQuestion {
  id: number;
  plugin: string;
  permission: string;
  words: string;
  said?: Said;
  warning: string;
  warned?: string;
  reason: string;
}

export type InstallStep =
  | { status: "done"; operation: string; installed: Installed[] }
  | ({ status: "needs_consent"; operation: string; plugin: string; version: string } & Question);

/** What the person is asked before a plugin is installed. */
export type Question =
  | {
      about: "permissions";
      permissions: Permission[];
      /** More than others may use of the machine, a line each. */
      limits?: string[];
    }
  | { about: "publisher"; lines: string[]; publisher: string }
  | { about: "unsigned"; lines: string[] };

export interface Installed {
  plugin: string;
  version: string;
  status: "installed" | "unchanged" | "would install";
  signature: string;
  notes: string[];
}

export interface Progress {
  operation: string;
  plugin: string;
  stage: string;
  message: string;
  done: number;
  total: number;
}

export interface Setting {
  key: string;
  value: unknown;
  default: unknown;
  type: string;
  description: string;
  enum?: unknown[] | null;
  enum_labels?: Record<string, string>;
  changed: boolean;
}

export interface Notification {
  level: "info" | "warning" | "error";
  message: string;
  plugin?: string;
}

/** An error as the host sends it: what happened, and what to do next. */
export class HostError extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly hint: string,
  ) {
    super(detail);
  }

  static from(body: unknown): HostError {
    const { code, detail, hint } = (body ?? {}) as Record<string, unknown>;
    return new HostError(String(code ?? "error"), String(detail ?? ""), String(hint ?? ""));
  }

  /** Whatever was thrown, as something to show. */
  static of(error: unknown): HostError {
    if (error instanceof HostError) return error;
    return new HostError("page", error instanceof Error ? error.message : String(error), "");
  }
}
