// Lines, bands, gaps and the hatch after the last sample, on a 2D context.
//
// Collaborators: view.ts calls it between the axes and what lies over them, store.ts holds the columns, lone.ts marks
// what no line reaches.
//
// The one rule: everything is in device pixels here; scene.ts says how a time and a value
// become one.
import type { Colors } from "../shared/theme";
import { drawLones, lones, roomFor, type Lone } from "./lone";
import { crowd, inked, paints } from "./palette";
import { least, runs, xOf, yOf, type Scene } from "./scene";
import type { Store } from "./store";

function traceLine(scene: Scene, store: Store, newest: number): void {
  const { ctx } = scene;
  runs(store, (from, to) => {
    // The newest bin's middle may lie after the newest sample.
    ctx.moveTo(xOf(scene, Math.min(store.time[from]!, newest)), yOf(scene, store.value[from]!));
    for (let i = from + 1; i < to; i++) {
      ctx.lineTo(xOf(scene, Math.min(store.time[i]!, newest)), yOf(scene, store.value[i]!));
    }
  }, scene.log);
}

function fillBand(scene: Scene, store: Store, newest: number): void {
  const { ctx, ratio } = scene;
  ctx.beginPath();
  runs(store, (from, to) => {
    // A lonely bin is as wide as it is long.
    const half = to - from === 1 ? Math.max(ratio / 2, (store.bin * scene.perSecond) / 2) : 0;
    const x = (i: number): number => xOf(scene, Math.min(store.time[i]!, newest));
    ctx.moveTo(x(from) - half, yOf(scene, store.high[from]!));
    for (let i = from; i < to; i++) ctx.lineTo(x(i) + (i === to - 1 ? half : 0), yOf(scene, store.high[i]!));
    for (let i = to - 1; i >= from; i--) ctx.lineTo(x(i) + (i === to - 1 ? half : 0), yOf(scene, least(store, i, scene.log)));
    if (half) ctx.lineTo(x(from) - half, yOf(scene, least(store, from, scene.log)));
    ctx.closePath();
  }, scene.log, store.high);
  ctx.fill();
}

/** Draws every line; `alpha` below 1 says that they are no longer true. */
export function drawLines(
  scene: Scene,
  stores: readonly Store[],
  colors: Colors,
  newest: number,
  alpha: number,
  hovered: number | null,
  given: readonly string[] = [],
): void {
  const { ctx, ratio } = scene;
  const painted = paints(stores.length, given);
  ctx.save();
  ctx.beginPath();
  ctx.rect(scene.left, scene.top, scene.width, scene.height);
  ctx.clip();
  ctx.lineJoin = "round";
  ctx.lineCap = "butt";
  if (painted === null) {
    const color = inked(crowd(given), colors.series);
    const alone = drawCrowd(scene, stores, color, newest, alpha);
    if (hovered !== null && stores[hovered]) {
      stroke(scene, stores[hovered]!, colors.text, 2 * ratio, [], alpha, newest);
    }
    ctx.restore();
    drawLones(scene, alone, color, 0.8 * alpha);
  } else {
    stores.forEach((store, index) => {
      if (store.mode === "band") {
        ctx.globalAlpha = 0.25 * alpha;
        ctx.fillStyle = inked(painted[index]!, colors.series);
        fillBand(scene, store, newest);
      }
    });
    const strong = (index: number): number => (hovered !== null && hovered !== index ? alpha * 0.35 : alpha);
    stores.forEach((store, index) => {
      const width = (hovered === index ? 2 : 1.5) * ratio;
      const paint = painted[index]!;
      stroke(scene, store, inked(paint, colors.series), width, paint.dash, strong(index), newest);
    });
    ctx.restore();
    stores.forEach((store, index) => {
      const alone = lones(scene, store, newest);
      drawLones(scene, alone, inked(painted[index]!, colors.series), strong(index));
    });
  }
}

function stroke(
  scene: Scene,
  store: Store,
  color: string,
  width: number,
  dash: readonly number[],
  alpha: number,
  newest: number,
): void {
  const { ctx, ratio } = scene;
  ctx.globalAlpha = alpha;
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.setLineDash(dash.map((length) => length * ratio));
  const draw = (): void => {
    ctx.beginPath();
    traceLine(scene, store, newest);
    ctx.stroke();
  };
  // Without a GPU a noisy line of 900 corners takes 8 ms at 1.5 pixels and 0.1 ms at one, which has a way of its own:
  // two thin ones beside each other look like the wider one. Where they would add up (alpha) or the eye sees corners
  // (few of them), it is drawn as it is.
  const dense = store.end - store.start > scene.width / 3;
  if (!dense || alpha < 1 || dash.length > 0 || width <= 1 || width > 2) return draw();
  const apart = (width - 1) / 2;
  ctx.lineWidth = 1;
  for (const by of [-apart, 2 * apart]) {
    ctx.translate(by, by);
    draw();
  }
  ctx.translate(-apart, -apart);
}

