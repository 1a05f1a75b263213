// Where the right edge of a live plot is.
//
// Pure: `now` (s, the browser's monotonic clock) is an argument. The edge is the newest
// sample's time plus what has passed in the browser since it came, at most 1 s: never the
// browser's own clock, which may be minutes off the samples'. Frames come with jitter, so
// the edge runs on at one second a second and is only nudged: it never goes back, and
// never lags behind the newest sample.

const AHEAD = 1;

export class Follow {
  private newest: number | null = null;
  private came = 0;
  private edge: number | null = null;
  private last = 0;

  /** A frame's newest sample. */
  take(newest: number, now: number): void {
    if (this.newest !== null && newest < this.newest - 1e-6) this.edge = null;
    if (newest !== this.newest) {
      this.newest = newest;
      this.came = now;
    }
  }

  /** Whether the edge would move by itself now. */
  moving(now: number): boolean {
    return this.newest !== null && now - this.came < AHEAD;
  }

  /** The right edge; null before the first sample. `snap`: no smoothing (reduced motion). */
  at(now: number, window: number, snap = false): number | null {
    if (this.newest === null) return null;
    // Of a window of milliseconds it would run out between two frames: a quarter of it may be empty.
    const ahead = Math.min(AHEAD, window / 4);
    const target = this.newest + Math.min(ahead, Math.max(0, now - this.came));
    const passed = Math.max(0, now - this.last);
    this.last = now;
    if (this.edge === null || snap || passed > 1 || Math.abs(target - this.edge) > window / 4) {
      this.edge = target;
      return target;
    }
    const run = this.edge + passed;
    // A lead decays slowly (at least half speed forwards), a lag is caught up within a few frames.
    const error = target - run;
    const next = run + error * (1 - Math.exp(-passed / (error > 0 ? 0.1 : 1)));
    this.edge = Math.max(this.edge, this.newest, Math.min(next, this.newest + ahead));
    return this.edge;
  }
}
