// The messages of topics as they come, newest first: a state, a filter, a pause, and rows to expand.
//
// Collaborators: panels/panel.ts (frames, theme, silence), panels/stream.ts (how the stream stands), panels/rows.ts
// (what is kept and where it lies), panels/detail.ts (a row as elements).
// The rules: only rows in view are in the document; what somebody reads or has the focus on stays where it is
// on the screen while others come; a payload reaches the document as text alone.
import { copyable } from "./shared/copyable";
import type { Frame, Model } from "./shared/channel";
import { count as grouped } from "./shared/format";
import { build, dress, heightOf, linesOf } from "./panels/detail";
import { capital, make, mark, say, Slowly, StateMark } from "./panels/dom";
import { panel, type Say, type View } from "./panels/panel";
import { between, lay, matches, merge, ROW, row } from "./panels/rows";
import type { Item, Row, Wire } from "./panels/rows";
import { patience, Stream, type Standing, type Told } from "./panels/stream";
import { counted, example } from "./panels/words";

interface State extends Told {
  skipped: number;
  rows: Wire[];
  full?: [number, string, number][];
}

const OVERSCAN = 120;

class MessageLog implements View {
  readonly root: HTMLElement;
  readonly #most: number;
  readonly #name: string;
  readonly #several: boolean;
  readonly #zone: string;
  #state = new StateMark();
  #filter = make("input", {
    class: "nbrt-field", type: "search", placeholder: "Filter", "aria-label": "Filter messages", spellcheck: "false", autocomplete: "off",
  });
  #pause = make("button", { class: "nbrt-button", type: "button" }, "Pause");
  #newest = make("button", { class: "nbrt-newest", type: "button", hidden: true });
  #list: HTMLElement;
  #sheet = make("div", { class: "nbrt-sheet" });
  #waiting: HTMLElement;
  #empty = make("p", { class: "nbrt-line" });
  #note = make("span", { class: "nbrt-line nbrt-why" });
  #counts = make("span", { class: "nbrt-line nbrt-counts nbrt-muted" });
  #voice = make("span", { class: "nbrt-voice", role: "status", "aria-live": "polite" });
  #summary = new Slowly<null>(() => this.#speak());

  #last: State | null = null;
  #stream = new Stream();
  #rows: Row[] = [];
  #held: Row[] | null = null;
  #hits = new WeakMap<Row, boolean>();
  #shown: Row[] = [];
  #items: Item[] = [];
  #open = new Map<number, number>(); // id → lines shown
  #nodes = new Map<string, HTMLElement>();
  #active = 0;
  #tick: ReturnType<typeof setInterval>;
  #drawing = 0;
  #resized: ResizeObserver;

  constructor(model: Model, readonly tell: Say) {
    const topics = model.get("topics") as string[];
    this.#most = Number(model.get("rows"));
    this.#name = topics.join(", ");
    this.#several = topics.length > 1 || topics.some((name) => name.includes("*"));
    this.#zone = String(model.get("time_zone") ?? "");
    this.#list = make("div", {
      class: "nbrt-list", role: "log", "aria-live": "off", "aria-label": `Messages of ${this.#name}, newest first`, tabindex: "-1",
    }, this.#sheet);
    this.#list.style.height = `${Number(model.get("height"))}px`;
    const publish = `rt.publish(${JSON.stringify(example(topics[0] ?? ""))}, "hello")`;
    this.#waiting = make("div", { class: "nbrt-empty", hidden: true }, this.#empty, copyable(publish, "nbrt-typed"));
    const name = make("span", { class: "nbrt-line nbrt-name", title: this.#name }, this.#name);
    this.root = make(
      "div",
      { class: "nbrt-log", role: "group", "aria-label": `Message log of ${this.#name}`, "data-state": "connecting", "data-lm-suppress-shortcuts": "true" },
      make("div", { class: "nbrt-head" }, this.#state.node, name),
      make("div", { class: "nbrt-tools" }, this.#filter, this.#pause),
      make("div", { class: "nbrt-frame" }, this.#newest, this.#list, this.#waiting),
      make("div", { class: "nbrt-foot" }, this.#note, this.#counts),
      this.#voice,
    );
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    this.#filter.addEventListener("input", () => this.#refilter());
    this.#filter.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") this.#step(event, 0, this.#at());
      if (event.key === "Escape" && this.#filter.value) {
        this.#filter.value = "";
        this.#refilter();
      }
    });
    this.#pause.addEventListener("click", () => this.#hold());
    this.#newest.addEventListener("click", () => this.#follow());
    this.#list.addEventListener("scroll", () => {
      this.#drawing ||= requestAnimationFrame(() => this.#draw());
    });
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("click", (event) => this.#click(event));
    this.#resized = new ResizeObserver(() => this.#draw());
    this.#resized.observe(this.#list);
    this.#tick = setInterval(() => this.#says(), 1000);
    this.#says();
  }

  show(frame: Frame): void {
    const at = frame as unknown as State;
    this.#last = at;
    this.#stream.took(at, performance.now());
    if (at.rows.length) this.#rows = merge(this.#rows, at.rows.map(row), this.#most);
    for (const [id, text] of at.full ?? []) this.#fill(id, text);
    if (at.rows.length && this.#held === null) this.#refresh();
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

  // -- what is shown ------------------------------------------------------------------

  #refilter(): void {
    this.#hits = new WeakMap();
    this.#list.scrollTop = 0;
    this.#refresh();
    this.#says();
  }

  #matches(one: Row): boolean {
    let hit = this.#hits.get(one);
    if (hit === undefined) this.#hits.set(one, (hit = matches(one, this.#filter.value)));
    return hit;
  }

  /** Lays out anew what is to be seen, and holds what is being read where it is. */
  #refresh(): void {
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
    this.#draw();
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

  #draw(): void {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = 0;
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
    this.#newest.hidden = above === 0;
    say(this.#newest, `↑ ${grouped(above)} newer`);
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
    this.#refresh();
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
    this.#draw();
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
    else if (event.key === "Escape") this.#follow();
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
  #follow(): void {
    this.#list.focus({ preventScroll: true });
    this.#active = 0;
    this.#list.scrollTop = 0;
    this.#draw();
  }

  #hold(): void {
    this.#held = this.#stream.hold() ? this.#rows : null;
    say(this.#pause, this.#held ? "Resume" : "Pause");
    mark(this.root, "data-paused", this.#held ? "true" : null);
    if (!this.#held) this.#refresh();
    this.#says();
  }

  // -- what is said -------------------------------------------------------------------

  #now(): Standing {
    return this.#stream.at(performance.now(), patience(this.#rows.slice(-32).map(({ time }) => time)));
  }

  #says(): void {
    const standing = this.#now();
    const { state, word, why } = standing;
    const at = this.#last;
    mark(this.root, "data-state", state);
    this.#state.show(state, word);
    mark(this.#pause, "aria-disabled", at?.state === "closed" && !this.#held ? "true" : null);
    say(this.#note, capital(why));
    mark(this.#note, "title", why || null);
    mark(this.#note, "data-tone", state === "refused" ? "bad" : why ? "wait" : null);
    const rows = (this.#held ?? this.#rows).length;
    const filtered = this.#filter.value ? `${grouped(this.#shown.length)} of ${grouped(rows)} match` : "";
    const all = this.#rows.length;
    const kept = at && at.came - at.skipped > all ? `newest ${grouped(all)} kept` : "";
    const skipped = at?.skipped ? `${grouped(at.skipped)} skipped` : "";
    const counts = at ? [filtered, counted(at.came, "message"), skipped, kept].filter(Boolean).join(" · ") : "";
    say(this.#counts, counts);
    mark(this.#counts, "title", counts || null);
    this.#waiting.hidden = at === null || this.#items.length > 0;
    mark(this.#waiting, "data-code", String(at?.came === 0 && state !== "closed" && state !== "refused"));
    if (!this.#waiting.hidden) say(this.#empty, this.#nothing(state));
    if (this.#stream.due(standing)) this.#summary.set(null);
  }

  #nothing(state: string): string {
    if (this.#last && this.#last.came > 0) return this.#filter.value ? `Nothing here has “${this.#filter.value}” in it` : "";
    return this.#stream.nothing(state, this.#name);
  }

  #speak(): void {
    const said = this.#stream.news(this.#now(), this.#name);
    if (said) say(this.#voice, said);
  }
}

export default panel((model, tell) => new MessageLog(model, tell));
