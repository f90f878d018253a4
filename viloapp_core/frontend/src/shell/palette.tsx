// The command palette: every command by name, and a question for each parameter that it cannot do without.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { byTitle, t } from "../i18n.ts";
import { Icon } from "../icons.tsx";
import { Store, useStore } from "../store.ts";
import type { Parameter } from "../wire.ts";
import { Keycaps } from "./keycaps.tsx";
import { Marked, rank } from "./match.tsx";

export interface PaletteCommand {
  id: string;
  title: string;
  detail: string;
  key: string;
  parameters: Parameter[];
}

export interface PaletteHost {
  commands(): PaletteCommand[];
  run(id: string, values: Record<string, unknown>): void;
  /** What could stand for a parameter that is a path. */
  complete(text: string): Promise<string[]>;
}

interface Step {
  command: PaletteCommand;
  missing: Parameter[];
  values: Record<string, unknown>;
}

type Shown = { open: false } | { open: true; step: Step | null; text?: string };

const RECENT = "viloapp.recent";
const state = new Store<Shown>({ open: false });

export const paletteOpen = (): boolean => state.value.open;

/** Show all commands, or those that a text finds. */
export function openPalette(text = ""): void {
  state.set(state.value.open ? { open: false } : { open: true, step: null, text });
}

/** Run a command, asking first for what it needs and was not given. */
export function runWithQuestions(command: PaletteCommand, host: PaletteHost): void {
  remember(command.id);
  const missing = command.parameters.filter(({ required }) => required);
  if (missing.length > 0) state.set({ open: true, step: { command, missing, values: {} } });
  else {
    state.set({ open: false });
    host.run(command.id, {});
  }
}

function recent(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return Array.isArray(kept) ? kept.map(String) : [];
  } catch {
    return [];
  }
}

function remember(id: string): void {
  localStorage.setItem(RECENT, JSON.stringify([id, ...recent().filter((each) => each !== id)].slice(0, 8)));
}

export function Palette({ host }: { host: PaletteHost }): JSX.Element | null {
  const shown = useStore(state);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!shown.open) return;
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      // The command may have moved the focus to what it opened.
      const stray = document.activeElement === document.body || !document.activeElement?.isConnected;
      if (stray && before instanceof HTMLElement) before.focus();
    };
  }, [shown.open]);
  if (!shown.open) return null;
  const close = () => state.set({ open: false });
  return (
    <dialog
      ref={dialog}
      class="palette"
      aria-label={t("palette.title")}
      data-testid="palette"
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onPointerDown={(event) => event.target === dialog.current && close()}
    >
      {shown.step ? <Question key={shown.step.missing[0]?.name} step={shown.step} host={host} /> : <Choose host={host} first={shown.text ?? ""} />}
    </dialog>
  );
}

function Choose({ host, first }: { host: PaletteHost; first: string }): JSX.Element {
  const [text, setText] = useState(first);
  const commands = useMemo(() => {
    const last = recent();
    const place = (id: string) => (last.includes(id) ? last.indexOf(id) : last.length);
    return host.commands().sort((a, b) => place(a.id) - place(b.id) || byTitle(a, b));
  }, []);
  const found = rank(text, commands, (command) => command.title);
  const options = found.map(({ item, spans }) => ({
    id: item.id,
    row: (
      <>
        <span class="option-title" dir="auto">
          <Marked text={item.title} spans={spans} />
        </span>
        <span class="option-detail">{item.detail}</span>
        {item.key && <Keycaps chord={item.key} />}
      </>
    ),
    pick: () => runWithQuestions(item, host),
  }));
  return (
    <Picker
      label={t("palette.search")}
      placeholder={t("palette.placeholder")}
      text={text}
      onText={setText}
      options={options}
      none={t("palette.none")}
    />
  );
}

