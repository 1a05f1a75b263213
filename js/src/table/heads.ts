// The columns of a table: which there are, in which order, how wide, and their heads.
//
// Collaborators: table.ts asks for them and sorts by what is pressed; cells.ts knows what a column has shown.
// The one rule: a column that is there stays the same one and only ever gets wider, so that nothing moves to and fro.
import { zone } from "../shared/format";
import { make, mark } from "../panels/dom";
import { Column } from "./cells";
import type { By, Order, Wire } from "./grid";

export interface Head {
  by: By;
  column: Column;
  node: HTMLElement;
}

export interface Wanted {
  /** The field that tells rows apart, "topic", or "". */
  key: string;
  times: boolean;
  topics: boolean;
  zone: string;
  /** What the heads' ids begin with. */
  id: string;
}

const TIME = 13;

export class Heads {
  readonly node = make("div", { class: "nbrt-heads", role: "row", "aria-rowindex": "1" });
  list: Head[] = [];
  #fields: Column[] = [];

  constructor(readonly wanted: Wanted) {
    this.take([]);
  }

  /** Has a column for each of these fields; returns whether any is new. */
  take(fields: readonly string[]): boolean {
    if (this.list.length && fields.length === this.#fields.length) return false;
    const { key, times, topics, id } = this.wanted;
    this.#fields = fields.map((field, i) => (this.#fields[i]?.name === field ? this.#fields[i]! : new Column(field)));
    const before = new Map(this.list.map((one) => [one.by, one]));
    const rest: [By, Column][] = this.#fields.map((column, i) => [i, column]);
    const added: [By, Column][] = [];
    if (times) added.push(["time", before.get("time")?.column ?? new Column(`Time (${zone(Date.now() / 1000, this.wanted.zone)})`)]);
    if (topics) added.push(["topic", before.get("topic")?.column ?? new Column("topic")]);
    if (key === "topic") added.reverse();
    // What tells the rows apart is the first thing that is read.
    const first = this.#fields[0]?.name === key ? rest.splice(0, 1) : [];
    this.list = [...first, ...added, ...rest].map(([by, column]) => before.get(by) ?? { by, column, node: build(by, column) });
    this.node.replaceChildren(...this.list.map(({ node }) => node));
    this.list.forEach(({ node }, i) => {
      node.id = `${id}-0-${i}`;
      mark(node, "aria-colindex", String(i + 1));
    });
    return true;
  }

  /** Learns what the columns have to show; returns whether any is wider or aligned otherwise now. */
  learn(rows: readonly Wire[]): boolean {
    const topic = this.list.find(({ by }) => by === "topic")?.column;
    let changed = false;
    for (const [, , , from, ...cells] of rows) {
      for (let i = 0; i < this.#fields.length; i++) changed = this.#fields[i]!.see(cells[i]) || changed;
      if (topic) changed = topic.see(from) || changed;
    }
    return changed;
  }

  /** The columns as tracks of a CSS grid. */
  tracks(): string {
    const last = this.list.length - 1;
    return this.list
      .map(({ column, node }, i) => {
        mark(node, "data-numeric", column.numeric ? "true" : null);
        const width = `calc(${column.width}ch + 20px)`;
        // A text may use what is left; numbers at the far end of a wide page would be far from what they are about.
        if (i < last) return width;
        return column.numeric ? `${width} minmax(0, 1fr)` : `minmax(${width}, 1fr)`;
      })
      .join(" ");
  }

  /** Shows what the rows are sorted by. */
  order(order: Order | null): void {
    for (const { by, node } of this.list) mark(node, "aria-sort", order?.by === by ? order.direction : "none");
  }
}

function build(by: By, column: Column): HTMLElement {
  if (by === "time") column.width = Math.max(column.width, TIME);
  return make(
    "div",
    { class: "nbrt-cell nbrt-columnhead", role: "columnheader", "aria-sort": "none", title: `${column.name}: press to sort` },
    make("span", { class: "nbrt-line" }, column.name),
    make("span", { class: "nbrt-arrow", "aria-hidden": "true" }),
  );
}
