// The canvas of a heatmap: the picture, its axes, the colour bar and the crosshair.
//
// Collaborators: paint.ts makes pixels of columns, axis.ts and plot/ticks.ts say where ticks are, heatmap.ts
// says what to show and asks what is under a point.
//
// The one rule: margins only ever get wider, so that the picture does not move to and fro with its labels.
import { timeTicks, valueTicks } from "../plot/ticks";
import { zone } from "../shared/format";
import { fade, type Colors } from "../shared/theme";
import { downwards, rowTicks, type Axis } from "./axis";
import { table } from "./colors";
import type { Columns } from "./columns";
import { lines, paint } from "./paint";

export interface Scene {
  columns: Columns;
  axis: Axis;
  /** Seconds: the times at the left and the right edge. */
  from: number;
  to: number;
  low: number;
  high: number;
  /** Whether there is anything that the range is of. */
  known: boolean;
  unit: string;
  zone: string;
  /** Below 1: it is no longer true. */
  alpha: number;
  /** Where the crosshair is, as parts of the picture from its top left. */
  cursor: { x: number; y: number } | null;
}

export interface Spot {
  time: number;
  row: number;
  /** NaN in a gap, null where nothing is. */
  value: number | null;
}

const TOP = 20;
const BOTTOM = 36;
const BAR = 12;
const FONT = 11;

export class Picture {
  readonly canvas = document.createElement("canvas");
  #image = document.createElement("canvas");
  #pixels: { width: number; height: number; data: Uint32Array; bytes: ImageData } | null = null;
  #colors: Colors | null = null;
  #hatch: CanvasPattern | null = null;
  #map: Uint32Array;
  #left = 32;
  #right = 48;
  #box = { left: 0, top: TOP, width: 1, height: 1 };

  constructor(readonly map: string) {
    this.#map = table(map);
  }

  themed(colors: Colors): void {
    this.#colors = colors;
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6;
    const ctx = tile.getContext("2d")!;
    ctx.strokeStyle = fade(colors.text, 0.14);
    ctx.beginPath();
    for (const x of [-6, 0, 6]) {
      ctx.moveTo(x, 6);
      ctx.lineTo(x + 6, 0);
    }
    ctx.stroke();
    this.#hatch = ctx.createPattern(tile, "repeat");
  }

  /** CSS pixels of the picture inside its axes. */
  get box(): { left: number; top: number; width: number; height: number } {
    return this.#box;
  }

  /** What lies at a part of the picture. */
  spot(scene: Scene, x: number, y: number): Spot {
    const { columns, axis } = scene;
    const time = scene.from + x * (scene.to - scene.from);
    const at = Math.min(columns.rows - 1, Math.max(0, Math.floor(y * columns.rows)));
    const row = downwards(axis) ? at : columns.rows - 1 - at;
    return { time, row, value: columns.at(time)?.values[row] ?? null };
  }

  draw(scene: Scene): void {
    const colors = this.#colors;
    const { clientWidth, clientHeight } = this.canvas;
    if (!colors || clientWidth < 40 || clientHeight < 60) return;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const ctx = this.canvas.getContext("2d")!;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, clientWidth, clientHeight);
    ctx.font = `${FONT}px ${colors.font}`;
    const inner = clientHeight - TOP - BOTTOM;
    const rows = rowTicks(scene.axis, scene.columns.rows, inner);
    const values = valueTicks(scene.low, scene.high, inner, scene.unit);
    const widest = (labels: readonly string[]): number => Math.max(0, ...labels.map((label) => Math.ceil(ctx.measureText(label).width)));
    const most = clientWidth * 0.3;
    this.#left = Math.max(this.#left, Math.min(most, widest(rows.ticks.map(({ label }) => label)) + 10));
    this.#right = Math.max(this.#right, Math.min(most, widest(values.labels) + BAR + 20));
    const box = (this.#box = { left: this.#left, top: TOP, width: clientWidth - this.#left - this.#right, height: inner });

    this.#picture(ctx, scene, ratio);
    ctx.globalAlpha = 1;
    ctx.fillStyle = colors.muted;
    ctx.textBaseline = "middle";
    ctx.textAlign = "right";
    const down = downwards(scene.axis);
    for (const { row, label } of rows.ticks) {
      const part = (row + 0.5) / Math.max(1, scene.columns.rows);
      ctx.fillText(label, box.left - 6, box.top + box.height * (down ? part : 1 - part), box.left - 8);
    }
    ctx.textAlign = "left";
    ctx.fillText(rows.caption, 0, 7, clientWidth / 2);
    this.#times(ctx, scene, colors);
    this.#bar(ctx, scene, values, colors, clientWidth);
    if (scene.cursor) this.#cross(ctx, scene.cursor, colors);
  }

