// Questions that have to be answered before anything goes on: one at a time, in a modal dialog.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { Icon } from "../icons.tsx";
import { Store, useStore } from "../store.ts";
import type { PermissionQuestion, Question } from "../wire.ts";

export interface Choice {
  id: string;
  label: string;
  kind?: "primary" | "danger";
}

interface Dialog {
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

const waiting = new Store<Dialog[]>([]);

export const dialogOpen = (): boolean => waiting.value.length > 0;

function put(question: Omit<Dialog, "answer">): Promise<{ choice: string | null; input: string }> {
  return new Promise((resolve) => {
    const asked: Dialog = {
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

/** Ask what stands between a plugin and its installation: who signed it, or what it wants. */
export async function askConsent(plugin: string, version: string, question: Question): Promise<boolean> {
  const who = (
    <>
      <strong>{plugin}</strong> {version}
    </>
  );
  const asked = {
    permissions: { title: `Allow ${plugin}?`, label: "Allow and install" },
    publisher: { title: `Trust who publishes ${plugin}?`, label: "Trust this publisher" },
    unsigned: { title: `Install ${plugin} unsigned?`, label: "Install unsigned" },
  }[question.about];
  const { choice } = await put({
    title: asked.title,
    body: <Asked who={who} question={question} />,
    choices: [{ id: "allow", label: asked.label, kind: question.about === "unsigned" ? "danger" : "primary" }],
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

function Asked({ who, question }: { who: ComponentChildren; question: Question }): JSX.Element {
  if (question.about === "permissions")
    return (
      <>
        <p>{who} asks for:</p>
        <ul class="permissions">
          {question.permissions.map(({ id, reason, words, warning }) => (
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
          {(question.limits ?? []).map((line) => (
            <li key={line}>
              <Icon name="shield" />
              <div>
                <code>{line}</code>
                <span>It wants to use more of the machine than plugins may.</span>
              </div>
            </li>
          ))}
        </ul>
      </>
    );
  const lines = (
    <ul class="permissions" data-testid="signer">
      {question.lines.map((line) => (
        <li key={line}>
          <Icon name="shield" />
          <div>
            <span>{line}</span>
          </div>
        </li>
      ))}
    </ul>
  );
  if (question.about === "publisher")
    return (
      <>
        <p>{who} is used for the first time. Its signature holds, and it is</p>
        {lines}
        <p class="quiet">If you agree, every later version has to be signed by the same publisher.</p>
      </>
    );
  return (
    <>
      <p>Nobody signed {who}.</p>
      {lines}
      <p class="quiet">It will say so wherever plugins are listed.</p>
    </>
  );
}

export function Dialogs(): JSX.Element | null {
  const question = useStore(waiting)[0];
  return question ? <Modal key={question.id ?? question.title} question={question} /> : null;
}

function Modal({ question }: { question: Dialog }): JSX.Element {
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
