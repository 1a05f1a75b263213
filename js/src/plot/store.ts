// What one line of a plot shows, as columns: unpacked from frames, trimmed to the window.
//
// Collaborators: nbrealtime/widgets/plots/decimate.py packs what is unpacked here, draw.ts and
// view.ts read the columns between `start` and `end`.
//
// Pure. The one rule: a frame says everything from its first sample or bin on, so what is
// there from then on is replaced. That is how late samples and repeated bins are repaired.

export interface Entry {
  series: number;
  /** "samples": few new ones of a band, which is put together from them here. They travel as points do. */
  mode: "points" | "band" | "samples";
  reset: boolean;
  n: number;
  /** Points, samples: the first one's time; and if they are evenly spaced their distance, instead of times. */
  t0?: number;
  step?: number;
  /** Band, samples: the bins' width in seconds and the first one's index; of a band, whether none is missing. */
  bin?: number;
  k0?: number;
  dense?: boolean;
  v0: number;
  scale: number;
  interval: number | null;
  last: number | null;
  /** Band: the first sample's time, where it is known: a bin knows its own only within its width. */
  first?: number | null;
}

/** Bytes of an entry in its frame's buffer. */
export function bytesOf(entry: Entry): number {
  if (entry.mode !== "band") return (entry.step === undefined ? 8 : 4) * entry.n;
  return (entry.dense || entry.n === 0 ? 12 : 16) * entry.n;
}

/**
 * So much of a bin its samples' times may be wrong, each being a 4-byte difference or nearly even. Who stands so close
 * behind an edge counts for the bin before: if it belongs into the one behind, it comes again with it. The other way
 * round the bin would lose it, because what comes again begins with what is in the bin.
 */
const UNSURE = 0.01;

export class Store {
  mode: "points" | "band" = "points";
  bin = 0;
  interval: number | null = null;
  last: number | null = null;
  private first: number | null = null;
  time = new Float64Array(256);
  /** Points: the value. Band: the mean. */
  value = new Float64Array(256);
  low = new Float64Array(256);
  high = new Float64Array(256);
  start = 0;
  end = 0;

  /** Takes an entry whose numbers begin at `offset` of `view`. */
  take(entry: Entry, view: DataView | null, offset: number, window: number): void {
    const mode = entry.mode === "points" ? "points" : "band";
    if (entry.reset || mode !== this.mode || (mode === "band" && entry.bin !== this.bin)) {
      this.start = this.end = 0;
      this.mode = mode;
      this.bin = entry.bin ?? 0;
      this.first = entry.first ?? null;
    }
    this.interval = entry.interval;
    this.last = entry.last;
    const { n, v0, scale } = entry;
    if (n === 0 || view === null) return;
    const float = (index: number): number => view.getFloat32(offset + 4 * index, true);
    if (entry.mode === "samples") {
      this.group(entry as Required<Entry>, float);
    } else if (entry.mode === "points") {
      const t0 = entry.t0!;
      const { step } = entry;
      const at = step === undefined ? n : 0;
      // Times are 4-byte differences, or nearly even: the same sample may come back a little earlier.
      this.cut(t0 - window * 1e-6);
      this.grow(n);
      for (let i = 0; i < n; i++) {
        const value = v0 + scale * float(at + i);
        this.push(t0 + (step === undefined ? float(i) : i * step), value, value, value);
      }
    } else {
      const { bin, k0, dense } = entry as Required<Entry>;
      const at = dense ? 0 : n;
      this.cut((k0 + 0.25) * bin);
      this.grow(n);
      for (let i = 0; i < n; i++) {
        const k = k0 + (dense ? i : view.getUint32(offset + 4 * i, true));
        this.push(
          (k + 0.5) * bin,
          v0 + scale * float(at + 2 * n + i),
          v0 + scale * float(at + i),
          v0 + scale * float(at + n + i),
        );
      }
    }
  }

  /** The oldest sample that is not before `from`; null when there is none. */
  oldest(from: number): number | null {
    const index = this.index(from);
    if (index === this.end) return null;
    const time = this.time[index]!;
    const { first } = this;
    return this.mode === "band" && first !== null && Math.abs(time - first) <= this.bin ? Math.max(first, from) : time;
  }

