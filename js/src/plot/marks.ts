// What happened when: annotations and alerts, as lines with flags.
//
// Collaborators: overlay.ts holds them and shows whole texts, scene.ts says where a time is.
//
// The rules: flags stand in a few rows and never cover each other or a threshold's label; a
// flag keeps its row while it scrolls; at the right edge it is held inside, because what has
// just happened is what people want to read; and what has no room is a small mark that says
// its text when pointed at.
import type { Colors } from "../shared/theme";
import { xOf, type Scene } from "./scene";
import { drawSymbol, levelColor, levelOf } from "./levels";
import type { Box } from "./thresholds";

export interface Mark {
  /** Seconds since the epoch. */
  t: number;
  text: string;
  level?: string;
  series?: string | number | null;
}

/** A mark in the picture, in device pixels; without a box there was no room for its text. */
export interface Flag {
  mark: Mark;
  x: number;
  text: string;
  box: Box | null;
}

const ROW = 18;
const HEIGHT = 16;
const WIDEST = 180;
const MOST_ROWS = 3;

/** The longest beginning of a text's first line that is no wider than `width`. */
export function shorten(text: string, width: number, measure: (text: string) => number): string {
  const line = text.split("\n", 1)[0]!.trim();
  if (line === text.trim() && measure(line) <= width) return line;
  let [from, to] = [0, line.length];
  while (from < to) {
    const middle = (from + to + 1) >> 1;
    if (measure(`${line.slice(0, middle)}…`) <= width) from = middle;
    else to = middle - 1;
  }
  return `${line.slice(0, from).trimEnd()}…`;
}

const meets = (a: Box, b: Box): boolean =>
  a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;

/** Finds each flag its row, and remembers it. */
export class Rows {
  private kept = new Map<string, number>();
  private width = 0;
  private cut = new Map<string, string>();

  /** The flags of what is in view; `taken` are boxes to keep free of. */
  place(scene: Scene, marks: readonly Mark[], taken: readonly Box[], measure: (text: string) => number): Flag[] {
    const { left, top, width, height, ratio } = scene;
    const gap = 4 * ratio;
    // Another width is another picture: nothing scrolls there from here.
    if (width !== this.width) this.kept.clear();
    this.width = width;
    const widest = Math.min(WIDEST * ratio, width * 0.45);
    const rows = Math.min(MOST_ROWS, Math.floor((height * 0.35) / (ROW * ratio)));
    const kept = new Map<string, number>();
    const boxes: Box[] = [...taken];
    const found: Flag[] = [];
    for (const mark of [...marks].sort((a, b) => a.t - b.t)) {
      const x = xOf(scene, mark.t);
      if (x > left + width || x < left - widest - gap) continue;
      const sign = mark.level ? 12 * ratio : 0;
      const text = this.shorten(mark.text, Math.round(widest - sign), measure);
      const size = measure(text) + sign + 8 * ratio;
      const at = Math.min(x, left + width - size);
      // Held at the left edge a flag would seem to belong to what is there: it goes with its line.
      const key = `${mark.t} ${mark.text}`;
      const before = this.kept.get(key);
      const order = Array.from({ length: rows }, (_, row) => row);
      if (before !== undefined && before < rows) order.unshift(before);
      const boxAt = (row: number): Box => ({ left: at, top: top + 2 * ratio + row * ROW * ratio, width: size, height: HEIGHT * ratio });
      const row = order.find((one) => !boxes.some((box) => meets({ ...boxAt(one), width: size + gap }, box)));
      if (row === undefined) {
        if (x >= left) found.push({ mark, x, text, box: null });
        continue;
      }
      kept.set(key, row);
      boxes.push(boxAt(row));
      found.push({ mark, x, text, box: boxAt(row) });
    }
    this.kept = kept;
    return found;
  }

  /** Cut once, not for every frame. */
  private shorten(text: string, width: number, measure: (text: string) => number): string {
    const key = `${width} ${text}`;
    let short = this.cut.get(key);
    if (short === undefined) {
      if (this.cut.size > 500) this.cut.clear();
      this.cut.set(key, (short = shorten(text, width, measure)));
    }
    return short;
  }
}

const near = (a: number, b: number, reach: number): boolean => Math.abs(a - b) <= reach;

/** What is under a point (device pixels): the flag, or every line within five pixels. */
export function under(flags: readonly Flag[], x: number, y: number, ratio: number): Flag[] {
  const point: Box = { left: x, top: y, width: 0, height: 0 };
  const flag = flags.find(({ box }) => box !== null && meets(box, point));
  if (!flag) return flags.filter((one) => near(one.x, x, 5 * ratio));
  // Those without room that stand where the flag does are told with it.
  return [flag, ...flags.filter((one) => one.box === null && near(one.x, flag.x, 5 * ratio))];
}

/** Lines and flags over the data. The context's font is set. */
export function drawFlags(scene: Scene, flags: readonly Flag[], colors: Colors): void {
  const { ctx, ratio, left, top, width, height } = scene;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  for (const { mark, x } of flags) {
    ctx.globalAlpha = 0.75;
    ctx.strokeStyle = levelColor(levelOf(mark.level), colors);
    const at = Math.round(x - ratio / 2) + ratio / 2;
    ctx.beginPath();
    ctx.moveTo(at, top);
    ctx.lineTo(at, top + height);
    ctx.stroke();
  }
  ctx.setLineDash([]);
  for (const { mark, x: pole, text, box } of flags) {
    const color = levelColor(levelOf(mark.level), colors);
    ctx.globalAlpha = 1;
    if (box === null) {
      ctx.fillStyle = color;
      ctx.beginPath();
      ctx.moveTo(pole - 4 * ratio, top);
      ctx.lineTo(pole + 4 * ratio, top);
      ctx.lineTo(pole, top + 6 * ratio);
      ctx.fill();
      continue;
    }
    const middle = box.top + box.height / 2;
    ctx.fillStyle = colors.ground;
    ctx.strokeStyle = color;
    ctx.beginPath();
    const [x, y, width, height] = [box.left + ratio / 2, box.top + ratio / 2, box.width - ratio, box.height - ratio];
    // Younger than the oldest browsers that hosts bring along.
    if (ctx.roundRect) ctx.roundRect(x, y, width, height, 3 * ratio);
    else ctx.rect(x, y, width, height);
    ctx.fill();
    ctx.globalAlpha = 0.5;
    ctx.stroke();
    ctx.globalAlpha = 1;
    let from = box.left + 4 * ratio;
    if (mark.level) {
      ctx.fillStyle = color;
      drawSymbol(ctx, levelOf(mark.level), from + 4 * ratio, middle, 8 * ratio);
      from += 12 * ratio;
    }
    ctx.fillStyle = colors.text;
    ctx.fillText(text, from, middle + ratio / 2);
  }
  ctx.restore();
}
