// The recent window of a value as a line and what it ranged over, from the bins that the kernel sends.
//
// Collaborators: widgets/readings/trend.py packs, tile.ts shows. Pure but for `Bins`, which keeps what came.
// The rules: a bin that comes again replaces the one it was; and a line breaks where nothing came for
// five times as long as usual.
import { GRAVITY, type Level, type Threshold } from "./zones";

export interface Head {
  /** The first bin's index, counted from the epoch. */
  first: number;
  /** Seconds of a bin. */
  width: number;
  window: number;
  /** Whether this is all that there is. */
  whole: boolean;
}

export interface Bin {
  at: number;
  mean: number;
  low: number;
  high: number;
}

export interface Spark {
  line: string;
  area: string;
  low: number;
  high: number;
  /** The newest mean's place, 0 to 1 from the left and the top. */
  end: { x: number; y: number };
}

/** A line or a band's end across the picture. */
export interface Rule {
  y: number;
  level: Level;
  color: string;
}

/** The size of the box that paths are drawn in; the page stretches it. */
export const BOX = { width: 1000, height: 100 };
const MARGIN = 6;

export class Bins {
  #kept = new Map<number, Bin>();
  #head: Head | null = null;

  /** Takes a frame's bins: three float32 for each, NaN where nothing was. */
  take(head: Head, body: DataView | undefined): void {
    if (head.whole) this.#kept.clear();
    const count = body === undefined ? 0 : Math.floor(body.byteLength / 12);
    for (let i = 0; i < count; i++) {
      const mean = body!.getFloat32(12 * i, true);
      const at = head.first + i;
      if (Number.isNaN(mean)) this.#kept.delete(at);
      else this.#kept.set(at, { at, mean, low: body!.getFloat32(12 * i + 4, true), high: body!.getFloat32(12 * i + 8, true) });
    }
    this.#head = head;
    const oldest = this.#newest() - this.#places();
    for (const at of this.#kept.keys()) if (at <= oldest) this.#kept.delete(at);
  }

  #newest(): number {
    let newest = Number.NEGATIVE_INFINITY;
    for (const at of this.#kept.keys()) newest = Math.max(newest, at);
    return newest;
  }

  #places(): number {
    return this.#head === null ? 1 : Math.max(1, Math.ceil(this.#head.window / this.#head.width));
  }

  /** The bins in their order. */
  get all(): Bin[] {
    return [...this.#kept.values()].sort((a, b) => a.at - b.at);
  }

  /** What to draw, `interval` being the usual distance of samples in seconds; null if there is nothing. */
  draw(interval: number | null): Spark | null {
    const all = this.all;
    const newest = all[all.length - 1];
    if (newest === undefined || this.#head === null) return null;
    const patience = Math.max(1, (5 * (interval ?? 0)) / this.#head.width);
    return spark(all, newest.at - this.#places() + 1, this.#places(), patience);
  }

  /** "rising", "falling" or "steady", by the last quarter of the window against the one before. */
  get tendency(): string {
    const all = this.all;
    const last = all[all.length - 1];
    if (last === undefined || all.length < 4) return "";
    const quarter = this.#places() / 4;
    const mean = (from: number, to: number): number | null => {
      const some = all.filter(({ at }) => at > from && at <= to);
      return some.length ? some.reduce((sum, one) => sum + one.mean, 0) / some.length : null;
    };
    const now = mean(last.at - quarter, last.at);
    const before = mean(last.at - 2 * quarter, last.at - quarter);
    if (now === null || before === null) return "";
    const span = Math.max(...all.map(({ high }) => high)) - Math.min(...all.map(({ low }) => low));
    const change = span > 0 ? (now - before) / span : 0;
    return change > 0.05 ? "rising" : change < -0.05 ? "falling" : "steady";
  }
}

/** Paths for `bins`, of which `first` begins at the left and `places` fill the width. */
export function spark(bins: readonly Bin[], first: number, places: number, patience: number): Spark {
  const low = Math.min(...bins.map((bin) => bin.low));
  const high = Math.max(...bins.map((bin) => bin.high));
  const x = (at: number): number => ((at - first + 0.5) / places) * BOX.width;
  const y = (value: number): number => yOf(value, low, high);
  let line = "";
  let area = "";
  for (const run of runs(bins, patience)) {
    const points = run.map((bin) => `${round(x(bin.at))} ${round(y(bin.mean))}`);
    // A run of one is a dot: a line to where it is, with round ends.
    line += `M${points.join("L")}${points.length === 1 ? "h0" : ""}`;
    if (run.some((bin) => bin.high > bin.low)) {
      const top = run.map((bin) => `${round(x(bin.at))} ${round(y(bin.high))}`);
      const bottom = run.map((bin) => `${round(x(bin.at))} ${round(y(bin.low))}`).reverse();
      area += `M${top.join("L")}L${bottom.join("L")}Z`;
    }
  }
  const last = bins[bins.length - 1]!;
  return { line, area, low, high, end: { x: x(last.at) / BOX.width, y: y(last.mean) / BOX.height } };
}

/**
 * What thresholds draw across a sparkline: only what lies in its picture, for a sparkline shows what the value
 * did and not how far it is from trouble; of several at one height the gravest, of equals the last.
 */
export function rules({ low, high }: Pick<Spark, "low" | "high">, thresholds: readonly Threshold[]): Rule[] {
  const found = new Map<number, Rule>();
  for (const one of thresholds) {
    for (const edge of [one.value, one.from, one.to]) {
      if (edge === undefined || (high === low && edge !== low)) continue;
      const y = round(yOf(edge, low, high));
      const there = found.get(y);
      if (y < 0 || y > BOX.height || (there && GRAVITY[there.level] > GRAVITY[one.level])) continue;
      found.set(y, { y, level: one.level, color: one.color ?? "" });
    }
  }
  return [...found.values()];
}

function yOf(value: number, low: number, high: number): number {
  return high > low ? MARGIN + ((high - value) / (high - low)) * (BOX.height - 2 * MARGIN) : BOX.height / 2;
}

function runs(bins: readonly Bin[], patience: number): Bin[][] {
  const found: Bin[][] = [];
  for (const bin of bins) {
    const run = found[found.length - 1];
    if (run === undefined || bin.at - run[run.length - 1]!.at > patience) found.push([bin]);
    else run.push(bin);
  }
  return found;
}

const round = (value: number): number => Math.round(value * 10) / 10;
