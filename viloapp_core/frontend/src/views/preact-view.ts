// A tab whose content Preact draws.

import { type ComponentChild, h, render } from "preact";

import { language } from "../i18n.ts";
import type { View } from "../layout.ts";
import { useStore } from "../store.ts";

/** Drawn anew in another language. */
function Drawn({ content }: { content: () => ComponentChild }): ComponentChild {
  useStore(language);
  return content();
}

export class PreactView implements View {
  readonly element = document.createElement("div");

  constructor(className: string, content: () => ComponentChild) {
    this.element.className = `view ${className}`;
    this.element.tabIndex = -1;
    render(h(Drawn, { content }), this.element);
  }

  focus(): void {
    const first = this.element.querySelector<HTMLElement>("[data-autofocus]");
    (first ?? this.element).focus({ preventScroll: true });
  }

  dispose(): void {
    render(null, this.element);
  }
}
