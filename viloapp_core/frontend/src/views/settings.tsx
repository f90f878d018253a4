// Every setting of the workspace and of the plugins, as each declares it.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Channel } from "../channel.ts";
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
  const shown = settings.filter(({ key, description }) => `${key} ${description}`.toLowerCase().includes(wanted));
  const owners = [...new Set(shown.map(({ key }) => ownerOf(key)))];
  return (
    <div class="page" data-testid="settings-view">
      <header class="page-head">
        <h1>Settings</h1>
      </header>
      <input
        class="input"
        type="search"
        data-autofocus
        aria-label="Search settings"
        placeholder="Search settings"
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      {owners.map((owner) => (
        <section key={owner}>
          <h2>{owner === "core" ? "Workspace" : owner}</h2>
          <div class="settings">
            {shown
              .filter(({ key }) => ownerOf(key) === owner)
              .map((setting) => (
                <Row key={setting.key} setting={setting} set={(value) => void set(setting.key, value)} />
              ))}
          </div>
        </section>
      ))}
      {settings.length > 0 && shown.length === 0 && <p class="quiet">No setting of that name.</p>}
    </div>
  );
}

const ownerOf = (key: string): string => key.split(".")[0]!;

function Row({ setting, set }: { setting: Setting; set: (value: unknown) => void }): JSX.Element {
  const { key, description, changed } = setting;
  const id = `setting-${key}`;
  return (
    <div class="setting" data-testid="setting" data-key={key}>
      <label for={id}>
        <span class="setting-name">
          {key.slice(key.indexOf(".") + 1)}
          {changed && <span class="changed" title="Differs from the default" />}
        </span>
        <span class="quiet">{description}</span>
      </label>
      <Control id={id} setting={setting} set={set} />
    </div>
  );
}

function Control({ id, setting, set }: { id: string; setting: Setting; set: (value: unknown) => void }): JSX.Element {
  const { type, value } = setting;
  if (setting.enum) {
    return (
      <select id={id} class="input" value={String(value)} onChange={(event) => set(setting.enum![event.currentTarget.selectedIndex])}>
        {setting.enum.map((option) => (
          <option key={String(option)} value={String(option)}>
            {String(option)}
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
          notifyError(new Error(`${setting.key} is not JSON: ${(error as Error).message}`));
        }
      }}
    />
  );
}
