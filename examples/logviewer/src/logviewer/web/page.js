import { Rows, connect } from "./viloapp.js";

const EVERY_MS = 700;
const HEIGHT = 20;

const view = await connect();
const at = (selector) => document.querySelector(selector);
const log = at("#log");
const [filter, find, follow] = [at("#filter"), at("#find"), at("#follow")];
const levels = [...document.querySelectorAll(".level")];

let generation = -1;
let read = 0;
let current = -1;
let chosen = 0;
let timer = 0;
let searching = 0;

const rows = new Rows(log, {
  height: HEIGHT,
  fetch: (start, count) => view.request("rows", { start, count, find: find.value }),
  draw,
});

function draw({ n, level, pieces }, index) {
  const row = document.createElement("div");
  row.className = `row ${level}`;
  row.classList.toggle("current", index === current);
  row.classList.toggle("chosen", n === chosen);
  const number = document.createElement("span");
  number.className = "n";
  number.textContent = n;
  const line = document.createElement("span");
  line.className = "line";
  for (const [text, styles] of pieces) {
    const piece = document.createElement("span");
    piece.textContent = text;
    for (const style of styles.split(" ").filter(Boolean)) {
      if (style.startsWith("#")) piece.style.color = style;
      else piece.classList.add(style.replaceAll(".", "-"));
    }
    line.append(piece);
  }
  row.append(number, line);
  row.addEventListener("click", () => showWhole(n));
  return row;
}

function show(status) {
  const { problem } = status;
  at("#message").hidden = !problem;
  log.hidden = Boolean(problem);
  if (problem) {
    at("#problem").textContent = problem.text;
    at("#allow").textContent = problem.kind === "denied" ? "Allow it" : "Try again";
    at("#status").textContent = "";
    generation = status.generation;
    return;
  }
  log.style.setProperty("--gutter", `${Math.max(4, String(status.lines).length) + 3}ch`);
  if (status.generation !== generation) rows.reset(status.shown);
  else if (status.read !== read || status.shown !== rows.total) rows.grow(status.shown);
  generation = status.generation;
  read = status.read;
  levels.forEach((button, level) => (button.querySelector("b").textContent = status.counts[level].toLocaleString()));
  const counted = (count) => `${count.toLocaleString()} ${count === 1 ? "line" : "lines"}`;
  const percent = Math.floor((100 * status.read) / Math.max(1, status.size));
  const some = status.shown === status.lines ? counted(status.lines) : `${status.shown.toLocaleString()} of ${counted(status.lines)}`;
  at("#status").textContent = status.done ? (status.size ? some : "The file is empty") : `${some}, reading… ${percent} %`;
  // Not while it is read: what is drawn would be gone at once.
  if (following() && status.done) rows.scrollToEnd();
}

const following = () => follow.getAttribute("aria-pressed") === "true";

/** Ask how far it is: again at once until all is read, then from time to time, while somebody looks. */
async function poll() {
  clearTimeout(timer);
  const pressed = levels.filter((each) => each.getAttribute("aria-pressed") === "true");
  try {
    const status = await view.request("status", { levels: pressed.map(({ dataset }) => dataset.level), text: filter.value });
    show(status);
    timer = setTimeout(poll, status.done || status.problem ? EVERY_MS : 0);
  } catch (error) {
    at("#status").textContent = error.detail;
    timer = setTimeout(poll, 3 * EVERY_MS);
  }
}

async function showWhole(n) {
  chosen = n;
  at("#number").textContent = `Line ${n.toLocaleString()}`;
  at("#text").textContent = await view.request("line", { n });
  at("#whole").hidden = false;
  rows.draw();
}

function hideWhole() {
  chosen = 0;
  at("#whole").hidden = true;
  rows.draw();
  log.focus();
}

/** Go to the next row with the text; a long file is searched bit by bit, until another search begins. */
async function seek(backwards) {
  const search = ++searching;
  if (!find.value) return;
  setFollow(false);
  let start = current < 0 ? (backwards ? rows.total - 1 : 0) : current + (backwards ? -1 : 1);
  while (start !== null && search === searching) {
    const { row, next } = await view.request("find", { text: find.value, start, backwards });
    if (search !== searching) return;
    at("#found").textContent = row === null ? (next === null ? "no more" : `looking at line ${next.toLocaleString()}…`) : "";
    if (row !== null) {
      current = row;
      rows.show(row);
    }
    start = next;
  }
}

function setFollow(on) {
  follow.setAttribute("aria-pressed", String(on));
  if (on) rows.scrollToEnd();
}

for (const button of levels) {
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    current = -1;
    void poll();
  });
}
filter.addEventListener("input", () => {
  current = -1;
  clearTimeout(timer);
  timer = setTimeout(poll, 150);
});
find.addEventListener("input", () => {
  searching++;
  current = -1;
  at("#found").textContent = "";
  rows.reset(rows.total);
});
find.addEventListener("keydown", (event) => event.key === "Enter" && seek(event.shiftKey));
follow.addEventListener("click", () => setFollow(!following()));
for (const event of ["wheel", "keydown"]) log.addEventListener(event, () => setTimeout(() => !rows.atEnd && setFollow(false), 50));
addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.key === "f") {
    event.preventDefault();
    find.select();
  } else if (event.key === "Escape" && !at("#whole").hidden) hideWhole();
});
at("#close").addEventListener("click", hideWhole);
at("#allow").addEventListener("click", async () => {
  await view.request("allow").then(show, (error) => (at("#problem").textContent = error.detail));
  void poll();
});

at("#path").textContent = view.data.path;
at("#path").title = view.data.path;
setFollow(view.data.follow);
await poll();
