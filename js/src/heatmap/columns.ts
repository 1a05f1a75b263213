// The columns of a heatmap in a view: by bin, the newest window of them, and what lies where.
//
// Pure. Collaborators: the kernel's widgets/heatmaps/grid.py sends bins, times and values; paint.ts draws, heatmap.ts
// asks for extremes and for the value under the pointer.
//
// The one rule: a column reaches back to the one before it, and over a gap only as far as a usual pause.

export interface Column {
  readonly bin: number;
  /** Seconds since the epoch: where it ends. */
  readonly time: number;
  readonly values: Float32Array;
  /** Extremes of its values; Infinity and −Infinity if all are gaps. */
  readonly low: number;
  readonly high: number;
}

/** A longer pause than so many usual ones is a gap, as in a plot. */
const GAP = 5;

export class Columns {
  list: Column[] = [];
  rows = 0;
  /** Seconds of a bin, and between two columns as a rule. */
  bin = 1;
  interval: number | null = null;

  /** Takes what a frame brought; `whole`: all there is. `window` are the seconds to keep. */
  take(buffers: readonly DataView[], rows: number, whole: boolean, window: number): void {
    if (whole || rows !== this.rows) this.list = [];
    this.rows = rows;
    if (buffers.length < 3 || rows === 0) return;
    const [bins, times, values] = buffers as [DataView, DataView, DataView];
    const count = bins.byteLength / 8;
    for (let i = 0; i < count; i++) {
      const column = read(bins.getFloat64(8 * i, true), times.getFloat64(8 * i, true), values, rows, i);
      while (this.list.length && this.list[this.list.length - 1]!.bin >= column.bin) this.list.pop();
      this.list.push(column);
    }
    const oldest = this.newest! - window - this.bin;
    let gone = 0;
    while (gone < this.list.length && this.list[gone]!.time < oldest) gone++;
    if (gone) this.list.splice(0, gone);
  }

  get newest(): number | null {
    return this.list.length ? this.list[this.list.length - 1]!.time : null;
  }

  get oldest(): number | null {
    return this.list.length ? this.begin(0) : null;
  }

  /** Where the column at `index` begins. */
  begin(index: number): number {
    const { time } = this.list[index]!;
    const usual = Math.max(this.interval ?? this.bin, this.bin);
    const before = index > 0 ? this.list[index - 1]!.time : -Infinity;
    return time - before > GAP * usual ? time - usual : before;
  }

  /** The column at a time, or null in a gap. */
  at(time: number): Column | null {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle]!.time < time) low = middle + 1;
      else high = middle;
    }
    return low < this.list.length && this.begin(low) <= time ? this.list[low]! : null;
  }

  /** Extremes of all that is in view; nulls when nothing is. */
  extremes(from: number): [number, number] | [null, null] {
    let low = Infinity;
    let high = -Infinity;
    for (const column of this.list) {
      if (column.time < from) continue;
      if (column.low < low) low = column.low;
      if (column.high > high) high = column.high;
    }
    return low <= high ? [low, high] : [null, null];
  }

  /** A copy that stays as it is: what a paused view shows. */
  copy(): Columns {
    return Object.assign(new Columns(), this, { list: [...this.list] });
  }
}

function read(bin: number, time: number, all: DataView, rows: number, index: number): Column {
  const values = new Float32Array(rows);
  let low = Infinity;
  let high = -Infinity;
  for (let r = 0; r < rows; r++) {
    let value = all.getFloat32(4 * (index * rows + r), true);
    // What float32 could not hold is no value to make a range of.
    if (!Number.isFinite(value)) value = Number.NaN;
    values[r] = value;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { bin, time, values, low, high };
}
