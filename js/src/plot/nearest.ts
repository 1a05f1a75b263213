// What is under the pointer: the sample next to a time, the line next to a point.
//
// Pure.
import type { Store } from "./store";

/** The index of the last sample that is not after `time`; the first one if all are. */
export function before(store: Store, time: number): number {
  let from = store.start;
  let to = store.end - 1;
  while (from < to) {
    const middle = (from + to + 1) >> 1;
    if (store.time[middle]! <= time) from = middle;
    else to = middle - 1;
  }
  return from;
}

/** The line nearest to height `y` (CSS pixels) at `time`, within `reach` pixels; null if none is. */
export function nearestLine(
  stores: readonly Store[],
  time: number,
  y: number,
  heightOf: (value: number) => number,
  reach = 12,
): number | null {
  let best = reach;
  let found: number | null = null;
  stores.forEach((store, index) => {
    if (store.end === store.start) return;
    const value = store.value[before(store, time)]!;
    const far = Math.abs(y - heightOf(value));
    // NaN compares false, so gaps pass by.
    if (far < best) {
      best = far;
      found = index;
    }
  });
  return found;
}
