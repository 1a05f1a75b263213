// How far the value axis reaches, so that it neither flickers nor wastes the height.
//
// Pure: the time (ms) is an argument. The rules: it grows at once, to a round bound with
// 8 % to spare; it shrinks only when the data used less than 55 % of it for 2 s, eased
// over 200 ms; constant data gets ± 5 %; zero is included when the least value is under a
// quarter of the greatest; percent is 0–100 while the data are. On a log scale the same
// holds of the logarithms, but for zero, which it does not have.
import { even, type Bounds } from "./scale";
import { roundStep } from "./ticks";

const SPARE = 0.08;
const USED = 0.55;
const PATIENCE_MS = 2000;
const EASE_MS = 200;
/** Beyond, the distance of two values is no number; what is there is a device's sign for "none", and out of the picture. */
const LARGEST = 1e307;
const LARGEST_LOG = 1e100;

const within = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));

export type { Bounds } from "./scale";

/** The bounds that data from `low` to `high` would get if nothing had been before. */
export function fit(low: number, high: number, unit = ""): Bounds {
  if (unit === "%" && low >= 0 && high <= 100) return [0, 100];
  [low, high] = [within(low, -LARGEST, LARGEST), within(high, -LARGEST, LARGEST)];
  if (high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high))) {
    const middle = (low + high) / 2;
    const room = middle === 0 ? 1 : Math.abs(middle) * 0.05;
    [low, high] = [middle - room, middle + room];
  } else {
    const floor = low >= 0 && low < high / 4;
    const ceiling = high <= 0 && high > low / 4;
    if (floor) low = 0;
    if (ceiling) high = 0;
    const spare = SPARE * (high - low);
    if (!floor) low -= spare;
    if (!ceiling) high += spare;
  }
  const step = roundStep((high - low) / 10);
  // Plus zero: a bound is not −0.
  return [Math.floor(low / step + 1e-9) * step + 0, Math.ceil(high / step - 1e-9) * step + 0];
}

/** The same for a log scale; both above 0. */
export function fitLog(low: number, high: number): Bounds {
  [low, high] = [within(low, 1 / LARGEST_LOG, LARGEST_LOG), within(high, 1 / LARGEST_LOG, LARGEST_LOG)];
  // Within a third of a decade it looks like a linear axis, and has its round numbers.
  if (high / low < 3) return fit(low, high);
  const spare = (high / low) ** SPARE;
  return [1 / roundStep(spare / low), roundStep(high * spare)];
}

export class Range {
  private bounds: Bounds | null = null;
  private idle: number | null = null;
  private ease: { from: Bounds; to: Bounds; at: number } | null = null;

  constructor(
    private unit = "",
    private still = false,
    private log = false,
  ) {}

  /** Whether `at` would still move without new data. */
  get easing(): boolean {
    return this.ease !== null;
  }

  /** The bounds at `now`, given the extremes of what is in view; null extremes: nothing is. */
  at(low: number | null, high: number | null, now: number): Bounds {
    if (low !== null && high !== null) this.look(even(low, this.log), even(high, this.log), now);
    if (this.ease) {
      const { from, to, at } = this.ease;
      const part = this.still ? 1 : Math.min(1, (now - at) / EASE_MS);
      const smooth = part * part * (3 - 2 * part);
      this.bounds = [from[0] + (to[0] - from[0]) * smooth, from[1] + (to[1] - from[1]) * smooth];
      if (part >= 1) {
        this.bounds = to;
        this.ease = null;
      }
    }
    if (!this.log) return this.bounds ?? (this.unit === "%" ? [0, 100] : [0, 1]);
    // Through ten digits: the logarithm's rounding must not push a round bound out of the picture.
    return this.bounds ? [toTen(this.bounds[0]), toTen(this.bounds[1])] : [1, 10];
  }

  /** The bounds for these extremes where the axis is even. */
  private fit(low: number, high: number): Bounds {
    if (!this.log) return fit(low, high, this.unit);
    const [from, to] = fitLog(10 ** low, 10 ** high);
    return [Math.log10(from), Math.log10(to)];
  }

  private look(low: number, high: number, now: number): void {
    const target = this.ease?.to ?? this.bounds;
    if (target === null) {
      this.bounds = this.fit(low, high);
      return;
    }
    // A line that runs along the very edge is half cut off: 1 % before it counts as beyond.
    const brink = 0.01 * (target[1] - target[0]);
    const wanted = this.fit(low, high);
    const below = low < target[0] + brink && wanted[0] < target[0];
    const above = high > target[1] - brink && wanted[1] > target[1];
    if (below || above) {
      // Only outwards: the other side keeps its bound, or every peak would move the whole picture.
      this.bounds = [Math.min(wanted[0], target[0]), Math.max(wanted[1], target[1])];
      this.ease = null;
      this.idle = null;
      return;
    }
    const wasteful = (high - low) / (target[1] - target[0]) < USED && wanted[1] - wanted[0] < (target[1] - target[0]) * 0.95;
    if (!wasteful) {
      this.idle = null;
    } else if (this.idle === null) {
      this.idle = now;
    } else if (now - this.idle >= PATIENCE_MS) {
      this.ease = { from: this.bounds ?? target, to: wanted, at: now };
      this.idle = null;
    }
  }
}

const toTen = (logarithm: number): number => Number((10 ** logarithm).toPrecision(10));
