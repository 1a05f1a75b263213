// The crosshair: a line at a time, a dot on every series, and a box that says the values.
//
// Collaborators: view.ts moves it and says what is in view, nearest.ts finds the samples.
//
// The rules: elements over the canvas, so that moving it draws nothing anew; it stays at its
// place on the screen while the plot moves on below it, unless another plot says a time;
// and its texts change with the pointer at once, with the data at most four times a second.
import { clock, quantity } from "../shared/format";
import { hide, part } from "./face";
import { before } from "./nearest";
import { part as placeOf, type Bounds } from "./scale";
import { short } from "./short";
import { swatch, type Look } from "./swatch";
import type { Store } from "./store";
import type { Span } from "./zoom";

export interface Sight {
  x: Span;
  y: Bounds;
  log: boolean;
  stores: readonly Store[];
  labels: readonly string[];
  units: string;
  /** CSS pixels of the plotting area. */
  width: number;
  height: number;
  /** A series' colour and dash. */
  swatch(index: number): Look;
  clock(seconds: number, digits: number): string;
}

const NAMED = 8;
const TEXT_MS = 250;
/** Pixels: farther than this from a lonely sample it has no value. */
const REACH = 8;
/** Pixels that the controls take of the plotting area's upper right corner. */
const CONTROLS = { width: 112, height: 20 };

export class Crosshair {
  readonly root = part("div", "nbrt-cross");
  /** Says what keys point at. */
  readonly voice = part("span", "nbrt-plot-voice");
  private line = part("div", "nbrt-cross-line");
  private box = part("div", "nbrt-cross-box");
  private dots: HTMLElement[] = [];
  private where: { place: number } | { time: number } | null = null;
  private height: number | null = null;
  private size: { width: number; height: number } | null = null;
  private said = -Infinity;

  constructor() {
    this.root.hidden = true;
    this.root.setAttribute("aria-hidden", "true");
    this.root.append(this.line, this.box);
    this.voice.setAttribute("role", "status");
  }

  /** Whether it is shown, or would be if its time were in view. */
  get on(): boolean {
    return this.where !== null;
  }

  /** Puts it to a place of the time axis; `height` is where the pointer is, 1 at the top. */
  point(place: number, height: number): void {
    this.where = { place: Math.max(0, Math.min(1, place)) };
    this.height = height;
    this.said = -Infinity;
  }

  /** Puts it to a time: another plot's, or a sample's. */
  show(time: number): void {
    this.where = { time };
    this.height = null;
    this.said = -Infinity;
  }

  hide(): void {
    this.where = null;
    this.root.hidden = true;
  }

  /** The time that it is at. */
  time({ x }: { x: Span }): number | null {
    if (this.where === null) return null;
    return "time" in this.where ? this.where.time : x[0] + (x[1] - x[0]) * this.where.place;
  }

  /** The time `by` samples away from where it is; from nowhere, the newest in view. */
  step(sight: Sight, by: number): number | null {
    const from = this.time(sight);
    const [x0, x1] = sight.x;
    let best: number | null = null;
    for (const store of sight.stores) {
      if (store.end === store.start) continue;
      let index = before(store, from ?? x1);
      if (from !== null) {
        // Microseconds of another series' clock are no step.
        const near = (x1 - x0) * 1e-6;
        index = by > 0 ? before(store, from + near) + 1 : before(store, from - near);
        if (by < 0 && store.time[index]! >= from - near) index--;
      }
      if (index < store.start || index >= store.end) continue;
      const time = store.time[index]!;
      if (time < x0 || time > x1) continue;
      if (best === null || (by > 0 ? time < best : time > best)) best = time;
    }
    return best ?? from;
  }

  /** Puts it where it belongs in what is seen now. `ms` is the time, for the texts' pace. */
  place(sight: Sight, ms: number): void {
    const time = this.time(sight);
    const [x0, x1] = sight.x;
    const place = time === null ? -1 : (time - x0) / (x1 - x0);
    if (time === null || place < -1e-9 || place > 1 + 1e-9) {
      hide(this.root, true);
      return;
    }
    hide(this.root, false);
    this.line.style.transform = `translateX(${Math.round(place * sight.width)}px)`;
    const perPixel = (x1 - x0) / sight.width;
    const found = sight.stores.map((store) => at(store, time, perPixel * REACH));
    this.spot(sight, found, perPixel);
    if (ms - this.said >= TEXT_MS) {
      this.said = ms;
      this.tell(sight, time, found, perPixel);
    }
    this.put(sight, place);
  }

  /** What it says, in one sentence. */
  sentence(sight: Sight): string {
    const time = this.time(sight);
    if (time === null) return "";
    const perPixel = (sight.x[1] - sight.x[0]) / sight.width;
    const values = sight.stores
      .map((store, index) => ({ label: sight.labels[index], index: at(store, time, perPixel * REACH), store }))
      .filter(({ store }) => store.end > store.start)
      .slice(0, NAMED)
      .map(({ label, index, store }) => `${label} ${index === null ? "none" : quantity(store.value[index], sight.units)}`);
    return `${sight.clock(time, digitsOf(perPixel))}: ${values.join(", ")}`;
  }

