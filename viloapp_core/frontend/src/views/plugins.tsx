// What is installed and how it fares; what can be installed.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { Icon } from "../icons.tsx";
import type { Installer } from "../installer.ts";
import { type Store, useStore } from "../store.ts";
import type { Catalog, Offer, Plugin } from "../wire.ts";

export interface PluginActions {
  catalog: Store<Catalog>;
  installer: Installer;
  enable(id: string): void;
  disable(id: string): void;
  uninstall(id: string): void;
  permit(plugin: string, permission: string, allow: boolean): void;
}

const STATES: Record<string, string> = {
  running: "Running",
  starting: "Starting",
  stopping: "Stopping",
  stopped: "Starts when needed",
  crashed: "Crashed",
  restarting: "Starts again soon",
  disabled: "Disabled",
};

export function PluginsView({ actions }: { actions: PluginActions }): JSX.Element {
  const { plugins, offers } = useStore(actions.catalog);
  return (
    <div class="page" data-testid="plugins-view">
      <header class="page-head">
        <h1>Plugins</h1>
        <p>Each runs in a process and a virtual environment of its own, with the permissions you gave it.</p>
      </header>
      <InstallForm installer={actions.installer} />
      <InstallProgress installer={actions.installer} />
      {offers.length > 0 && (
        <section>
          <h2>Available</h2>
          <ul class="cards">
            {offers.map((offer) => (
              <OfferCard key={offer.id} offer={offer} installer={actions.installer} />
            ))}
          </ul>
        </section>
      )}
      <section>
        <h2>Installed</h2>
        {plugins.length === 0 && <p class="quiet">None yet.</p>}
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
        aria-label="Plugin to install"
        placeholder="Name on the package index, or path of a wheel"
        value={spec}
        spellcheck={false}
        onInput={(event) => setSpec(event.currentTarget.value)}
      />
      <button class="button" disabled={busy || !spec.trim()}>
        Install
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
  const label = progress ? `${progress.plugin}: ${progress.message || progress.stage}` : `Resolving ${now.specs.join(", ")}`;
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
        <p>{offer.summary}</p>
      </div>
      <div class="card-actions">
        <button
          class="button"
          disabled={busy}
          data-testid={`install-${offer.id}`}
          onClick={() => void installer.install([offer.id])}
        >
          Install
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
        {plugin.summary && <p>{plugin.summary}</p>}
        <ul class="labels">
          <li class={`state ${state}`}>
            <span class="dot" aria-hidden="true" />
            {enabled ? (STATES[state] ?? state) : plugin.held ? "Held back" : "Disabled"}
            {plugin.health === "unhealthy" ? ", unhealthy" : ""}
            {plugin.pid ? <span class="faint"> pid {plugin.pid}</span> : null}
          </li>
          <li class={plugin.signature?.startsWith("signed by ") ? "" : "caution"} title={plugin.publisher} data-testid="signature">
            {plugin.signature}
          </li>
          {plugin.dependencies && <li>{plugin.dependencies}</li>}
          <li class={plugin.sandbox === "none" ? "caution" : ""}>sandbox: {plugin.sandbox ?? "none"}</li>
          <li>from: {plugin.source ?? "index"}</li>
        </ul>
        {(plugin.detail || plugin.reason) && <p class="quiet">{plugin.detail || plugin.reason}</p>}
        {plugin.rolled_back && <p class="quiet">{plugin.rolled_back}</p>}
        {plugin.on_probation && <p class="quiet">Updated: rolled back if it does not run well at first</p>}
        <Permissions plugin={plugin} actions={actions} />
      </div>
      <div class="card-actions">
        <button
          class="button"
          data-testid={`${enabled ? "disable" : "enable"}-${id}`}
          onClick={() => (enabled ? actions.disable(id) : actions.enable(id))}
        >
          {enabled ? "Disable" : "Enable"}
        </button>
        <button
          class="icon-button"
          aria-label={`Uninstall ${id}`}
          title="Uninstall"
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
        {granted === 1 ? "1 permission" : `${granted} permissions`}
        {granted < held.length && `, ${held.length - granted} denied`}
      </summary>
      <ul class="held">
        {held.map(({ id, state, words, reason, lasting }) => (
          <li key={id} class={state} data-testid="permission" data-id={id} data-state={state}>
            <div>
              <span>
                {state === "granted" ? "May " : "May not "}
                {words}
                {lasting === "once" && " (once)"}
                {lasting === "run" && " (until ViloApp ends)"}
              </span>
              {reason && <span class="faint">“{reason}”</span>}
              <code>{id}</code>
            </div>
            <button class="button small" onClick={() => actions.permit(plugin.id, id, state === "denied")}>
              {state === "granted" ? "Revoke" : "Allow"}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}
