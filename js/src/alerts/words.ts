// What an alert log says: how all stand together, how long one has been so, what is about it.
//
// Pure: every time is an argument (ms since the epoch, by the kernel's clock). The rule:
// what has heard nothing for a while is not called all right.
import { capital, type Tone } from "../panels/dom";
import { counted } from "../panels/words";
import { clock, duration } from "../shared/format";
import { stateOf } from "../shared/life";

/** An alert, as nbrealtime/widgets/alerts/log.py sends it. */
export interface Row {
  id: number;
  name: string;
  /** Topic and condition, as far as the name does not say them. */
  about: string;
  level: string;
  state: string;
  value: number | null;
  /** Since when it is so, ms. */
  since: number | null;
  /** How often it has fired. */
  count: number;
  /** How many series it watches, and how many of them fire; some of those by name. */
  series: number;
  firing: number;
  on: string[];
  /** Ms since anything came. */
  age: number | null;
  notify: boolean;
}

/** number, ms, level, state, message, the alert's id, whether it is to be notified of. */
export type Event = [number, number, string, string, string, number, boolean];

export interface State {
  state: string;
  why: string;
  /** When it closed, ms. */
  closed: number | null;
  firing: number;
  alerts: Row[];
  more: number;
  events: Event[];
}

export interface Standing {
  /** For `data-state`. */
  state: string;
  word: string;
  tone: Tone;
  /** The gravest level that fires. */
  level: string | null;
}

const QUIET_MS = 10_000;

/** Whether an alert has heard nothing for so long that its value says little; `passed` ms after the frame came. */
export function quiet(row: Row, passed: number): boolean {
  return row.state !== "closed" && row.age !== null && row.age + passed > QUIET_MS;
}

/** Whether an alert has yet to see a number: it is not pending, and nobody knows that it is all right. */
export const waiting = (row: Row): boolean => row.state === "ok" && row.value === null;

/** All alerts in one word, `silent` seconds after the kernel's last. */
export function standing(at: State | null, silent: number, passed: number): Standing {
  if (at === null) return { state: "connecting", word: "Connecting", tone: "wait", level: null };
  const firing = at.alerts.filter(({ state }) => state === "firing");
  const level = firing.length ? (firing.some((row) => row.level === "critical") ? "critical" : "warning") : null;
  if (at.state === "closed") {
    return { state: "closed", word: at.closed ? `Closed ${clock(at.closed / 1000, false)}` : "Closed", tone: "off", level };
  }
  const heard = stateOf(silent, at.state);
  if (heard === "ended") return { state: heard, word: "Ended", tone: "off", level };
  if (heard === "silent") return { state: heard, word: "No answer", tone: "wait", level };
  if (at.state === "empty") return { state: "empty", word: "No alerts", tone: "off", level };
  if (at.state !== "live") return { state: at.state, word: capital(at.state), tone: "wait", level };
  const open = at.alerts.filter(({ state }) => state !== "closed");
  const state = open.length && open.every((row) => quiet(row, passed)) ? "stale" : "live";
  if (at.firing) return { state, word: `${at.firing} firing`, tone: level === "critical" ? "bad" : "wait", level };
  const pending = open.filter((row) => row.state === "pending").length;
  if (pending) return { state, word: `${pending} pending`, tone: "wait", level };
  if (!open.length) return { state: "live", word: "All closed", tone: "off", level };
  const unheard = open.filter(waiting).length;
  if (unheard) return { state: unheard === open.length ? "waiting" : state, word: `${unheard} waiting`, tone: "wait", level };
  if (state === "stale") return { state, word: "Quiet", tone: "wait", level };
  return { state, word: open.length === 1 ? "OK" : "All OK", tone: "good", level };
}

/** For how long an alert has been as it is, or that nothing comes. */
export function when(row: Row, now: number, passed: number): string {
  if (row.state === "closed") return "";
  if (row.age === null && waiting(row)) return "no data yet";
  if (quiet(row, passed)) return `no data for ${duration((row.age! + passed) / 1000)}`;
  if (row.since === null) return "";
  if (row.state === "ok") return `since ${clock(row.since / 1000)}`;
  return `for ${duration((now - row.since) / 1000)}`;
}

/** The second line: what fires of many, else what is watched for; and how often it has fired. */
export function about(row: Row): string {
  const fired = row.count ? `fired ${row.count === 1 ? "once" : counted(row.count, "time")}` : "has not fired";
  if (row.series > 1 && row.firing) {
    const rest = row.firing - row.on.length;
    return `${row.firing} of ${row.series}: ${row.on.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
  }
  const series = row.series > 1 ? `${row.series} series` : "";
  return row.about || series ? [row.about, series, fired].filter(Boolean).join(" · ") : capital(fired);
}

/** For ears: what fires, in a sentence. */
export function spoken(at: State): string {
  const names = at.alerts.filter(({ state }) => state === "firing").map(({ name, level }) => `${level} ${name}`);
  if (!names.length) return at.events.length ? "No alert is firing" : "";
  return `${counted(at.firing, "alert")} firing: ${names.slice(0, 3).join(", ")}${names.length > 3 ? " and more" : ""}`;
}
