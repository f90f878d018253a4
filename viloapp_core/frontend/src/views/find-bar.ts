// The small bar that looks for text in a terminal.

import { label, t } from "../i18n.ts";
import { iconElement } from "../icons.tsx";

interface FindHooks {
  find(text: string, forward: boolean): void;
  closed(): void;
}

export class FindBar {
  readonly element = document.createElement("div");
  readonly #input = document.createElement("input");

  constructor(private readonly hooks: FindHooks) {
    this.element.className = "find-bar";
    this.element.setAttribute("role", "search");
    this.element.hidden = true;
    this.#input.addEventListener("input", () => this.#go(true));
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#go(!event.shiftKey);
      else if (event.key === "Escape") this.close();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    const close = document.createElement("button");
    close.className = "icon-button";
    label(close, "terminal.close_find");
    close.append(iconElement("close", 14));
    close.addEventListener("click", () => this.close());
    this.element.append(iconElement("search", 14), this.#input, close);
  }

  open(text: string): void {
    this.element.hidden = false;
    this.#input.placeholder = t("terminal.find");
    label(this.#input, "terminal.find_in");
    if (text && !text.includes("\n")) this.#input.value = text;
    this.#input.select();
    this.#input.focus();
  }

  close(): void {
    this.element.hidden = true;
    this.hooks.closed();
  }

  #go(forward: boolean): void {
    if (this.#input.value) this.hooks.find(this.#input.value, forward);
  }
}
