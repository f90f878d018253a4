// A tab whose content Preact draws.

import { type ComponentChild, render } from "preact";

import type { View } from "../layout.ts";

export class PreactView implements View {
  readonly element = document.createElement("div");

  constructor(className: string, content: ComponentChild) {
    this.element.className = `view ${className}`;
    this.element.tabIndex = -1;
    render(content, this.element);
  }

  focus(): void {
    const first = this.element.querySelector<HTMLElement>("[data-autofocus]");
    (first ?? this.element).focus({ preventScroll: true });
  }

  dispose(): void {
    render(null, this.element);
  }
}
