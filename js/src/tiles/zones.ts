// What thresholds say about a scale: its zones, from end to end without overlap, and its ticks.
//
// Pure. The rule is the kernel's (widgets/readings/levels.py): a line holds at its value and above, a
// band between its ends; where several hold, the gravest, of equals the last.
import { number, scaleFor, tick } from "../shared/format";

export type Level = "info" | "good" | "warn" | "bad";

export interface Threshold {
  value?: number;
  from?: number;
  to?: number;
  label: string;
  level: Level;
  color?: string;
}

export interface Zone {
  from: number;
  to: number;
  level: Level;
  label: string;
}

/** Of several that hold, the greatest counts. */
export const GRAVITY: Record<Level, number> = { info: 0, good: 1, warn: 2, bad: 3 };

/** What a level is called where nobody named it. */
export const WORDS: Record<Level, string> = { info: "Note", good: "OK", warn: "Warning", bad: "Critical" };

const low = (one: Threshold): number => one.value ?? one.from ?? Number.NEGATIVE_INFINITY;
const high = (one: Threshold): number => one.to ?? Number.POSITIVE_INFINITY;

function at(thresholds: readonly Threshold[], value: number): Threshold | null {
  let found: Threshold | null = null;
  for (const one of thresholds) {
    const holds = low(one) <= value && value <= high(one);
    if (holds && (found === null || GRAVITY[one.level] >= GRAVITY[found.level])) found = one;
  }
  return found;
}

/** The zones between `from` and `to`, in their order; where nothing holds there is none. */
export function zones(thresholds: readonly Threshold[], from: number, to: number): Zone[] {
  const cuts = thresholds.flatMap((one) => [low(one), high(one)]).filter((cut) => cut > from && cut < to);
  const edges = [...new Set([from, ...cuts, to])].sort((a, b) => a - b);
  const found: (Zone & { of: Threshold })[] = [];
  for (let i = 1; i < edges.length; i++) {
    const [begin, end] = [edges[i - 1]!, edges[i]!];
    const of = at(thresholds, (begin + end) / 2);
    if (of === null) continue;
    const last = found[found.length - 1];
    if (last?.of === of && last.to === begin) last.to = end;
    else found.push({ from: begin, to: end, level: of.level, label: of.label, of });
  }
  return found.map(({ of: _, ...zone }) => zone);
}

export interface Tick {
  /** Where it is, 0 to 1. */
  at: number;
  text: string;
}

function step(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= least * (1 - 1e-9)) ?? 10 * power;
}

/** Both ends, and the round values between them that leave the ends room; at most about `most`. */
export function ticks(from: number, to: number, most: number, unit: string): { ticks: Tick[]; unit: string } {
  const scale = scaleFor(Math.max(Math.abs(from), Math.abs(to)), unit);
  const by = step((to - from) / Math.max(1, most - 1));
  const place = (value: number): number => (value - from) / (to - from);
  const told = (value: number): string => tick(value / scale.factor, by / scale.factor);
  // Equal decimals along the scale, unless an end needs more.
  const end = (value: number): string => {
    const exact = Math.abs(Number(told(value).replace("−", "-")) - value / scale.factor) < (1e-6 * by) / scale.factor;
    return exact ? told(value) : number(value / scale.factor);
  };
  const found: Tick[] = [{ at: 0, text: end(from) }];
  for (let k = Math.ceil(from / by + 1e-9); k * by < to; k++) {
    const value = k * by;
    if (Math.min(value - from, to - value) < 0.6 * by) continue;
    found.push({ at: place(value), text: told(value) });
  }
  found.push({ at: 1, text: end(to) });
  return { ticks: found, unit: scale.unit };
}

/** Where a value is on a scale, 0 to 1, and on which side it is beyond it. */
export function position(value: number, from: number, to: number): { at: number; beyond: -1 | 0 | 1 } {
  if (value < from) return { at: 0, beyond: -1 };
  if (value > to) return { at: 1, beyond: 1 };
  return { at: (value - from) / (to - from), beyond: 0 };
}
