// The value axis' scale: linear, or logarithmic.
//
// Collaborators: range.ts chooses bounds in a scale's own space, draw.ts, ticks and pointer
// ask where a value is.
//
// Pure. The one rule: on a log scale nothing is at or below zero; such a value is nowhere,
// which is a gap and not the bottom.
export type Scale = "linear" | "log";

export type Bounds = readonly [number, number];

/** A value where the axis is even: itself, or its decimal logarithm; −∞ for what a log scale has no place for. */
export function even(value: number, log: boolean): number {
  if (!log) return value;
  return value > 0 ? Math.log10(value) : -Infinity;
}

/** What part of the axis lies below `value`: 0 at the lower bound, 1 at the upper. */
export function part(value: number, bounds: Bounds, log: boolean): number {
  const low = even(bounds[0], log);
  return (even(value, log) - low) / (even(bounds[1], log) - low || 1);
}

/** The value at a part of the axis: what `part` came from. */
export function valueAt(at: number, bounds: Bounds, log: boolean): number {
  const low = even(bounds[0], log);
  const value = low + at * (even(bounds[1], log) - low);
  return log ? 10 ** value : value;
}
