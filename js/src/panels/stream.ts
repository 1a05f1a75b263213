// How a stream of messages stands: its state by word, why, what came and what was held back.
//
// Collaborators: log.ts, table.ts and heatmap.ts tell it what the kernel says (`took`), how long the kernel
// has been silent and whether the view is paused, and show the words that it returns. Python's counterpart is
// widgets/stream.py.
//
// Pure but for the clock, which is an argument. The one rule: closed wins over paused, and paused over stale.
import { clock, count as grouped, duration } from "../shared/format";
import { stateOf, unheard } from "../shared/life";
import { capital } from "./dom";
import { counted } from "./words";

/** What every frame of a panel of messages says beside the messages. */
export interface Told {
  state: string;
  why: string;
  /** Ms since the newest message when the frame was sent. */
  age: number | null;
  /** When it closed, ms since the epoch. */
  closed: number | null;
  came: number;
}

export interface Standing {
  state: string;
  word: string;
  why: string;
}

/** Seconds without a message after which a stream is stale: five of its usual pauses, at least five seconds. */
export function patience(times: readonly number[]): number {
  const recent = times.slice(-32);
  const pauses = recent.slice(1).map((time, i) => time - recent[i]!);
  pauses.sort((a, b) => a - b);
  return Math.max(5, 5 * (pauses[pauses.length >> 1] ?? 0));
}

export class Stream {
  told: Told | null = null;
  /** Messages that had come when the view was paused; null while it follows. */
  held: number | null = null;
  #arrived = 0;
  #silent = 0;
  #spoken: { came: number; state: string } | null = null;

  /** A frame came at `now` (ms). */
  took(told: Told, now: number): void {
    this.told = told;
    this.#arrived = now;
    this.#silent = 0;
  }

  /** The kernel has said nothing for so many seconds; `Infinity`: it has ended. */
  silent(seconds: number): void {
    this.#silent = seconds;
  }

  get closed(): boolean {
    return this.told?.state === "closed";
  }

  /** Pauses or resumes; returns whether it is paused now. Nothing comes after the end that could be held. */
  hold(): boolean {
    this.held = this.held !== null || this.closed ? null : (this.told?.came ?? 0);
    return this.held !== null;
  }

  /** How it stands at `now`; `patient` are the seconds after which it is stale. */
  at(now: number, patient: number): Standing {
    const at = this.told;
    if (at === null) return { state: "connecting", word: "Connecting", why: "" };
    if (at.state === "closed") return { state: "closed", word: at.closed ? `Closed ${clock(at.closed / 1000, false)}` : "Closed", why: "" };
    const age = at.age === null ? null : (at.age + now - this.#arrived) / 1000;
    const late = age !== null && age > patient ? `no data for ${duration(age)}` : "";
    const silent = this.#silent ? `the ${unheard(this.#silent)}` : "";
    // From a kernel that has ended no data is waited for.
    const state = stateOf(this.#silent, at.state);
    const why = state === "ended" ? silent : [late, silent || at.why].filter(Boolean).join(", ");
    if (this.held !== null) return { state: "paused", word: `Paused, ${grouped(Math.max(0, at.came - this.held))} new`, why };
    if (state !== "live") return { state, word: state === "silent" ? "No answer" : capital(state), why };
    if (at.came === 0) return { state: "waiting", word: "Waiting", why };
    return late ? { state: "stale", word: "Stale", why } : { state: "live", word: "Live", why: "" };
  }

  /** Whether there is news for ears since the last `news`; what is there at first is none. */
  due({ state }: Standing): boolean {
    const at = this.told;
    if (at === null) return false;
    if (this.#spoken === null) {
      this.#spoken = { came: at.came, state };
      return false;
    }
    return this.held === null && (at.came > this.#spoken.came || state !== this.#spoken.state);
  }

  /** What to say aloud now: another state, and how much came on `name` since it last said so. */
  news({ state, word, why }: Standing, name: string): string {
    const at = this.told;
    if (at === null || this.#spoken === null || this.held !== null) return "";
    const came = at.came - this.#spoken.came;
    const said = [
      state === this.#spoken.state ? "" : `${word} ${why}`.trim(),
      came > 0 ? `${counted(came, "new message")} on ${name}` : "",
    ];
    this.#spoken = { came: at.came, state };
    return said.filter(Boolean).join(". ");
  }

  /** Why there is nothing to see. */
  nothing(state: string, name: string): string {
    if (state === "refused") return `The server refused ${name}`;
    return state === "closed" ? "No message came" : `Waiting for ${name}`;
  }
}
