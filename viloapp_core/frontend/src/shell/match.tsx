// Finding a name by some of its letters, and showing which letters were found.

import type { JSX } from "preact";

export interface Match<T> {
  item: T;
  /** Where in the text the letters were found. */
  spans: number[];
}

/** Those items whose text has the letters in order, the closest first; all of them for an empty search. */
export function rank<T>(search: string, items: T[], text: (item: T) => string): Match<T>[] {
  const letters = search.toLowerCase().replaceAll(" ", "");
  if (!letters) return items.map((item) => ({ item, spans: [] }));
  const found: (Match<T> & { score: number })[] = [];
  for (const item of items) {
    const match = locate(letters, text(item));
    if (match) found.push({ item, ...match });
  }
  return found.sort((a, b) => b.score - a.score);
}

function locate(letters: string, text: string): { spans: number[]; score: number } | null {
  const lower = text.toLowerCase();
  const whole = lower.indexOf(letters);
  if (whole >= 0) {
    const spans = [...letters].map((_, index) => whole + index);
    return { spans, score: 100 + (isStart(text, whole) ? 50 : 0) - text.length / 100 };
  }
  const spans: number[] = [];
  let score = 0;
  let from = 0;
  for (const letter of letters) {
    // A letter that begins a word is what people mean by an abbreviation: prefer it to a nearer one.
    const next = lower.indexOf(letter, from);
    if (next < 0) return null;
    const start = startOf(letter, lower, text, next);
    const at = start >= 0 && rest(letters, spans.length + 1, lower, start + 1) ? start : next;
    score += isStart(text, at) ? 4 : at === (spans.at(-1) ?? -2) + 1 ? 3 : 1;
    spans.push(at);
    from = at + 1;
  }
  return { spans, score: score - text.length / 100 };
}

function isStart(text: string, at: number): boolean {
  return at === 0 || /[\s:./_-]/.test(text[at - 1]!);
}

function startOf(letter: string, lower: string, text: string, from: number): number {
  for (let at = from; at >= 0; at = lower.indexOf(letter, at + 1)) if (isStart(text, at)) return at;
  return -1;
}

/** Whether the letters that are left still follow from here. */
function rest(letters: string, index: number, lower: string, from: number): boolean {
  let at = from;
  for (const letter of letters.slice(index)) {
    at = lower.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

export function Marked({ text, spans }: { text: string; spans: number[] }): JSX.Element {
  if (spans.length === 0) return <>{text}</>;
  const marked = new Set(spans);
  return <>{[...text].map((letter, index) => (marked.has(index) ? <b key={index}>{letter}</b> : letter))}</>;
}
