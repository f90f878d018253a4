// Key chords as a manifest writes them ("ctrl+shift+p"), matched against what the keyboard sends, and the
// conditions ("editorFocus && !terminalFocus") under which they count.

export interface Binding {
  key: string;
  command: string;
  when?: string;
}

/** What a condition may ask about. */
export type Context = Record<string, boolean>;

const NAMES: Record<string, string> = {
  esc: "escape",
  return: "enter",
  del: "delete",
  ins: "insert",
  up: "arrowup",
  down: "arrowdown",
  left: "arrowleft",
  right: "arrowright",
  plus: "+",
  space: " ",
};

// Keys that carry another sign on another keyboard are told by their place.
const CODES: Record<string, string> = {
  backquote: "Backquote",
  "`": "Backquote",
  "\\": "Backslash",
  backslash: "Backslash",
  "-": "Minus",
  minus: "Minus",
  "=": "Equal",
  equal: "Equal",
  "[": "BracketLeft",
  "]": "BracketRight",
  ",": "Comma",
  comma: "Comma",
  ".": "Period",
  period: "Period",
  "/": "Slash",
  slash: "Slash",
  ";": "Semicolon",
  "'": "Quote",
};

interface Chord {
  ctrl: boolean;
  shift: boolean;
  alt: boolean;
  meta: boolean;
  key: string;
}

const isMac = navigator.platform.startsWith("Mac");

export function parseChord(text: string): Chord {
  const parts = text.toLowerCase().trim().split("+");
  // "ctrl++" names the plus key itself.
  if (parts.at(-1) === "") parts.splice(-2, 2, "plus");
  const key = parts.pop() ?? "";
  const has = (...names: string[]) => parts.some((part) => names.includes(part));
  return {
    ctrl: has("ctrl", "control") || (!isMac && has("mod")),
    shift: has("shift"),
    alt: has("alt", "option"),
    meta: has("meta", "cmd", "win") || (isMac && has("mod")),
    key: NAMES[key] ?? key,
  };
}

function matches(chord: Chord, event: KeyboardEvent): boolean {
  if (
    chord.ctrl !== event.ctrlKey ||
    chord.shift !== event.shiftKey ||
    chord.alt !== event.altKey ||
    chord.meta !== event.metaKey
  ) {
    return false;
  }
  const code = CODES[chord.key];
  if (code) return event.code === code;
  if (/^[a-z]$/.test(chord.key)) {
    // With Alt a keyboard may send another letter altogether; with Shift a capital.
    return event.key.toLowerCase() === chord.key || (event.altKey && event.code === `Key${chord.key.toUpperCase()}`);
  }
  if (/^[0-9]$/.test(chord.key)) return event.code === `Digit${chord.key}` || event.key === chord.key;
  return event.key.toLowerCase() === chord.key;
}

/** Whether a condition holds: names, "!", "&&" and "||"; a name that nobody knows is false. */
export function holds(when: string | undefined, context: Context): boolean {
  if (!when?.trim()) return true;
  return when.split("||").some((any) =>
    any.split("&&").every((term) => {
      const name = term.trim();
      return name.startsWith("!") ? !context[name.slice(1).trim()] : Boolean(context[name]);
    }),
  );
}

/** The command that a key press means; of several the one declared last. */
export function commandFor(event: KeyboardEvent, bindings: Binding[], context: Context): string | null {
  for (const binding of bindings.toReversed()) {
    if (matches(parseChord(binding.key), event) && holds(binding.when, context)) return binding.command;
  }
  return null;
}

const SHOWN: Record<string, string> = {
  arrowup: "↑",
  arrowdown: "↓",
  arrowleft: "←",
  arrowright: "→",
  backquote: "`",
  backslash: "\\",
  minus: "-",
  equal: "=",
  comma: ",",
  period: ".",
  slash: "/",
  pageup: "PgUp",
  pagedown: "PgDn",
  " ": "Space",
};

/** The parts of a chord as they stand on a keyboard: ["Ctrl", "Shift", "P"]. */
export function keycaps(text: string): string[] {
  const { ctrl, shift, alt, meta, key } = parseChord(text);
  const name = SHOWN[key] ?? (key.length === 1 ? key.toUpperCase() : key.charAt(0).toUpperCase() + key.slice(1));
  return [ctrl && "Ctrl", alt && (isMac ? "⌥" : "Alt"), shift && "Shift", meta && (isMac ? "⌘" : "Meta"), name].filter(
    (part): part is string => Boolean(part),
  );
}
