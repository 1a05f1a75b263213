// Columns of one series from several sources, as one.
//
// Collaborators: lens.ts has what was there when a zoom began, what the kernel answered, and
// what goes on coming.
//
// Pure. The one rule: later sources win where they overlap, so the coarse picture of a past
// is replaced by the fine one, and neither takes away what only the other has.
import { Store } from "./store";

/** A source, and the stretch of time of which it knows everything. */
export interface Piece {
  store: Store;
  from: number;
  to: number;
}

/** One store of all pieces; a single piece is returned as it is. */
export function splice(pieces: readonly Piece[]): Store {
  const some = pieces.filter(({ store, from, to }) => store.end > store.start && to >= from);
  const last = pieces[pieces.length - 1]!.store;
  if (some.length === 0) return last;
  if (some.length === 1) return some[0]!.store;
  // Stretches in the order of time: each piece without what a later one covers.
  const runs: { store: Store; start: number; end: number; time: number }[] = [];
  some.forEach(({ store, from, to }, index) => {
    let free: [number, number][] = [[from, to]];
    for (const over of some.slice(index + 1)) {
      free = free.flatMap(([low, high]): [number, number][] => {
        if (over.to < low || over.from > high) return [[low, high]];
        const rest: [number, number][] = [];
        if (low < over.from) rest.push([low, Math.min(high, over.from)]);
        if (high > over.to) rest.push([Math.max(low, over.to), high]);
        return rest;
      });
    }
    for (const [low, high] of free) {
      const start = store.index(low, low > from);
      const end = store.index(high, high === to);
      if (end > start) runs.push({ store, start, end, time: store.time[start]! });
    }
  });
  runs.sort((one, other) => one.time - other.time);
  return Store.of(runs, last);
}
