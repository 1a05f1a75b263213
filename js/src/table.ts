// Messages as rows that change in place or come on top: columns to sort by, a filter, a pause, a row to copy.
//
// Collaborators: panels/panel.ts (frames, theme, silence), panels/listing.ts (what is around the rows), table/grid.ts
// (rows, order, filter), table/heads.ts (the columns), table/cells.ts (how a cell reads).
// The rules: only rows in view are in the document; the focus stays on the grid and its cell is told by
// aria-activedescendant, so that no update can take it; what somebody has scrolled to stays where it is.
import type { Frame, Model } from "./shared/channel";
import { copy } from "./shared/copyable";
import { count as grouped } from "./shared/format";
import { make, mark, say, uniqueId } from "./panels/dom";
import { Listing } from "./panels/listing";
import { panel } from "./panels/panel";
import type { Told } from "./panels/stream";
import { counted } from "./panels/words";
import { read, tabbed, textOf } from "./table/cells";
import { Grid, turned, type Order, type Row, type Wire } from "./table/grid";
import { Heads } from "./table/heads";

interface State extends Told {
  /** Rows that the kernel keeps, which bounds them in bytes too. */
  kept: number;
  skipped: number;
  unkeyed: number;
  /** Fields that came and are no column. */
  hidden: number;
  columns: string[];
  whole: boolean;
}

const ROW = 24;
const HEAD = 28;
const OVERSCAN = 4;

class LiveTable extends Listing<State> {
  readonly #key: string;
  readonly #zone: string;
  readonly #grid: Grid;
  readonly #id = uniqueId();
  readonly #copy: HTMLElement;
  readonly #heads: Heads;
  #sheet = make("div", { class: "nbrt-sheet", role: "rowgroup" });
  readonly #list: HTMLElement;


  #held: Grid | null = null;
  #order: Order | null = null;
  #shown: Row[] = [];
  #places = new Map<number, number>(); // id → index in #shown
  #nodes = new Map<number, HTMLElement>();
  /** The cell with the cursor: row 0 is the head. */
  #active: { row: number; column: number } | null = null;
  #recent: number[] = [];

