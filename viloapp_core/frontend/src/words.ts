// What the host says in fixed words, in the language of the page; what it has no words for stays as the host says it.

import { known, t } from "./i18n.ts";

/** The message that the host's English words are, with its values: permissions/words.py. */
export interface Said {
  key: string;
  values: Record<string, string>;
}

/** What a permission allows: the host's own words, never the plugin's. */
export const permissionWords = (row: { words?: string; said?: Said }): string =>
  (row.said && known(row.said.key, row.said.values)) ?? row.words ?? "";

export const warningWords = (row: { warning?: string; warned?: string }): string =>
  (row.warned && known(row.warned)) || (row.warning ?? "");

export const stateWords = (state: string): string => known(`plugin.state.${state}`) ?? state;

export const themeName = (name: string): string => known(`theme.${name}`) ?? name;

export function signatureLabel(signature: string): string {
  if (signature === "UNSIGNED") return t("plugin.unsigned");
  const who = /^signed by (.+)$/.exec(signature)?.[1];
  return who ? t("plugin.signed", { who }) : signature;
}
