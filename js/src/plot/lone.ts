// Samples that nothing joins, because there is a gap on either side: they have no line, and are marked instead.
//
// Collaborators: draw.ts draws the lines between the others.
//
// The rule: who is alone is seen, also at the edge; and markers never grow together into what looks like a line.
import { least, runs, xOf, yOf, type Scene } from "./scene";
import type { Store } from "./store";

/** One of them, in device pixels: a bin reaches from `top` to `bottom`, a sample is where both are. */
export interface Lone {
  x: number;
  top: number;
  bottom: number;
  radius: number;
}

const RADIUS = 3;

/** The radius beside a neighbour that is so far away. */
export const roomFor = (gap: number, ratio: number): number => Math.max(ratio, Math.min(RADIUS * ratio, gap / 3));

/** Finds them. What is narrower than two pixels is as good as one: values that came within milliseconds. */
export function lones(scene: Scene, store: Store, newest: number): Lone[] {
  const { ratio, log } = scene;
  const found: Lone[] = [];
  let before = -Infinity;
  let open: Lone | null = null;
  const at = (i: number): number => xOf(scene, Math.min(store.time[i]!, newest));
  runs(store, (from, to) => {
    const [x, end] = [at(from), at(to - 1)];
    if (open !== null) open.radius = Math.min(open.radius, roomFor(x - open.x, ratio));
    open = null;
    if (end - x < 2 * ratio) {
      open = { x: (x + end) / 2, top: Infinity, bottom: -Infinity, radius: roomFor(x - before, ratio) };
      for (let i = from; i < to; i++) {
        open.top = Math.min(open.top, yOf(scene, store.high[i]!));
        open.bottom = Math.max(open.bottom, yOf(scene, least(store, i, log)));
      }
      found.push(open);
    }
    before = end;
  }, log);
  return found;
}

/** Draws them, whole where their middle is in view: a point for a value, a bar with a point at each end for more of them. */
export function drawLones({ ctx, ratio, left, top, width, height }: Scene, found: readonly Lone[], color: string, alpha: number): void {
  if (!found.length) return;
  const floor = top + height;
  ctx.save();
  ctx.fillStyle = color;
  ctx.globalAlpha = alpha;
  ctx.beginPath();
  for (const one of found) {
    const { x, radius } = one;
    if (x < left || x > left + width) continue;
    const wide = one.bottom - one.top >= radius;
    for (const y of wide ? [one.top, one.bottom] : [(one.top + one.bottom) / 2]) {
      if (y < top || y > floor) continue;
      ctx.moveTo(x + radius, y);
      ctx.arc(x, y, radius, 0, 2 * Math.PI);
    }
    const [from, to] = [Math.max(top, one.top), Math.min(floor, one.bottom)];
    if (wide && to > from) ctx.rect(x - 0.75 * ratio, from, 1.5 * ratio, to - from);
  }
  ctx.fill();
  ctx.restore();
}
