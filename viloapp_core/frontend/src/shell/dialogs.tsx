// Questions that have to be answered before anything goes on: one at a time, in a modal dialog.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { Icon } from "../icons.tsx";
import { Store, useStore } from "../store.ts";
import type { Permission, PermissionQuestion } from "../wire.ts";

export interface Choice {
  id: string;
  label: string;
  kind?: "primary" | "danger";
}

interface Question {
  title: string;
  body?: ComponentChildren;
  icon?: string;
  input?: { label: string; value: string; placeholder?: string };
  choices: Choice[];
  /** What turning away is called; then it has the focus: a key that was meant for another place must not agree. */
  refusal?: string;
  /** Of a question of the host's, which it may take back. */
  id?: number;
  answer: (choice: string | null, input: string) => void;
}

const waiting = new Store<Question[]>([]);

export const dialogOpen = (): boolean => waiting.value.length > 0;

function put(question: Omit<Question, "answer">): Promise<{ choice: string | null; input: string }> {
  return new Promise((resolve) => {
    const asked: Question = {
      ...question,
      answer: (choice, input) => {
        waiting.update((all) => all.filter((each) => each !== asked));
        resolve({ choice, input });
      },
    };
    waiting.update((all) => [...all, asked]);
  });
}

/** Ask for one of several choices; null when the person turned away. */
export async function ask(title: string, detail: string, choices: Choice[]): Promise<string | null> {
  return (await put({ title, body: detail && <p>{detail}</p>, choices })).choice;
}

/** Ask for a line of text; null when the person turned away. */
export async function askText(title: string, label: string, value = "", placeholder = ""): Promise<string | null> {
  const { choice, input } = await put({
    title,
    input: { label, value, placeholder },
    choices: [{ id: "ok", label: "OK", kind: "primary" }],
  });
  return choice === "ok" && input.trim() ? input.trim() : null;
}

/** Ask whether a plugin may have what it wants. */
export async function askConsent(
  plugin: string,
  version: string,
  permissions: Permission[],
  limits: string[] = [],
): Promise<boolean> {
  const body = (
    <>
      <p>
        <strong>{plugin}</strong> {version} asks for:
      </p>
      <ul class="permissions">
        {permissions.map(({ id, reason, words, warning }) => (
          <li key={id}>
            <Icon name="shield" />
            <div>
              <code>{id}</code>
              {words && <strong>{words}</strong>}
              {warning && <em>{warning}</em>}
              <span>{reason ? `“${reason}”` : "The plugin gives no reason."}</span>
            </div>
          </li>
        ))}
        {limits.map((line) => (
          <li key={line}>
            <Icon name="shield" />
            <div>
              <code>{line}</code>
              <span>It wants to use more of the machine than plugins may.</span>
            </div>
          </li>
        ))}
      </ul>
      <p class="quiet">Signature: not checked. Install only what you trust.</p>
    </>
  );
  const { choice } = await put({
    title: `Allow ${plugin}?`,
    body,
    choices: [{ id: "allow", label: "Allow and install", kind: "primary" }],
  });
  return choice === "allow";
}

/** Ask for a permission that a plugin wants now; null when the host took the question back. */
export async function askPermission(question: PermissionQuestion): Promise<string | null> {
  const { id, plugin, permission, words, warning, reason } = question;
  if (waiting.value.some((each) => each.id === id)) return null;
  const body = (
    <>
      <p>
        <strong>{plugin}</strong> asks to <strong>{words}</strong>.
      </p>
      {warning && <p class="caution">{warning}.</p>}
      <p>{reason ? `It says: “${reason}”` : "It gives no reason."}</p>
      <p class="quiet">
        <code>{permission}</code>
      </p>
    </>
  );
  const { choice } = await put({
    id,
    title: `Allow ${plugin} this?`,
    body,
    icon: "shield",
    refusal: "Deny",
    choices: [
      { id: "once", label: "Once" },
      { id: "run", label: "Until ViloApp ends" },
      { id: "always", label: "Always" },
    ],
  });
  return choice === WITHDRAWN ? null : (choice ?? "deny");
}

const WITHDRAWN = "withdrawn";

/** The host has its answer from elsewhere, or waits no longer. */
export function withdrawPermission(id: number): void {
  waiting.value.find((each) => each.id === id)?.answer(WITHDRAWN, "");
}

export function Dialogs(): JSX.Element | null {
  const question = useStore(waiting)[0];
  return question ? <Modal key={question.id ?? question.title} question={question} /> : null;
}

function Modal({ question }: { question: Question }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [input, setInput] = useState(question.input?.value ?? "");
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  const primary = question.choices.find(({ kind }) => kind === "primary") ?? question.choices[0];
  return (
    <dialog
      ref={dialog}
      class="dialog"
      data-testid="dialog"
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        question.answer(null, input);
      }}
    >
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          const { submitter } = event as SubmitEvent;
          question.answer(submitter?.getAttribute("value") || (primary?.id ?? null), input);
        }}
      >
        <h2 id="dialog-title">{question.title}</h2>
        {question.body}
        {question.input && (
          <label class="field">
            <span>{question.input.label}</span>
            <input
              class="input"
              autofocus
              value={input}
              placeholder={question.input.placeholder ?? ""}
              onInput={(event) => setInput(event.currentTarget.value)}
            />
          </label>
        )}
        <div class="button-row end">
          <button type="button" class="button" data-testid="dialog-cancel" autofocus={question.refusal !== undefined} onClick={() => question.answer(null, input)}>
            {question.refusal ?? "Cancel"}
          </button>
          {question.choices.map(({ id, label, kind }) => (
            <button
              key={id}
              type="submit"
              value={id}
              class={`button ${kind ?? ""}`}
              data-testid={`dialog-${id}`}
              autofocus={!question.input && question.refusal === undefined && id === primary?.id}
            >
              {label}
            </button>
          ))}
        </div>
      </form>
    </dialog>
  );
}
