// Questions that have to be answered before anything goes on: one at a time, in a modal dialog.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { rich, t } from "../i18n.ts";
import { Icon } from "../icons.tsx";
import { Store, useStore } from "../store.ts";
import type { PermissionQuestion, Question } from "../wire.ts";
import { permissionWords, warningWords } from "../words.ts";

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
    choices: [{ id: "ok", label: t("dialog.ok"), kind: "primary" }],
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
    permissions: { title: t("consent.install_title", { plugin }), label: t("consent.install") },
    publisher: { title: t("consent.publisher_title", { plugin }), label: t("consent.publisher") },
    unsigned: { title: t("consent.unsigned_title", { plugin }), label: t("consent.unsigned") },
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
  const { id, plugin, permission, warning, reason } = question;
  if (waiting.value.some((each) => each.id === id)) return null;
  const body = (
    <>
      <p>
        {rich("permission.asks", { plugin: <strong>{plugin}</strong>, words: <strong>{permissionWords(question)}</strong> })}
      </p>
      {warning && <p class="caution">{warningWords(question)}.</p>}
      <p>{reason ? t("permission.reason", { reason }) : t("permission.no_reason")}</p>
      <p class="quiet">
        <code>{permission}</code>
      </p>
    </>
  );
  const { choice } = await put({
    id,
    title: t("permission.title", { plugin }),
    body,
    icon: "shield",
    refusal: t("permission.deny"),
    choices: [
      { id: "once", label: t("permission.once") },
      { id: "run", label: t("permission.run") },
      { id: "always", label: t("permission.always") },
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
        <p>{rich("consent.asks", { plugin: who })}</p>
        <ul class="permissions">
          {question.permissions.map((asked) => (
            <li key={asked.id}>
              <Icon name="shield" />
              <div>
                <code>{asked.id}</code>
                {asked.words && <strong>{permissionWords(asked)}</strong>}
                {asked.warning && <em>{warningWords(asked)}</em>}
                {asked.reason ? <q dir="auto">{asked.reason}</q> : <span>{t("consent.no_reason")}</span>}
              </div>
            </li>
          ))}
          {(question.limits ?? []).map((line) => (
            <li key={line}>
              <Icon name="shield" />
              <div>
                <code>{line}</code>
                <span>{t("consent.limit")}</span>
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
        <p>{rich("consent.publisher_text", { plugin: who })}</p>
        {lines}
        <p class="quiet">{t("consent.publisher_later")}</p>
      </>
    );
  return (
    <>
      <p>{rich("consent.unsigned_text", { plugin: who })}</p>
      {lines}
      <p class="quiet">{t("consent.unsigned_later")}</p>
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
            {question.refusal ?? t("dialog.cancel")}
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