/** Above eight series nobody tells lines apart: one hue shows where they all are. Returns the columns that stand alone. */
function drawCrowd(scene: Scene, stores: readonly Store[], color: string, newest: number, alpha: number): Lone[] {
  const { ctx, ratio } = scene;
  const columns = Math.max(1, Math.ceil(scene.width / ratio));
  const low = new Float64Array(columns).fill(Infinity);
  const high = new Float64Array(columns).fill(-Infinity);
  for (const store of stores) {
    runs(store, (from, to) => {
      let before = -1;
      let lowBefore = 0;
      let highBefore = 0;
      for (let i = from; i < to; i++) {
        const at = Math.round((xOf(scene, Math.min(store.time[i]!, newest)) - scene.left) / ratio);
        const [under, most] = [least(store, i, scene.log), store.high[i]!];
        // Between two samples the band goes straight, as a line would.
        for (let x = Math.max(0, before < 0 ? at : before + 1); x <= Math.min(at, columns - 1); x++) {
          const part = before < 0 || at === before ? 1 : (x - before) / (at - before);
          const down = before < 0 ? under : lowBefore + (under - lowBefore) * part;
          const up = before < 0 ? most : highBefore + (most - highBefore) * part;
          if (down < low[x]!) low[x] = down;
          if (up > high[x]!) high[x] = up;
        }
        [before, lowBefore, highBefore] = [at, under, most];
      }
    }, scene.log, store.high);
  }
  const edge = (values: Float64Array, from: number, to: number): void => {
    ctx.moveTo(scene.left + from * ratio, yOf(scene, values[from]!));
    for (let x = from + 1; x < to; x++) ctx.lineTo(scene.left + x * ratio, yOf(scene, values[x]!));
  };
  ctx.fillStyle = ctx.strokeStyle = color;
  ctx.lineWidth = ratio;
  ctx.setLineDash([]);
  const alone: Lone[] = [];
  let before = -Infinity;
  for (let from = 0; from < columns; from++) {
    if (low[from] === Infinity) continue;
    let to = from;
    while (to < columns && low[to] !== Infinity) to++;
    if (to - from === 1) {
      const [x, radius] = [scene.left + from * ratio, roomFor((from - before) * ratio, ratio)];
      alone.push({ x, top: yOf(scene, high[from]!), bottom: yOf(scene, low[from]!), radius });
    }
    before = to;
    ctx.globalAlpha = 0.25 * alpha;
    ctx.beginPath();
    edge(high, from, to);
    for (let x = to - 1; x >= from; x--) ctx.lineTo(scene.left + x * ratio, yOf(scene, low[x]!));
    ctx.closePath();
    ctx.fill();
    ctx.globalAlpha = 0.8 * alpha;
    ctx.beginPath();
    edge(high, from, to);
    edge(low, from, to);
    ctx.stroke();
    from = to;
  }
  return alone;
}

/** A quiet hatch from the last sample to the right edge: nothing is known there. */
export function drawHatch(scene: Scene, newest: number, color: string): void {
  const { ctx, ratio } = scene;
  const from = Math.max(scene.left, xOf(scene, newest));
  const right = scene.left + scene.width;
  if (right - from < 2 * ratio) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(from, scene.top, right - from, scene.height);
  ctx.clip();
  ctx.strokeStyle = color;
  ctx.globalAlpha = 0.22;
  ctx.lineWidth = ratio;
  ctx.beginPath();
  for (let x = from - scene.height; x < right; x += 6 * ratio) {
    ctx.moveTo(x, scene.top + scene.height);
    ctx.lineTo(x + scene.height, scene.top);
  }
  ctx.stroke();
  ctx.restore();
}

/** Least and greatest value of what is in view, nulls when nothing is; on a log scale, of what is above 0. */
export function extremes(stores: readonly Store[], from: number, log = false): [number | null, number | null] {
  let low = Infinity;
  let high = -Infinity;
  for (const store of stores) {
    for (let i = store.index(from); i < store.end; i++) {
      const under = least(store, i, log);
      if (log && under <= 0) continue;
      // NaN compares false, so gaps pass by.
      if (under < low) low = under;
      if (store.high[i]! > high) high = store.high[i]!;
    }
  }
  return low <= high ? [low, high] : [null, null];
}

/** Whether something in view is 0 or below, and so nowhere on a log scale. */
export function sunken(stores: readonly Store[], from: number): boolean {
  return stores.some((store) => {
    for (let i = store.end - 1; i >= store.start && store.time[i]! >= from; i--) if (store.low[i]! <= 0) return true;
    return false;
  });
}