function Question({ step, host }: { step: Step; host: PaletteHost }): JSX.Element {
  const parameter = step.missing[0]!;
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const [paths, setPaths] = useState<string[]>([]);
  const isPath = /(^|_)(path|file)$/.test(parameter.name);
  useEffect(() => {
    let current = true;
    if (isPath) void host.complete(text).then((found) => current && setPaths(found));
    return () => {
      current = false;
    };
  }, [text]);

  const give = (given: string) => {
    const value = parse(parameter, given);
    if (value === undefined) {
      setProblem(t("palette.wrong_type", { name: parameter.name, type: parameter.type }));
      return;
    }
    const values = { ...step.values, [parameter.name]: value };
    const missing = step.missing.slice(1);
    if (missing.length > 0) state.set({ open: true, step: { ...step, missing, values } });
    else {
      state.set({ open: false });
      host.run(step.command.id, values);
    }
  };
  const options = paths.map((path) => ({
    id: path,
    row: (
      <>
        <Icon name={path.endsWith("/") ? "folder" : "file"} />
        <span class="option-title">{path}</span>
      </>
    ),
    pick: () => (path.endsWith("/") ? setText(path) : give(path)),
  }));
  return (
    <Picker
      label={`${step.command.title}: ${parameter.name}`}
      placeholder={`${parameter.name} (${parameter.type})`}
      heading={step.command.title}
      problem={problem}
      text={text}
      onText={(value) => {
        setText(value);
        setProblem("");
      }}
      options={options}
      onEnter={options.length > 0 ? undefined : () => give(text)}
      none={isPath ? "" : (parameter.description ?? t("palette.enter"))}
    />
  );
}

function parse({ type }: Parameter, text: string): unknown {
  if (type === "string") return text;
  try {
    const value: unknown = JSON.parse(text);
    if (type === "integer") return Number.isInteger(value) ? value : undefined;
    if (type === "array") return Array.isArray(value) ? value : undefined;
    if (type === "object") return value && typeof value === "object" && !Array.isArray(value) ? value : undefined;
    return type === "any" || typeof value === type ? value : undefined;
  } catch {
    // What is no JSON is a text, where a text will do.
    return type === "any" ? text : undefined;
  }
}

interface Option {
  id: string;
  row: JSX.Element;
  pick: () => void;
}

interface PickerProps {
  label: string;
  placeholder: string;
  heading?: string;
  problem?: string;
  text: string;
  onText: (text: string) => void;
  options: Option[];
  /** What Enter does while no option was chosen with the arrows; picks the first option without it. */
  onEnter?: (() => void) | undefined;
  none: string;
}

/** An input with a list below it (the ARIA combobox pattern). */
function Picker({ label, placeholder, heading, problem, text, onText, options, onEnter, none }: PickerProps): JSX.Element {
  const start = onEnter ? -1 : 0;
  const [at, setAt] = useState(start);
  const list = useRef<HTMLUListElement>(null);
  const input = useRef<HTMLInputElement>(null);
  // One question follows another in the same dialog, which focuses by itself only what it opens with.
  useEffect(() => input.current?.focus(), []);
  useEffect(() => setAt(start), [text, start]);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const onKey = (event: KeyboardEvent) => {
    const last = options.length - 1;
    if (event.key === "ArrowDown") setAt((now) => (now >= last ? 0 : now + 1));
    else if (event.key === "ArrowUp") setAt((now) => (now <= 0 ? last : now - 1));
    else if (event.key === "PageDown") setAt((now) => Math.min(last, now + 8));
    else if (event.key === "PageUp") setAt((now) => Math.max(0, now - 8));
    else if (event.key === "Enter") (at < 0 ? onEnter : options[at]?.pick)?.();
    else return;
    event.preventDefault();
  };
  return (
    <div class="picker">
      {heading && <p class="picker-heading">{heading}</p>}
      <div class="picker-input">
        <Icon name="search" />
        <input
          ref={input}
          spellcheck={false}
          autocomplete="off"
          role="combobox"
          aria-expanded="true"
          aria-controls="picker-list"
          aria-activedescendant={at >= 0 && options[at] ? `option-${at}` : undefined}
          aria-label={label}
          data-testid="palette-input"
          placeholder={placeholder}
          value={text}
          onInput={(event) => onText(event.currentTarget.value)}
          onKeyDown={onKey}
        />
      </div>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <ul ref={list} id="picker-list" role="listbox" aria-label={label}>
        {options.map(({ id, row, pick }, index) => (
          <li
            key={id}
            id={`option-${index}`}
            role="option"
            aria-selected={index === at}
            data-testid="palette-option"
            data-id={id}
            onPointerMove={() => setAt(index)}
            onClick={pick}
          >
            {row}
          </li>
        ))}
      </ul>
      {options.length === 0 && none && <p class="picker-none">{none}</p>}
    </div>
  );
}

