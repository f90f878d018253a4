import type { JSX } from "preact";

import { keycaps } from "../keys.ts";

/** A chord as keys: Ctrl Shift P. */
export function Keycaps({ chord }: { chord: string }): JSX.Element {
  const parts = keycaps(chord);
  return (
    <span class="keycaps" aria-label={parts.join(" ")}>
      {parts.map((part) => (
        <kbd key={part} aria-hidden="true">
          {part}
        </kbd>
      ))}
    </span>
  );
}
