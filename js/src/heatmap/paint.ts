// Columns as pixels: one image as wide as the picture, a row of it for each row of the data.
//
// Pure but for the ImageData that it fills. The one rule: a value that is a gap leaves its pixels transparent, so
// that the hatch below shows that nothing is known there.
import type { Columns } from "./columns";

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint32Array;
}

export interface Look {
  /** The time at the left edge and pixels per second. */
  from: number;
  perSecond: number;
  low: number;
  high: number;
  colors: Uint32Array;
  /** Whether the first row is on top; else at the bottom. */
  down: boolean;
}

/** Fills `pixels` with what `columns` show. Several rows on one pixel show the greatest of them. */
export function paint(pixels: Pixels, columns: Columns, look: Look): void {
  const { width, height, data } = pixels;
  const { colors, low, down } = look;
  data.fill(0);
  const steps = colors.length;
  const scale = look.high > low ? steps / (look.high - low) : 0;
  const rows = columns.rows;
  const xOf = (time: number): number => Math.round((time - look.from) * look.perSecond);
  for (let i = 0; i < columns.list.length; i++) {
    const column = columns.list[i]!;
    const right = Math.min(width, xOf(column.time));
    if (right < 0) continue;
    const left = Math.min(Math.max(0, xOf(columns.begin(i))), Math.max(0, right - 1));
    if (left >= width || right === 0) continue;
    for (let y = 0; y < height; y++) {
      const first = Math.floor((y * rows) / height);
      const end = Math.max(first + 1, Math.floor(((y + 1) * rows) / height));
      let value = Number.NaN;
      for (let r = first; r < end; r++) {
        const one = column.values[r]!;
        if (!(one <= value)) value = one === one ? one : value;
      }
      if (value !== value) continue;
      const step = Math.floor((value - low) * scale);
      const color = colors[step < 0 ? 0 : step >= steps ? steps - 1 : step]!;
      const line = (down ? y : height - 1 - y) * width;
      for (let x = left; x < right; x++) data[line + x] = color;
    }
  }
}

/** Rows of the image for so many rows of data on so many pixels. */
export function lines(rows: number, pixels: number): number {
  return Math.max(1, Math.min(rows, Math.round(pixels)));
}
