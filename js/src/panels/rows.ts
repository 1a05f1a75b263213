// The rows of a message log: what is kept, what a filter leaves, where each row lies, and
// how a payload reads on one line and on many.
//
// Pure. The one rule: a payload is text and stays the text that came. JSON is laid out by
// its own characters and never parsed, so that a long number keeps its digits and a
// payload that was cut is laid out as far as it goes.
import { clock, day, zone } from "../shared/format";

/** A row as the kernel sends it: id, ms, whether it is text and no JSON, line, size if the line is cut, topic. */
export type Wire = [number, number, 0 | 1, string, number, string?];

export interface Row {
  readonly id: number;
  /** Seconds since the epoch. */
  readonly time: number;
  readonly plain: boolean;
  /** The payload, or its beginning. */
  text: string;
  /** Bytes of the whole payload if `text` is cut, else 0. */
  readonly size: number;
  readonly topic: string;
  /** All that the kernel has of it, once it was asked for. */
  full?: string;
}

export function row([id, ms, plain, text, size, topic]: Wire): Row {
  return { id, time: ms / 1000, plain: plain === 1, text, size, topic: topic ?? "" };
}

/** Adds `came` to `kept` (both oldest first, by id), each row once, and leaves the newest `most`. */
export function merge(kept: readonly Row[], came: readonly Row[], most: number): Row[] {
  const newest = kept.length ? kept[kept.length - 1]!.id : 0;
  let all: Row[];
  if (came.length && came[0]!.id <= newest) {
    const known = new Set(kept.map(({ id }) => id));
    all = [...kept, ...came.filter(({ id }) => !known.has(id))].sort((a, b) => a.id - b.id);
  } else {
    all = [...kept, ...came];
  }
  return all.length > most ? all.slice(all.length - most) : all;
}

/** Whether a row's payload, or its topic where that is shown, has the words of a filter in it, in any case. */
export function matches(one: Row, filter: string): boolean {
  const words = filter.toLowerCase();
  return words === "" || one.text.toLowerCase().includes(words) || one.topic.toLowerCase().includes(words);
}

/** A payload on one line: breaks and tabs become visible signs, other controls a blank sign. */
export function oneLine(text: string): string {
  return text
    .replace(/\r\n|\r|\n/g, "↵")
    .replace(/\t/g, "⇥")
    // eslint-disable-next-line no-control-regex
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "␣");
}

const INDENT = "  ";

/** JSON text laid out on lines; one that breaks off is laid out as far as it goes. */
export function pretty(json: string): string {
  let out = "";
  let opened = 0; // where the text ends if what was just opened closes at once: what is empty stays on its line
  let depth = 0;
  const line = (): string => `\n${INDENT.repeat(Math.min(depth, 40))}`;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"?|[[\]{},:]|[^\s"[\]{},:]+/gs)) {
    if (token === "{" || token === "[") {
      depth++;
      opened = out.length + 1;
      out += token + line();
      continue;
    }
    if (token === "}" || token === "]") {
      depth = Math.max(0, depth - 1);
      out = opened ? out.slice(0, opened) + token : out + line() + token;
    } else if (token === ",") out += token + line();
    else if (token === ":") out += ": ";
    else out += token;
    opened = 0;
  }
  return out.trimEnd();
}

/** "14:02:05.123" in a zone; "" is the browser's. */
export function stamp(seconds: number, name = ""): string {
  const ms = Math.round(seconds * 1000);
  return `${clock(Math.floor(ms / 1000), true, name)}.${String(((ms % 1000) + 1000) % 1000).padStart(3, "0")}`;
}

/** "640 B", "12 kB", "1.2 MB". */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  const [factor, unit] = size < 999_500 ? [1e3, "kB"] : [1e6, "MB"];
  const value = size / factor;
  return `${value < 9.95 ? Number(value.toFixed(1)) : Math.round(value)} ${unit}`;
}

/** One thing in the list: a row, or the date above the rows of a day. */
export type Item = { readonly top: number; readonly height: number } & (
  | { readonly row: Row; readonly date?: undefined }
  | { readonly row?: undefined; readonly date: string }
);

export const ROW = 24;

/** The list, newest first: each row's place, an expanded one with `extra` pixels below, and a date above each day. */
export function lay(rows: readonly Row[], extra: (one: Row) => number, name = ""): { items: Item[]; height: number } {
  const items: Item[] = [];
  let top = 0;
  let last = "";
  for (let i = rows.length - 1; i >= 0; i--) {
    const one = rows[i]!;
    const date = day(one.time, name);
    if (date !== last) {
      items.push({ top, height: ROW, date: `${date} ${zone(one.time, name)}`.trim() });
      top += ROW;
      last = date;
    }
    const height = ROW + extra(one);
    items.push({ top, height, row: one });
    top += height;
  }
  return { items, height: top };
}

/** The items that show between two heights, found by halving. */
export function between(items: readonly Item[], from: number, to: number): Item[] {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle]!.top + items[middle]!.height <= from) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < items.length && items[end]!.top < to) end++;
  return items.slice(low, end);
}

/** How many lines a text takes where `columns` characters fit on one. */
export function lines(text: string, columns: number, most: number): number {
  let count = 0;
  for (const line of text.split("\n", most)) count += Math.max(1, Math.ceil(line.length / Math.max(1, columns)));
  return Math.min(most, count);
}
