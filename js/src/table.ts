// Messages as rows that change in place or come on top: columns to sort by, a filter, a pause, a row to copy.
//
// Collaborators: panels/panel.ts (frames, theme, silence), panels/stream.ts (how the stream stands), table/grid.ts
// (rows, order, filter), table/heads.ts (the columns), table/cells.ts (how a cell reads).
// The rules: only rows in view are in the document; the focus stays on the grid and its cell is told by
// aria-activedescendant, so that no update can take it; what somebody has scrolled to stays where it is.
import type { Frame, Model } from "./shared/channel";
import { copyable } from "./shared/copyable";
import { count as grouped } from "./shared/format";
import { capital, make, mark, say, Slowly, StateMark, uniqueId } from "./panels/dom";
import { panel, type View } from "./panels/panel";
import { patience, Stream, type Standing, type Told } from "./panels/stream";
import { counted, example } from "./panels/words";
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

class LiveTable implements View {
  readonly root: HTMLElement;
  readonly #name: string;
  readonly #key: string;
  readonly #zone: string;
  readonly #grid: Grid;
  readonly #id = uniqueId();
  #state = new StateMark();
  #filter = make("input", {
    class: "nbrt-field", type: "search", placeholder: "Filter", "aria-label": "Filter rows", spellcheck: "false", autocomplete: "off",
  });
  #copy = make("button", { class: "nbrt-button nbrt-copy", type: "button", "aria-disabled": "true" }, "Copy row");
  #pause = make("button", { class: "nbrt-button", type: "button" }, "Pause");
  #newest = make("button", { class: "nbrt-newest", type: "button", hidden: true });
  readonly #heads: Heads;
  #sheet = make("div", { class: "nbrt-sheet", role: "rowgroup" });
  #list: HTMLElement;
  #waiting: HTMLElement;
  #empty = make("p", { class: "nbrt-line" });
  #note = make("span", { class: "nbrt-line nbrt-why" });
  #counts = make("span", { class: "nbrt-line nbrt-counts nbrt-muted" });
  #voice = make("span", { class: "nbrt-voice", role: "status", "aria-live": "polite" });
  #summary = new Slowly<null>(() => {
    const said = this.#stream.news(this.#now(), this.#name);
    if (said) say(this.#voice, said);
  });

  #last: State | null = null;
  #stream = new Stream();
  #held: Grid | null = null;
  #order: Order | null = null;
  #shown: Row[] = [];
  #places = new Map<number, number>(); // id → index in #shown
  #nodes = new Map<number, HTMLElement>();
  /** The cell with the cursor: row 0 is the head. */
  #active: { row: number; column: number } | null = null;
  #recent: number[] = [];
  #tick: ReturnType<typeof setInterval>;
  #drawing = 0;
  #resized: ResizeObserver;

  constructor(model: Model) {
    const topics = model.get("topics") as string[];
    this.#name = topics.join(", ");
    this.#key = String(model.get("key"));
    const shown = this.#key === "topic" || topics.length > 1 || topics.some((name) => name.includes("*"));
    this.#zone = String(model.get("time_zone"));
    this.#heads = new Heads({ key: this.#key, times: Boolean(model.get("time")), topics: shown, zone: this.#zone, id: this.#id });
    this.#grid = new Grid(Number(model.get("rows")), this.#key !== "", shown);
    const label = String(model.get("title")) || this.#name;
    const inner = make("div", { class: "nbrt-inner", role: "presentation" }, make("div", { role: "rowgroup" }, this.#heads.node), this.#sheet);
    this.#list = make("div", {
      class: "nbrt-list", role: "grid", tabindex: "0", "aria-readonly": "true", "aria-label": `Messages of ${label}`,
    }, inner);
    this.#list.style.height = `${Number(model.get("height"))}px`;
    const sample = this.#key && this.#key !== "topic" && !this.#key.includes(".") ? `{${JSON.stringify(this.#key)}: "a", "value": 21.5}` : '{"value": 21.5}';
    const publish = `rt.publish(${JSON.stringify(example(topics[0] ?? ""))}, ${sample})`;
    this.#waiting = make("div", { class: "nbrt-empty", hidden: true }, this.#empty, copyable(publish, "nbrt-typed"));
    const name = make("span", { class: "nbrt-line nbrt-name", title: this.#name }, label);
    if (label !== this.#name) name.dataset.title = "true";
    this.root = make(
      "div",
      { class: "nbrt-table", role: "group", "aria-label": `Table of ${label}`, "data-state": "connecting", "data-lm-suppress-shortcuts": "true" },
      make("div", { class: "nbrt-head" }, this.#state.node, name),
      make("div", { class: "nbrt-tools" }, this.#filter, this.#copy, this.#pause),
      make("div", { class: "nbrt-frame" }, this.#newest, this.#list, this.#waiting),
      make("div", { class: "nbrt-foot" }, this.#note, this.#counts),
      this.#voice,
    );
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    this.#filter.addEventListener("input", () => this.#refilter());
    this.#filter.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") {
        event.preventDefault();
        this.#list.focus();
      } else if (event.key === "Escape" && this.#filter.value) {
        this.#filter.value = "";
        this.#refilter();
      }
    });
    this.#copy.addEventListener("click", () => void this.#copyRow());
    this.#pause.addEventListener("click", () => this.#hold());
    this.#newest.addEventListener("click", () => this.#top());
    this.#list.addEventListener("scroll", () => {
      this.#drawing ||= requestAnimationFrame(() => this.#draw());
    });
    this.#list.addEventListener("keydown", (event) => this.#press(event));
    this.#list.addEventListener("click", (event) => this.#click(event));
    this.#list.addEventListener("focus", () => this.#enter());
    this.#resized = new ResizeObserver(() => this.#draw());
    this.#resized.observe(this.#list);
    this.#tick = setInterval(() => this.#says(), 1000);
    mark(this.#list, "aria-colcount", String(this.#heads.list.length));
    this.#measure();
    this.#says();
  }

  show(frame: Frame): void {
    const at = frame as unknown as State;
    this.#last = at;
    this.#stream.took(at, performance.now());
    const [lines] = frame.buffers;
    const rows = lines ? (JSON.parse(new TextDecoder().decode(lines)) as Wire[]) : [];
    this.#head(at.columns);
    this.#grid.most = Math.max(1, at.kept);
    if (rows.length || at.whole) {
      if (this.#grid.take(rows, at.whole)) this.#learn(rows);
      if (this.#held === null) this.#refresh();
    }
    this.#says();
  }

  silent(seconds: number): void {
    this.#stream.silent(seconds);
    this.#says();
  }

  close(): void {
    clearInterval(this.#tick);
    cancelAnimationFrame(this.#drawing);
    this.#resized.disconnect();
    this.#summary.stop();
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

  #refilter(): void {
    this.#list.scrollTop = 0;
    this.#refresh();
    this.#says();
  }

  #refresh(): void {
    const follows = !this.#grid.keyed && this.#order === null;
    const anchor = follows ? this.#anchor() : null;
    const before = anchor === null ? 0 : this.#places.get(anchor)! * ROW - this.#list.scrollTop;
    this.#shown = (this.#held ?? this.#grid).shown(this.#filter.value, this.#order);
    this.#places = new Map(this.#shown.map((row, i) => [row.id, i]));
    this.#sheet.style.height = `${this.#shown.length * ROW}px`;
    mark(this.#list, "aria-rowcount", String(this.#shown.length + 1));
    const place = anchor === null ? undefined : this.#places.get(anchor);
    if (place !== undefined && place * ROW - this.#list.scrollTop !== before) this.#list.scrollTop = place * ROW - before;
    this.#draw();
  }

  /** The row that must not move while others come on top of it: the one with the cursor, else what was scrolled to. */
  #anchor(): number | null {
    const top = this.#list.scrollTop;
    const focused = (this.root.getRootNode() as Document | ShadowRoot).activeElement === this.#list;
    if (focused && this.#active?.row && this.#places.has(this.#active.row)) return this.#active.row;
    return top > 0 ? (this.#shown[Math.floor(top / ROW)]?.id ?? null) : null;
  }

  #draw(): void {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = 0;
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
    this.#newest.hidden = above === 0 || this.#grid.keyed || this.#order !== null;
    say(this.#newest, `↑ ${grouped(above)} newer`);
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

  #enter(): void {
    if (this.#active && (this.#active.row === 0 || this.#places.has(this.#active.row))) return;
    const first = this.#shown[Math.ceil(this.#list.scrollTop / ROW)];
    this.#active = { row: first?.id ?? 0, column: 0 };
    this.#draw();
  }

  #click(event: MouseEvent): void {
    const cell = (event.target as Element).closest<HTMLElement>(".nbrt-cell");
    if (!cell) return;
    const column = [...cell.parentElement!.children].indexOf(cell);
    const row = Number(cell.parentElement!.dataset.row ?? 0);
    this.#active = { row, column };
    if (row === 0) this.#sort(column);
    else this.#draw();
  }

  #sort(column: number): void {
    this.#order = turned(this.#order, this.#heads.list[column]!.by);
    this.#heads.order(this.#order);
    if (this.#order === null || !this.#grid.keyed) this.#list.scrollTop = 0;
    this.#refresh();
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
    else if (event.key === "Escape") this.#top();
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
    this.#draw();
  }

  /** Back to the first row, and to following. */
  #top(): void {
    this.#list.focus({ preventScroll: true });
    this.#list.scrollTop = 0;
    this.#active = this.#shown.length ? null : this.#active;
    this.#draw();
  }

  async #copyRow(): Promise<void> {
    const row = this.#shown[this.#places.get(this.#active?.row ?? 0) ?? -1];
    if (!row) return;
    const cells = this.#heads.list.map(({ by }) => {
      if (by === "time") return new Date(row.time * 1000).toISOString();
      return by === "topic" ? row.topic : textOf(row.cells[by]);
    });
    let done = true;
    try {
      await navigator.clipboard.writeText(tabbed([cells]));
    } catch {
      done = false; // plain http, an isolated frame: the row is selected, one key away from a copy
      const all = document.createRange();
      all.selectNodeContents(this.#nodes.get(row.id)!);
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(all);
    }
    say(this.#copy, done ? "Copied" : "Selected");
    say(this.#voice, done ? "Row copied" : "Row selected");
    setTimeout(() => say(this.#copy, "Copy row"), 1500);
  }

  #hold(): void {
    this.#held = this.#stream.hold() ? this.#grid.copy() : null;
    say(this.#pause, this.#held ? "Resume" : "Pause");
    mark(this.root, "data-paused", this.#held ? "true" : null);
    this.#refresh();
    this.#says();
  }

  // -- what is said -------------------------------------------------------------------

  #now(): Standing {
    return this.#stream.at(performance.now(), patience(this.#recent));
  }

  #says(): void {
    const standing = this.#now();
    const { state, word, why } = standing;
    const at = this.#last;
    mark(this.root, "data-state", state);
    this.#state.show(state, word);
    mark(this.#pause, "aria-disabled", this.#stream.closed && !this.#held ? "true" : null);
    say(this.#note, capital(why));
    mark(this.#note, "title", why || null);
    mark(this.#note, "data-tone", state === "refused" ? "bad" : why ? "wait" : null);
    const counts = at ? this.#count(at) : "";
    say(this.#counts, counts);
    mark(this.#counts, "title", counts || null);
    this.#waiting.hidden = at === null || this.#shown.length > 0;
    mark(this.#waiting, "data-code", String(at?.came === 0 && state !== "closed" && state !== "refused"));
    if (!this.#waiting.hidden) say(this.#empty, this.#nothing(state));
    if (this.#stream.due(standing)) this.#summary.set(null);
  }

  #count(at: State): string {
    const rows = (this.#held ?? this.#grid).rows.size;
    const all = counted(rows, "row");
    return [
      this.#filter.value ? `${grouped(this.#shown.length)} of ${all}` : all,
      counted(at.came, "message"),
      at.skipped ? `${grouped(at.skipped)} skipped` : "",
      at.unkeyed ? `${grouped(at.unkeyed)} without ${this.#key}` : "",
      at.hidden ? `${counted(at.hidden, "more field")}` : "",
    ].filter(Boolean).join(" · ");
  }

  #nothing(state: string): string {
    const at = this.#last;
    if (at && this.#grid.rows.size) return this.#filter.value ? `No row has “${this.#filter.value}” in it` : "";
    if (at && at.unkeyed) return `No message has a field ${this.#key}`;
    return at && at.came > 0 ? "" : this.#stream.nothing(state, this.#name);
  }
}

export default panel((model) => new LiveTable(model));
