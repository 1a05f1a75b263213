// Which state a plot is in, and the words for it.
//
// Pure. Closed wins over paused over stale; live means connected, with a newest sample
// younger than max(5 s, 5 × the median interval), and a kernel that was heard within 5 s.
import { clock, count, duration } from "../shared/format";
import { unheard } from "../shared/life";

export type State = "empty" | "live" | "stale" | "paused" | "closed";

export interface Facts {
  /** ms since the epoch. */
  closed: number | null;
  /** Whose time is told, as for `offset`; absent: the browser's. */
  zone?: string;
  /** Messages that came since the pause; null when not paused. */
  pausedNew: number | null;
  hasData: boolean;
  connected: boolean;
  /** Seconds since the newest sample came. */
  age: number | null;
  /** The longest median interval of the topics, seconds. */
  interval: number | null;
  /** Seconds without a word from the kernel; `Infinity`: it has ended. */
  silence: number;
  /** Why nothing comes, as the kernel says it. */
  reason: string;
  /** Whether something came, but nothing that can be drawn. */
  undrawable: boolean;
  /** Whether the server lets nothing come. */
  refused?: boolean;
}

export interface Status {
  state: State;
  /** Beside the dot. */
  text: string;
  /** Why nothing came yet: what an empty plot says in its middle, where there is room. */
  why?: string;
}

export function statusOf(facts: Facts): Status {
  if (facts.closed !== null) return { state: "closed", text: `Closed ${clock(facts.closed / 1000, false, facts.zone)}` };
  if (facts.pausedNew !== null) return { state: "paused", text: `Paused, ${count(facts.pausedNew)} new` };
  const silent = unheard(facts.silence);
  const why = silent || facts.reason;
  if (!facts.hasData) {
    const text = facts.refused ? "refused" : facts.undrawable ? "nothing to draw" : "waiting";
    return { state: "empty", text, why };
  }
  const limit = Math.max(5, 5 * (facts.interval ?? 0));
  if (facts.connected && !silent && facts.age !== null && facts.age < limit) return { state: "live", text: "live" };
  const quiet = facts.age === null ? "no data" : `no data for ${duration(facts.age)}`;
  const because = why || (facts.connected ? "" : "not connected");
  // A link that was just lost is the news; the silence is not one yet. From a kernel that has ended no data is waited for.
  const sudden = facts.silence === Number.POSITIVE_INFINITY || (facts.age !== null && facts.age < 1);
  if (because && sudden) return { state: "stale", text: because };
  return { state: "stale", text: because ? `${quiet}, ${because}` : quiet };
}

/** "rising", "falling" or "steady", by what a value did within the span that is shown. */
export function trend(before: number | null, last: number | null, span: number): string {
  if (before === null || last === null) return "";
  const change = (last - before) / (span || 1);
  if (change > 0.05) return "rising";
  return change < -0.05 ? "falling" : "steady";
}
