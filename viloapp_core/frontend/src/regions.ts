// F6: from one part of the page to the next, out of a terminal too, which keeps Tab for itself (WCAG 2.1.2).

const ORDER = ["top", "sidebar", "tabs", "status"];
const FOCUSABLE = 'button:not([disabled]), input, a[href], [tabindex="0"]';

export function focusRegion(step: 1 | -1, focusTab: () => void): void {
  const regions = ORDER.map((name) => document.querySelector<HTMLElement>(`[data-region="${name}"]`)).filter(
    (region): region is HTMLElement => region !== null,
  );
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions[(at + step + regions.length) % regions.length];
  if (next?.dataset["region"] === "tabs") {
    focusTab();
    if (next.contains(document.activeElement)) return;
  }
  next?.querySelector<HTMLElement>(FOCUSABLE)?.focus();
}