  #picture(ctx: CanvasRenderingContext2D, scene: Scene, ratio: number): void {
    const { left, top, width, height } = this.#box;
    const { columns } = scene;
    const span = scene.to - scene.from;
    const oldest = columns.oldest;
    if (oldest !== null && this.#hatch) {
      // Between the first column and the newest nothing is known where nothing is painted.
      const x = Math.max(0, ((oldest - scene.from) / span) * width);
      const end = Math.min(width, ((columns.newest! - scene.from) / span) * width);
      ctx.fillStyle = this.#hatch;
      ctx.fillRect(left + x, top, Math.max(0, end - x), height);
    }
    const wide = Math.max(1, Math.round(width * ratio));
    const high = lines(columns.rows, height * ratio);
    if (this.#pixels?.width !== wide || this.#pixels.height !== high) {
      Object.assign(this.#image, { width: wide, height: high });
      const bytes = new ImageData(wide, high);
      this.#pixels = { width: wide, height: high, bytes, data: new Uint32Array(bytes.data.buffer) };
    }
    if (oldest === null) {
      // Where the picture will be.
      ctx.strokeStyle = fade(this.#colors!.text, 0.12);
      ctx.lineWidth = 1;
      ctx.strokeRect(Math.round(left) + 0.5, top + 0.5, Math.round(width) - 1, Math.round(height) - 1);
    }
    const { low, high: most, from } = scene;
    paint(this.#pixels, columns, { from, perSecond: wide / span, low, high: most, colors: this.#map, down: downwards(scene.axis) });
    this.#image.getContext("2d")!.putImageData(this.#pixels.bytes, 0, 0);
    ctx.imageSmoothingEnabled = false;
    // The hatch goes where something is known: faded colours would let it through.
    ctx.globalCompositeOperation = "destination-out";
    ctx.drawImage(this.#image, left, top, width, height);
    ctx.globalCompositeOperation = "source-over";
    ctx.globalAlpha = scene.alpha;
    ctx.drawImage(this.#image, left, top, width, height);
    ctx.globalAlpha = 1;
  }

  #times(ctx: CanvasRenderingContext2D, scene: Scene, colors: Colors): void {
    const { left, top, width, height } = this.#box;
    const { at, labels } = timeTicks(scene.from, scene.to, width, this.#right, scene.zone);
    ctx.textAlign = "center";
    ctx.fillStyle = colors.muted;
    ctx.strokeStyle = fade(colors.text, 0.3);
    ctx.lineWidth = 1;
    ctx.beginPath();
    at.forEach((time, i) => {
      const x = Math.round(left + ((time - scene.from) / (scene.to - scene.from)) * width) + 0.5;
      ctx.moveTo(x, top + height);
      ctx.lineTo(x, top + height + 4);
      labels[i]!.split("\n").forEach((line, k) => ctx.fillText(line, Math.max(x, 28), top + height + 12 + 13 * k));
    });
    ctx.stroke();
    ctx.textAlign = "right";
    ctx.fillText(zone(scene.to, scene.zone), left + width + this.#right, top + height + 25, this.#right);
  }

  #bar(ctx: CanvasRenderingContext2D, scene: Scene, { at, labels, caption }: ReturnType<typeof valueTicks>, colors: Colors, right: number): void {
    const { left, top, width, height } = this.#box;
    const x = left + width + 12;
    for (let y = 0; y < height; y++) {
      const color = this.#map[Math.min(this.#map.length - 1, Math.floor(((height - 1 - y) / Math.max(1, height - 1)) * this.#map.length))]!;
      ctx.fillStyle = `rgb(${color & 255}, ${(color >> 8) & 255}, ${(color >> 16) & 255})`;
      ctx.fillRect(x, top + y, BAR, 1);
    }
    ctx.fillStyle = colors.muted;
    ctx.textAlign = "left";
    if (scene.known) {
      at.forEach((value, i) => {
        const y = top + height - ((value - scene.low) / (scene.high - scene.low)) * height;
        ctx.fillText(labels[i]!, x + BAR + 4, y, right - x - BAR - 4);
      });
    }
    ctx.textAlign = "right";
    ctx.fillText(caption, right, 7, right / 2);
  }

  #cross(ctx: CanvasRenderingContext2D, cursor: { x: number; y: number }, colors: Colors): void {
    const { left, top, width, height } = this.#box;
    const [x, y] = [Math.round(left + cursor.x * width) + 0.5, Math.round(top + cursor.y * height) + 0.5];
    const line = (color: string, thick: number): void => {
      ctx.strokeStyle = color;
      ctx.lineWidth = thick;
      ctx.beginPath();
      ctx.moveTo(x, top);
      ctx.lineTo(x, top + height);
      ctx.moveTo(left, y);
      ctx.lineTo(left + width, y);
      ctx.stroke();
    };
    // On dark and on bright values alike: a line with a seam in the ground's colour.
    line(fade(colors.ground, 0.6), 3);
    line(colors.text, 1);
  }
}
