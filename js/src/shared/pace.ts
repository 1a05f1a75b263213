// How many frames a second a page can take: from what drawing costs, and from how late
// messages arrive.
//
// Pure: every time is an argument. Collaborator: channel.ts asks once a second.
//
// The one rule: a page may spend at most SHARE of its main thread on drawing, and a
// delay that grows halves the rate, whatever the drawings cost: the time may go
// elsewhere (the notebook's own handling of messages, another tab's work).

const SHARE = 0.6;
const MOST = 60;
const LEAST = 2;
const LATE_MS = 250;

export class Pace {
  /** The smallest difference between the two clocks seen: what "not late" means. */
  private base = Infinity;
  private worst = 0;
  private factor = 1;

  /** A message sent at `sent` (kernel's clock, ms) is handled at `now` (browser's clock, ms). */
  arrived(sent: number, now: number): void {
    const late = now - sent;
    // The clocks drift apart and may be set: let the base follow upwards slowly.
    this.base = Math.min(this.base + 0.05, late);
    this.worst = Math.max(this.worst, late - this.base);
  }

  /** Frames a second that are right now, `cost` ms being what one round of drawings takes. */
  rate(cost: number): number {
    if (this.worst > LATE_MS) this.factor = Math.max(this.factor / 2, 0.05);
    else this.factor = Math.min(this.factor * 1.25, 1);
    this.worst = 0;
    const affordable = cost > 0 ? (1000 * SHARE) / cost : MOST;
    return Math.round(10 * Math.max(LEAST, Math.min(MOST, affordable) * this.factor)) / 10;
  }
}
