// Every setting of the workspace and of the plugins, as each declares it.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Channel } from "../channel.ts";
import { LANGUAGES, known, languageName, t } from "../i18n.ts";
import { notifyError } from "../shell/toasts.tsx";
import type { Setting } from "../wire.ts";

export function SettingsView({ channel }: { channel: Channel }): JSX.Element {
  const [settings, setSettings] = useState<Setting[]>([]);
  const [search, setSearch] = useState("");
  useEffect(() => {
    const read = () => void channel.request<Setting[]>("settings.list").then(setSettings).catch(notifyError);
    read();
    const ends = ["settings.changed", "plugins.changed"].map((event) => channel.on(event, read));
    return () => ends.forEach((end) => end());
  }, []);
  const set = (key: string, value: unknown) => channel.request("settings.set", { key, value }).catch(notifyError);
  const wanted = search.toLowerCase();
  const shown = settings.filter((setting) => `${setting.key} ${described(setting)}`.toLowerCase().includes(wanted));
  const owners = [...new Set(shown.map(({ key }) => ownerOf(key)))];
  return (
    <div class="page" data-testid="settings-view">
      <header class="page-head">
        <h1>{t("settings.title")}</h1>
      </header>
      <input
        class="input"
        type="search"
        data-autofocus
        aria-label={t("settings.search")}
        placeholder={t("settings.search")}
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      {owners.map((owner) => (
        <section key={owner}>
          <h2>{owner === "core" ? t("settings.workspace") : owner}</h2>
          <div class="settings">
            {shown
              .filter(({ key }) => ownerOf(key) === owner)
              .map((setting) => (
                <Row key={setting.key} setting={setting} set={(value) => void set(setting.key, value)} />
              ))}
          </div>
        </section>
      ))}
      {settings.length > 0 && shown.length === 0 && <p class="quiet">{t("settings.none")}</p>}
    </div>
  );
}

const ownerOf = (key: string): string => key.split(".")[0]!;

/** The page says what its own settings do, a plugin what its do. */
function described({ key, description }: Setting): string {
  const name = key.slice(key.indexOf(".") + 1);
  const own = ownerOf(key) === "core" ? known(`setting.${key}`) : name.startsWith("limits.") ? t("setting.limits") : null;
  return own ?? description;
}

/** The languages to choose from, and the one that was set if it is another. */
function languages(value: unknown): string[] {
  return LANGUAGES.includes(String(value)) ? LANGUAGES : [...LANGUAGES, String(value)];
}

function choices({ key, value, enum: allowed, enum_labels: labels = {} }: Setting): { value: unknown; text: string }[] | null {
  if (key === "core.locale") return languages(value).map((each) => ({ value: each, text: LANGUAGES.includes(each) ? languageName(each) : each }));
  if (!allowed) return null;
  const words = (option: string): string => (Object.hasOwn(labels, option) ? labels[option]! : (key === "core.theme" && known(`theme.${option}`)) || option);
  return allowed.map((each) => ({ value: each, text: words(String(each)) }));
}

function Row({ setting, set }: { setting: Setting; set: (value: unknown) => void }): JSX.Element {
  const { key, changed } = setting;
  const id = `setting-${key}`;
  return (
    <div class="setting" data-testid="setting" data-key={key}>
      <label for={id}>
        <span class="setting-name">
          {key.slice(key.indexOf(".") + 1)}
          {changed && <span class="changed" title={t("settings.differs")} />}
        </span>
        <span class="quiet" dir="auto">{described(setting)}</span>
      </label>
      <Control id={id} setting={setting} set={set} />
    </div>
  );
}

function Control({ id, setting, set }: { id: string; setting: Setting; set: (value: unknown) => void }): JSX.Element {
  const { type, value } = setting;
  const offered = choices(setting);
  if (offered) {
    return (
      <select id={id} class="input" value={String(value)} onChange={(event) => set(offered[event.currentTarget.selectedIndex]!.value)}>
        {offered.map((option) => (
          <option key={String(option.value)} value={String(option.value)}>
            {option.text}
          </option>
        ))}
      </select>
    );
  }
  if (type === "boolean") {
    return (
      <input id={id} class="switch" type="checkbox" role="switch" checked={value === true} onChange={(event) => set(event.currentTarget.checked)} />
    );
  }
  if (type === "integer" || type === "number") {
    return (
      <input
        id={id}
        class="input number"
        type="number"
        step={type === "integer" ? 1 : "any"}
        value={Number(value)}
        onChange={(event) => set(event.currentTarget.valueAsNumber)}
      />
    );
  }
  if (type === "string") {
    return <input id={id} class="input" value={String(value ?? "")} onChange={(event) => set(event.currentTarget.value)} />;
  }
  return (
    <input
      id={id}
      class="input code"
      value={JSON.stringify(value)}
      spellcheck={false}
      onChange={(event) => {
        try {
          set(JSON.parse(event.currentTarget.value));
        } catch (error) {
          notifyError(new Error(t("settings.not_json", { key: setting.key, problem: (error as Error).message })));
        }
      }}
    />
  );
}
