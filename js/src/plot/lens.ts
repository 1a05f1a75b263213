// What part of a plot a view shows: the newest, which moves on, or a span that stays.
//
// Collaborators: view.ts draws what `stores` returns and sends what `ask` wants; the kernel
// answers with the same range at the resolution of the pixels; splice.ts puts both together.
//
// Pure: times (ms, monotonic) are arguments. The rules: new data never move a span; what was
// there when the zoom began is kept as long as the zoom, so there is a picture at once and
// also from a kernel that hears nothing; one question at a time, or a deaf kernel would find
// a queue of them. An answer shows what the bins there were made of: the first one after a
// zoom is told as such, so that an axis that was fitted to the bins is fitted anew.
import { unpack } from "./columns";
import type { Header } from "./header";
import type { Bounds } from "./range";
import { splice, type Piece } from "./splice";
import { Store } from "./store";
import type { Span } from "./zoom";

export interface Question {
  from: number;
  to: number;
  /** Pixels for the whole of it. */
  width: number;
  request: number;
}

export interface Taken {
  /** Whether it is the first answer since the zoom. */
  first: boolean;
}

interface Answer {
  stores: Store[];
  /** What was asked for; of which it says everything from `since` to `known`. */
  from: number;
  to: number;
  since: number;
  /** How far the kernel's samples reached when it answered. */
  known: number;
  /** Seconds of a pixel. */
  grain: number;
}

/** A gesture is over when nothing changed for so long. */
const SETTLE_MS = 120;
/** Without an answer for so long the kernel is busy, and for so long the question is lost. */
const BUSY_MS = 300;
const LOST_MS = 15_000;
/** How often what came since the answer is asked for anew. */
const AGAIN_MS = 500;

export class Lens {
  x: Span | null = null;
  y: Bounds | null = null;
  private base: Store[] = [];
  private answer: Answer | null = null;
  private pending: (Question & { at: number }) | null = null;
  private moved = -Infinity;
  private answered = -Infinity;
  private requests = 0;
  /** Whether no answer came since the zoom. */
  private coarse = false;
  private made: { key: string; live: readonly Store[]; stores: readonly Store[] } | null = null;

  /** Whether this view stays where it is. */
  get zoomed(): boolean {
    return this.x !== null || this.y !== null;
  }

  /** Shows `x` from now on; `live` is what there is; `zoomed`: what was shown had another length. */
  look(x: Span, live: readonly Store[], now: number, zoomed = false): void {
    if (this.x === null) this.base = live.map((store) => store.copy());
    if (zoomed) this.coarse = true;
    this.x = x;
    this.moved = now;
  }

  /** The time moves on again; the value axis stays as it is. */
  release(): void {
    this.x = this.answer = this.pending = this.made = null;
    this.base = [];
    this.coarse = false;
  }

  /** Shows the newest again. */
  follow(): void {
    this.release();
    this.y = null;
  }

  /** The series are others: what was kept is of those before. */
  forget(): void {
    this.answer = this.pending = this.made = null;
    this.base = [];
  }

  /** Whether the kernel has let a question wait. */
  busy(now: number): boolean {
    return this.pending !== null && now - this.pending.at >= BUSY_MS;
  }

  /** What to ask the kernel now; null: nothing. `extent` is what it has, `pixels` the width of the axis. */
  ask(now: number, pixels: number, live: readonly Store[], extent: Span): Question | null {
    const { x, answer } = this;
    if (x === null || pixels < 1) return null;
    if (this.pending !== null && now - this.pending.at < LOST_MS) return null;
    if (now - this.moved < SETTLE_MS) return null;
    const grain = (x[1] - x[0]) / pixels;
    const from = Math.max(x[0], extent[0]);
    const to = Math.min(x[1], extent[1]);
    if (from >= to) return null;
    // What streams anyway is enough where it has every sample, or is as fine as the pixels.
    const enough = (one: readonly Store[], fine: number): boolean =>
      one.length > 0 && one.every((store) => store.mode === "points" || store.bin <= fine * 1.5);
    const start = Math.max(...live.map((store) => (store.end > store.start ? store.time[store.start]! : Infinity)));
    if (enough(live, grain) && start <= from + 2 * grain) return null;
    if (answer !== null) {
      const fine = answer.grain <= grain * 1.5 || answer.stores.every((store) => store.mode === "points");
      const fresh = to <= answer.known + 0.1 * (x[1] - x[0]) || enough(live, grain) || now - this.answered < AGAIN_MS;
      if (fine && fresh && answer.from <= from + grain && answer.to >= to - grain) return null;
    }
    // Half a span more on either side, so that panning finds something there.
    const margin = (x[1] - x[0]) / 2;
    const question = {
      from: Math.max(extent[0], x[0] - margin),
      to: x[1] + margin,
      width: 0,
      request: ++this.requests,
    };
    question.width = Math.max(1, Math.round((question.to - question.from) / grain));
    this.pending = { ...question, at: now };
    return question;
  }

  /** Takes the kernel's answer; null if nobody waits for it any more. */
  take(head: Header, series: number, now: number): Taken | null {
    const range = head.range!;
    if (this.pending === null || range.request !== this.pending.request) return null;
    const stores = Array.from({ length: series }, () => new Store());
    const { from, to, width } = this.pending;
    unpack({ ...head, window: to - from }, stores);
    const known = Math.min(to, range.to, head.newest ?? to);
    this.answer = { stores, from, to, since: Math.max(from, range.from), known, grain: (to - from) / width };
    this.pending = null;
    this.answered = now;
    this.made = null;
    const first = this.coarse;
    this.coarse = false;
    return { first };
  }

  /** What to draw; `version` says whether `live` has changed. */
  stores(live: readonly Store[], version: number): readonly Store[] {
    const { x, answer, base } = this;
    if (x === null) return live;
    const inside = answer !== null && answer.since <= x[0] && answer.known >= x[1];
    // What the kernel said of all that is shown needs nothing else, and does not change.
    if (inside && answer.stores.length === live.length) return withLast(answer.stores, live);
    const key = `${version} ${answer?.from} ${answer?.known}`;
    if (this.made?.key === key && this.made.live === live) return this.made.stores;
    const stores = live.map((store, index) => {
      const pieces: Piece[] = [];
      for (const one of [base[index], store]) {
        if (one && one.end > one.start) pieces.push({ store: one, from: one.time[one.start]!, to: Infinity });
      }
      const told = answer?.stores[index];
      if (told && told.end > told.start) pieces.push({ store: told, from: answer!.since, to: answer!.known });
      if (pieces.length === 0) return store;
      const made = splice(pieces);
      [made.last, made.interval] = [store.last, store.interval];
      return made;
    });
    this.made = { key, live, stores };
    return stores;
  }
}

/** The legend goes on showing the newest values, whatever is in view. */
function withLast(stores: readonly Store[], live: readonly Store[]): readonly Store[] {
  stores.forEach((store, index) => (store.last = live[index]!.last));
  return stores;
}