  private spot(sight: Sight, found: readonly (number | null)[], perPixel: number): void {
    const many = sight.stores.length > NAMED;
    const count = many ? 0 : sight.stores.length;
    while (this.dots.length > count) this.dots.pop()!.remove();
    while (this.dots.length < count) {
      const dot = part("div", "nbrt-cross-dot");
      this.dots.push(dot);
      this.root.append(dot);
    }
    this.dots.forEach((dot, index) => {
      const store = sight.stores[index]!;
      const sample = found[index];
      const value = sample === null || sample === undefined ? NaN : store.value[sample]!;
      const y = sight.height * (1 - placeOf(value, sight.y, sight.log));
      dot.hidden = !(y >= -1 && y <= sight.height + 1);
      if (dot.hidden) return;
      const x = (store.time[sample!]! - sight.x[0]) / perPixel;
      dot.style.transform = `translate(${Math.min(sight.width, x).toFixed(1)}px, ${y.toFixed(1)}px)`;
      dot.style.background = sight.swatch(index).color;
    });
  }

  private tell(sight: Sight, time: number, found: readonly (number | null)[], perPixel: number): void {
    const rows: HTMLElement[] = [];
    const head = part("div", "nbrt-cross-time");
    head.textContent = sight.clock(time, digitsOf(perPixel));
    rows.push(head);
    const shown = chosen(sight, found, this.height);
    const names = short(sight.labels, 22);
    for (const index of shown) {
      const store = sight.stores[index]!;
      const sample = found[index]!;
      const row = part("div", "nbrt-cross-row");
      row.innerHTML = swatch(sight.swatch(index));
      const name = part("span", "nbrt-cross-name");
      name.textContent = names[index] ?? "";
      const value = part("span", "nbrt-cross-value");
      value.textContent = sample === null ? "—" : quantity(store.value[sample], sight.units);
      row.append(name, value);
      // Where a pixel stands for many samples, but not for differences that nobody could see.
      if (sample !== null && store.high[sample]! - store.low[sample]! > 0.01 * (sight.y[1] - sight.y[0])) {
        const range = part("span", "nbrt-cross-range");
        range.textContent = `${quantity(store.low[sample], sight.units)} – ${quantity(store.high[sample], sight.units)}`;
        row.append(range);
      }
      rows.push(row);
    }
    const rest = sight.stores.filter((store) => store.end > store.start).length - shown.length;
    if (rest > 0) {
      const more = part("div", "nbrt-cross-more");
      more.textContent = `+${rest}`;
      rows.push(more);
    }
    this.box.replaceChildren(...rows);
    this.size = null;
  }

  /** Beside the line, where there is room; above or below the pointer, so that it hides little. */
  private put(sight: Sight, place: number): void {
    // Asked for only when the texts are others: it has the browser lay out the page.
    const { width, height } = (this.size ??= { width: this.box.offsetWidth, height: this.box.offsetHeight });
    const x = place * sight.width;
    const right = x + 12 + width <= sight.width || x < sight.width / 2;
    let left = right ? Math.min(x + 12, sight.width - width) : Math.max(0, x - 12 - width);
    const bottom = Math.max(0, sight.height - height - 4);
    let top = this.height === null || this.height < 0.5 ? 0 : bottom;
    // The controls are at the top right.
    if (top < CONTROLS.height && left + width > sight.width - CONTROLS.width) {
      if (bottom >= CONTROLS.height) top = bottom;
      else left = sight.width - CONTROLS.width - width;
    }
    this.box.style.transform = `translate(${Math.round(Math.max(0, left))}px, ${Math.round(top)}px)`;
  }
}

const ROW = 18;
const RANGE = 12;

/** The series that the box has room for: all, or those nearest to the pointer's height; in their order. */
export function chosen(sight: Sight, found: readonly (number | null)[], height: number | null): number[] {
  const all = sight.stores.flatMap((store, index) => (store.end > store.start ? [index] : []));
  const band = all.some((index) => sight.stores[index]!.mode === "band");
  // Besides the rows: the time, "+n", borders and padding.
  const room = Math.floor((sight.height - 2 * ROW - 10) / (ROW + (band ? RANGE : 0)));
  const most = Math.max(1, Math.min(NAMED, all.length * ROW + ROW + 10 <= sight.height && !band ? NAMED : room));
  if (all.length <= most) return all;
  if (height === null) return all.slice(0, most);
  const far = (index: number): number => {
    const sample = found[index] ?? null;
    if (sample === null) return Infinity;
    return Math.abs(placeOf(sight.stores[index]!.value[sample]!, sight.y, sight.log) - height);
  };
  const near = [...all].sort((one, other) => far(one) - far(other) || one - other).slice(0, most);
  return near.sort((one, other) => one - other);
}

/** The sample that counts at `time`: the nearest, if a line goes through or it is within reach. */
export function at(store: Store, time: number, reach: number): number | null {
  if (store.end === store.start) return null;
  let index = before(store, time);
  const next = index + 1;
  const far = (i: number): number => Math.abs(store.time[i]! - time);
  const inside = store.time[index]! <= time && next < store.end && store.time[next]! - store.time[index]! <= store.breaks();
  if (next < store.end && far(next) < far(index)) index = next;
  if (!inside && far(index) > Math.max(reach, store.mode === "band" ? store.bin : 0)) return null;
  return Number.isNaN(store.value[index]!) ? null : index;
}

/** Decimals of a second that a pixel can tell apart. */
export function digitsOf(perPixel: number): number {
  return Math.max(0, Math.min(6, Math.ceil(-Math.log10(perPixel) - 0.3)));
}

/** A clock with decimals of a second; `zone` as for `clock`. */
export function fineClock(seconds: number, digits: number, zone = ""): string {
  if (digits === 0) return clock(Math.round(seconds), true, zone);
  const scale = 10 ** digits;
  const ticks = Math.round(seconds * scale);
  const whole = Math.floor(ticks / scale);
  return `${clock(whole, true, zone)}.${String(ticks - whole * scale).padStart(digits, "0")}`;
}
