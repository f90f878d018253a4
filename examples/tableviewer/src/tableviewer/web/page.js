import { Rows, connect } from "./viloapp.js";

const HEIGHT = 26;
const HEAD = 44;

const view = await connect();
const at = (selector) => document.querySelector(selector);
const [table, head, side, filter] = ["#table", "#head", "#side", "#filter"].map(at);

let columns = [];
let seen = { sort: "", descending: false, filter: "" };
let described = "";
let chosen = { n: 0, column: -1 };
let timer = 0;
let asked = 0;

const rows = new Rows(table, {
  height: HEIGHT,
  top: HEAD,
  fetch: (start, count) => view.request("rows", { start, count }),
  draw,
});

function make(name, className, text) {
  const element = document.createElement(name);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

const width = ({ width }) => `${width * 7.4 + 22}px`;

function draw({ n, cells }) {
  const row = make("div", "row");
  row.setAttribute("role", "row");
  row.append(make("div", "n", n));
  cells.forEach((text, column) => {
    const { right, kind } = columns[column];
    const tone = text === null ? "missing" : kind !== "yes/no" ? "" : text === "True" ? "yes" : "no";
    const cell = make("div", `cell ${right ? "right" : ""} ${tone}`, text ?? "");
    cell.style.width = width(columns[column]);
    cell.classList.toggle("chosen", chosen.n === n && chosen.column === column);
    cell.setAttribute("role", "gridcell");
    if (text !== null) cell.addEventListener("click", () => showWhole(n, column));
    row.append(cell);
  });
  return row;
}

function drawHead() {
  const corner = make("div", "n");
  const buttons = columns.map((column) => {
    const button = make("button", "column");
    button.style.width = width(column);
    button.title = `${column.name}: sort`;
    button.append(make("b", "", column.name), make("span", "", column.kind));
    button.classList.toggle("chosen", described === column.name);
    const order = seen.sort !== column.name ? "none" : seen.descending ? "descending" : "ascending";
    button.setAttribute("aria-sort", order);
    button.addEventListener("click", () => sortBy(column.name));
    return button;
  });
  head.replaceChildren(corner, ...buttons);
}

function showSeen(answer) {
  seen = answer;
  const count = (number, word) => `${number.toLocaleString()} ${word}${number === 1 ? "" : "s"}`;
  const some = seen.shown === seen.rows ? count(seen.rows, "row") : `${seen.shown.toLocaleString()} of ${count(seen.rows, "row")}`;
  const cut = seen.allColumns > columns.length ? ` (the first ${columns.length} are shown)` : "";
  at("#status").textContent = `${some}, ${count(seen.allColumns, "column")}${cut}`;
  table.style.setProperty("--gutter", `${Math.max(4, String(seen.rows).length) + 4}ch`);
  drawHead();
  rows.reset(seen.shown);
}

/** Have the file read; what is in the way is said in the middle. */
async function open(ask) {
  const answer = await view.request("open", { ask }).catch((error) => ({ problem: { kind: "failed", text: error.detail } }));
  const { problem } = answer;
  at("#message").hidden = !problem;
  table.hidden = Boolean(problem);
  if (problem) {
    at("#problem").textContent = problem.text;
    at("#allow").hidden = false;
    at("#allow").textContent = problem.kind === "denied" ? "Allow it" : "Try again";
    return;
  }
  columns = answer.columns;
  filter.value = answer.filter;
  showSeen(answer);
}

async function arrange(change) {
  const turn = ++asked;
  const { sort, descending } = seen;
  try {
    const answer = await view.request("arrange", { sort, descending, filter: filter.value, ...change });
    if (turn !== asked) return;
    at("#wrong").textContent = "";
    showSeen(answer);
  } catch (error) {
    if (turn === asked) at("#wrong").textContent = error.detail;
  }
}

/** Up, down, and as it is in the file; the summary is of the column that was clicked last. */
function sortBy(name) {
  if (!side.hidden) void describe(name);
  if (seen.sort !== name) void arrange({ sort: name, descending: false });
  else if (!seen.descending) void arrange({ sort: name, descending: true });
  else void arrange({ sort: "", descending: false });
}

async function describe(name) {
  described = name;
  drawHead();
  const { kind, facts, top } = await view.request("summary", { column: name });
  if (described !== name) return;
  const list = make("dl", "");
  for (const [word, value] of Object.entries(facts)) {
    list.append(make("dt", "", word), make("dd", "", typeof value === "number" ? value.toLocaleString() : value));
  }
  side.replaceChildren(make("h2", "", name), make("span", "quiet", kind), list);
  if (top.length === 0) return;
  side.append(make("h3", "", "Most frequent"));
  for (const [value, count] of top) {
    const share = make("button", "share");
    share.style.setProperty("--part", `${(100 * count) / top[0][1]}%`);
    share.title = `Only rows with ${value}`;
    share.append(make("span", "", value), make("span", "quiet", count.toLocaleString()));
    share.addEventListener("click", () => {
      filter.value = `"${name}=${value.replaceAll(/["\\]/g, "\\$&")}"`;
      void arrange({});
    });
    side.append(share);
  }
}

async function showWhole(n, column) {
  chosen = { n, column };
  at("#where").textContent = `${columns[column].name}, row ${n.toLocaleString()}`;
  at("#text").textContent = await view.request("cell", { n, column });
  at("#whole").hidden = false;
  rows.draw();
}

function hideWhole() {
  chosen = { n: 0, column: -1 };
  at("#whole").hidden = true;
  rows.draw();
  table.focus();
}

filter.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => arrange({}), 250);
});
at("#summary").addEventListener("click", () => {
  side.hidden = !side.hidden;
  at("#summary").setAttribute("aria-pressed", String(!side.hidden));
  const first = seen.sort || columns[0]?.name;
  if (side.hidden) described = "";
  else if (first) void describe(first);
  if (columns.length > 0) drawHead();
});
addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.key === "f") {
    event.preventDefault();
    filter.select();
  } else if (event.key === "Escape" && !at("#whole").hidden) hideWhole();
});
at("#close").addEventListener("click", hideWhole);
at("#allow").addEventListener("click", () => open(true));

at("#path").textContent = view.data.path;
at("#path").title = view.data.path;
table.hidden = true;
await open(false);
