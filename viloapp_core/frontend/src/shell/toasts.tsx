// Short messages in the corner. What went wrong stays until it is read; the rest goes by itself.

import type { JSX } from "preact";

import { known, language, t } from "../i18n.ts";
import { Icon } from "../icons.tsx";
import { Store, useStore } from "../store.ts";
import { HostError } from "../wire.ts";

export interface ToastAction {
  label: string;
  run: () => void;
}

interface Toast {
  id: number;
  level: "info" | "success" | "warning" | "error";
  message: string;
  hint: string;
  action?: ToastAction;
}

const MAX_SHOWN = 4;
const STAYS_MS = { info: 5000, success: 4000, warning: 9000, error: 15000 };

const shown = new Store<Toast[]>([]);
let next = 1;

export function notify(level: Toast["level"], message: string, hint = "", action?: ToastAction): void {
  const same = shown.value.find((toast) => toast.message === message && toast.level === level);
  if (same) dismiss(same.id);
  const toast: Toast = { id: next++, level, message, hint, ...(action ? { action } : {}) };
  shown.update((all) => [...all, toast].slice(-MAX_SHOWN));
  setTimeout(() => dismiss(toast.id), STAYS_MS[level]);
}

export function notifyError(error: unknown, action?: ToastAction): void {
  const { code, detail, hint } = HostError.of(error);
  // What the host says more of it is English: it follows what can be said of its kind in the person's language.
  const said = language.value === "en" ? null : known(`error.${code}`);
  if (said === null || said === detail) notify("error", detail, hint, action);
  else notify("error", said, [detail, hint].filter(Boolean).join(". "), action);
}

function dismiss(id: number): void {
  shown.update((all) => all.filter((toast) => toast.id !== id));
}

export function Toasts(): JSX.Element {
  const toasts = useStore(shown);
  return (
    <section class="toasts" aria-label={t("notifications.title")} aria-live="polite" data-testid="toasts">
      {toasts.map(({ id, level, message, hint, action }) => (
        <div key={id} class={`toast ${level}`} role={level === "error" ? "alert" : "status"} data-testid="toast">
          <Icon name={level === "success" ? "check" : level} />
          <div class="toast-text">
            <p dir="auto">{message}</p>
            {hint && <p class="quiet" dir="auto">{hint}</p>}
            {action && (
              <button
                class="link"
                onClick={() => {
                  dismiss(id);
                  action.run();
                }}
              >
                {action.label}
              </button>
            )}
          </div>
          <button class="icon-button" aria-label={t("notifications.dismiss")} onClick={() => dismiss(id)}>
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
    </section>
  );
}
