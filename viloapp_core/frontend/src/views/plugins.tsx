// What is installed and how it fares; what can be installed.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { list, t } from "../i18n.ts";
import { Icon } from "../icons.tsx";
import type { Installer } from "../installer.ts";
import { type Store, useStore } from "../store.ts";
import type { Catalog, Offer, Plugin } from "../wire.ts";
import { permissionWords, signatureLabel, stateWords } from "../words.ts";

export interface PluginActions {
  catalog: Store<Catalog>;
  installer: Installer;
  enable(id: string): void;
  disable(id: string): void;
  uninstall(id: string): void;
  permit(plugin: string, permission: string, allow: boolean): void;
}

export function PluginsView({ actions }: { actions: PluginActions }): JSX.Element {
  const { plugins, offers } = useStore(actions.catalog);
  return (
    <div class="page" data-testid="plugins-view">
      <header class="page-head">
        <h1>{t("plugins.title")}</h1>
        <p>{t("plugins.lead")}</p>
      </header>
      <InstallForm installer={actions.installer} />
      <InstallProgress installer={actions.installer} />
      {offers.length > 0 && (
        <section>
          <h2>{t("plugins.available")}</h2>
          <ul class="cards">
            {offers.map((offer) => (
              <OfferCard key={offer.id} offer={offer} installer={actions.installer} />
            ))}
          </ul>
        </section>
      )}
      <section>
        <h2>{t("plugins.installed")}</h2>
        {plugins.length === 0 && <p class="quiet">{t("plugins.none")}</p>}
        <ul class="cards">
          {plugins.map((plugin) => (
            <PluginCard key={plugin.id} plugin={plugin} actions={actions} />
          ))}
        </ul>
      </section>
    </div>
  );
}

function InstallForm({ installer }: { installer: Installer }): JSX.Element {
  const [spec, setSpec] = useState("");
  const busy = useStore(installer.state) !== null;
  return (
    <form
      class="install-form"
      onSubmit={(event) => {
        event.preventDefault();
        const specs = spec.trim().split(/\s+(?=[\w./~])/).filter(Boolean);
        if (specs.length > 0) void installer.install(specs).then((done) => done && setSpec(""));
      }}
    >
      <input
        class="input"
        aria-label={t("install.field")}
        placeholder={t("install.hint")}
        value={spec}
        spellcheck={false}
        onInput={(event) => setSpec(event.currentTarget.value)}
      />
      <button class="button" disabled={busy || !spec.trim()}>
        {t("install.install")}
      </button>
    </form>
  );
}

/** How the installation that is under way goes on. */
export function InstallProgress({ installer }: { installer: Installer }): JSX.Element | null {
  const now = useStore(installer.state);
  if (!now) return null;
  const { progress } = now;
  const known = progress !== null && progress.total > 0;
  const label = progress
    ? t("install.progress", { plugin: progress.plugin, message: progress.message || progress.stage })
    : t("install.resolving", { names: list(now.specs) });
  return (
    <div class="progress" role="status" data-testid="install-progress">
      <p>{label}</p>
      <div
        class={`bar ${known ? "" : "unknown"}`}
        role="progressbar"
        aria-label={label}
        aria-valuenow={known ? Math.round((100 * progress.done) / progress.total) : undefined}
      >
        <span style={known ? { width: `${(100 * progress.done) / progress.total}%` } : {}} />
      </div>
    </div>
  );
}

export function OfferCard({ offer, installer }: { offer: Offer; installer: Installer }): JSX.Element {
  const busy = useStore(installer.state) !== null;
  return (
    <li class="card" data-testid="offer" data-id={offer.id}>
      <span class="card-icon">
        <Icon name={offer.id === "viloxterm" ? "terminal" : offer.id === "viloedit" ? "file" : "plugin"} size={18} />
      </span>
      <div class="card-body">
        <h3>{offer.title}</h3>
        <p dir="auto">{offer.summary}</p>
      </div>
      <div class="card-actions">
        <button
          class="button"
          disabled={busy}
          data-testid={`install-${offer.id}`}
          onClick={() => void installer.install([offer.id])}
        >
          {t("install.install")}
        </button>
      </div>
    </li>
  );
}

