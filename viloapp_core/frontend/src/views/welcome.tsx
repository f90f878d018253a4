// What stands where no tab is: how to begin, and at the first visit the two plugins to begin with.

import type { JSX } from "preact";

import { language, t } from "../i18n.ts";
import { Icon, Logo } from "../icons.tsx";
import type { Installer } from "../installer.ts";
import { Keycaps } from "../shell/keycaps.tsx";
import { type Store, useStore } from "../store.ts";
import type { Catalog } from "../wire.ts";
import { InstallProgress } from "./plugins.tsx";

export interface WelcomeAction {
  icon: string;
  label: string;
  key: string;
  /** The command that has to exist for this to be offered; empty for the page's own. */
  needs: string;
  run: () => void;
}

interface WelcomeProps {
  catalog: Store<Catalog>;
  ready: Store<boolean>;
  installer: Installer;
  /** Asked at each drawing: keys come with the plugins. */
  actions: () => WelcomeAction[];
}

export function Welcome({ catalog, ready, installer, actions }: WelcomeProps): JSX.Element {
  const { commands, plugins, offers } = useStore(catalog);
  const isReady = useStore(ready);
  useStore(language);
  const known = new Set(commands.map(({ id }) => id));
  const shown = actions().filter(({ needs }) => !needs || known.has(needs));
  if (!isReady) return <div class="welcome" />;
  const first = plugins.length === 0 && offers.length > 0;
  return (
    <div class="welcome" data-testid="welcome">
      <div class="welcome-box">
        <Logo size={40} />
        <h2>{t(first ? "welcome.first" : "welcome.title")}</h2>
        {first ? <FirstRun catalog={catalog} installer={installer} /> : <InstallProgress installer={installer} />}
        {!first && (
          <ul class="welcome-actions">
            {shown.map(({ icon, label, key, run }) => (
              <li key={label}>
                <button onClick={run}>
                  <Icon name={icon} />
                  <span>{label}</span>
                  {key && <Keycaps chord={key} />}
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}

function FirstRun({ catalog, installer }: { catalog: Store<Catalog>; installer: Installer }): JSX.Element {
  const { offers } = useStore(catalog);
  const busy = useStore(installer.state) !== null;
  return (
    <div class="first-run" data-testid="first-run">
      <p class="lead">{t("welcome.lead")}</p>
      <ul class="offers">
        {offers.map(({ id, title, summary }) => (
          <li key={id}>
            <span class="card-icon">
              <Icon name={id === "viloxterm" ? "terminal" : "file"} size={18} />
            </span>
            <div>
              <strong>{title}</strong>
              <span>{summary}</span>
            </div>
          </li>
        ))}
      </ul>
      {busy ? (
        <InstallProgress installer={installer} />
      ) : (
        <button
          class="button primary large"
          data-testid="install-first"
          onClick={() => void installer.install(offers.map(({ id }) => id))}
        >
          <Icon name="download" />
          {offers.length === 1 ? t("install.install_one", { name: offers[0]!.title }) : t("install.install_both")}
        </button>
      )}
    </div>
  );
}
