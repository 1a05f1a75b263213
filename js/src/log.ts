// The messages of topics as they come, newest first: a state, a filter, a pause, and rows to expand.
//
// Collaborators: panels/panel.ts (frames, theme, silence), panels/listing.ts (what is around the rows), panels/rows.ts
// (what is kept and where it lies), panels/detail.ts (a row as elements).
// The rules: only rows in view are in the document; what somebody reads or has the focus on stays where it is
// on the screen while others come; a payload reaches the document as text alone.
import type { Frame, Model } from "./shared/channel";
import { count as grouped } from "./shared/format";
import { build, dress, heightOf, linesOf } from "./panels/detail";
import { make, mark } from "./panels/dom";
import { Listing } from "./panels/listing";
import { panel, type Say } from "./panels/panel";
import { between, lay, matches, merge, ROW, row } from "./panels/rows";
import type { Item, Row, Wire } from "./panels/rows";
import type { Told } from "./panels/stream";
import { counted } from "./panels/words";

interface State extends Told {
  skipped: number;
  rows: Wire[];
  full?: [number, string, number][];
}

const OVERSCAN = 120;

class MessageLog extends Listing<State> {
  readonly #most: number;
  readonly #several: boolean;
  readonly #zone: string;
  readonly #list: HTMLElement;

  #sheet = make("div", { class: "nbrt-sheet" });

  #rows: Row[] = [];
  #held: Row[] | null = null;
  #hits = new WeakMap<Row, boolean>();
  #shown: Row[] = [];
  #items: Item[] = [];
  #open = new Map<number, number>(); // id → lines shown
  #nodes = new Map<string, HTMLElement>();
  #active = 0;