  /** The index of the first sample that is not before `time`; with `beyond`, of the first after it. */
  index(time: number, beyond = false): number {
    let from = this.start;
    let to = this.end;
    while (from < to) {
      const middle = (from + to) >> 1;
      const one = this.time[middle]!;
      if (beyond ? one <= time : one < time) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Forgets what is older than `time`, but for the one before it: its line reaches into view. */
  trim(time: number): void {
    while (this.start + 1 < this.end && this.time[this.start + 1]! < time) this.start++;
  }

  /** Seconds between neighbours beyond which the line breaks. */
  breaks(): number {
    if (this.interval === null) return Infinity;
    return this.mode === "band" ? Math.max(5 * this.interval, this.bin) + this.bin * 1.01 : 5 * this.interval * 1.001;
  }

  /** A store of stretches of others, in the order of time; `like` says what else is known of the series. */
  static of(runs: readonly { store: Store; start: number; end: number }[], like: Store): Store {
    const made = new Store();
    made.interval = like.interval;
    made.last = like.last;
    for (const { store, start, end } of runs) {
      // A band may hold samples as they are: a bin whose least is its most.
      if (store.mode === "band") made.mode = "band";
      made.bin = Math.max(made.bin, store.bin);
      made.grow(end - start);
      for (let i = start; i < end; i++) made.push(store.time[i]!, store.value[i]!, store.low[i]!, store.high[i]!);
    }
    return made;
  }

  /** What lies from `from` to `to`, on the same columns: it goes out of date with them. */
  between(from: number, to: number): Store {
    return this.part(this.index(from), this.index(to, true));
  }

  /** What shows from `from` to `to`: what lies there, and its neighbours, whose lines reach into view. */
  reaching(from: number, to: number): Store {
    return this.part(Math.max(this.start, this.index(from) - 1), Math.min(this.end, this.index(to, true) + 1));
  }

  private part(start: number, end: number): Store {
    return Object.assign(Object.create(Store.prototype), this, { start, end: Math.max(start, end) }) as Store;
  }

  copy(): Store {
    const other = new Store();
    Object.assign(other, this);
    for (const column of ["time", "value", "low", "high"] as const) other[column] = this[column].slice(0, this.end);
    return other;
  }

  /** Takes samples into the bins from `k0` on: all of what is in each of them. NaN is a gap. */
  private group(entry: Entry & { bin: number; k0: number; t0: number }, float: (index: number) => number): void {
    const { n, v0, scale, bin, k0, t0, step } = entry;
    const at = step === undefined ? n : 0;
    this.cut((k0 + 0.25) * bin);
    this.grow(n);
    let now = NaN;
    let [low, high, sum, count] = [NaN, NaN, 0, 0];
    for (let i = 0; i <= n; i++) {
      const k = i < n ? Math.max(k0, Math.floor((t0 + (step === undefined ? float(i) : i * step)) / bin - UNSURE)) : Infinity;
      if (k !== now) {
        if (i > 0) this.push((now + 0.5) * bin, count > 0 ? sum / count : NaN, low, high);
        now = k;
        low = high = NaN;
        sum = count = 0;
      }
      if (i === n) break;
      const value = v0 + scale * float(at + i);
      // A comparison with the NaN of an empty bin is false.
      if (!(low <= value) && !Number.isNaN(value)) low = value;
      if (!(high >= value) && !Number.isNaN(value)) high = value;
      if (!Number.isFinite(value)) continue;
      sum += value;
      count++;
    }
  }

  private cut(time: number): void {
    while (this.end > this.start && this.time[this.end - 1]! >= time) this.end--;
  }

  private grow(more: number): void {
    const size = this.time.length;
    if (this.end + more <= size) return;
    const kept = this.end - this.start;
    const wanted = Math.max(size, 2 * (kept + more));
    for (const column of ["time", "value", "low", "high"] as const) {
      const old = this[column];
      const fresh = wanted > size ? new Float64Array(wanted) : old;
      fresh.set(old.subarray(this.start, this.end), 0);
      this[column] = fresh;
    }
    this.start = 0;
    this.end = kept;
  }

  private push(time: number, value: number, low: number, high: number): void {
    const at = this.end++;
    this.time[at] = time;
    this.value[at] = value;
    this.low[at] = low;
    this.high[at] = high;
  }
}
