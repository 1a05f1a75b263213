// What a table holds and shows: rows by id, the order and the filter that a reader chose, and where rows lie.
//
// Pure. Collaborators: the kernel's widgets/messages/tablerows.py sends `Wire`, table.ts shows the result, cells.ts says
// how a cell reads.
//
// The one rule: a row is known by its id and true by its `seq`; what comes twice or late changes nothing.
import { sortable, textOf, type Cell } from "./cells";

/** A row as the kernel sends it: id, seq, ms, topic, then a cell for each column so far. */
export type Wire = [number, number, number, string, ...Cell[]];

export interface Row {
  readonly id: number;
  seq: number;
  /** Seconds since the epoch. */
  time: number;
  topic: string;
  cells: Cell[];
}

export type Direction = "ascending" | "descending";
/** The column that rows are sorted by: its index among the fields, or one of the two that the table adds. */
export type By = number | "time" | "topic";

export interface Order {
  by: By;
  direction: Direction;
}

export class Grid {
  readonly rows = new Map<number, Row>();

  constructor(
    /** Rows that are kept. */
    public most: number,
    /** Whether each row is a key, which keeps its place; else the newest row is the first. */
    readonly keyed: boolean,
    /** Whether rows show their topic, so that a filter may mean it. */
    readonly topics = true,
  ) {}

  /** Takes rows; `whole`: these are all, so that what is not among them is gone. Returns whether anything is another. */
  take(came: readonly Wire[], whole = false): boolean {
    let changed = false;
    if (whole) {
      const newest = came.length ? Math.max(...came.map((row) => row[1])) : Infinity;
      const ids = new Set(came.map(([id]) => id));
      for (const row of this.rows.values()) {
        // A frame that was sent after the snapshot may have come before it.
        if (ids.has(row.id) || row.seq > newest) continue;
        this.rows.delete(row.id);
        changed = true;
      }
    }
    for (const [id, seq, ms, topic, ...cells] of came) {
      const known = this.rows.get(id);
      if (known === undefined) this.rows.set(id, { id, seq, time: ms / 1000, topic, cells });
      else if (seq > known.seq) Object.assign(known, { seq, time: ms / 1000, topic, cells });
      else continue;
      changed = true;
    }
    this.#shed();
    return changed;
  }

  /** A copy that stays as it is: what a paused view shows. */
  copy(): Grid {
    const held = new Grid(this.most, this.keyed, this.topics);
    for (const [id, row] of this.rows) held.rows.set(id, { ...row });
    return held;
  }

  /** The rows that have `filter` in one of their cells, in `order` or, without one, in their own. */
  shown(filter: string, order: Order | null): Row[] {
    const words = filter.toLowerCase();
    const found: Row[] = [];
    for (const row of this.rows.values()) if (words === "" || matches(row, words, this.topics)) found.push(row);
    if (order === null) return found.sort(this.keyed ? (a, b) => a.id - b.id : (a, b) => b.id - a.id);
    return sorted(found, order);
  }

  /** The one that changed longest ago goes first, as in the kernel. */
  #shed(): void {
    const over = this.rows.size - this.most;
    if (over <= 0) return;
    const oldest = [...this.rows.values()].sort((a, b) => a.seq - b.seq);
    for (const row of oldest.slice(0, over)) this.rows.delete(row.id);
  }
}

function matches(row: Row, words: string, topics: boolean): boolean {
  return (topics && row.topic.toLowerCase().includes(words)) || row.cells.some((cell) => textOf(cell).toLowerCase().includes(words));
}

const language = new Intl.Collator(undefined, { numeric: true });

/** Sorted by one column: numbers before texts, holes last in either direction, equals in the order of their ids. */
export function sorted(rows: readonly Row[], { by, direction }: Order): Row[] {
  const sign = direction === "ascending" ? 1 : -1;
  const keyed = rows.map((row) => ({
    row,
    key: by === "time" ? row.time : by === "topic" ? row.topic : sortable(row.cells[by]),
  }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) {
      return a.key === b.key ? a.row.id - b.row.id : a.key === null ? 1 : -1;
    }
    let difference: number;
    if (typeof a.key === "number") difference = typeof b.key === "number" ? a.key - b.key : -1;
    else difference = typeof b.key === "number" ? 1 : language.compare(a.key, b.key);
    return difference * sign || a.row.id - b.row.id;
  });
  return keyed.map(({ row }) => row);
}

/** What comes after a press on a column's head: up, down, and back to the table's own order. */
export function turned(order: Order | null, by: By): Order | null {
  if (order === null || order.by !== by) return { by, direction: "ascending" };
  return order.direction === "ascending" ? { by, direction: "descending" } : null;
}
