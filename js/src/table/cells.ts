// How a cell reads: numbers with the decimals of their column, texts on one line, JSON as it was written.
//
// Pure. The one rule: a number that is shown rounded is copied and sorted as it came.
import { clock, day, number } from "../shared/format";
import { oneLine } from "../panels/rows";

/** A cell as the kernel sends it: JSON of anything else in a list of one; null where a row has none. */
export type Cell = number | string | boolean | null | [string];

/** A cell's whole text. */
export function textOf(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "";
  return typeof cell === "object" ? cell[0] : String(cell);
}

/** What a column is sorted by. */
export function sortable(cell: Cell | undefined): number | string | null {
  if (cell === null || cell === undefined) return null;
  if (typeof cell === "number") return cell;
  if (typeof cell === "boolean") return Number(cell);
  if (typeof cell === "string") return cell;
  if (cell[0] === "null") return null;
  const long = Number(cell[0]);
  return Number.isNaN(long) ? cell[0] : long;
}

/** What a column has shown so far: how wide it is, whether it holds numbers, and their decimals. Never shrinks. */
export class Column {
  /** Digits that would be as wide as the widest cell or the name. */
  width: number;
  decimals = 0;
  #largest = 0;
  #numbers = 0;
  #texts = 0;

  constructor(readonly name: string) {
    this.width = Math.ceil(name.length * BOLD) + 2;
  }

  /** Whether it is aligned as numbers are. */
  get numeric(): boolean {
    return this.#numbers > 0 && this.#numbers >= this.#texts;
  }

  /** Learns from a cell; returns whether the column is another. */
  see(cell: Cell | undefined): boolean {
    if (cell === null || cell === undefined) return false;
    const { width, decimals, numeric } = this;
    if (typeof cell === "number") {
      this.#numbers++;
      const size = Math.abs(cell);
      if (size > this.#largest && size < 1e15) this.#largest = size;
      if (decimals < MOST_DECIMALS) this.decimals = Math.max(decimals, decimalsOf(cell, this.#largest));
    } else {
      this.#texts++;
    }
    if (width < MOST_WIDE) {
      const digits = this.text(cell).length;
      this.width = Math.max(width, Math.min(MOST_WIDE, typeof cell === "number" ? digits : Math.ceil(digits * PLAIN) + 1));
    }
    return width !== this.width || decimals !== this.decimals || numeric !== this.numeric;
  }

  /** What is shown of a cell. */
  text(cell: Cell | undefined): string {
    if (typeof cell !== "number") return oneLine(textOf(cell));
    const size = Math.abs(cell);
    // What its column's decimals would make a zero, or endless, is written by itself.
    if (size >= 1e15 || (size !== 0 && size < 0.5 * 10 ** -this.decimals)) return number(cell);
    return cell.toFixed(this.decimals).replace("-", "−");
  }
}

const MOST_WIDE = 36;
/** How much wider than a digit, which a `ch` is, a letter is at most on the average of a text. */
const PLAIN = 1.1;
const BOLD = 1.25;
const MOST_DECIMALS = 6;

/** Decimals that `value` needs, up to four significant digits of the largest in its column. */
export function decimalsOf(value: number, largest: number): number {
  if (Number.isInteger(value) || !Number.isFinite(value)) return 0;
  const allowed = largest === 0 ? 3 : 3 - Math.floor(Math.log10(largest));
  const most = Math.max(1, Math.min(MOST_DECIMALS, allowed));
  const text = value.toFixed(most).replace(/0+$/, "");
  return text.length - text.indexOf(".") - 1;
}

/** "2026-11-22" and "14:02:05.123" in a zone; "" is the browser's. */
export function read(seconds: number, zone: string): [string, string] {
  const ms = Math.round(seconds * 1000);
  const whole = Math.floor(ms / 1000);
  return [day(whole, zone), `${clock(whole, true, zone)}.${String(ms - 1000 * whole).padStart(3, "0")}`];
}

/** Rows for the clipboard: cells apart by tabs, as spreadsheets take them. */
export function tabbed(lines: readonly (readonly string[])[]): string {
  return lines.map((cells) => cells.map((text) => text.replace(/[\t\r\n]+/g, " ")).join("\t")).join("\n");
}
