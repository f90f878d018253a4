// Plain text of a plugin, shown as it is; and what a tab shows that cannot show its widget.

import type { View } from "../layout.ts";
import type { Data } from "../wire.ts";

export class TextView implements View {
  readonly element = document.createElement("div");
  readonly #text = document.createElement("pre");

  constructor(data: Data) {
    this.element.className = "view text-view";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "document");
    this.#text.dir = "auto";
    this.element.append(this.#text);
    this.update(data);
  }

  update(data: Data): void {
    if (typeof data["text"] === "string") this.#text.textContent = data["text"];
  }

  focus(): void {
    this.element.focus({ preventScroll: true });
  }

  dispose(): void {}
}

export interface Action {
  label: () => string;
  run: () => void;
}

/** One message in the middle of a tab: waiting, failed, or of a kind that this page does not know. */
export class MessageView implements View {
  readonly element = document.createElement("div");

  readonly #draw: () => void;

  constructor(title: () => string, detail: () => string = () => "", actions: Action[] = []) {
    this.element.className = "view message-view";
    this.element.tabIndex = 0;
    const heading = document.createElement("p");
    heading.className = "message-title";
    const text = document.createElement("p");
    text.className = "message-detail";
    const row = document.createElement("div");
    row.className = "button-row";
    const buttons = actions.map(({ run }) => {
      const button = document.createElement("button");
      button.className = "button";
      button.addEventListener("click", run);
      row.append(button);
      return button;
    });
    this.element.append(heading, text, row);
    this.#draw = () => {
      heading.textContent = title();
      text.textContent = detail();
      actions.forEach((action, index) => (buttons[index]!.textContent = action.label()));
    };
    this.#draw();
  }

  translate(): void {
    this.#draw();
  }

  focus(): void {
    this.element.focus({ preventScroll: true });
  }

  dispose(): void {}
}
