// What an author saved and does not run, over the tabs until a save does.

import type { JSX } from "preact";

import { t } from "../i18n.ts";
import { Icon } from "../icons.tsx";
import { type Store, useStore } from "../store.ts";
import type { BrokenSave } from "../wire.ts";

export function BrokenSaves({ saves }: { saves: Store<BrokenSave[]> }): JSX.Element {
  return (
    <div class="broken-saves">
      {useStore(saves).map((save) => (
        <Broken key={save.plugin} {...save} />
      ))}
    </div>
  );
}

function Broken({ plugin, message, file, line, stack, goes_on }: BrokenSave): JSX.Element {
  const place = line ? `${file}:${line}` : file;
  return (
    <div class="broken-save" role="alert" data-testid="broken-save" data-plugin={plugin}>
      <Icon name="error" />
      <div class="broken-save-text">
        <p>
          <strong>{t("broken.title", { plugin })}</strong>{" "}
          {t(goes_on ? "broken.goes_on" : "broken.after_next")}
        </p>
        <p class="broken-save-why">
          {place && <code data-testid="broken-save-place">{place}</code>}
          <span data-testid="broken-save-message">{message}</span>
        </p>
        {stack && (
          <details>
            <summary>{t("broken.traceback")}</summary>
            <pre dir="ltr">{stack}</pre>
          </details>
        )}
      </div>
    </div>
  );
}
