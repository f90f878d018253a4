// Installing from the page: one installation at a time, with its progress, and the person asked for consent.

import type { Channel } from "./channel.ts";
import { t } from "./i18n.ts";
import { askConsent } from "./shell/dialogs.tsx";
import { notify, notifyError } from "./shell/toasts.tsx";
import { signatureLabel } from "./words.ts";
import { Store } from "./store.ts";
import { HostError, type InstallStep, type Progress } from "./wire.ts";

export interface Installing {
  specs: string[];
  progress: Progress | null;
}

export class Installer {
  /** What is being installed now, or nothing. */
  readonly state = new Store<Installing | null>(null);

  constructor(
    private readonly channel: Channel,
    private readonly done: () => void,
  ) {
    channel.on<Progress>("progress", (progress) =>
      this.state.update((now) => now && { ...now, progress }),
    );
  }

  /** Install; true when it is done, and otherwise the person has been told why not. */
  async install(specs: string[]): Promise<boolean> {
    if (this.state.value) {
      notify("warning", t("install.busy"), t("install.busy_hint"));
      return false;
    }
    this.state.set({ specs, progress: null });
    try {
      let step = await this.channel.request<InstallStep>("plugins.install", { specs });
      while (step.status === "needs_consent") {
        const accepted = await askConsent(step.plugin, step.version, step);
        step = await this.channel.request<InstallStep>("plugins.install", { operation: step.operation, accepted });
      }
      for (const { plugin, version, status, signature, notes } of step.installed) {
        const unchanged = status === "unchanged";
        const text = t(unchanged ? "install.unchanged" : "install.done", { plugin, version, signature: signatureLabel(signature) });
        notify(unchanged ? "info" : "success", text, notes.join(" "));
      }
      return true;
    } catch (error) {
      // What the person chose is no error.
      if (HostError.of(error).code === "consent_refused") notify("info", t("error.consent_refused"));
      else notifyError(error);
      return false;
    } finally {
      this.state.set(null);
      this.done();
    }
  }
}