function PluginCard({ plugin, actions }: { plugin: Plugin; actions: PluginActions }): JSX.Element {
  const { id, enabled } = plugin;
  const state = enabled ? (plugin.state ?? "stopped") : "disabled";
  return (
    <li class={`card ${enabled ? "" : "off"}`} data-testid="plugin" data-id={id} data-state={state}>
      <span class="card-icon">
        <Icon name={id === "viloxterm" ? "terminal" : id === "viloedit" ? "file" : "plugin"} size={18} />
      </span>
      <div class="card-body">
        <h3>
          {id} <span class="version">{plugin.version}</span>
        </h3>
        {plugin.summary && <p dir="auto">{plugin.summary}</p>}
        <ul class="labels">
          <li class={`state ${state}`}>
            <span class="dot" aria-hidden="true" />
            {list([stateWords(plugin.held ? "held" : state), ...(plugin.health === "unhealthy" ? [t("plugin.unhealthy")] : [])])}
            {plugin.pid ? <span class="faint">{t("plugin.pid", { pid: String(plugin.pid) })}</span> : null}
          </li>
          <li class={plugin.signature?.startsWith("signed by ") ? "" : "caution"} title={plugin.publisher} data-testid="signature">
            {signatureLabel(plugin.signature ?? "")}
          </li>
          {plugin.dependencies && <li>{plugin.dependencies}</li>}
          <li class={plugin.sandbox === "none" ? "caution" : ""}>{t("plugin.sandbox", { backend: plugin.sandbox ?? "none" })}</li>
          <li>{t("plugin.from", { source: plugin.source ?? "index" })}</li>
        </ul>
        {(plugin.detail || plugin.reason) && <p class="quiet" dir="auto">{plugin.detail || plugin.reason}</p>}
        {plugin.rolled_back && <p class="quiet">{plugin.rolled_back}</p>}
        {plugin.on_probation && <p class="quiet">{t("plugin.on_probation")}</p>}
        <Permissions plugin={plugin} actions={actions} />
      </div>
      <div class="card-actions">
        <button
          class="button"
          data-testid={`${enabled ? "disable" : "enable"}-${id}`}
          onClick={() => (enabled ? actions.disable(id) : actions.enable(id))}
        >
          {t(enabled ? "plugin.disable" : "plugin.enable")}
        </button>
        <button
          class="icon-button"
          aria-label={t("plugin.uninstall_named", { plugin: id })}
          title={t("plugin.uninstall")}
          data-testid={`uninstall-${id}`}
          onClick={() => actions.uninstall(id)}
        >
          <Icon name="trash" />
        </button>
      </div>
    </li>
  );
}

function Permissions({ plugin, actions }: { plugin: Plugin; actions: PluginActions }): JSX.Element | null {
  const held = plugin.permissions ?? [];
  if (held.length === 0) return null;
  const granted = held.filter(({ state }) => state === "granted").length;
  return (
    <details class="details" data-testid={`permissions-${plugin.id}`}>
      <summary>
        {t(granted < held.length ? "permission.summary_denied" : "permission.summary", { granted, denied: held.length - granted })}
      </summary>
      <ul class="held">
        {held.map(({ id, state, words, said, reason, lasting }) => (
          <li key={id} class={state} data-testid="permission" data-id={id} data-state={state}>
            <div>
              <span>
                {t(state === "granted" ? "permission.may" : "permission.may_not", { words: permissionWords({ words, ...(said ? { said } : {}) }) })}
                {lasting === "once" && ` ${t("permission.only_once")}`}
                {lasting === "run" && ` ${t("permission.only_run")}`}
              </span>
              {reason && <q class="faint" dir="auto">{reason}</q>}
              <code>{id}</code>
            </div>
            <button class="button small" onClick={() => actions.permit(plugin.id, id, state === "denied")}>
              {t(state === "granted" ? "permission.revoke" : "permission.allow")}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}
