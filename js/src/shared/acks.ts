// When a page has to tell the kernel what it shows: what it said, and what it would say now.
//
// Pure: every time is an argument. Collaborator: channel.ts asks once a second while frames come.
//
// The one rule: what differs is said at the next second, what does not only often enough that
// nobody takes the page for gone. A word that brings nothing costs the kernel as much as some
// three or four pictures: it goes through every thread and queue that a cell's code goes
// through, with its own "busy" and "idle" to every page.

/** What a page says of one of its views. */
export interface Report {
  readonly view: string;
  readonly part: string;
  readonly visible: boolean;
  readonly away: boolean;
  readonly width: number;
  /** Frames a second that it can draw. */
  readonly rate: number;
}

/** Silence of a page that draws (ms); the kernel knows it too (`QUIET` in widgets/audience.py). */
export const QUIET_MS = 3000;
/** A rate that differs by less than this share is the same: what drawing costs scatters. */
const SAME = 0.1;

export class Acks {
  private said: readonly Report[] = [];
  private at = -Infinity;

  /** Whether `reports` are due at `now`; if so they count as said. */
  due(reports: readonly Report[], now: number): boolean {
    if (now - this.at < QUIET_MS && same(this.said, reports)) return false;
    this.said = reports;
    this.at = now;
    return true;
  }

  /** The kernel may know otherwise: the next reports are due, whatever they say. */
  forget(): void {
    this.at = -Infinity;
  }
}

function same(said: readonly Report[], now: readonly Report[]): boolean {
  return (
    said.length === now.length &&
    now.every((one, at) => {
      const was = said[at]!;
      return (
        one.view === was.view &&
        one.visible === was.visible &&
        one.away === was.away &&
        one.width === was.width &&
        Math.abs(one.rate - was.rate) <= SAME * was.rate
      );
    })
  );
}
