// Where a time and a value are in a picture, and which samples belong together in it.
//
// Collaborators: draw.ts, lone.ts and what lies over them draw there; store.ts holds the columns.
//
// Pure. Everything is in device pixels.
import { even, type Bounds } from "./scale";
import type { Store } from "./store";

export interface Scene {
  ctx: CanvasRenderingContext2D;
  left: number;
  top: number;
  width: number;
  height: number;
  ratio: number;
  /** x = (time − t0) × perSecond + left. */
  t0: number;
  perSecond: number;
  /** y = bottom − (even(value) − low) × perValue. */
  log: boolean;
  low: number;
  perValue: number;
}

/** What a plotting area shows: from `edge − window` to `edge`, and `bounds`. */
export function sceneOf(
  { ctx, bbox }: { ctx: CanvasRenderingContext2D; bbox: { left: number; top: number; width: number; height: number } },
  ratio: number,
  { edge, window, bounds }: { edge: number; window: number; bounds: Bounds },
  log: boolean,
): Scene {
  const { left, top, width, height } = bbox;
  const low = even(bounds[0], log);
  const perValue = height / (even(bounds[1], log) - low || 1);
  return { ctx, left, top, width, height, ratio, t0: edge - window, perSecond: width / window, log, low, perValue };
}

export const xOf = (scene: Scene, time: number): number => scene.left + (time - scene.t0) * scene.perSecond;
export const yOf = (scene: Scene, value: number): number => {
  const y = scene.top + scene.height - (even(value, scene.log) - scene.low) * scene.perValue;
  // A canvas loses lines whose ends are absurdly far away (a fixed range, a spike).
  return Math.max(scene.top - 1e5, Math.min(scene.top + scene.height + 1e5, y));
};

/** Calls `run(from, to)` for every unbroken stretch of `column`; on a log scale 0 and below break it. */
export function runs(store: Store, run: (from: number, to: number) => void, log = false, column = store.value): void {
  const limit = store.breaks();
  let from = -1;
  for (let i = store.start; i < store.end; i++) {
    const value = column[i]!;
    const gap = Number.isNaN(value) || (log && value <= 0);
    if (from >= 0 && (gap || store.time[i]! - store.time[i - 1]! > limit)) {
      run(from, i);
      from = -1;
    }
    if (!gap && from < 0) from = i;
  }
  if (from >= 0) run(from, store.end);
}

/** A bin's least value. Of one that is partly above 0, a log scale knows the mean as the lowest that is there. */
export function least(store: Store, i: number, log: boolean): number {
  const low = store.low[i]!;
  if (!log || !(low <= 0)) return low;
  return store.value[i]! > 0 ? store.value[i]! : store.high[i]!;
}
