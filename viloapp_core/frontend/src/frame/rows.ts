// A list of any length of which only what is seen is fetched and drawn: for logs, tables, search results.

export interface RowsOptions<Row> {
  /** Of every row, in pixels. */
  height: number;
  /** Return rows `start` to `start + count`. */
  fetch(start: number, count: number): Promise<Row[]>;
  draw(row: Row, index: number): HTMLElement;
  /** What stands above the rows inside of the scrolled element, in pixels: a header that sticks. */
  top?: number;
}

/** Rows that are asked for at once, how many such pages are kept, and how many may be under way. */
const PAGE = 100;
const KEPT = 50;
const AT_ONCE = 3;
/** How long after a failure rows are asked for again. */
const AGAIN_MS = 1000;
/** Browsers draw no element that is much higher, in pixels; a longer list is scrolled in larger steps. */
const MAX_HEIGHT = 8_000_000;

export class Rows<Row> {
  readonly #body = document.createElement("div");
  readonly #window = document.createElement("div");
  readonly #pages = new Map<number, Row[]>();
  readonly #pending = new Set<number>();
  #total = 0;
  #epoch = 0;
  /** How far the list is scrolled, as if it were as high as it is. */
  #at = 0;
  #asked = false;
  #put = -1;

  /** Draw into `scroller`, an element that scrolls and whose height the page's style decides. */
  constructor(
    private readonly scroller: HTMLElement,
    private readonly options: RowsOptions<Row>,
  ) {
    scroller.tabIndex = 0;
    this.#body.style.cssText = "position: relative; min-width: 100%; width: max-content;";
    this.#window.style.cssText = "position: absolute; left: 0; top: 0; min-width: 100%;";
    this.#body.append(this.#window);
    scroller.append(this.#body);
    scroller.addEventListener("scroll", () => this.#scrolled());
    scroller.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    scroller.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.draw()).observe(scroller);
  }

  get total(): number {
    return this.#total;
  }

  /** Whether the last row is in sight. */
  get atEnd(): boolean {
    return this.#at >= this.#farthest - this.options.height;
  }

  /** Begin anew with so many rows: what was fetched is another list's. */
  reset(total: number): void {
    this.#epoch++;
    this.#pending.clear();
    this.#pages.clear();
    this.#total = total;
    this.#go(Math.min(this.#at, this.#farthest));
  }

  /** The same list has more at its end: other rows, or in its last one. */
  grow(total: number): void {
    const last = Math.floor(Math.max(0, this.#total - 1) / PAGE);
    this.#total = total;
    if (this.#pages.has(last)) void this.#fetch(last);
    this.draw();
  }

  scrollToEnd(): void {
    this.#go(this.#farthest);
  }

  /** Bring a row into sight, in the middle where it was out of it. */
  show(index: number): void {
    const top = index * this.options.height;
    if (top >= this.#at && top + this.options.height <= this.#at + this.#view) this.draw();
    else this.#go(top - this.#view / 2);
  }

  /** Draw what is in sight, soon; several reasons make one drawing. */
  draw(): void {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#draw();
    });
  }

  get #view(): number {
    return Math.max(0, this.scroller.clientHeight - (this.options.top ?? 0));
  }

  get #farthest(): number {
    return Math.max(0, this.#total * this.options.height - this.#view);
  }

  /** How many pixels of the list one of the scroll bar's stands for. */
  get #ratio(): number {
    const shown = Math.min(this.#total * this.options.height, MAX_HEIGHT);
    return shown > this.#view ? this.#farthest / (shown - this.#view) : 1;
  }

  #draw(): void {
    const { height, draw } = this.options;
    this.#body.style.height = `${Math.min(this.#total * height, MAX_HEIGHT)}px`;
    this.#at = Math.max(0, Math.min(this.#at, this.#farthest));
    const top = Math.round(this.#at / this.#ratio);
    if (Math.abs(this.scroller.scrollTop - top) > 1) {
      this.#put = top;
      this.scroller.scrollTop = top;
    }
    const first = Math.max(0, Math.floor(this.#at / height) - 2);
    const last = Math.min(this.#total, Math.ceil((this.#at + this.#view) / height) + 2);
    const rows: HTMLElement[] = [];
    for (let index = first; index < last; index++) {
      const row = this.#row(index);
      const element = row === undefined ? document.createElement("div") : draw(row, index);
      element.style.height = `${height}px`;
      element.setAttribute("aria-rowindex", String(index + 1));
      rows.push(element);
    }
    this.#window.style.transform = `translateY(${top + first * height - this.#at}px)`;
    this.#window.replaceChildren(...rows);
  }

  #row(index: number): Row | undefined {
    const page = Math.floor(index / PAGE);
    const rows = this.#pages.get(page);
    const row = rows?.[index % PAGE];
    if (row === undefined) void this.#fetch(page);
    return row;
  }

  async #fetch(page: number): Promise<void> {
    if (this.#pending.has(page) || this.#pending.size >= AT_ONCE) return;
    this.#pending.add(page);
    const epoch = this.#epoch;
    const done = () => {
      if (epoch !== this.#epoch) return;
      this.#pending.delete(page);
      this.draw();
    };
    try {
      const rows = await this.options.fetch(page * PAGE, Math.min(PAGE, this.#total - page * PAGE));
      if (epoch !== this.#epoch) return;
      // What was read last is kept longest.
      this.#pages.delete(page);
      this.#pages.set(page, rows);
      for (const old of this.#pages.keys()) {
        if (this.#pages.size <= KEPT) break;
        this.#pages.delete(old);
      }
      // Fewer than there are: asked again in a while, not at once.
      if (rows.length < Math.min(PAGE, this.#total - page * PAGE)) setTimeout(done, AGAIN_MS);
      else done();
    } catch {
      setTimeout(done, AGAIN_MS);
    }
  }

  #go(at: number): void {
    this.#at = Math.max(0, Math.min(at, this.#farthest));
    this.draw();
  }

  #scrolled(): void {
    const top = this.scroller.scrollTop;
    if (Math.abs(top - this.#put) <= 1) this.#put = -1;
    else if (Math.abs(top - Math.round(this.#at / this.#ratio)) > 1) this.#at = top * this.#ratio;
    this.draw();
  }

  #wheel(event: WheelEvent): void {
    if (this.#ratio <= 1 || event.ctrlKey || event.shiftKey || !event.deltaY) return;
    event.preventDefault();
    const unit = [1, this.options.height, this.#view][event.deltaMode] ?? 1;
    this.#go(this.#at + event.deltaY * unit);
  }

  #key(event: KeyboardEvent): void {
    if (event.target !== this.scroller || event.altKey || event.metaKey) return;
    const { height } = this.options;
    const steps: Record<string, number> = {
      ArrowDown: height,
      ArrowUp: -height,
      PageDown: this.#view - height,
      PageUp: height - this.#view,
      Home: -Infinity,
      End: Infinity,
    };
    const step = Object.hasOwn(steps, event.key) ? steps[event.key] : undefined;
    if (step === undefined) return;
    event.preventDefault();
    this.#go(this.#at + step);
  }
}
