// The page's own icons: 16 by 16, drawn with the text's colour.

import type { JSX } from "preact";

import { own } from "./own.ts";

const PATHS: Record<string, string> = {
  terminal: "M2.5 3.5h11a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1zM4.5 6.5l2 1.75-2 1.75M8.25 10.25h3",
  file: "M4 1.75h5l3.25 3.25v8.25a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V2.75a1 1 0 0 1 1-1zM8.75 1.75V5.25h3.5",
  folder: "M1.75 4a1 1 0 0 1 1-1h3l1.5 1.75h6a1 1 0 0 1 1 1v6.25a1 1 0 0 1-1 1H2.75a1 1 0 0 1-1-1z",
  "folder-open": "M1.75 12V4a1 1 0 0 1 1-1h3l1.5 1.75h5a1 1 0 0 1 1 1v1M2 12.75l1.6-4.9a1 1 0 0 1 .95-.7h9.2a.8.8 0 0 1 .76 1.05l-1.3 3.9a1 1 0 0 1-.95.65z",
  plugin: "M6 2.25h4v2.5h3.25a.5.5 0 0 1 .5.5v3H12a1.5 1.5 0 0 0 0 3h1.75v2a.5.5 0 0 1-.5.5H2.75a.5.5 0 0 1-.5-.5v-8a.5.5 0 0 1 .5-.5H6z",
  settings: "M2 4.25h6.5M11.5 4.25H14M2 8h2M7 8h7M2 11.75h7M12 11.75h2M10 2.75v3M5.5 6.5v3M10.5 10.25v3",
  activity: "M1.75 8.5h3l2-5 3 9 2-4h2.5",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5 14 14",
  close: "M4 4l8 8M12 4l-8 8",
  chevron: "M6 3.5 10.5 8 6 12.5",
  plus: "M8 3v10M3 8h10",
  split: "M2.5 3h11v10h-11zM8 3v10",
  sidebar: "M2.5 3h11v10h-11zM6.25 3v10",
  theme: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 2v12M8 5l4.8-1M8 8h6M8 11l4.8 1",
  text: "M3 4h10M3 7h10M3 10h7M3 13h5",
  warning: "M8 2.25 14.25 13H1.75zM8 6.5v3M8 11.25v.1",
  error: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 5v3.5M8 10.75v.1",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.5V11M8 5.25v.1",
  check: "M3 8.5 6.5 12 13 4.5",
  refresh: "M13 8a5 5 0 1 1-1.6-3.65L13 5.75M13 2.5v3.25H9.75",
  download: "M8 2.5v7.5M4.75 7 8 10.25 11.25 7M3 13.25h10",
  shield: "M8 1.75l5 1.75v4c0 3.3-2.1 5.6-5 6.75-2.9-1.15-5-3.45-5-6.75v-4z",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.25 4.5l.5 9h6.5l.5-9",
  collapse: "M4 2.5 8 5.5l4-3M4 13.5l4-3 4 3M2.5 8h11",
  dots: "M3.5 8h.1M8 8h.1M12.5 8h.1",
  keyboard: "M2 4h12a.5.5 0 0 1 .5.5v7a.5.5 0 0 1-.5.5H2a.5.5 0 0 1-.5-.5v-7A.5.5 0 0 1 2 4zM4 6.5h.1M6.7 6.5h.1M9.3 6.5h.1M12 6.5h.1M5 9.5h6",
  command: "M3 4.5 6 8l-3 3.5M8 11.5h5",
};

/** Those that point along the text. */
const MIRRORED = new Set(["chevron", "sidebar", "text", "command"]);

export function Icon({ name, size = 16, label }: { name: string; size?: number; label?: string }): JSX.Element {
  const known = own(PATHS, name) ?? PATHS["text"]!;
  return (
    <svg
      class={`icon ${MIRRORED.has(name) ? "mirrored" : ""}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.25"
      stroke-linecap="round"
      stroke-linejoin="round"
      {...(label ? { role: "img", "aria-label": label } : { "aria-hidden": true })}
    >
      <path d={known} />
    </svg>
  );
}

/** The same for parts that are not drawn by Preact. */
export function iconElement(name: string, size = 16): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const attributes = {
    class: `icon ${MIRRORED.has(name) ? "mirrored" : ""}`,
    width: String(size),
    height: String(size),
    viewBox: "0 0 16 16",
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "1.25",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "aria-hidden": "true",
  };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", own(PATHS, name) ?? PATHS["text"]!);
  svg.append(path);
  return svg;
}

export function Logo({ size = 20 }: { size?: number }): JSX.Element {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path d="M7 8 16 25 25 8" fill="none" stroke="var(--accent)" stroke-width="4" stroke-linecap="round" stroke-linejoin="round" />
      <circle cx="16" cy="9.5" r="2.8" fill="var(--foreground)" />
    </svg>
  );
}