  constructor(model: Model, readonly tell: Say) {
    const list = make("div", { class: "nbrt-list", role: "log", "aria-live": "off", tabindex: "-1" });
    super(model, { of: "log", what: "Message log", rows: "messages", sample: '"hello"', list, order: ", newest first" });
    this.#list = list;
    list.append(this.#sheet);
    const topics = model.get("topics") as string[];
    this.#most = Number(model.get("rows"));
    this.#several = topics.length > 1 || topics.some((name) => name.includes("*"));
    this.#zone = String(model.get("time_zone") ?? "");
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("click", (event) => this.#click(event));
    this.says();
  }

  show(frame: Frame): void {
    const at = frame as unknown as State;
    this.took(at);
    if (at.rows.length) this.#rows = merge(this.#rows, at.rows.map(row), this.#most);
    for (const [id, text] of at.full ?? []) this.#fill(id, text);
    if (at.rows.length && this.#held === null) this.refresh();
    this.says();
  }

  // -- what is shown ------------------------------------------------------------------

  #matches(one: Row): boolean {
    let hit = this.#hits.get(one);
    if (hit === undefined) this.#hits.set(one, (hit = matches(one, this.words)));
    return hit;
  }

  /** Lays out anew what is to be seen, and holds what is being read where it is. */
  refresh(filtered = false): void {
    if (filtered) {
      this.#hits = new WeakMap();
      this.#list.scrollTop = 0;
    }
    const anchor = this.#anchor();
    const before = anchor ? anchor.top - this.#list.scrollTop : 0;
    const rows = this.#held ?? this.#rows;
    this.#shown = rows.filter((one) => this.#matches(one));
    const { items, height } = lay(this.#shown, (one) => this.#detail(one) ?? 0, this.#zone);
    this.#items = items;
    this.#sheet.style.height = `${height}px`;
    const place = anchor && items.find((item) => item.row === anchor.row);
    if (place && place.top !== anchor.top) this.#list.scrollTop = place.top - before;
    const oldest = rows[0]?.id ?? 0;
    for (const id of this.#open.keys()) if (id < oldest) this.#open.delete(id);
    this.draw();
  }

  /** The row that must not move: the one with the focus, else what was scrolled or expanded to be read. */
  #anchor(): Item | undefined {
    const focused = this.#focused();
    if (focused) return this.#items.find((item) => item.row?.id === focused);
    const top = this.#list.scrollTop;
    if (!top && !this.#open.size) return undefined;
    const seen = between(this.#items, top, top + this.#list.clientHeight).filter((item) => item.row);
    return top ? seen[0] : seen.find((item) => this.#open.has(item.row!.id));
  }

  #focused(): number {
    const node = (this.root.getRootNode() as Document | ShadowRoot).activeElement?.closest<HTMLElement>(".nbrt-row");
    return node && this.#sheet.contains(node) ? Number(node.dataset.row) : 0;
  }

  draw(): void {
    const { scrollTop, clientHeight } = this.#list;
    const focused = this.#focused();
    const seen = between(this.#items, scrollTop - OVERSCAN, scrollTop + clientHeight + OVERSCAN);
    // The one with the focus stays, wherever it was scrolled to.
    const kept = focused ? this.#items.find((item) => item.row?.id === focused) : undefined;
    if (kept && !seen.includes(kept)) kept.top < scrollTop ? seen.unshift(kept) : seen.push(kept);
    const wanted = new Map(seen.map((item) => [item.row ? String(item.row.id) : item.date, item]));
    for (const [key, node] of this.#nodes) {
      if (wanted.has(key)) continue;
      this.#nodes.delete(key);
      node.remove();
    }
    if (focused && !kept) this.#list.focus({ preventScroll: true });
    // The nodes that stay are in order already and are not touched: to move one would take its focus.
    let next = this.#sheet.firstElementChild;
    for (const [key, item] of wanted) {
      let node = this.#nodes.get(key) as HTMLElement | undefined;
      if (node === undefined) {
        node = item.row ? build(item.row, this.#several, this.#zone) : make("div", { class: "nbrt-date" }, item.date);
        this.#nodes.set(key, node);
        this.#sheet.insertBefore(node, next);
      } else next = node.nextElementSibling;
      const top = `${item.top}px`;
      if (node.style.top !== top) node.style.top = top;
      if (item.row) dress(node, item.row, this.#detail(item.row));
    }
    const rows = seen.filter((item) => item.row && item.top + item.height > scrollTop);
    // Whoever comes with Tab comes to the first row in sight.
    if (!this.#focused()) this.#active = rows[0]?.row?.id ?? 0;
    for (const [key, node] of this.#nodes) {
      if (node.dataset.row) mark(node.firstElementChild!, "tabindex", key === String(this.#active) ? "0" : "-1");
    }
    const above = this.#items.filter((item) => item.row && item.top + item.height <= scrollTop).length;
    this.above(above);
  }

  /** The height of a row's detail; null if it is folded. */
  #detail(one: Row): number | null {
    const shown = this.#open.get(one.id);
    return shown === undefined ? null : heightOf(one, shown);
  }

  // -- hands on -----------------------------------------------------------------------

  #click(event: MouseEvent): void {
    const node = (event.target as Element).closest<HTMLElement>(".nbrt-row");
    if (node && (event.target as Element).closest(".nbrt-rowline")) this.#toggle(Number(node.dataset.row));
  }

  #toggle(id: number, open = !this.#open.has(id)): void {
    const one = this.#shown.find((known) => known.id === id);
    if (!one || open === this.#open.has(id)) return;
    this.#active = id;
    if (open) {
      this.#open.set(id, linesOf(one, this.#list.clientWidth));
      if (one.size && one.full === undefined) this.tell({ type: "expand", row: id });
    } else this.#open.delete(id);
    this.refresh();
    const item = this.#items.find((known) => known.row?.id === id);
    if (open && item) this.#reveal(item);
  }

  /** Scrolls as little as shows the whole of an item, or else its beginning. */
  #reveal(item: Item): void {
    const { scrollTop, clientHeight } = this.#list;
    if (item.top < scrollTop) this.#list.scrollTop = item.top;
    else if (item.top + item.height > scrollTop + clientHeight) {
      this.#list.scrollTop = Math.min(item.top, item.top + item.height - clientHeight);
    }
    this.draw();
  }

  #fill(id: number, text: string): void {
    const rows = this.#held ? [...this.#rows, ...this.#held] : this.#rows;
    for (const one of rows) if (one.id === id) one.full = text;
    const node = this.#nodes.get(String(id));
    const one = this.#shown.find((known) => known.id === id);
    if (node && one) dress(node, one, this.#detail(one), true);
  }

  #key(event: KeyboardEvent): void {
    if (!(event.target as Element).closest(".nbrt-rowline, .nbrt-list") || (event.target as Element).closest(".nbrt-detail")) return;
    const rows = this.#shown.length;
    if (event.key === "ArrowDown") this.#step(event, this.#focused() ? 1 : 0);
    else if (event.key === "ArrowUp") this.#step(event, -1);
    else if (event.key === "Home") this.#step(event, 0, rows - 1);
    else if (event.key === "End") this.#step(event, 0, 0);
    else if (event.key === "ArrowRight" && this.#focused()) this.#toggle(this.#focused(), true);
    else if (event.key === "ArrowLeft" && this.#focused()) this.#toggle(this.#focused(), false);
    else if (event.key === "Escape") this.follow();
  }

  #at(): number {
    return this.#shown.findIndex(({ id }) => id === this.#active);
  }

  /** Moves the focus by rows downwards, or to the row at `to` (0 is the oldest). */
  #step(event: Event, by: number, to = this.#at() - by): void {
    event.preventDefault();
    const one = this.#shown[Math.min(this.#shown.length - 1, Math.max(0, to))];
    const item = one && this.#items.find((known) => known.row === one);
    if (!item) return;
    this.#active = one.id;
    // The first row brings its date with it, and the place where new ones are followed.
    if (item.top <= ROW) this.#list.scrollTop = 0;
    this.#reveal(item);
    (this.#nodes.get(String(one.id))?.firstElementChild as HTMLElement | undefined)?.focus({ preventScroll: true });
  }

  /** Back to the newest, which then stay in sight. */
  follow(): void {
    this.#list.focus({ preventScroll: true });
    this.#active = 0;
    this.#list.scrollTop = 0;
    this.draw();
  }

  enter(event: Event): void {
    this.#step(event, 0, this.#at());
  }

  hold(paused: boolean): void {
    this.#held = paused ? this.#rows : null;
  }

  // -- what is said -------------------------------------------------------------------

  times(): readonly number[] {
    return this.#rows.slice(-32).map(({ time }) => time);
  }

  bare(): boolean {
    return !this.#items.length;
  }

  nothing(): string {
    const { words } = this;
    return words ? `Nothing here has “${words}” in it` : "";
  }

  counts({ came, skipped }: State): string {
    const rows = (this.#held ?? this.#rows).length;
    const all = this.#rows.length;
    return [
      this.words ? `${grouped(this.#shown.length)} of ${grouped(rows)} match` : "",
      counted(came, "message"),
      skipped ? `${grouped(skipped)} skipped` : "",
      came - skipped > all ? `newest ${grouped(all)} kept` : "",
    ].filter(Boolean).join(" · ");
  }
}

export default panel((model, tell) => new MessageLog(model, tell));