  constructor(model: Model) {
    const button = make("button", { class: "nbrt-button nbrt-copy", type: "button", "aria-disabled": "true" }, "Copy row");
    const list = make("div", { class: "nbrt-list", role: "grid", tabindex: "0", "aria-readonly": "true" });
    const key = String(model.get("key"));
    const sample = key && key !== "topic" && !key.includes(".") ? `{${JSON.stringify(key)}: "a", "value": 21.5}` : '{"value": 21.5}';
    super(model, { of: "table", what: "Table", rows: "rows", sample, list }, button);
    this.#copy = button;
    this.#list = list;
    this.#key = key;
    const topics = model.get("topics") as string[];
    const shown = key === "topic" || topics.length > 1 || topics.some((name) => name.includes("*"));
    this.#zone = String(model.get("time_zone"));
    this.#heads = new Heads({ key, times: Boolean(model.get("time")), topics: shown, zone: this.#zone, id: this.#id });
    this.#grid = new Grid(Number(model.get("rows")), key !== "", shown);
    list.append(make("div", { class: "nbrt-inner", role: "presentation" }, make("div", { role: "rowgroup" }, this.#heads.node), this.#sheet));
    this.#copy.addEventListener("click", () => void this.#copyRow());
    this.#list.addEventListener("keydown", (event) => this.#press(event));
    this.#list.addEventListener("click", (event) => this.#click(event));
    this.#list.addEventListener("focus", () => this.#come());
    mark(this.#list, "aria-colcount", String(this.#heads.list.length));
    this.#measure();
    this.says();
  }

  show(frame: Frame): void {
    const at = frame as unknown as State;
    this.took(at);
    const [lines] = frame.buffers;
    const rows = lines ? (JSON.parse(new TextDecoder().decode(lines)) as Wire[]) : [];
    this.#head(at.columns);
    this.#grid.most = Math.max(1, at.kept);
    if (rows.length || at.whole) {
      if (this.#grid.take(rows, at.whole)) this.#learn(rows);
      if (this.#held === null) this.refresh();
    }
    this.says();
  }

  // -- columns ------------------------------------------------------------------------

  /** Has a column for each of these fields. */
  #head(fields: readonly string[]): void {
    if (!this.#heads.take(fields)) return;
    mark(this.#list, "aria-colcount", String(this.#heads.list.length));
    // A row has a cell for each column: it is made anew.
    for (const node of this.#nodes.values()) node.remove();
    this.#nodes.clear();
    this.#measure();
  }

  #learn(rows: readonly Wire[]): void {
    this.#recent.push(...rows.slice(-32).map((row) => row[2] / 1000));
    this.#recent.splice(0, this.#recent.length - 32);
    if (this.#heads.learn(rows)) this.#measure();
  }

  #measure(): void {
    this.#list.style.setProperty("--nbrt-columns", this.#heads.tracks());
  }

  // -- rows ---------------------------------------------------------------------------

  refresh(filtered = false): void {
    if (filtered) this.#list.scrollTop = 0;
    const follows = !this.#grid.keyed && this.#order === null;
    const anchor = follows ? this.#anchor() : null;
    const before = anchor === null ? 0 : this.#places.get(anchor)! * ROW - this.#list.scrollTop;
    this.#shown = (this.#held ?? this.#grid).shown(this.words, this.#order);
    this.#places = new Map(this.#shown.map((row, i) => [row.id, i]));
    this.#sheet.style.height = `${this.#shown.length * ROW}px`;
    mark(this.#list, "aria-rowcount", String(this.#shown.length + 1));
    const place = anchor === null ? undefined : this.#places.get(anchor);
    if (place !== undefined && place * ROW - this.#list.scrollTop !== before) this.#list.scrollTop = place * ROW - before;
    this.draw();
  }

  /** The row that must not move while others come on top of it: the one with the cursor, else what was scrolled to. */
  #anchor(): number | null {
    const top = this.#list.scrollTop;
    const focused = (this.root.getRootNode() as Document | ShadowRoot).activeElement === this.#list;
    if (focused && this.#active?.row && this.#places.has(this.#active.row)) return this.#active.row;
    return top > 0 ? (this.#shown[Math.floor(top / ROW)]?.id ?? null) : null;
  }

  draw(): void {
    const { scrollTop, clientHeight } = this.#list;
    const from = Math.max(0, Math.floor(scrollTop / ROW) - OVERSCAN);
    const to = Math.min(this.#shown.length, Math.ceil((scrollTop + clientHeight - HEAD) / ROW) + OVERSCAN);
    const wanted = new Set<number>();
    for (let i = from; i < to; i++) wanted.add(i);
    // A reader's cursor points to an element that must be there, wherever the rows were scrolled to.
    const cursor = this.#active ? this.#places.get(this.#active.row) : undefined;
    if (cursor !== undefined) wanted.add(cursor);
    const today = this.#shown.length ? read(this.#recent.at(-1) ?? this.#shown[0]!.time, this.#zone)[0] : "";
    const ids = new Set([...wanted].map((i) => this.#shown[i]!.id));
    // Nodes of rows that went are given to rows that came: nothing is made while it streams.
    const spare: HTMLElement[] = [];
    for (const [id, node] of this.#nodes) {
      if (ids.has(id)) continue;
      this.#nodes.delete(id);
      spare.push(node);
    }
    for (const i of wanted) {
      const row = this.#shown[i]!;
      let node = this.#nodes.get(row.id);
      if (node === undefined) {
        node = spare.pop() ?? this.#line();
        this.#nodes.set(row.id, node);
        if (!node.isConnected) this.#sheet.append(node);
        node.dataset.row = String(row.id);
      }
      this.#fill(node, row, i, today);
    }
    for (const node of spare) node.remove();
    this.#point();
    const above = Math.floor(scrollTop / ROW);
    this.above(this.#grid.keyed || this.#order !== null ? 0 : above);
  }

  #line(): HTMLElement {
    const cells = this.#heads.list.map((_, i) => make("div", { class: "nbrt-cell nbrt-line", role: "gridcell", "aria-colindex": String(i + 1) }));
    return make("div", { class: "nbrt-row", role: "row" }, ...cells);
  }

  #fill(node: HTMLElement, row: Row, index: number, today: string): void {
    const top = `translateY(${index * ROW}px)`;
    if (node.style.transform !== top) node.style.transform = top;
    mark(node, "aria-rowindex", String(index + 2));
    mark(node, "data-odd", index % 2 ? "true" : null);
    mark(node, "aria-selected", this.#active?.row === row.id ? "true" : null);
    this.#heads.list.forEach(({ by, column }, i) => {
      const cell = node.children[i] as HTMLElement;
      cell.id = `${this.#id}-${row.id}-${i}`;
      let text: string;
      let whole = "";
      if (by === "time") {
        const [date, time] = read(row.time, this.#zone);
        text = date === today ? time : `${date} ${time.slice(0, 8)}`;
        if (date !== today && column.width < text.length) {
          column.width = text.length;
          this.#measure();
        }
        whole = `${date} ${time}`;
      } else if (by === "topic") {
        text = whole = row.topic;
      } else {
        const value = row.cells[by];
        text = column.text(value);
        whole = textOf(value);
        mark(cell, "data-kind", typeof value === "object" && value !== null ? "json" : typeof value === "number" ? "number" : null);
      }
      say(cell, text);
      mark(cell, "data-numeric", column.numeric && by !== "time" ? "true" : null);
      mark(cell, "title", whole.length > column.width || whole !== text ? whole : null);
    });
  }

  // -- hands on -----------------------------------------------------------------------

  /** Shows where the cursor is, to eyes and ears. */
  #point(): void {
    const at = this.#active;
    const known = at !== null && (at.row === 0 || this.#places.has(at.row));
    const id = known ? `${this.#id}-${at.row}-${at.column}` : null;
    for (const old of this.#list.querySelectorAll(".nbrt-active")) if (old.id !== id) old.classList.remove("nbrt-active");
    const root = this.root.getRootNode() as Document | ShadowRoot;
    if (id) root.getElementById(id)?.classList.add("nbrt-active");
    mark(this.#list, "aria-activedescendant", id);
    mark(this.#copy, "aria-disabled", known && at.row !== 0 ? null : "true");
  }

  #come(): void {
    if (this.#active && (this.#active.row === 0 || this.#places.has(this.#active.row))) return;
    const first = this.#shown[Math.ceil(this.#list.scrollTop / ROW)];
    this.#active = { row: first?.id ?? 0, column: 0 };
    this.draw();
  }

  #click(event: MouseEvent): void {
    const cell = (event.target as Element).closest<HTMLElement>(".nbrt-cell");
    if (!cell) return;
    const column = [...cell.parentElement!.children].indexOf(cell);
    const row = Number(cell.parentElement!.dataset.row ?? 0);
    this.#active = { row, column };
    if (row === 0) this.#sort(column);
    else this.draw();
  }

  #sort(column: number): void {
    this.#order = turned(this.#order, this.#heads.list[column]!.by);
    this.#heads.order(this.#order);
    if (this.#order === null || !this.#grid.keyed) this.#list.scrollTop = 0;
    this.refresh();
  }

  #press(event: KeyboardEvent): void {
    const last = this.#shown.length - 1;
    const at = this.#active;
    const index = at && at.row !== 0 ? (this.#places.get(at.row) ?? -1) : -1;
    const column = at?.column ?? 0;
    const page = Math.max(1, Math.floor((this.#list.clientHeight - HEAD) / ROW) - 1);
    if (event.key === "c" && (event.ctrlKey || event.metaKey)) {
      if (String(getSelection() ?? "") === "") void this.#copyRow();
      return;
    }
    if (event.altKey || event.metaKey) return;
    const far = event.ctrlKey;
    if (event.key === "ArrowDown") this.#go(Math.min(last, index + 1), column);
    else if (event.key === "ArrowUp") this.#go(index - 1, column);
    else if (event.key === "PageDown") this.#go(Math.min(last, index + page), column);
    else if (event.key === "PageUp") this.#go(Math.max(0, index - page), column);
    else if (event.key === "ArrowRight") this.#go(index, column + 1);
    else if (event.key === "ArrowLeft") this.#go(index, column - 1);
    else if (event.key === "Home") this.#go(far ? 0 : index, 0);
    else if (event.key === "End") this.#go(far ? last : index, this.#heads.list.length - 1);
    else if (event.key === "Escape") this.follow();
    else if ((event.key === "Enter" || event.key === " ") && index < 0) this.#sort(column);
    else return;
    event.preventDefault();
  }

  /** Puts the cursor on a cell (row −1 is the head) and scrolls as little as shows it. */
  #go(index: number, column: number): void {
    const to = Math.max(0, Math.min(this.#heads.list.length - 1, column));
    this.#active = { row: index < 0 ? 0 : this.#shown[index]!.id, column: to };
    const { scrollTop, clientHeight, scrollLeft, clientWidth } = this.#list;
    if (index >= 0) {
      if (index * ROW < scrollTop) this.#list.scrollTop = index * ROW;
      else if ((index + 1) * ROW > scrollTop + clientHeight - HEAD) this.#list.scrollTop = (index + 1) * ROW - clientHeight + HEAD;
    }
    const head = this.#heads.list[to]!.node;
    if (head.offsetLeft < scrollLeft) this.#list.scrollLeft = to === 0 ? 0 : head.offsetLeft;
    else if (head.offsetLeft + head.offsetWidth > scrollLeft + clientWidth) {
      this.#list.scrollLeft = Math.min(head.offsetLeft, head.offsetLeft + head.offsetWidth - clientWidth);
    }
    this.draw();
  }

  /** Back to the first row, and to following. */
  follow(): void {
    this.#list.focus({ preventScroll: true });
    this.#list.scrollTop = 0;
    this.#active = this.#shown.length ? null : this.#active;
    this.draw();
  }

  async #copyRow(): Promise<void> {
    const row = this.#shown[this.#places.get(this.#active?.row ?? 0) ?? -1];
    if (!row) return;
    const cells = this.#heads.list.map(({ by }) => {
      if (by === "time") return new Date(row.time * 1000).toISOString();
      return by === "topic" ? row.topic : textOf(row.cells[by]);
    });
    const done = await copy(tabbed([cells]), this.#nodes.get(row.id)!, this.#copy, "Copy row");
    say(this.voice, done ? "Row copied" : "Row selected");
  }

  enter(event: Event): void {
    event.preventDefault();
    this.#list.focus();
  }

  hold(paused: boolean): void {
    this.#held = paused ? this.#grid.copy() : null;
  }

  // -- what is said -------------------------------------------------------------------

  times(): readonly number[] {
    return this.#recent;
  }

  bare(): boolean {
    return !this.#shown.length;
  }

  counts(at: State): string {
    const rows = (this.#held ?? this.#grid).rows.size;
    const all = counted(rows, "row");
    return [
      this.words ? `${grouped(this.#shown.length)} of ${all}` : all,
      counted(at.came, "message"),
      at.skipped ? `${grouped(at.skipped)} skipped` : "",
      at.unkeyed ? `${grouped(at.unkeyed)} without ${this.#key}` : "",
      at.hidden ? `${counted(at.hidden, "more field")}` : "",
    ].filter(Boolean).join(" · ");
  }

  nothing({ unkeyed }: State): string {
    const { words } = this;
    if (this.#grid.rows.size) return words ? `No row has “${words}” in it` : "";
    return unkeyed ? `No message has a field ${this.#key}` : "";
  }
}

export default panel((model) => new LiveTable(model));
