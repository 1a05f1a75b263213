// Lines and bands across a plot: which of them the range takes in, and where their labels are.
//
// Collaborators: overlay.ts holds them and says when, scene.ts says where a value is.
//
// The rules: an automatic range takes in what is no farther from the data than the data
// extend, and lets go of it at twice that, so that it does not flicker; what is out of the
// picture is named at the edge beyond which it is; and no label covers another.
import { quantity } from "../shared/format";
import type { Colors } from "../shared/theme";
import { yOf, type Scene } from "./scene";
import { drawSymbol, levelColor, levelOf } from "./levels";
import { even } from "./scale";

export interface Line {
  value?: number;
  from?: number;
  to?: number;
  label: string;
  level?: string;
  color?: string;
  /** Whether the automatic range takes it in; absent: while it is near. */
  include?: boolean | null;
}

/** A label's box in device pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Tag extends Box {
  line: Line;
  text: string;
}

/** The value of a line, the bounds of a band. */
export const edges = (line: Line): number[] =>
  line.value !== undefined ? [line.value] : [line.from, line.to].filter((one) => one !== undefined);

/** Remembers which values are near, so that those between near and far stay what they were. */
export class Near {
  private kept = new Set<number>();

  /** The extremes of the data with those of the lines that belong into the picture. */
  reach(low: number | null, high: number | null, lines: readonly Line[], log: boolean): [number | null, number | null] {
    if (low === null || high === null) return [low, high];
    const [bottom, top] = [even(low, log), even(high, log)];
    const span = top - bottom || (log ? 0.05 : Math.abs(top) * 0.1 || 1);
    const kept = new Set<number>();
    let [least, most] = [low, high];
    for (const line of lines) {
      for (const value of edges(line)) {
        const at = even(value, log);
        if (line.include === false || at === -Infinity) continue;
        const far = Math.max(bottom - at, at - top, 0) / span;
        if (line.include !== true && far > (this.kept.has(value) ? 2 : 1)) continue;
        kept.add(value);
        least = Math.min(least, value);
        most = Math.max(most, value);
      }
    }
    this.kept = kept;
    return [least, most];
  }
}

const wordsOf = (line: Line, unit: string): string => edges(line).map((value) => quantity(value, unit)).join(" – ");

const ROW = 16;
const CAPTION = 60;

/**
 * Where the labels are: on the left, where the oldest data are, and apart from each other; of what is
 * above the picture, in the row above it. `measure` is in device pixels.
 */
export function tags(scene: Scene, lines: readonly Line[], unit: string, measure: (text: string) => number): Tag[] {
  const { ratio, top, height } = scene;
  const row = ROW * ratio;
  const bottom = top + height;
  const over: Tag[] = [];
  const found: Tag[] = [];
  // From the right, as far as the caption leaves room.
  let end = scene.left + scene.width;
  for (const line of lines) {
    const ys = edges(line).map((value) => yOf(scene, value));
    if (!ys.length) continue;
    const [upper, lower] = [Math.min(...ys), Math.max(...ys)];
    const above = lower < top - ratio;
    const below = upper > bottom + ratio;
    const words = wordsOf(line, unit);
    let text = line.label || words;
    if (above || below) text = `${line.label.endsWith(words) ? line.label : `${line.label} ${words}`.trim()} ${above ? "↑" : "↓"}`;
    const width = measure(text) + 20 * ratio;
    let at = upper - row - ratio;
    if (above) {
      if (end - width < scene.left + CAPTION * ratio) continue;
      over.push({ line, text, width, height: row, top: top - row - ratio, left: (end -= width) });
      continue;
    }
    if (below) at = bottom - row - ratio;
    // Inside a band, and under a line where there is no room above it.
    else if (ys.length > 1 || at < top) at = Math.max(upper, top) + ratio;
    found.push({ line, text, width, height: row, top: Math.min(at, bottom - row), left: scene.left + 4 * ratio });
  }
  found.sort((a, b) => a.top - b.top);
  const shown = found.slice(0, Math.max(1, Math.floor(height / row)));
  for (let i = 1; i < shown.length; i++) shown[i]!.top = Math.max(shown[i]!.top, shown[i - 1]!.top + row);
  let limit = bottom;
  for (let i = shown.length - 1; i >= 0; i--) {
    shown[i]!.top = Math.min(shown[i]!.top, limit - row);
    limit = shown[i]!.top;
  }
  return [...over, ...shown];
}

const colorOf = (line: Line, colors: Colors): string => line.color || levelColor(levelOf(line.level), colors);

/** Under the data: what is between the bounds of a band, and the lines. */
export function drawThresholds(scene: Scene, lines: readonly Line[], colors: Colors): void {
  const { ctx, ratio, left, top, width, height } = scene;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.lineWidth = ratio;
  for (const line of lines) {
    const ys = edges(line).map((value) => yOf(scene, value));
    ctx.fillStyle = ctx.strokeStyle = colorOf(line, colors);
    if (ys.length > 1) {
      ctx.globalAlpha = 0.1;
      ctx.fillRect(left, Math.min(...ys), width, Math.abs(ys[1]! - ys[0]!));
    }
    ctx.globalAlpha = ys.length > 1 ? 0.5 : 0.9;
    ctx.setLineDash([8 * ratio, 4 * ratio]);
    ctx.beginPath();
    for (const y of ys) {
      // On whole pixels, or a line of one pixel is a grey one of two.
      const at = Math.round(y - ratio / 2) + ratio / 2;
      ctx.moveTo(left, at);
      ctx.lineTo(left + width, at);
    }
    ctx.stroke();
  }
  ctx.restore();
}

/** Over the data: what the lines are called. The context's font is set. */
export function drawTags(scene: Scene, found: readonly Tag[], colors: Colors): void {
  const { ctx, ratio } = scene;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const { line, text, left, top, width, height } of found) {
    ctx.globalAlpha = 0.85;
    ctx.fillStyle = colors.ground;
    ctx.fillRect(left, top, width, height);
    ctx.globalAlpha = 1;
    ctx.fillStyle = colorOf(line, colors);
    drawSymbol(ctx, levelOf(line.level), left + 8 * ratio, top + height / 2, 8 * ratio);
    ctx.fillStyle = colors.text;
    ctx.fillText(text, left + 16 * ratio, top + height / 2 + ratio / 2);
  }
}
