// The pseudo-language en-XA: English with accents, two fifths longer, in brackets. Placeholders stay.

const ACCENTED: Record<string, string> = {
  a: "á", c: "ç", e: "é", i: "í", n: "ñ", o: "ö", s: "š", u: "ü", y: "ý",
  A: "Á", C: "Ç", E: "É", I: "Í", N: "Ñ", O: "Ö", S: "Š", U: "Ü", Y: "Ý",
};
const LONGER_BY = 0.4;

export function pseudo<T extends Record<string, string>>(texts: T): T {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, longer(text)])) as T;
}

function longer(text: string): string {
  let depth = 0;
  let shown = "";
  for (const letter of text) {
    depth += letter === "{" ? 1 : letter === "}" ? -1 : 0;
    shown += depth > 0 ? letter : (ACCENTED[letter] ?? letter);
  }
  return `[${shown}${"~".repeat(Math.ceil(text.length * LONGER_BY))}]`;
}
